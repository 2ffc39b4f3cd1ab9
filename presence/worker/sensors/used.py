"""`Used`: somebody is at the machine."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from presence.text import oneOf
from presence.worker.looking.cannottell import CannotTellError
from presence.worker.looking.elsewhere import idleOfMac, idleOfWindows
from presence.worker.looking.logind import Logind, hasBus
from presence.worker.looking.terminals import Terminals
from presence.worker.looking.x11 import Display, displays
from presence.worker.sensors.reading import Reading
from presence.worker.sensors.written import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The ways of this platform by which it can be seen whether somebody is there.
WAYS = {"darwin": ("macos",), "win32": ("windows",)}.get(sys.platform, ("x11", "logind", "terminals"))

_DAY = 86400.0


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
        every: object = None,
        name: str = "used",
        pid: int | None = None,
    ) -> None:
        self.ways = tuple(oneOf(way, WAYS) for way in ways)
        if not self.ways:
            raise ValueError(f"ways is empty: write some of {', '.join(WAYS)}")
        self.name = name
        self.quiet = seconds("quiet", quiet)
        # to ask macOS a program has to be started
        self.every = (5.0 if "macos" in self.ways else 1.0) if every is None else seconds("every", every)
        self._displays: dict[str, Display] = {}
        self._logind = Logind()
        self._terminals = Terminals(os.getpid() if pid is None else pid)

    def read(self) -> Reading:
        """Ask all ways. See `reading.Sensor`."""
        now = time.time()
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
        if now - last < 2 * self.every:
            return Reading(True, self.reason, now)
        return Reading(
            False, f"nobody has used it since {_clock(last, now)} ({', '.join(seen)}){unsaid}", last
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
        elif hasBus():
            since = self._logind.since()
            yield now if since is None else since

    def _of_displays(self, now: float) -> Iterator[float]:
        wanted = displays()
        for number in set(self._displays) - set(wanted):
            self._displays.pop(number).close()
        problem = None
        for number in wanted:
            try:
                yield now - self._displays.setdefault(number, Display(number)).idle()
            except CannotTellError as why:  # noqa: PERF203 (likewise)
                problem = why
        if problem is not None:
            raise problem


def _clock(instant: float, now: float) -> str:
    if instant <= 0:
        return "it was started"
    near = now - instant < _DAY
    return time.strftime("%H:%M" if near else "%Y-%m-%d %H:%M", time.localtime(instant))
