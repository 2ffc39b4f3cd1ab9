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

DAYS_A_WEEK = 7
_SOME_YEAR = 1970
_DAYS_A_YEAR = 366


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


class SkippedDays(Protocol):
    """Days that are known year by year only."""

    def daysOf(self, year: int) -> frozenset[int]:
        """The ordinals of the days of `year` that are left out."""
        ...


class _Skipped:
    """The days that are left out, where some of them are known year by year only."""

    __slots__ = ("_calendars", "_days")

    def __init__(self, days: frozenset[int], calendars: Iterable[SkippedDays]) -> None:
        self._days = days
        self._calendars = tuple(calendars)

    def __contains__(self, day: int) -> bool:
        if day in self._days:
            return True
        year = date.fromordinal(day).year
        return any(day in each.daysOf(year) for each in self._calendars)


def _skipped(
    skip: Iterable[date], calendars: Iterable[SkippedDays], excluded: Iterable[int] = ()
) -> tuple[_Skipped | frozenset[int], tuple[int, ...]]:
    """The days that are left out, and those of them that are known one by one."""
    days = frozenset(excluded).union(day.toordinal() for day in skip)
    calendars = tuple(calendars)
    return (_Skipped(days, calendars) if calendars else days), tuple(sorted(days))


def marked(days: StartDays, year: int) -> bytes:
    """The start days of a year of the calendar: a byte for each of its days, 1 on those. 366 at most."""
    new_year = date(year, 1, 1).toordinal()
    marks = bytearray(_DAYS_A_YEAR)
    for day in days.between(new_year, date(year, 12, 31).toordinal()):
        marks[day - new_year] = 1
    return bytes(marks)


class WeeklyDays:
    """Start days by weekday (0 is Monday), every week, except those in `skip` and in `calendars`."""

    __slots__ = ("_found", "_skip", "_weekdays", "turns")

    def __init__(
        self, weekdays: Iterable[int], skip: Iterable[date], calendars: Iterable[SkippedDays] = ()
    ) -> None:
        # the day with ordinal 1 is a Monday
        self._weekdays = frozenset((weekday + 1) % DAYS_A_WEEK for weekday in weekdays)
        self._skip, self.turns = _skipped(skip, calendars)
        # what was asked last, and the answer: of several breaks that start on these days each asks the same
        self._found: tuple[int, int, list[int]] = (0, -1, [])

    @property
    def weekdays(self) -> frozenset[int]:
        """The weekdays: the ordinals of their days modulo seven."""
        return self._weekdays

    @property
    def skipped(self) -> frozenset[int] | None:
        """The days that are left out; None where some of them are known year by year only."""
        return self._skip if isinstance(self._skip, frozenset) else None

    def between(self, first: int, last: int) -> list[int]:
        """See `StartDays`."""
        if first < FIRST_DAY or last > LAST_DAY:
            first, last = max(first, FIRST_DAY), min(last, LAST_DAY)
        found = self._found
        if found[0] != first or found[1] != last:
            weekdays, skip = self._weekdays, self._skip
            days = [
                day for day in range(first, last + 1) if day % DAYS_A_WEEK in weekdays and day not in skip
            ]
            found = self._found = first, last, days
        return found[2]

    def nextAfter(self, day: int) -> int | None:
        """See `StartDays`."""
        for candidate in range(max(day + 1, FIRST_DAY), LAST_DAY + 1):
            if candidate % DAYS_A_WEEK in self._weekdays and candidate not in self._skip:
                return candidate
        return None


class RuleDays:
    """Start days by an RFC 5545 rule, except those in `skip` and in `calendars`; of these only the ones on `weekdays`
    (0 is Monday), if there are any. `start` and `zone` say what UNTIL cuts off.
    """

    __slots__ = ("_added", "_excluded", "_recurrences", "_weekdays", "turns")

    def __init__(
        self,
        rule: Rule,
        skip: Iterable[date],
        start: time,
        zone: tzinfo,
        *,
        calendars: Iterable[SkippedDays] = (),
        weekdays: Iterable[int] | None = None,
    ) -> None:
        self._recurrences = tuple(
            (recurrence, _last_day(recurrence, start, zone)) for recurrence in rule.recurrences
        )
        self._added = tuple(day for day in rule.added if FIRST_DAY <= day <= LAST_DAY)
        self._excluded, left_out = _skipped(skip, calendars, rule.excluded)
        # the day with ordinal 1 is a Monday
        self._weekdays = (
            None if weekdays is None else frozenset((weekday + 1) % DAYS_A_WEEK for weekday in weekdays)
        )
        since = {each.since.toordinal() for each in rule.recurrences if each.since is not None}
        lasts = {last for _, last in self._recurrences}
        self.turns = tuple(sorted({*self._added, *left_out, *since, *lasts}))

    def between(self, first: int, last: int) -> list[int]:
        """See `StartDays`."""
        days = {day for day in self._added if first <= day <= last}
        for recurrence, last_of_rule in self._recurrences:
            days.update(_yielded(recurrence, max(first, FIRST_DAY), min(last, last_of_rule)))
        return [day for day in sorted(days) if self._starts(day)]

    def marksOf(self, year: int) -> bytes:
        """See `marked()`. Of most rules it is what is known of them anyway."""
        if (
            len(self._recurrences) == 1
            and not self._added
            and not self._excluded
            and self._weekdays is None
            and FIRST_YEAR <= year <= LAST_YEAR
        ):
            recurrence, last = self._recurrences[0]
            if last >= date(year, 12, 31).toordinal():
                return daysOfYear(recurrence, year)
        return marked(self, year)

    def nextAfter(self, day: int) -> int | None:
        """See `StartDays`."""
        following = self._yielded_after(day)
        while following is not None and not self._starts(following):
            following = self._yielded_after(following)
        return following

    def startsWithin(self, years: int) -> bool:
        """Whether it starts at all, before it ends or so many years have passed."""
        sinces = [each.since for each, _ in self._recurrences]
        begin = date(
            max([_SOME_YEAR, *(each.year if each else FIRST_YEAR for each in sinces)]), 1, 1
        ).toordinal()
        end = begin + years * 366
        if any(self._starts(day) for day in self._added) or self.between(begin, end):
            return True
        # One that neither counts from a day nor ends does before what it does after.
        if not any(sinces) and all(last > end for _, last in self._recurrences):
            return False
        return bool(self.between(FIRST_DAY, begin))

    def _starts(self, day: int) -> bool:
        return day not in self._excluded and (self._weekdays is None or day % DAYS_A_WEEK in self._weekdays)

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
