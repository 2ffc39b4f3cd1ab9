"""The days on which a recurring break starts. A day is an ordinal, as `datetime.date.toordinal()` counts."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from typing import TYPE_CHECKING, Protocol

from presence.breaks.recurrences import FIRST_YEAR, LAST_YEAR, Recurrence, daysOfYear
from presence.calendar.wallclock import startInstant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from presence.breaks.rules import Rule

FIRST_DAY = date(FIRST_YEAR, 1, 1).toordinal()
LAST_DAY = date(LAST_YEAR, 12, 31).toordinal()

_DAYS_A_WEEK = 7


class StartDays(Protocol):
    """The days on which a break starts; `turns` are those after which it may go on otherwise than before
    (a last day, a day that is left out), ascending.
    """

    turns: tuple[int, ...]

    def between(self, first: int, last: int) -> list[int]:
        """The start days from `first` to `last`, both included, ascending."""
        ...

    def nextAfter(self, day: int) -> int | None:
        """The first start day after `day`; None if there is none."""
        ...


class WeeklyDays:
    """Start days by weekday (0 is Monday), every week, except those in `skip`."""

    __slots__ = ("_skip", "_weekdays", "turns")

    def __init__(self, weekdays: Iterable[int], skip: Iterable[date]) -> None:
        # the day with ordinal 1 is a Monday
        self._weekdays = frozenset((weekday + 1) % _DAYS_A_WEEK for weekday in weekdays)
        self._skip = frozenset(day.toordinal() for day in skip)
        self.turns = tuple(sorted(self._skip))

    def between(self, first: int, last: int) -> list[int]:
        """See `StartDays`."""
        return [
            day
            for day in range(max(first, FIRST_DAY), min(last, LAST_DAY) + 1)
            if day % _DAYS_A_WEEK in self._weekdays and day not in self._skip
        ]

    def nextAfter(self, day: int) -> int | None:
        """See `StartDays`."""
        for candidate in range(max(day + 1, FIRST_DAY), LAST_DAY + 1):
            if candidate % _DAYS_A_WEEK in self._weekdays and candidate not in self._skip:
                return candidate
        return None


class RuleDays:
    """Start days by an RFC 5545 rule, except those in `skip`; `start` and `zone` say what UNTIL cuts off."""

    __slots__ = ("_added", "_excluded", "_recurrences", "turns")

    def __init__(self, rule: Rule, skip: Iterable[date], start: time, zone: tzinfo) -> None:
        self._recurrences = tuple(
            (recurrence, _last_day(recurrence, start, zone)) for recurrence in rule.recurrences
        )
        self._added = tuple(day for day in rule.added if FIRST_DAY <= day <= LAST_DAY)
        self._excluded = rule.excluded.union(day.toordinal() for day in skip)
        since = {each.since.toordinal() for each in rule.recurrences if each.since is not None}
        lasts = {last for _, last in self._recurrences}
        self.turns = tuple(sorted({*self._added, *self._excluded, *since, *lasts}))

    def between(self, first: int, last: int) -> list[int]:
        """See `StartDays`."""
        days = {day for day in self._added if first <= day <= last}
        for recurrence, last_of_rule in self._recurrences:
            days.update(_yielded(recurrence, max(first, FIRST_DAY), min(last, last_of_rule)))
        return sorted(days - self._excluded)

    def nextAfter(self, day: int) -> int | None:
        """See `StartDays`."""
        following = self._yielded_after(day)
        while following is not None and following in self._excluded:
            following = self._yielded_after(following)
        return following

    def _yielded_after(self, day: int) -> int | None:
        following = [added for added in self._added if added > day]
        for recurrence, last in self._recurrences:
            found = next(_yielded(recurrence, max(day + 1, FIRST_DAY), last), None)
            following += [] if found is None else [found]
        return min(following, default=None)


def _last_day(recurrence: Recurrence, start: time, zone: tzinfo) -> int:
    """The last day on which the rule may start a break that starts at `start` in `zone`."""
    if recurrence.lastDay is not None:
        return recurrence.lastDay
    until = recurrence.until
    if until is None:
        return LAST_DAY
    if not isinstance(until, datetime):
        return min(until.toordinal(), LAST_DAY)
    if until.tzinfo is None:
        return min(until.toordinal() if until.time() >= start else until.toordinal() - 1, LAST_DAY)
    # an instant is compared with the instant of the start, which is not where the clock says if that is set meanwhile
    last = min(until.toordinal() + 2, LAST_DAY)
    while last >= FIRST_DAY and startInstant(datetime.combine(date.fromordinal(last), start), zone) > until:
        last -= 1
    return last


def _yielded(recurrence: Recurrence, first: int, last: int) -> Iterator[int]:
    """The days from `first` to `last` on which the rule yields, ascending."""
    while first <= last:
        year = date.fromordinal(first).year
        new_year = date(year, 1, 1).toordinal()
        marks = daysOfYear(recurrence, year)
        place = marks.find(1, first - new_year)
        while 0 <= place <= last - new_year:
            yield new_year + place
            place = marks.find(1, place + 1)
        first = date(year + 1, 1, 1).toordinal()
