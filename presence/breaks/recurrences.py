"""The days on which a recurrence rule yields, asked year by year.

dateutil knows the calendar. It walks from DTSTART, so here it is started anew in the year that is asked about, in
phase with `since`. And it is wrong about the numbers of weeks: those are counted in `presence.breaks.weeknumbers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from presence.breaks.weeknumbers import WeekRule

FIRST_YEAR, LAST_YEAR = 2, 9998
"""The years in which breaks happen: all but the two at whose ends a zone would leave the calendar."""

_DAYS_A_WEEK = 7
_MONTHS_A_YEAR = 12
_CALENDAR_CYCLE = 400  # years, after which dates and weekdays repeat
# the periods of such a cycle: an interval that divides them is in phase again after one cycle
_PERIODS = {"YEARLY": 400, "MONTHLY": 4800, "WEEKLY": 20_871, "DAILY": 146_097}


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One RRULE, checked.

    `text`: its parts without COUNT and UNTIL, for dateutil; `weeks`: the same of a rule with BYWEEKNO, else None. `since`: the day that anchors it, before which
    it does not start, or None. `until`: as the rule says it: a date, a naive datetime on the wall clock of
    the break, or one in UTC; or None. `lastDay`: the ordinal of the day with which COUNT ends it, or None.
    """

    text: str
    frequency: str
    interval: int
    weekStart: int
    since: date | None
    until: date | datetime | None
    lastDay: int | None = None
    weeks: WeekRule | None = None


def everYields(recurrence: Recurrence) -> bool:
    """Whether the rule yields in its last cycles of the calendar, where dateutil cannot walk for long."""
    if recurrence.weeks is not None:
        first = recurrence.since or date(FIRST_YEAR, 1, 1)
        last = _in_phase(LAST_YEAR - _cycle(recurrence), first.year, recurrence.interval)
        years = range(max(last, first.year), LAST_YEAR + 1, recurrence.interval)
        return any(day >= first.toordinal() for year in years for day in recurrence.weeks.daysOf(year))
    year = LAST_YEAR - _cycle(recurrence)
    anchor = _anchor(recurrence, max(year, FIRST_YEAR, recurrence.since.year if recurrence.since else 0))
    return anchor is not None and next(_days(recurrence.text, anchor), None) is not None


def nthDay(recurrence: Recurrence, count: int) -> int | None:
    """The ordinal of the day with which the rule has yielded `count` days since `since`, or None."""
    assert recurrence.since is not None  # noqa: S101 (COUNT has been refused without it)
    first = recurrence.since.year
    days = listed(recurrence, first)
    if count <= len(days):
        return days[count - 1]
    count -= len(days)
    # After a whole cycle of the calendar, in phase, the years yield the same again.
    numbers: list[int] = []
    for year in range(first + 1, min(first + _cycle(recurrence), LAST_YEAR) + 1):
        days = listed(recurrence, year)
        if count <= len(days):
            return days[count - 1]
        count -= len(days)
        numbers.append(len(days))
    if not any(numbers):
        return None
    cycles, count = divmod(count - 1, sum(numbers))
    year = first + 1 + (1 + cycles) * len(numbers)
    for number in numbers:
        if count < number:
            return listed(recurrence, year)[count] if year <= LAST_YEAR else None
        count -= number
        year += 1
    return None


