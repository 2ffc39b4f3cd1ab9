"""The arguments of a `Break`, read one by one. Mistakes are added to `messages`, and the value is None then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import NamedTuple

from presence.breaks.reading.mistakes import collected
from presence.breaks.reading.spelling import Moment, spelledMoment
from presence.calendar.durations import LONGEST, duration
from presence.calendar.isodates import isoDatetime, looksLikeDatetime
from presence.calendar.timeofday import MIDNIGHT, isEndOfDay, timeOfDay
from presence.calendar.weekdays import CODES, EVERY_DAY, weekdays

MAX_WEEKS = 50
"""How many weeks later than the first such moment a break may end."""

_DAYS_A_WEEK = 7
_MOST_BUILDS = 10_000


class Times(NamedTuple):
    """When a break starts and stops: two times of day, `nights` midnights apart, or two datetimes.

    `day`: the day of the week (0 is Monday) on which it starts, if the start says it.
    """

    start: time | datetime | None
    stop: time | datetime | None
    nights: int = 0
    day: int | None = None


def times(start: object, stop: object, messages: list[str]) -> Times:
    """What `start` and `stop` say, however they are written."""
    if looksLikeDatetime(start) or looksLikeDatetime(stop):
        return _datetimes(start, stop, messages)
    first, last = _moment(start), _moment(stop)
    if first.weeks:
        messages.append(f"start {start!r}: weeks are added to the stop")
    elif (first.day is None) != (last.day is None):
        with_day, without = (start, stop) if last.day is None else (stop, start)
        messages.append(
            f"{with_day!r} has a day and {without!r} has none: write both with a day, as in "
            'Break("FR 18:00", "MO 08:00"), or both without one, and the days on which it starts as days='
        )
    elif first.day is None and last.weeks:
        messages.append(f'stop {stop!r}: weeks are added to a day, as in "MO 08:00 +1w"')
    elif last.weeks > MAX_WEEKS:
        messages.append(f"stop {stop!r}: at most {MAX_WEEKS} weeks are added")
    else:
        return _times_of_day(start, stop, first, last, messages)
    return Times(None, None)


def _moment(value: object) -> Moment:
    return spelledMoment(value) if isinstance(value, str) else Moment(None, value)  # type: ignore[arg-type]


def _times_of_day(start: object, stop: object, first: Moment, last: Moment, messages: list[str]) -> Times:
    ends_a_day = isEndOfDay(last.clock)
    begins = collected("start: ", timeOfDay, first.clock, messages)
    ends = MIDNIGHT if ends_a_day else collected("stop: ", timeOfDay, last.clock, messages)
    if begins is None or ends is None:
        return Times(begins, ends)
    if first.day is not None and last.day is not None:
        nights = (last.day - first.day) % _DAYS_A_WEEK + (1 if ends_a_day else 0)
        if nights == 0 and ends <= begins:
            nights = _DAYS_A_WEEK
        return Times(begins, ends, nights + last.weeks * _DAYS_A_WEEK, first.day)
    if begins == ends and not ends_a_day:
        messages.append(
            f"start {start!r} and stop {stop!r} are the same time: a break that lasts the whole day is "
            'written ("00:00", "24:00")'
        )
    return Times(begins, ends, 1 if ends <= begins else 0)


def _datetimes(start: object, stop: object, messages: list[str]) -> Times:
    if not (looksLikeDatetime(start) and looksLikeDatetime(stop)):
        messages.append(
            f"start {start!r} and stop {stop!r} do not go together: write two times of day (for a break that "
            "recurs) or two datetimes (for one that does not)"
        )
        return Times(None, None)
    first = collected("start: ", isoDatetime, start, messages)
    last = collected("stop: ", isoDatetime, stop, messages)
    if first is None or last is None:
        return Times(None, None)
    if (first.tzinfo is None) != (last.tzinfo is None):
        messages.append(
            f"start {start!r} and stop {stop!r} do not go together: write both with an offset from UTC, or both "
            "without one (then they are in tz=)"
        )
    elif last <= first:
        messages.append(f"stop {stop!r} is not later than start {start!r}")
    return Times(first, last)


def daysOf(value: object) -> tuple[int, ...] | None:
    """Days of the week; None for every day."""
    days = weekdays(value)
    return None if days == EVERY_DAY else days


def deadlineOf(value: object) -> int:
    """How long after the start what still runs is interrupted, in whole seconds; 0 is at once."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, str) and value.strip() not in {"0", "0s", "0m", "0h"}:
        return duration(value)
    if isinstance(value, str):
        return 0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST:
        raise ValueError(
            f'{value!r} is not a deadline: write how long after the start, as in "30m", or seconds'
        )
    return int(value)


def flagOf(value: object) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not right: write True or False")  # noqa: TRY004 (mistakes are ValueErrors)
    return value


def buildsOf(value: object) -> int:
    """How many builds may run at once."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_BUILDS:
        raise ValueError(
            f"{value!r} is not a number of builds from 1 on: a break in which none may run is one without builds="
        )
    return value


def patternsOf(value: object) -> tuple[str, ...]:
    """Names of builders, or patterns such as ``"quick-*"``."""
    listed = (value,) if isinstance(value, str) else value
    patterns = tuple(listed) if isinstance(listed, Iterable) and not isinstance(listed, (bytes, dict)) else ()
    if not patterns or not all(isinstance(each, str) and each.strip() for each in patterns):
        raise ValueError(f'{value!r} is not right: write names of builders or patterns, as in ["quick-*"]')
    return tuple(dict.fromkeys(each.strip() for each in patterns))


def dayAndClock(day: int, clock: str) -> str:
    """A moment of the week as `times()` reads it."""
    return f"{CODES[day % _DAYS_A_WEEK]} {clock}"
