"""Breaks that spare builds, or that do not wait for them: ``finishBefore`` and ``deadline``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from presence.breaks.partial import Limit, grouped
from presence.calendar.wallclock import later

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from presence.breaks.written import Break

_NO_TIME = timedelta(0)


class Deadline(NamedTuple):
    """A break that is, began at `start`, and whose builds are to end `after` it: those that `limit` does not admit, or all
    if it is None.
    """

    start: datetime
    after: timedelta
    limit: Limit | None

    def concerns(self, builder: str) -> bool:
        """Whether builds of `builder` have to end."""
        return self.limit is None or not self.limit.admits(builder)


class Sparing:
    """What a schedule says of builds that run when a break starts. Instants are in UTC."""

    __slots__ = ("_deadlines", "_finishing")

    def __init__(self, breaks: Sequence[Break]) -> None:
        self._finishing = grouped((_limit(each), each) for each in breaks if each.finishBefore)
        self._deadlines = grouped(
            ((each.deadline, _limit(each)), each) for each in breaks if each.deadline is not None
        )

    def nextStart(self, instant: datetime, builder: str) -> datetime | None:
        """When builds of `builder` that start at `instant` have to be finished; None if they have not. It is `instant` in
        the middle of such a break.
        """
        found = []
        for limit, coverage in self._finishing:
            if limit is None or not limit.admits(builder):
                start = instant if coverage.at(instant) is not None else coverage.nextChange(instant)
                found += [] if start is None else [start]
        return min(found, default=None)

    def deadlines(self, instant: datetime) -> list[Deadline]:
        """The breaks that are at `instant`, and interrupt what still runs after a while."""
        found = []
        for (seconds, limit), coverage in self._deadlines:
            interval = coverage.at(instant)
            if interval is not None:
                after = timedelta(seconds=seconds or 0)
                # a break that is over by then interrupts nobody
                if interval.stop is None or later(interval.start, after) < interval.stop or after == _NO_TIME:
                    found.append(Deadline(interval.start, after, limit))
        return found

    def nextDeadlineStart(self, instant: datetime) -> datetime | None:
        """The first instant after `instant` at which one of the breaks with a deadline begins or ends."""
        changes = (coverage.nextChange(instant) for _, coverage in self._deadlines)
        return min((each for each in changes if each is not None), default=None)


def _limit(break_: Break) -> Limit | None:
    """Which builds may go on; None if none may."""
    return Limit.of(break_) if break_.isPartial else None
