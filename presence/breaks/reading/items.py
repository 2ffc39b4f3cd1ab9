"""What an admin writes as ``onBreakDuring``, ``workingDuring`` and ``timezone``, read. Mistakes are collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.breaks.reading.mistakes import BreakErrors, collected, read
from presence.breaks.reading.spelling import HOW_TO_WRITE, spelledBreak
from presence.breaks.reading.working import breaksBetweenWork
from presence.breaks.written import Break
from presence.calendar.timeofday import isEndOfDay, timeOfDay
from presence.calendar.zones import canonicalZone

if TYPE_CHECKING:
    from datetime import tzinfo

_PAIR_OR_TRIPLE = (2, 3)


def breaksOf(
    value: object, timezone: object, workingDuring: object
) -> tuple[list[Break], str | tzinfo | None]:
    """The breaks that these say, and the zone for those that have none: see `BreakSchedule.fromConfig`. Raises `BreakErrors`."""
    messages: list[str] = []
    zone = read("timezone", canonicalZone, timezone, messages)
    if workingDuring is not None and value is not None:
        messages.append(
            "onBreakDuring and workingDuring exclude each other: say when it is away, or when it works"
        )
    breaks = _listed(value, messages)
    if workingDuring is not None:
        work: list[str] = []
        breaks = _between(_listed(workingDuring, work), work)
        messages += [f"workingDuring: {each}" for each in work]
    if messages:
        raise BreakErrors(messages)
    return breaks, zone


# --- mistakes are added to `messages`, and the value is None then


def _listed(value: object, messages: list[str]) -> list[Break]:
    """The breaks that `value` of ``onBreakDuring`` says; what is wrong is added to `messages`."""
    if value is None:
        return []
    if isinstance(value, list):
        if _looks_like_one(value):
            messages.append(
                f"{value!r} is a list of breaks, and looks like one break: write it with ( ) instead of [ ]"
            )
            return []
        found = [
            collected(f"item {number}, {item!r}: ", writtenBreak, item, messages)
            for number, item in enumerate(value, 1)
        ]
    else:
        found = [collected("", writtenBreak, value, messages)]
    return [each for each in found if each is not None]


def _between(windows: list[Break], messages: list[str]) -> list[Break]:
    """The breaks between `windows` in which a worker works."""
    return [] if messages else collected("", breaksBetweenWork, windows, messages) or []


def _looks_like_one(value: list[object]) -> bool:
    """Whether a list is a start and a stop, and perhaps days, in the wrong brackets."""
    if len(value) not in _PAIR_OR_TRIPLE:
        return False
    try:
        timeOfDay(value[0])
        if not isEndOfDay(value[1]):
            timeOfDay(value[1])
    except ValueError:
        return False
    return True


def _is_whole(text: str) -> bool:
    """Whether `text` is a whole break."""
    try:
        Break(*spelledBreak(text))
    except ValueError:
        return False
    return True


def writtenBreak(value: object) -> Break:
    """The break that one item of ``onBreakDuring`` says. Raises `BreakErrors`, or `ValueError` for what is none."""
    if isinstance(value, Break):
        return value
    if isinstance(value, str):
        return Break(*spelledBreak(value))
    if isinstance(value, tuple) and len(value) in _PAIR_OR_TRIPLE:
        if all(isinstance(each, str) and _is_whole(each) for each in value):
            raise ValueError(
                f"{value!r} is several breaks in one tuple: write them as a list, with [ ] instead of ( )"
            )
        return Break(*value)
    raise ValueError(
        f'{value!r} is not a break: write ("19:00", "07:00") or ("19:00", "07:00", "MO-FR"), a string such as '
        f"{HOW_TO_WRITE}, a Break(…), or a list of those"
    )
