"""The weeks of a year by number (BYWEEKNO of RFC 5545), and the days that a rule chooses in them.

Written out here, as dateutil is wrong about the weeks around New Year for some starts of the week. A week belongs
to the year in which four of its days lie or more, as a whole: the days of week 53 that lie in January are days of
the year before, also where a rule counts years with INTERVAL or days with BYSETPOS. Days are ordinals.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from presence.calendar.weekdays import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DAYS_A_WEEK = 7
_LAST_ORDINAL = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class WeekRule:
    """What a yearly rule with BYWEEKNO says: the numbers of its weeks, and which of their days it means.

    None for `weekdays`, `months`, `monthDays`, `yearDays` and `positions` (BYSETPOS) means all of them: so without
    BYDAY a rule has all seven days of its weeks.
    """

    numbers: frozenset[int]
    weekStart: int
    weekdays: frozenset[int] | None
    months: frozenset[int] | None
    monthDays: frozenset[int] | None
    yearDays: frozenset[int] | None
    positions: frozenset[int] | None

    @classmethod
    def fromParts(cls, parts: Mapping[str, str], weekStart: int) -> WeekRule:
        """The rule that the parts of an RRULE say, which have been checked."""

        def numbers(name: str) -> frozenset[int] | None:
            return frozenset(map(int, parts[name].split(","))) if name in parts else None

        weekdays = frozenset(map(CODES.index, parts["BYDAY"].split(","))) if "BYDAY" in parts else None
        return cls(
            numbers("BYWEEKNO") or frozenset(),
            weekStart,
            weekdays,
            numbers("BYMONTH"),
            numbers("BYMONTHDAY"),
            numbers("BYYEARDAY"),
            numbers("BYSETPOS"),
        )

    def daysOf(self, year: int) -> list[int]:
        """The days that it chooses in the weeks of `year`, ascending. Some may lie in the years beside it."""
        days = [day for day in self._days_of_weeks(year) if 1 <= day <= _LAST_ORDINAL and self._has(day)]
        if self.positions is None:
            return days
        count = len(days)
        return [
            day
            for place, day in enumerate(days, 1)
            if place in self.positions or place - count - 1 in self.positions
        ]

    def _days_of_weeks(self, year: int) -> Iterator[int]:
        first = _first_week(year, self.weekStart)
        count = (_first_week(year + 1, self.weekStart) - first) // _DAYS_A_WEEK
        for number in range(1, count + 1):
            if number in self.numbers or number - count - 1 in self.numbers:
                start = first + (number - 1) * _DAYS_A_WEEK
                yield from range(start, start + _DAYS_A_WEEK)

    def _has(self, ordinal: int) -> bool:
        day = date.fromordinal(ordinal)
        length = calendar.monthrange(day.year, day.month)[1]
        place = day.timetuple().tm_yday
        days = 366 if calendar.isleap(day.year) else 365
        return (
            (self.weekdays is None or day.weekday() in self.weekdays)
            and (self.months is None or day.month in self.months)
            and (self.monthDays is None or not self.monthDays.isdisjoint({day.day, day.day - length - 1}))
            and (self.yearDays is None or not self.yearDays.isdisjoint({place, place - days - 1}))
        )


def _first_week(year: int, week_start: int) -> int:
    """The first day of week 1 of `year`: of the first week with four days in it, so of that of 4 January."""
    fourth = date(year, 1, 4)
    return fourth.toordinal() - (fourth.weekday() - week_start) % _DAYS_A_WEEK
