"""Days of the week, as an admin writes them: ``"MO-FR"``, ``"Sat,Sun"``, ``"weekdays"``, ``["MO", 2]``."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CODES = tuple(name[:2].upper() for name in NAMES)
"""The days as RFC 5545 abbreviates them, from ``"MO"`` to ``"SU"``."""

EVERY_DAY = tuple(range(7))

_DAYS_A_WEEK = 7
_SHORTEST_RANGE = 3
_HOW_TO_WRITE = (
    'write days like "MO-FR", "Sat,Sun", "weekdays" or ["MO", 2], where 2 is datetime\'s Wednesday'
)

_ALSO = {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
_NUMBERS = {
    word.lower(): number for number, name in enumerate(NAMES) for word in (name[:2], name[:3], name)
} | _ALSO
# "Mondays", "Tues." and "Weds": nobody means anything else by them
_NUMBERS |= {f"{word}s": number for word, number in _NUMBERS.items() if len(word) > _SHORTEST_RANGE}

_WORKING_DAYS, _WEEKEND = (0, 1, 2, 3, 4), (5, 6)
_SETS = {
    "weekday": _WORKING_DAYS,
    "workday": _WORKING_DAYS,
    "workingday": _WORKING_DAYS,
    "businessday": _WORKING_DAYS,
    "weekend": _WEEKEND,
    "day": EVERY_DAY,
    "daily": EVERY_DAY,
    "everyday": EVERY_DAY,
    "allweek": EVERY_DAY,
}
_SETS |= {f"{word}s": days for word, days in _SETS.items() if word.endswith(("day", "end"))}

# two words that belong together: they are read as one
_WORDS_OF_SEVERAL = re.compile(r"\b(working|business) (days?)\b|\b(all) (week)\b")
_DASHES = re.compile(r"\s*(?:[-–—−]|\b(?:to|through|thru|until|till)\b)\s*")
_DIVIDERS = re.compile(r"(?:[\s,+&/]|\b(?:and|on|every|each|the)\b)+")
_NTH = re.compile(r"[+-]?[1-5](?:" + "|".join(code.lower() for code in CODES) + ")")
_ORDINAL = re.compile(r"[1-5](?:st|nd|rd|th)|first|second|third|fourth|fifth|last|other")
_DIGITS = re.compile(r"\s*[0-9]+(?:\s*[-,–]\s*[0-9]+)*\s*")


def weekdays(value: object) -> tuple[int, ...]:
    """The days that `value` says, as `datetime.weekday()` counts them (0 is Monday), ascending.

    `value` is a string of names, words (``"weekdays"``, ``"weekend"``, ``"daily"``) and ranges (a range may
    wrap: ``"FR-MO"``), a number, or several of those.
    Raises `ValueError` for what is not a day, for digits in a string, and for no day at all.
    """
    days = sorted(_numbers(value))
    if not days:
        raise ValueError(f"{value!r} has no day, so the break would never start: {_HOW_TO_WRITE}")
    return tuple(days)


def weekday(text: str) -> int | None:
    """The one day that the word `text` names, or None if it is not the name of a day."""
    return _NUMBERS.get(text.strip().rstrip(".").lower())


def _numbers(value: object) -> set[int]:
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if value not in EVERY_DAY:
            raise ValueError(f"{value!r} is not a day of the week: {_HOW_TO_WRITE}")
        return {value}
    if isinstance(value, Iterable) and not isinstance(value, (bytes, dict)):
        return {day for item in value for day in _numbers(item)}
    raise ValueError(f"{value!r} is not a day of the week: {_HOW_TO_WRITE}")


def _of_text(value: str) -> set[int]:
    if _DIGITS.fullmatch(value):
        raise ValueError(_digits_text(value))
    text = _WORDS_OF_SEVERAL.sub(lambda match: "".join(filter(None, match.groups())), value.lower())
    # "MO - FR" and "Mon to Fri" are the same as "MO-FR"
    text = _DASHES.sub("-", text.strip())
    return {day for part in _DIVIDERS.split(text) if part for day in _range(part, value)}


def _digits_text(value: str) -> str:
    return (
        f"{value!r}: digits in a string can be read in two ways (1-5 is Monday to Friday to cron, and Tuesday to "
        'Saturday to datetime.weekday()): write names such as "MO-FR", or integers such as [0, 4], where 0 is '
        "Monday"
    )


def _range(text: str, value: str) -> list[int]:
    """The days of ``"mo"``, ``"mo-fr"`` or ``"weekend"``, in their order; after Sunday comes Monday."""
    if (days := _SETS.get(text)) is not None:
        return list(days)
    first, dash, last = text.partition("-")
    if dash and not first and _NTH.fullmatch(text):
        return [_named(text, value)]
    start = _named(first, value)
    length = (_named(last, value) - start) % _DAYS_A_WEEK if dash else 0
    return [(start + offset) % _DAYS_A_WEEK for offset in range(length + 1)]


def _named(text: str, value: str) -> int:
    number = weekday(text)
    if number is not None:
        return number
    if text.isdecimal():
        raise ValueError(_digits_text(value))
    shown = text.upper() if text else value
    if _NTH.fullmatch(text) or _ORDINAL.fullmatch(text):
        code = text.upper() if _NTH.fullmatch(text) else "2TU"
        raise ValueError(
            f'{shown!r} does not say days of every week: it belongs in rule=, as in rule="FREQ=MONTHLY;BYDAY={code}"'
        )
    raise ValueError(f"{shown!r} is not a day of the week: {_HOW_TO_WRITE}")


def weekdaysText(days: Iterable[int]) -> str:
    """`days` (ascending) as `weekdays()` reads them, three or more in a row as a range: ``"MO-FR,SU"``."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(_run_text(run) for run in runs)


def _run_text(run: list[int]) -> str:
    if len(run) >= _SHORTEST_RANGE:
        return f"{CODES[run[0]]}-{CODES[run[-1]]}"
    return ",".join(CODES[day] for day in run)
