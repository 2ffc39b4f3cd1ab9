"""Days of the week, as an admin writes them: ``"MO-FR"``, ``"Sat,Sun"``, ``["MO", 2]``."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CODES = tuple(name[:2].upper() for name in NAMES)
"""The days as RFC 5545 abbreviates them, from ``"MO"`` to ``"SU"``."""

EVERY_DAY = tuple(range(7))

_DAYS_A_WEEK = 7
_SHORTEST_RANGE = 3
_HOW_TO_WRITE = 'write days like "MO-FR", "Sat,Sun" or ["MO", 2], where 0 is Monday and 6 is Sunday'
_NUMBERS = {
    word.lower(): number
    for number, name in enumerate(NAMES)
    for word in (name[:2], name[:3], name, str(number))
}


def weekdays(value: object) -> tuple[int, ...]:
    """The days that `value` says, as `datetime.weekday()` counts them (0 is Monday), ascending.

    `value` is a string of names and ranges (a range may wrap: ``"FR-MO"``), a number, or several of those.
    Raises `ValueError` for what is no day, and for no day at all.
    """
    days = sorted(_numbers(value))
    if not days:
        raise ValueError(f"{value!r} has no day, so the break would never start: {_HOW_TO_WRITE}")
    return tuple(days)


def _numbers(value: object) -> set[int]:
    if isinstance(value, str):
        # "MO - FR" is the same as "MO-FR"
        parts = re.split(r"[\s,]+", re.sub(r"\s*-\s*", "-", value.strip()))
        return {day for part in parts if part for day in _range(part)}
    if isinstance(value, int) and not isinstance(value, bool):
        return {_named(str(value))}
    if isinstance(value, Iterable) and not isinstance(value, (bytes, dict)):
        return {day for item in value for day in _numbers(item)}
    raise ValueError(f"{value!r} is no day of the week: {_HOW_TO_WRITE}")


def _range(text: str) -> list[int]:
    """The days of ``"MO"`` or ``"MO-FR"``, in their order; after Sunday comes Monday."""
    first, dash, last = text.partition("-")
    start = _named(first)
    length = (_named(last) - start) % _DAYS_A_WEEK if dash else 0
    return [(start + offset) % _DAYS_A_WEEK for offset in range(length + 1)]


def _named(text: str) -> int:
    try:
        return _NUMBERS[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is no day of the week: {_HOW_TO_WRITE}") from None


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
