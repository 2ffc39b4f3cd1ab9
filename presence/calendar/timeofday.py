"""A time of day, as an admin writes it: ``"19:00"``, ``"19:00:30"``, ``"7PM"``, ``"7:30 pm"``, ``"noon"``."""

from __future__ import annotations

import re
from datetime import time

MIDNIGHT = time(0)

_ON_24_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_ON_12_HOURS = re.compile(r"([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?)?\s*([ap])\.?m\.?", re.IGNORECASE)
_END_OF_DAY = re.compile(r"24:00(?::00)?")
_WORDS = {"noon": time(12), "midday": time(12), "midnight": MIDNIGHT}
_HOUR = re.compile(r"([01]?[0-9]|2[0-4])")
# "19.00", "1900", "19h", "19h30", "19 Uhr": what is meant is plain, but it is written in one way only
_OTHERWISE = re.compile(r"([01]?[0-9]|2[0-3])\s*(?:h|uhr|o'clock|[.h]?([0-5][0-9])(?:\s*h)?)", re.IGNORECASE)

_HOW_TO_WRITE = 'write "19:00", "19:00:30", "7PM" or "7:30 pm"'
_NOON = 12


def isEndOfDay(value: object) -> bool:
    """Whether `value` is ``"24:00"``, the midnight at which a day ends."""
    return isinstance(value, str) and _END_OF_DAY.fullmatch(value.strip()) is not None


def timeOfDay(value: object) -> time:
    """The time of day that `value` says: a string in one of the forms above, or a naive `datetime.time`.

    ``"24:00"`` is none: whoever allows it asks `isEndOfDay()` first.
    Raises `ValueError` for anything that says more or less than a time of day.
    """
    if isinstance(value, time):
        if value.tzinfo is not None:
            raise ValueError(f"{value!r} has a time zone: write the time without one, and the zone as tz=")
        return value.replace(fold=0)
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a time of day: {_HOW_TO_WRITE}")  # noqa: TRY004 (mistakes are ValueErrors)
    text = value.strip()
    if isEndOfDay(text):
        raise ValueError(f'{value!r} is the end of a day and can only be a stop: a start is "00:00"')
    try:
        return _read(text)
    except ValueError:
        raise ValueError(f"{value!r} is not a time of day: {_hint(text) or _HOW_TO_WRITE}") from None


def _hint(text: str) -> str | None:
    """What `text` may be meant to say, if it is the time of day but for how it is written."""
    if match := _HOUR.fullmatch(text):
        hour = int(match[1])
        afternoon = f' (or "{hour}PM", if that is meant)' if 0 < hour < _NOON else ""
        return f'write "{hour}:00"{afternoon}'
    if match := _OTHERWISE.fullmatch(text):
        return f'write "{int(match[1])}:{match[2] or "00"}"'
    return None


def _read(text: str) -> time:
    """The time of day in `text`. Raises `ValueError` (without a message for people)."""
    if (word := _WORDS.get(text.lower())) is not None:
        return word
    if match := _ON_24_HOURS.fullmatch(text):
        hour, minute, second = match.groups(default="0")
        return time(int(hour), int(minute), int(second))
    if match := _ON_12_HOURS.fullmatch(text):
        hour, minute, second, half = match.groups(default="0")
        if not 1 <= int(hour) <= _NOON:
            raise ValueError(text)
        # 12 AM is midnight and 12 PM is noon
        afternoon = _NOON if half in "pP" else 0
        return time(int(hour) % _NOON + afternoon, int(minute), int(second))
    raise ValueError(text)


def timeText(value: time) -> str:
    """`value` as `timeOfDay()` reads it: ``"19:00"``, with seconds only if there are any."""
    return value.isoformat(timespec="seconds" if value.second else "minutes")
