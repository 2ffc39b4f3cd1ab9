"""How long: ``"2h"``, ``"90m"``, ``"1h30m"``, ``"1d"``, read and written for people."""

from __future__ import annotations

import re

_UNITS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}

_PART = r"([0-9]+)\s*(w|d|h|min|m|s)"
_DURATION = re.compile(rf"{_PART}(?:\s*{_PART})*", re.IGNORECASE)

_HOW_TO_WRITE = "write 2h, 90m, 1h30m or 1d"

#: The longest duration that is taken for one, in seconds: beyond it somebody has mistyped.
LONGEST = 10 * 365 * 86400

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# From so many minutes, or hours, on the seconds, or minutes, are left out: nobody reads them.
_FEW_MINUTES = 10 * _MINUTE
_FEW_DAYS = 7 * _DAY


def duration(text: str) -> int:
    """The seconds that `text` says: weeks, days, hours, minutes and seconds, the longer ones first.

    Raises `ValueError` for anything else, for nothing at all (``"0h"``), and for more than ten years.
    """
    stripped = text.strip()
    if not _DURATION.fullmatch(stripped):
        unit = f": does {stripped} mean {stripped}m or {stripped}h?" if stripped.isdecimal() else ""
        raise ValueError(f"{text!r} is not a duration{unit or f': {_HOW_TO_WRITE}'}")
    parts = re.findall(_PART, stripped, re.IGNORECASE)
    sizes = [_UNITS[unit.lower()] for _, unit in parts]
    if sizes != sorted(set(sizes), reverse=True):
        raise ValueError(
            f"{text!r} is not a duration: each unit once, and the longer ones first, as in 1h30m"
        )
    # what has that many digits is too long, and may be too long to be counted
    seconds = sum(int(number[:20]) * size for (number, _), size in zip(parts, sizes, strict=True))
    if not seconds:
        raise ValueError(f"{text!r} is not a duration, as it is zero: {_HOW_TO_WRITE}")
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is more than ten years: leave it out to say that there is no end")
    return seconds


def durationText(seconds: float) -> str:
    """`seconds` for people, as exact as they want it: ``"2 h 5 min"``, ``"1 d 6 h"``, ``"40 s"``."""
    whole = max(0, round(seconds))
    if whole < _FEW_MINUTES:
        return _two(whole, (_MINUTE, "min"), (1, "s"))
    if whole < _DAY:
        return _two(round(whole / _MINUTE) * _MINUTE, (_HOUR, "h"), (_MINUTE, "min"))
    if whole < _FEW_DAYS:
        return _two(round(whole / _HOUR) * _HOUR, (_DAY, "d"), (_HOUR, "h"))
    return f"{round(whole / _DAY)} d"


def _two(whole: int, larger: tuple[int, str], smaller: tuple[int, str]) -> str:
    many, rest = divmod(whole, larger[0])
    few = rest // smaller[0]
    parts = [f"{many} {larger[1]}"] if many else []
    if few or not many:
        parts.append(f"{few} {smaller[1]}")
    return " ".join(parts)