def _cycle(recurrence: Recurrence) -> int:
    """The years after which the rule yields the same days again, with the same interval between them."""
    return _CALENDAR_CYCLE * (recurrence.interval // gcd(recurrence.interval, _PERIODS[recurrence.frequency]))


@lru_cache(maxsize=4096)
def daysOfYear(recurrence: Recurrence, year: int) -> bytes:
    """The days of `year` on which the rule yields, UNTIL and COUNT aside: a byte for each, 1 on those days.

    It costs the same in every year. Kept for all rules together: at most 2 MB.
    """
    new_year = date(year, 1, 1).toordinal()
    marks = bytearray(366)
    for day in listed(recurrence, year):
        marks[day - new_year] = 1
    return bytes(marks)


def listed(recurrence: Recurrence, year: int) -> list[int]:
    """The ordinals of the days of `year` on which the rule yields, UNTIL and COUNT aside, ascending."""
    first = date(year, 1, 1)
    if recurrence.since is not None:
        first = max(first, recurrence.since)
    if recurrence.weeks is not None:
        return _listed_by_weeks(recurrence, recurrence.weeks, max(first.toordinal(), 1), year)
    anchor = _anchor(recurrence, year)
    if first.year > year or anchor is None or anchor.year > year:
        return []
    begin = first.toordinal()
    return [day for day in _walked(recurrence.text, anchor, year) if day >= begin]


def _days(text: str, anchor: datetime) -> Iterator[datetime]:
    """The days of a rule from `anchor` on, each at that time of day."""
    # whoever has no rules has not got them in memory
    from dateutil.rrule import rrulestr  # noqa: PLC0415

    return iter(rrulestr(text, dtstart=anchor))


@lru_cache(maxsize=1024)  # many rules differ in their `since` only, and are in phase
def _walked(text: str, anchor: datetime, year: int) -> tuple[int, ...]:
    """The ordinals of the days that dateutil yields from `anchor` to the end of `year`."""
    days = []
    for found in _days(text, anchor):
        if found.year > year:
            break
        days.append(found.toordinal())
    return tuple(days)


def _listed_by_weeks(recurrence: Recurrence, weeks: WeekRule, first: int, year: int) -> list[int]:
    """The same of a rule with BYWEEKNO, from the day `first` on."""
    since = recurrence.since.year if recurrence.since is not None else FIRST_YEAR
    last = date(year, 12, 31).toordinal()
    return [
        day
        # the first and the last days of a year may be in weeks of its neighbours
        for neighbour in range(max(year - 1, since, 1), min(year + 1, LAST_YEAR) + 1)
        if (neighbour - since) % recurrence.interval == 0
        for day in weeks.daysOf(neighbour)
        if first <= day <= last
    ]


def _anchor(recurrence: Recurrence, year: int) -> datetime | None:
    """Where to start the rule so that it yields all its days of `year`, in phase with `since`.

    It is the beginning of the first period (day, week, month or year) in phase that has days in `year` or
    later; None where the calendar ends before that.
    """
    since, interval = recurrence.since or date(FIRST_YEAR, 1, 1), recurrence.interval
    new_year = date(year, 1, 1)
    if recurrence.frequency == "YEARLY":
        anchor_year = _in_phase(year, since.year, interval)
        return _month(anchor_year, 1) if anchor_year <= LAST_YEAR else None
    if recurrence.frequency == "MONTHLY":
        since_month = since.year * _MONTHS_A_YEAR + since.month - 1
        anchor_year, month = divmod(_in_phase(year * _MONTHS_A_YEAR, since_month, interval), _MONTHS_A_YEAR)
        return _month(anchor_year, month + 1) if anchor_year <= LAST_YEAR else None
    if recurrence.frequency == "WEEKLY":
        since_week = _week_of(since, recurrence.weekStart)
        day = _in_phase(_week_of(new_year, recurrence.weekStart), since_week, interval * _DAYS_A_WEEK)
    else:
        day = _in_phase(new_year.toordinal(), since.toordinal(), interval)
    return datetime.fromordinal(day) if day <= date.max.toordinal() else None


def _month(year: int, month: int) -> datetime:
    return datetime(year, month, 1)  # noqa: DTZ001 (a rule runs on the wall clock)


def _in_phase(number: int, reference: int, interval: int) -> int:
    """The first number from `number` on that lies a multiple of `interval` from `reference`."""
    return number + (reference - number) % interval


def _week_of(day: date, week_start: int) -> int:
    """The ordinal of the day with which the week of `day` begins."""
    return day.toordinal() - (day.weekday() - week_start) % _DAYS_A_WEEK
