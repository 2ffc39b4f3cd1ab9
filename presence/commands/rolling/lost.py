"""Which workers have lost their connection, and not because the master has gone: those may have been started again."""

from __future__ import annotations

import time

# A master that stops ends the connections, and still answers for some moments, in seconds. And after so long a worker that could connect
# again to a master that has been started has done so (it tries once a minute).
_STOPS, _RECONNECTS = 60.0, 120.0


class LostConnections:
    """Knows it by what it is told each time that the master has been asked."""

    def __init__(self) -> None:
        # when each was lost; who was seen connected since the master has been silent, and since when others are seen without
        self._lost: dict[str, float] = {}
        self._connected: set[str] = set()
        self._without: dict[str, float] = {}
        self._was_silent = False

    def seen(self, name: str, *, connected: bool) -> None:
        """The master says whether this worker is connected."""
        now = time.monotonic()
        if connected:
            self._connected.add(name)
            self._without.pop(name, None)
        elif name not in self._lost:
            # of one that was not seen since it is not known whether it has gone, or has yet to connect again
            known = not self._was_silent or name in self._connected
            if known or now - self._without.setdefault(name, now) >= _RECONNECTS:
                self._lost[name] = now

    def masterSilent(self) -> None:
        """The master does not answer: it may have stopped, and has lost everybody then."""
        now = time.monotonic()
        self._was_silent = True
        self._lost = {name: at for name, at in self._lost.items() if now - at > _STOPS}
        self._connected.clear()
        self._without.clear()

    def has(self, name: str) -> bool:
        """Whether this worker has lost its connection since it was forgotten."""
        return name in self._lost

    def forget(self, name: str) -> None:
        """What was, is over."""
        self._lost.pop(name, None)
