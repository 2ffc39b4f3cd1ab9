"""The days on which a break does not start: dates, spans of dates, and calendars of holidays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from presence.breaks.ics.reader import CalendarFile
from presence.calendar.isodates import isoDate

_SPAN = re.compile(
    r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})\s*(?:/|\.\.|[-–—]|\b(?:to|until|till)\b)\s*([0-9]{4}-[0-9]{2}-[0-9]{2})\s*"
)
_LONGEST_SPAN = 3660
_SHORTEST_SPAN = 3
_HOW_TO_WRITE = (
    'write dates such as "2026-12-24", spans such as "2026-12-24/2027-01-02" (both days included), a calendar of the '
    "package holidays, or the name of an .ics file"
)
# what a calendar of the package `holidays` is made with, in the order of its functions
_MADE_WITH = ("subdiv", "observed", "language", "categories")


@dataclass(frozen=True, slots=True)
class Holidays:
    """A calendar of the package `holidays`, or one that is made like it: it says of each date whether it is in it.

    `text`: how it is made; two calendars which are made alike are equal.
    """

    text: str
    calendar: Any = field(compare=False, repr=False)

    def daysOf(self, year: int) -> frozenset[int]:
        """See `presence.breaks.startdays.SkippedDays`."""
        return _holidays_of(self, year)

    def __repr__(self) -> str:
        return self.text


@lru_cache(maxsize=256)
def _holidays_of(holidays: Holidays, year: int) -> frozenset[int]:
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    return frozenset(day for day in range(first, last + 1) if date.fromordinal(day) in holidays.calendar)


def skippedDays(value: object) -> tuple[tuple[date, ...], tuple[Holidays | CalendarFile, ...]]:
    """The dates (ascending) and the calendars that `value` says. Raises `ValueError` for anything else."""
    dates: set[date] = set()
    calendars: list[Holidays | CalendarFile] = []
    items = [value] if _is_one(value) else list(value)  # type: ignore[call-overload]
    for item in items:
        if isinstance(item, (Holidays, CalendarFile)):
            calendars.append(item)
        elif (calendar := _holidays(item)) is not None:
            calendars.append(calendar)
        elif isinstance(item, str) and item.strip().lower().endswith(".ics"):
            calendars.append(CalendarFile.read(item.strip()))
        else:
            dates.update(_dates(item))
    return tuple(sorted(dates)), tuple(dict.fromkeys(calendars))


def _is_one(value: object) -> bool:
    return (
        isinstance(value, (str, date, Holidays, CalendarFile))
        or not isinstance(value, Iterable)
        or (_holidays(value) is not None)
    )


def _holidays(value: object) -> Holidays | None:
    """The calendar that `value` is, if it is one that knows more years than those which are in it."""
    if not isinstance(value, Mapping) or not hasattr(value, "years") or not getattr(value, "expand", False):
        return None
    made_with = [f"{name}={given!r}" for name in _MADE_WITH if (given := _given(value, name)) is not None]
    for kind, function in (("country", "country_holidays"), ("market", "financial_holidays")):
        code = getattr(value, kind, None)
        if isinstance(code, str):
            return Holidays(f"holidays.{function}({', '.join([repr(code), *made_with])})", value)
    made_by = type(value)
    return Holidays(f"{made_by.__module__}.{made_by.__qualname__}({', '.join(made_with)})", value)


def _given(calendar: object, name: str) -> object:
    """What `calendar` was made with, where that is not what it would be anyway."""
    given = getattr(calendar, name, None)
    if name == "categories":
        given = tuple(sorted(given)) if given else None
        return None if given == ("public",) else given
    if name == "observed":
        return None if given is not False else False
    if name == "language":
        return None if given == getattr(calendar, "default_language", None) else given
    return given


def _dates(item: object) -> Iterable[date]:
    if isinstance(item, str) and (span := _SPAN.fullmatch(item)):
        first, last = isoDate(span[1]), isoDate(span[2])
        if last < first:
            raise ValueError(f"{item!r} ends before it begins")
        if (last - first).days > _LONGEST_SPAN:
            raise ValueError(f"{item!r} has more than {_LONGEST_SPAN} days: write until= or UNTIL for an end")
        return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
    try:
        return [isoDate(item)]
    except ValueError as problem:
        if isinstance(item, str) and re.match("[0-9]{4}-", item):
            raise
        raise ValueError(f"{str(problem).partition(':')[0]}: {_HOW_TO_WRITE}") from None


def skipText(dates: Iterable[date], calendars: Iterable[object]) -> str:
    """The same as `skippedDays()` reads it, for a `repr`: days in a row as a span."""
    runs: list[list[date]] = []
    for day in dates:
        if runs and runs[-1][-1].toordinal() == day.toordinal() - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    items = []
    for run in runs:
        if len(run) >= _SHORTEST_SPAN:
            items.append(repr(f"{run[0].isoformat()}/{run[-1].isoformat()}"))
        else:
            items += [repr(day.isoformat()) for day in run]
    items += [repr(each.path) if isinstance(each, CalendarFile) else repr(each) for each in calendars]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
