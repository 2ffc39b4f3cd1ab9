"""A notice on the desktop, as freedesktop.org has them (org.freedesktop.Notifications), with one button."""

from __future__ import annotations

import html
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from presence.worker.looking.bus import Bus
from presence.worker.looking.cannottell import CannotTellError

if TYPE_CHECKING:
    from threading import Event

#: How long a notice stands at most, in seconds.
LONGEST = 600.0

# how often it is looked whether it is to be taken away, in seconds
_POLL = 1.0

_NAME, _PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_KEY = "chosen"


def ask(title: str, text: str, button: str, over: Event) -> bool:
    """Show a notice until somebody closes it, or until `over` is set; whether the button was pressed. It blocks.

    Raises `CannotTellError` where there is nobody to show it.
    """
    try:
        bus = Bus(_address(), what="a notice", interface=_NAME, path=_PATH)
        try:
            return _ask(bus, title, text, button, over)
        finally:
            bus.close()
    except CannotTellError:
        raise
    except Exception as problem:  # noqa: BLE001 (jeepney's errors have no common class)
        raise CannotTellError(f"there is no desktop that shows it ({problem})") from None


def _ask(bus: Bus, title: str, text: str, button: str, over: Event) -> bool:
    desktop = bus.jeepney.DBusAddress(_PATH, _NAME, _NAME)
    shown = bus.call(
        bus.jeepney.new_method_call(
            desktop,
            "Notify",
            "susssasa{sv}i",
            # (of the name, the icon and the text only the text may have markup)
            (
                "presence",
                0,
                "",
                title,
                html.escape(text, quote=False),
                [_KEY, button],
                {},
                int(LONGEST * 1000),
            ),
        )
    )[0]
    deadline = time.monotonic() + LONGEST
    while not over.is_set() and time.monotonic() < deadline:
        for signal in bus.signals(_POLL):
            said = signal.header.fields.get(bus.jeepney.HeaderFields.member), *signal.body[:2]
            if said == ("ActionInvoked", shown, _KEY):
                return True
            if said[:2] == ("NotificationClosed", shown):
                return False
    bus.call(bus.jeepney.new_method_call(desktop, "CloseNotification", "u", (shown,)))
    return False


def _address() -> str:
    """That of the session's bus: a worker that systemd has started may not have been told it."""
    usual = Path(f"/run/user/{os.getuid()}/bus") if hasattr(os, "getuid") else None
    if "DBUS_SESSION_BUS_ADDRESS" not in os.environ and usual is not None and usual.exists():
        return f"unix:path={usual}"
    return "SESSION"
