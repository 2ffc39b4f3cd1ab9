"""Breaks that spare builds, or that do not wait for them: ``finishBefore`` and ``deadline``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from presence.breaks.partial import Limit, grouped
from presence.calendar.wallclock import later

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from presence.breaks.coverage import BreakInterval
    from presence.breaks.written import Break

# How far a break that has no end in sight is looked at.
_ENDLESS = timedelta(days=8)


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


class Spared(NamedTuple):
    """What a break as it happens means for builds: whether none starts before it that would still run in it, and when those
    that run in it nevertheless are interrupted for the first time; None if they are not.
    """

    finishBefore: bool
    interruptsAt: datetime | None


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
                if _is_due(interval, later(interval.start, after)):
                    found.append(Deadline(interval.start, after, limit))
        return found

    def nextDeadlineStart(self, instant: datetime) -> datetime | None:
        """The first instant after `instant` at which one of the breaks with a deadline begins or ends."""
        changes = (coverage.nextChange(instant) for _, coverage in self._deadlines)
        return min((each for each in changes if each is not None), default=None)

    def of(self, start: datetime, stop: datetime | None, limit: Limit | None) -> Spared:
        """What is so of the break from `start` to `stop` (None: without an end in sight) with that `limit`."""
        end = later(start, _ENDLESS) if stop is None else stop
        finishes = any(own == limit and coverage.between(start, end) for own, coverage in self._finishing)
        found = [
            at
            for (seconds, own), coverage in self._deadlines
            if own == limit
            for each in coverage.between(start, end)
            if _is_due(each, at := later(each.start, timedelta(seconds=seconds or 0)))
        ]
        return Spared(finishes, min(found, default=None))


def _is_due(interval: BreakInterval, at: datetime) -> bool:
    """Whether a deadline at this instant comes: a break that is over by then interrupts nobody."""
    return interval.stop is None or at < interval.stop or at == interval.start


def _limit(break_: Break) -> Limit | None:
    """Which builds may go on; None if none may."""
    return Limit.of(break_) if break_.isPartial else None
