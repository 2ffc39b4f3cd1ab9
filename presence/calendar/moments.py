"""Until when: ``"18:00"``, ``"tomorrow 8:00"``, ``"friday 8:00"``, ``"2026-12-24T18:00"``, read and written for people.

An instant is an aware datetime. What time it is now, and where, is told.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo

from presence.calendar.isodates import isoDatetime, looksLikeDatetime
from presence.calendar.timeofday import isEndOfDay, timeOfDay, timeText
from presence.calendar.wallclock import UTC, instantOf
from presence.calendar.weekdays import weekday

_HOW_TO_WRITE = "write 18:00, 7pm, tomorrow 8:00, friday 8:00, next monday or 2026-12-24T18:00"
_ON_A_DAY = re.compile(r"(?:(on|this|next)\s+)?([a-z]+\.?)(?:,?\s+(?:at\s+)?(.*))?", re.IGNORECASE)
# words that leave open which hour is meant, and one that may be
_PARTS = {"morning": "8:00", "afternoon": "14:00", "evening": "18:00", "night": "22:00"}
_VAGUE = re.compile(rf"(?:(?:in|at)\s+)?(?:the\s+)?({'|'.join(_PARTS)})", re.IGNORECASE)
# what is no day, and what may be meant
_MEANT = {
    "today": "today 18:00",
    "tonight": "today 22:00",
    "next week": "next monday",
    "the weekend": "saturday",
    "weekend": "saturday",
    "this weekend": "saturday",
    "next weekend": "next saturday",
    "next month": "a day, as in 2026-12-24",
    **{f"this {part}": f"today {hour}" for part, hour in _PARTS.items()},
}
_WEEKDAYS = 7
_DAY = timedelta(days=1)
_WEEK = timedelta(days=6)
_YEAR = timedelta(days=300)


def untilInstant(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The instant that `text` says, on the clocks of `zone` (which keeps PEP 495), in UTC.

    A time of day is the next such one; a day alone (``"tomorrow"``, ``"monday"``) is the midnight with which it begins. A
    day of the week is the first whose time is to come, with ``next`` never today. A time that does not exist is moved
    forward by the gap; of a time that exists twice it is the first that is to come.
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
    elif (on := _on_a_day(text.strip(), today)) is not None:
        days, clock = on
        found = _first_after(now, [_wall(day, clock, text) for day in days], zone)
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


def _on_a_day(text: str, today: date) -> tuple[list[date], str] | None:
    """The days that may be meant, in their order, and the time of day; None where `text` begins with no day. `ValueError` for
    what leaves open which day or hour is meant.
    """
    if (meant := _MEANT.get(" ".join(text.lower().split()))) is not None:
        raise ValueError(f"{text!r} leaves open when that is: write {meant}")
    match = _ON_A_DAY.fullmatch(text)
    if match is None:
        return None
    which, name, clock = (match[1] or "").lower(), match[2].lower(), match[3]
    if clock is not None and (vague := _VAGUE.fullmatch(clock)):
        said = text[: match.start(3)].strip()
        raise ValueError(f"{text!r} leaves open which hour is meant: write {said} {_PARTS[vague[1].lower()]}")
    number = weekday(name)
    if number is not None:
        first = (number - today.weekday()) % _WEEKDAYS
        if which == "next":
            # said of a day, it is not today
            first = first or _WEEKDAYS
        days = [today + _DAY * first]
        if which not in {"next", "this"}:
            days.append(days[0] + _DAY * _WEEKDAYS)
    elif name in {"today", "tomorrow"} and not which:
        days = [today if name == "today" else today + _DAY]
    else:
        return None
    return days, clock or "00:00"


def _wall(day: date, clock: str, text: str) -> datetime:
    try:
        if isEndOfDay(clock):
            return datetime.combine(day + _DAY, time())
        return datetime.combine(day, timeOfDay(clock))
    except ValueError as problem:
        # what it says of a time is more than how everything is written
        why = problem if clock != text and clock[:1].isdecimal() else _HOW_TO_WRITE
        raise ValueError(f"{text!r} is not a time: {why}") from None


def _first_after(now: datetime, walls: list[datetime], zone: tzinfo) -> datetime | None:
    """The first instant after `now` at which the clocks of `zone` show one of `walls`."""
    for wall in walls:
        first, second = (instantOf(wall.replace(fold=fold), zone) for fold in (0, 1))
        # where a gap has swallowed the time, the second reading is the one that is moved backwards
        for instant in (first, second) if second > first else (first,):
            if instant > now:
                return instant.astimezone(UTC)
    return None
