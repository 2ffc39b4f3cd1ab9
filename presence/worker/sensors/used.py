"""`Used`: somebody is at the machine."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from presence.calendar.instants import datetimeOf
from presence.calendar.moments import momentText
from presence.calendar.zones import localZone, zoneFor
from presence.text import oneOf, shown
from presence.worker.looking.cannottell import CannotTellError
from presence.worker.looking.elsewhere import idleOfMac, idleOfWindows
from presence.worker.looking.logind import Logind, hasBus
from presence.worker.looking.terminals import Terminals
from presence.worker.looking.x11 import Display, displays
from presence.worker.sensors.quiettime import LEAST
from presence.worker.sensors.reading import Reading
from presence.worker.sensors.written import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The ways of this platform by which it can be seen whether somebody is there.
WAYS = {"darwin": ("macos",), "win32": ("windows",)}.get(sys.platform, ("x11", "logind", "terminals"))

#: No shorter quiet time may be written: who types every ten minutes would be away and back each time, before it is known.
SHORTEST = LEAST

# how often it is looked which displays there are, and whether there is a bus, in seconds
_LIST = 15.0

# It is looked so often, in seconds; with what passes between two readings that is within two seconds of a key press.
_PAUSE = 1.25
_BETWEEN = 0.5

# one reading is made of so many looks, unless one of them is another: to wake the reactor costs more than to look
_LOOKS = 8


class Used:
    """Away while somebody uses the machine, and until nobody has for the `quiet` time.

    `ways` are those that are used of `WAYS`, by default all. What one cannot tell is left to the others, and said.
    """

    #: the reason of a hold that begins when somebody was seen a moment ago
    reason = "somebody uses the machine"

    def __init__(
        self,
        quiet: object = "15m",
        *,
        ways: tuple[str, ...] = WAYS,
        pause: object = None,
        name: str = "used",
        pid: int | None = None,
    ) -> None:
        self.ways = tuple(oneOf(way, WAYS) for way in ways)
        if not self.ways:
            raise ValueError(f"ways is empty: write some of {', '.join(WAYS)}")
        self.name = name
        self.quiet = seconds("quiet", quiet)
        if self.quiet < SHORTEST:
            raise ValueError(
                f"quiet={shown(quiet)} is too short: who types every ten minutes would be away and back all the time; "
                f'write "{SHORTEST / 60:.0f}m", or longer'
            )
        self.every = _BETWEEN
        # to ask macOS a program has to be started
        self._pause = (5.0 if "macos" in self.ways else _PAUSE) if pause is None else seconds("pause", pause)
        self._looked = False
        self._said: tuple[bool | None, bool] = (None, False)
        self._displays: dict[str, Display] = {}
        self._bus = False
        # when it was looked which of them there are
        self._listed = -_LIST
        self._logind = Logind()
        self._zone = zoneFor(localZone())
        self._terminals = Terminals(os.getpid() if pid is None else pid)

    def read(self) -> Reading:
        """Look for some seconds, and return at once when something has changed. See `reading.Sensor`."""
        if not self._looked:
            self._looked = True
            reading = self.look()
        else:
            for _ in range(_LOOKS):
                time.sleep(self._pause)
                reading = self.look()
                if self._state(reading) != self._said:
                    break
        self._said = self._state(reading)
        return reading

    def _state(self, reading: Reading) -> tuple[bool | None, bool]:
        """What is said at once when it has changed: whether somebody is there, and whether nobody was for the quiet time."""
        return reading.away, reading.last is not None and time.time() - reading.last >= self.quiet

    def look(self) -> Reading:
        """Ask all ways, once. Raises `CannotTellError`."""
        now = time.time()
        self._list()
        seen: dict[str, float] = {}
        blind = []
        for way in self.ways:
            try:
                for last in self._asked(way, now):
                    seen[way] = max(last, seen.get(way, 0.0))
            except CannotTellError as problem:  # noqa: PERF203 (three of them)
                blind.append(str(problem))
        unsaid = f"; {'; '.join(blind)}" if blind else ""
        if not seen:
            raise CannotTellError(
                unsaid.removeprefix("; ") or f"nothing is there to ask ({', '.join(self.ways)})"
            )
        # a clock that was set back leaves times in the future
        last = max((each for each in seen.values() if each <= now + 1), default=0.0)
        if now - last < self._pause + 2 * _BETWEEN:
            return Reading(True, self.reason, last)
        return Reading(
            False, f"nobody has used it since {self._moment(last, now)} ({', '.join(seen)}){unsaid}", last
        )

    def _asked(self, way: str, now: float) -> Iterator[float]:
        """When somebody was there last, as far as this way knows."""
        if way == "x11":
            yield from self._of_displays(now)
        elif way == "terminals":
            yield self._terminals.last()
        elif way == "macos":
            yield now - idleOfMac()
        elif way == "windows":
            yield now - idleOfWindows()
        elif self._bus:
            since = self._logind.since()
            yield now if since is None else since

    def _list(self) -> None:
        now = time.monotonic()
        if now - self._listed < _LIST:
            return
        self._listed = now
        self._bus = hasBus()
        wanted = displays() if "x11" in self.ways else []
        for number in set(self._displays) - set(wanted):
            self._displays.pop(number).close()
        for number in wanted:
            self._displays.setdefault(number, Display(number))

    def _of_displays(self, now: float) -> Iterator[float]:
        problem = None
        for display in self._displays.values():
            try:
                yield now - display.idle()
            except CannotTellError as why:  # noqa: PERF203 (likewise)
                problem = why
        if problem is not None:
            raise problem

    def _moment(self, instant: float, now: float) -> str:
        if instant <= 0:
            return "it was started"
        return momentText(datetimeOf(instant), datetimeOf(now), self._zone)
