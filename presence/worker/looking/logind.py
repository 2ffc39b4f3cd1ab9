"""What systemd-logind knows of who uses the machine: its IdleHint, over D-Bus.

Over a connection that stays: logind says when the hint changes, so that a look costs one read of a socket. (A child such as
`busctl` for every look would cost some milliseconds each.) The messages are made and read by the package jeepney.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from presence.text import shown
from presence.worker.looking.bus import Bus
from presence.worker.looking.cannottell import CannotTellError

#: How long the bus may take to answer, in seconds.
PATIENCE = 2.0

#: How long it is until logind is asked all the same, in seconds: of terminals it does not say that they are used again.
ASK = 15.0

#: How long a bus that cannot be asked is left alone, in seconds.
REST = 30.0

_SOCKETS = (Path("/run/dbus/system_bus_socket"), Path("/var/run/dbus/system_bus_socket"))
_NAME, _PATH, _MANAGER = "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
_CHANGED = "org.freedesktop.DBus.Properties"


def hasBus() -> bool:
    """Whether there is a system bus."""
    return "DBUS_SYSTEM_BUS_ADDRESS" in os.environ or any(path.exists() for path in _SOCKETS)


class Logind:
    """The hint of the whole machine: whether all sessions are idle, and since when."""

    def __init__(self) -> None:
        self._bus: _Bus | None = None
        self._since: float | None = None
        # on a clock that is not set
        self._asked = self._failed = -REST - ASK
        self._why = ""

    def since(self) -> float | None:
        """Since when everybody is idle, in seconds since the epoch; None when somebody is not. Raises `CannotTellError`."""
        now = time.monotonic()
        if now - self._failed < REST:
            raise CannotTellError(self._why)
        try:
            if self._bus is None:
                self._bus, self._asked = _Bus(), -ASK
            if self._bus.heard() or now - self._asked >= ASK:
                self._since, self._asked = self._bus.idleSince(), now
        except CannotTellError as problem:
            raise self._rest(str(problem), now) from None
        except Exception as problem:  # noqa: BLE001 (jeepney's errors have no common class)
            raise self._rest(f"logind cannot be asked ({problem})", now) from None
        return self._since

    def close(self) -> None:
        """End the connection."""
        if self._bus is not None:
            self._bus.close()
            self._bus = None

    def _rest(self, why: str, now: float) -> CannotTellError:
        self.close()
        self._why, self._failed = why, now
        return CannotTellError(why)


class _Bus:
    """A connection to the system bus, on which logind says when something has changed."""

    def __init__(self) -> None:
        self._bus = Bus("SYSTEM", what="logind", interface=_CHANGED, path=_PATH, patience=PATIENCE)

    def idleSince(self) -> float | None:
        """Since when everybody is idle, or None."""
        jeepney = self._bus.jeepney
        logind = jeepney.Properties(jeepney.DBusAddress(_PATH, _NAME, _MANAGER))
        idle, since = (self._bus.call(logind.get(name))[0][1] for name in ("IdleHint", "IdleSinceHint"))
        if not isinstance(idle, bool) or not isinstance(since, int):
            raise CannotTellError(
                f"logind has said {shown(idle)} and {shown(since)}, which is not understood"
            )
        return since / 1e6 if idle else None

    def heard(self) -> bool:
        """Whether logind has said since the last time that something has changed."""
        return bool(self._bus.signals())

    def close(self) -> None:
        self._bus.close()
