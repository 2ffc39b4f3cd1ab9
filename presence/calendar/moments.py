"""Until when: ``"18:00"``, ``"tomorrow 8:00"``, ``"2026-12-24T18:00"``, read and written for people.

An instant is an aware datetime. What time it is now, and where, is told.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo

from presence.calendar.isodates import isoDatetime, looksLikeDatetime
from presence.calendar.timeofday import isEndOfDay, timeOfDay, timeText
from presence.calendar.wallclock import UTC, instantOf

_HOW_TO_WRITE = "write 18:00, 7pm, tomorrow 8:00 or 2026-12-24T18:00"
_TOMORROW = re.compile(r"tomorrow(?:\s+(?:at\s+)?(.*))?", re.IGNORECASE)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=6)
_YEAR = timedelta(days=300)


def untilInstant(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The instant that `text` says, on the clocks of `zone` (which keeps PEP 495), in UTC.

    A time of day is the next such one; ``"tomorrow"`` alone is the midnight with which it begins. A time that
    does not exist is moved forward by the gap; of a time that exists twice it is the first that is to come.
    Raises `ValueError` for anything else, and for what is not in the future.
    """
    today = now.astimezone(zone).date()
    if looksLikeDatetime(text):
        try:
            wall = isoDatetime(text)
        except ValueError as problem:
            raise ValueError(f"{problem}: {_HOW_TO_WRITE}") from None
        found = _first_after(now, [wall] if wall.tzinfo is None else [], zone)
        if wall.tzinfo is not None and wall > now:
            found = wall
    elif tomorrow := _TOMORROW.fullmatch(text.strip()):
        found = _first_after(now, [_wall(today + _DAY, tomorrow[1] or "00:00", text)], zone)
    else:
        # the day after tomorrow: where a gap has swallowed the days in between
        found = _first_after(now, [_wall(today + _DAY * days, text, text) for days in range(3)], zone)
    if found is None:
        raise ValueError(f"{text!r} is past: it is {now.astimezone(zone):%Y-%m-%d %H:%M} now")
    return found


def momentText(instant: datetime, now: datetime, zone: tzinfo) -> str:
    """`instant` as short as it is clear: ``"18:00"``, ``"tomorrow 08:00"``, ``"Fri 19:00"``, ``"24 Dec 12:00"``."""
    local = instant.astimezone(zone)
    clock = timeText(local.time().replace(second=0, microsecond=0))
    days = local.date() - now.astimezone(zone).date()
    names = {timedelta(0): "", _DAY: "tomorrow ", -_DAY: "yesterday "}
    if days in names:
        return names[days] + clock
    if timedelta(0) < days <= _WEEK:
        return f"{local:%a} {clock}"
    if abs(days) <= _YEAR:
        return f"{local.day} {local:%b} {clock}"
    return f"{local.day} {local:%b %Y} {clock}"


def _wall(day: date, clock: str, text: str) -> datetime:
    try:
        if isEndOfDay(clock):
            return datetime.combine(day + _DAY, time())
        return datetime.combine(day, timeOfDay(clock))
    except ValueError:
        raise ValueError(f"{text!r} is not a time: {_HOW_TO_WRITE}") from None


def _first_after(now: datetime, walls: list[datetime], zone: tzinfo) -> datetime | None:
    """The first instant after `now` at which the clocks of `zone` show one of `walls`."""
    for wall in walls:
        first, second = (instantOf(wall.replace(fold=fold), zone) for fold in (0, 1))
        # where a gap has swallowed the time, the second reading is the one that is moved backwards
        for instant in (first, second) if second > first else (first,):
            if instant > now:
                return instant.astimezone(UTC)
    return None
