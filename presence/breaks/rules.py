"""Recurrence rules of RFC 5545, read and checked. Which days they yield is known to `presence.breaks.recurrences`.

A rule says on which days a break starts; the times of day come from elsewhere. dateutil takes much that it then
ignores or never yields, so a rule is checked here first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timezone
from functools import lru_cache

from presence.breaks.recurrences import LAST_YEAR, Recurrence, everYields, listed, nthDay
from presence.breaks.weeknumbers import WeekRule
from presence.calendar.weekdays import CODES

_MAX_INTERVAL = 1000
_MAX_COUNT = 10_000

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_BY_NUMBERS = {  # part: the greatest number, whether it may count from the end, the frequencies that have it
    "BYMONTH": (12, False, _FREQUENCIES),
    "BYMONTHDAY": (31, True, ("DAILY", "MONTHLY", "YEARLY")),
    "BYYEARDAY": (366, True, ("YEARLY",)),
    "BYWEEKNO": (53, True, ("YEARLY",)),
    "BYSETPOS": (366, True, _FREQUENCIES),
}
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_BY_NUMBERS)
_NAMES_A_DAY = {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}

_NUMBER = re.compile(r"[+-]?[0-9]{1,5}")
_BYDAY = re.compile(rf"([+-]?[0-9]{{1,2}})?({'|'.join(CODES)})")
_DATE = re.compile(r"[0-9]{8}")
_DATETIME = re.compile(r"[0-9]{8}T[0-9]{6}(Z?)")


@dataclass(frozen=True, slots=True)
class Rule:
    """What `parseRule()` found: recurrences, and days (as ordinals) that are added and taken out.

    `times`: the times of day which the dates came with (calendar programs write them), to be compared with
    the start of the break.
    """

    recurrences: tuple[Recurrence, ...]
    added: tuple[int, ...]
    excluded: frozenset[int]
    times: frozenset[time]


def ruleText(value: object) -> str:
    """`value` as `parseRule()` takes it: upper case, a line each for RRULE, RDATE and EXDATE, unfolded.

    Raises `ValueError` unless it is a string with something in it.
    """
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'{value!r} is not a rule: write an RRULE such as "FREQ=MONTHLY;BYDAY=2TU"')
    unfolded = re.sub(r"\r?\n[ \t]", "", value.strip())
    # "FREQ=MONTHLY; BYDAY=2TU": a blank beside a sign divides nothing
    joined = re.sub(r"[ \t]*([;,=:])[ \t]*", r"\1", unfolded)
    return "\n".join(joined.upper().split())


@lru_cache(maxsize=256)  # asked where a break is written and where it is put on a schedule
def parseRule(text: str, since: date | None) -> Rule:
    """The rule in `text` (from `ruleText()`), anchored at `since`.

    Raises `ValueError` for what is not RFC 5545, for what is not about days, for what needs `since` and has
    none, and for a rule which never yields a day.
    """
    recurrences: list[Recurrence] = []
    added: set[int] = set()
    excluded: set[int] = set()
    times: set[time] = set()
    for line in text.split("\n"):
        name, value = _property(line)
        if name == "RRULE":
            recurrences.append(_recurrence(value, since))
        else:
            days = added if name == "RDATE" else excluded
            for day, clock in map(_date_and_time, value.split(",")):
                days.add(day.toordinal())
                times.update(() if clock is None else {clock})
    if not recurrences and not added - excluded:
        raise ValueError(f"{text!r} never yields a day: it needs an RRULE or an RDATE that EXDATE leaves in")
    return Rule(tuple(recurrences), tuple(sorted(added)), frozenset(excluded), frozenset(times))


def _property(line: str) -> tuple[str, str]:
    """Name and value of a line such as ``RRULE:FREQ=DAILY``; RRULE may be left out."""
    head, colon, value = line.partition(":")
    if not colon:
        return "RRULE", line
    name, *parameters = head.split(";")
    if name == "DTSTART":
        raise ValueError(
            "DTSTART has no place in a rule: write since= for the first day, start= for the time"
        )
    if name not in {"RRULE", "RDATE", "EXDATE"}:
        raise ValueError(f"{name!r} has no place in a rule: it takes RRULE, RDATE and EXDATE lines")
    for parameter in parameters:
        if parameter.startswith("TZID="):
            raise ValueError(f"{parameter} has no place in a rule: write the zone as tz=")
        if parameter not in {"VALUE=DATE", "VALUE=DATE-TIME"}:
            raise ValueError(f"{parameter!r} has no place in {line!r}")
    return name, value


def _recurrence(text: str, since: date | None) -> Recurrence:
    parts = _parts(text)
    week_start = _week_start(parts)
    recurrence = Recurrence(
        text=_for_dateutil(parts, since),
        frequency=parts["FREQ"],
        interval=_positive(parts, "INTERVAL", _MAX_INTERVAL),
        weekStart=week_start,
        since=since,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        weeks=WeekRule.fromParts(parts, week_start) if "BYWEEKNO" in parts else None,
    )
    if not everYields(recurrence):
        raise ValueError(f"{text!r} never yields a day")
    if "COUNT" in parts:
        last = nthDay(recurrence, _positive(parts, "COUNT", _MAX_COUNT))
        return replace(recurrence, lastDay=last)
    _check_until(recurrence, text)
    return recurrence


def _parts(text: str) -> dict[str, str]:
    """The parts of an RRULE by name, checked. Raises `ValueError`."""
    parts: dict[str, str] = {}
    for part in text.removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if name in _TIMES:
            raise ValueError(f"{name} has no place in a rule: the times come from start and stop")
        if not equals or name not in _PARTS:
            raise ValueError(f"{part!r} in {text!r} is not a part of an RRULE: it takes {', '.join(_PARTS)}")
        if name in parts:
            raise ValueError(f"{name} stands twice in {text!r}")
        parts[name] = value
    _check_frequency(parts, text)
    _check_by_day(parts)
    for name, (most, from_end, frequencies) in _BY_NUMBERS.items():
        if name in parts:
            _check_frequency_has(name, parts["FREQ"], frequencies)
            _check_numbers(name, parts[name], most, from_end=from_end)
    if "BYSETPOS" in parts and not any(name.startswith("BY") for name in parts.keys() - {"BYSETPOS"}):
        raise ValueError("BYSETPOS chooses among the days of another BY… part, and there is none")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL exclude each other")
    return parts


def _check_frequency(parts: dict[str, str], text: str) -> None:
    frequency = parts.get("FREQ")
    if frequency is None:
        raise ValueError(f"{text!r} has no FREQ: write one of {', '.join(_FREQUENCIES)}")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"FREQ={frequency} is not about days: write one of {', '.join(_FREQUENCIES)}")


def _check_frequency_has(name: str, frequency: str, frequencies: tuple[str, ...]) -> None:
    if frequency not in frequencies:
        raise ValueError(f"{name} goes with FREQ={' or '.join(frequencies)}, not with {frequency}")


def _check_numbers(name: str, value: str, most: int, *, from_end: bool) -> None:
    least = -most if from_end else 1
    for item in value.split(","):
        if not _NUMBER.fullmatch(item) or not least <= int(item) <= most or int(item) == 0:
            raise ValueError(f"{name}={value}: {item!r} is not a number from {least} to {most}, without 0")


def _check_by_day(parts: dict[str, str]) -> None:
    if "BYDAY" not in parts:
        return
    value = parts["BYDAY"]
    matches = [_BYDAY.fullmatch(item) for item in value.split(",")]
    numbers = [match[1] for match in matches if match]
    most = 5 if parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts else 53
    if not all(matches) or any(number and not 1 <= abs(int(number)) <= most for number in numbers):
        raise ValueError(f'BYDAY={value}: write days like "TU", "2TU" (the second) or "-1FR" (the last)')
    if any(numbers):
        _check_frequency_has("BYDAY with a number", parts["FREQ"], ("MONTHLY", "YEARLY"))
        if "BYWEEKNO" in parts:
            raise ValueError("BYDAY with a number does not go with BYWEEKNO")
        if not all(numbers):
            # dateutil would take it as "both", RFC 5545 as "either"
            raise ValueError(f"BYDAY={value} mixes days with and without a number: write two RRULE lines")


def _positive(parts: dict[str, str], name: str, most: int) -> int:
    value = parts.get(name, "1")
    if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= most:
        raise ValueError(f"{name}={value} is not a number from 1 to {most}")
    return int(value)


def _week_start(parts: dict[str, str]) -> int:
    value = parts.get("WKST", "MO")
    if value not in CODES:
        raise ValueError(f"WKST={value} is not a day: write one of {', '.join(CODES)}")
    return CODES.index(value)


def _until(value: str) -> date | datetime:
    """The UNTIL of a rule: a date, a naive datetime, or a datetime in UTC."""
    try:
        day, clock = _date_and_time(value, utc=True)
    except ValueError as problem:
        raise ValueError(f"UNTIL: {problem}") from None
    if clock is None:
        return day
    return datetime.combine(day, clock)


def _date_and_time(value: str, *, utc: bool = False) -> tuple[date, time | None]:
    """What ``20261224`` or ``20261224T190000`` says. A ``Z`` (for UTC) may follow if `utc`."""
    try:
        if _DATE.fullmatch(value):
            return _date(value), None
        if (match := _DATETIME.fullmatch(value)) and (utc or not match[1]):
            zone = timezone.utc if match[1] else None
            return _date(value), time(int(value[9:11]), int(value[11:13]), int(value[13:15]), tzinfo=zone)
    except ValueError as problem:
        raise ValueError(f"{value!r} is not a date: {problem}") from None
    raise ValueError(f"{value!r} is not a date of a rule: write it like 20261224")


def _date(value: str) -> date:
    return date(int(value[:4]), int(value[4:6]), int(value[6:8]))


def _for_dateutil(parts: dict[str, str], since: date | None) -> str:
    """The parts as dateutil takes them, with nothing left that it would take from DTSTART or a global.

    Raises `ValueError` where `since` is needed for that and not given.
    """
    if since is None:
        _check_needs_no_since(parts)
    chosen = {name: value for name, value in parts.items() if name not in {"COUNT", "UNTIL"}}
    chosen.setdefault("WKST", "MO")
    if since is not None and not _NAMES_A_DAY & parts.keys():
        if parts["FREQ"] == "WEEKLY":
            chosen["BYDAY"] = CODES[since.weekday()]
        elif parts["FREQ"] == "MONTHLY":
            chosen["BYMONTHDAY"] = str(since.day)
        elif parts["FREQ"] == "YEARLY":
            chosen.setdefault("BYMONTH", str(since.month))
            chosen["BYMONTHDAY"] = str(since.day)
    return ";".join(f"{name}={value}" for name, value in chosen.items())


def _check_needs_no_since(parts: dict[str, str]) -> None:
    for name in ("INTERVAL", "COUNT"):
        if name in parts and parts[name] != "1":
            raise ValueError(f"{name}={parts[name]} counts from a first day: write it as since=")
    if "COUNT" in parts:
        raise ValueError("COUNT=1 counts from a first day: write it as since=")
    if parts["FREQ"] != "DAILY" and not _NAMES_A_DAY & parts.keys():
        raise ValueError(
            f"FREQ={parts['FREQ']} does not say on which day: write it as BYDAY or BYMONTHDAY, or write since="
        )


def _check_until(recurrence: Recurrence, text: str) -> None:
    since, until = recurrence.since, recurrence.until
    if since is None or until is None:
        return
    last = until.toordinal()  # of a datetime it is that of its date
    years = range(since.year, min(until.year, LAST_YEAR) + 1)
    if not any(day <= last for year in years for day in listed(recurrence, year)[:1]):
        raise ValueError(f"{text!r} never yields a day: its UNTIL comes before its first day")
