"""Breaks: when a worker does not accept new builds because its calendar says so.

`Break` is what an admin writes, `BreakSchedule` answers what it means at an instant, in `BreakInterval`s.
None of them knows what time it is. The laws are in ``docs/breaks.rst``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from functools import lru_cache
from typing import Any, TypeVar

from presence.breaks.coverage import BreakInterval, Coverage
from presence.breaks.occurrences import Occurrences, OneOff, Recurring
from presence.breaks.rules import parseRule, ruleText
from presence.breaks.startdays import RuleDays, StartDays, WeeklyDays
from presence.calendar.isodates import isoDate, isoDatetime, looksLikeDatetime
from presence.calendar.timeofday import MIDNIGHT, isEndOfDay, timeOfDay, timeText
from presence.calendar.wallclock import asInstant
from presence.calendar.weekdays import EVERY_DAY, weekdays, weekdaysText
from presence.calendar.zones import canonicalZone, localZone, zoneFor
from presence.text import readReason

__all__ = ["Break", "BreakErrors", "BreakInterval", "BreakSchedule"]

_T = TypeVar("_T")
_PAIR_OR_TRIPLE = (2, 3)


class BreakErrors(ValueError):  # noqa: N818 (it holds several)
    """Everything that is wrong with a break, or a value of ``onBreakDuring``: in `messages`, one for each mistake."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = tuple(messages)
        super().__init__("; ".join(self.messages))


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Break:
    """Times at which a worker does not accept new builds, half-open: away at `start`, available at `stop`.

    Recurring: `start` and `stop` are times of day, on the wall clocks of `tz`. It starts on `days` (default:
    every day), or on the days of `rule` (RFC 5545, anchored at the date `since`), but not on the dates in
    `skip`; a `stop` not later than `start` is on the next day.
    Once: `start` and `stop` are two datetimes, aware or on the wall clocks of `tz`, and there are no days.
    `tz` is an IANA name or a tzinfo; None leaves it to the schedule. `reason` is for people.

    The attributes say the same in one form only, so that breaks which mean the same compare equal:
    `start` and `stop` are naive `datetime.time` (a `stop` of 00:00 is the end of a day), or both naive
    datetimes, or both in UTC; `days` are numbers as of `datetime.weekday()`, or None for every day; `tz` is
    a name wherever the zone has one.

    Raises `BreakErrors` (a `ValueError`) for everything that is not so, with what is wrong and what would be
    right.
    """

    start: time | datetime
    stop: time | datetime
    days: tuple[int, ...] | None
    tz: str | tzinfo | None
    rule: str | None
    since: date | None
    skip: tuple[date, ...]
    reason: str | None

    def __init__(
        self,
        start: str | time | datetime,
        stop: str | time | datetime,
        days: object = None,
        *,
        tz: str | tzinfo | None = None,
        rule: str | None = None,
        since: str | date | None = None,
        skip: str | date | Iterable[str | date] = (),
        reason: str | None = None,
    ) -> None:
        messages: list[str] = []
        one_off = looksLikeDatetime(start) or looksLikeDatetime(stop)
        first, last = (_datetimes if one_off else _times)(start, stop, messages)
        values = {
            "start": first,
            "stop": last,
            "days": _read("days", _days, days, messages),
            "tz": _read("tz", canonicalZone, tz, messages),
            "rule": _read("rule", ruleText, rule, messages),
            "since": _read("since", isoDate, since, messages),
            "skip": _read("skip", _dates, skip, messages) or (),
            "reason": _read("reason", readReason, reason, messages),
        }
        if messages:
            raise BreakErrors(messages)
        for name, value in values.items():
            # the only way into a frozen dataclass
            object.__setattr__(self, name, value)
        _check_combination(self, any_days=days is not None)

    def __hash__(self) -> int:
        # without tz, as dateutil's zones cannot be hashed
        return hash((self.start, self.stop, self.days, self.rule, self.since, self.skip, self.reason))

    def __repr__(self) -> str:
        arguments = [_time_repr(self.start), _stop_repr(self.stop)]
        if self.days is not None:
            arguments.append(repr(weekdaysText(self.days)))
        written = {
            "tz": self.tz,
            "rule": self.rule,
            "since": self.since and self.since.isoformat(),
            "skip": tuple(day.isoformat() for day in self.skip),
            "reason": self.reason,
        }
        arguments += [f"{name}={value!r}" for name, value in written.items() if value]
        return f"Break({', '.join(arguments)})"

    def inZone(self, timezone: str | tzinfo) -> Break:
        """The same break in `timezone` (from `canonicalZone()`) if it has no `tz`; else the break itself."""
        if self.tz is not None:
            return self
        break_ = copy.copy(self)
        object.__setattr__(break_, "tz", timezone)
        return break_

    def occurrences(self) -> Occurrences:
        """When it happens. It must have a `tz` (see `inZone()`), unless it is one break between two instants."""
        return _occurrences(self)


@lru_cache(maxsize=1024)  # many workers have the same break
def _occurrences(break_: Break) -> Occurrences:
    start, stop = break_.start, break_.stop
    zone = zoneFor(break_.tz or "UTC")
    if isinstance(start, time) and isinstance(stop, time):
        return Recurring(start, stop, _start_days(break_, start, zone), zone)
    assert isinstance(start, datetime)  # noqa: S101 (both are, which mypy cannot know)
    assert isinstance(stop, datetime)  # noqa: S101
    return OneOff(start, stop, zone)


def _start_days(break_: Break, start: time, zone: tzinfo) -> StartDays:
    if break_.rule is None:
        return _weekly_days(break_.days or EVERY_DAY, break_.skip)
    return RuleDays(parseRule(break_.rule, break_.since), break_.skip, start, zone)


_weekly_days = lru_cache(maxsize=1024)(WeeklyDays)  # many breaks differ in their times only


@lru_cache(maxsize=1024)  # many workers have the same schedule
def _shared(breaks: tuple[Break, ...]) -> tuple[tuple[Break, ...], Coverage]:
    """These breaks, and when at least one of them is: objects that are there once."""
    return breaks, Coverage(
        tuple(each.occurrences() for each in breaks), tuple(each.reason for each in breaks)
    )


class BreakSchedule:
    """The breaks of one worker, as one answer: their union, in which overlapping and adjacent breaks are one.

    `breaks` are those it was given, each with a `tz`. Schedules with the same breaks are equal.
    Instants are aware datetimes of any zone (`ValueError` for a naive one), and UTC when returned.
    It does not know what time it is, and answers a question alike whenever and however often it is asked.
    """

    __slots__ = ("_coverage", "breaks")

    breaks: tuple[Break, ...]

    def __init__(self, breaks: Iterable[Break] = (), timezone: str | tzinfo | None = None) -> None:
        """`timezone` is for those of `breaks` that have no `tz`; None is the zone of this host."""
        breaks = tuple(breaks)
        zone = None if timezone is None else canonicalZone(timezone)
        if zone is None and any(each.tz is None for each in breaks):
            zone = localZone()
        self.breaks, self._coverage = _shared(
            tuple(each if zone is None else each.inZone(zone) for each in breaks)
        )

    @classmethod
    def fromConfig(cls, value: object, timezone: object = None) -> BreakSchedule:
        """The schedule that ``onBreakDuring=value, timezone=timezone`` says.

        `value` is None (never a break), a ``(start, stop)`` or ``(start, stop, days)`` tuple, a `Break`, or a
        list of those. `timezone` is for breaks without a `tz`: an IANA name, a tzinfo, or None for the zone
        of this host.
        Raises `BreakErrors` (a `ValueError`) with a message for each mistake.
        """
        messages: list[str] = []
        zone = _read("timezone", canonicalZone, timezone, messages)
        breaks = _listed(value, messages)
        if messages:
            raise BreakErrors(messages)
        return cls(breaks, zone)

    def at(self, instant: datetime) -> BreakInterval | None:
        """The break in which `instant` lies, merged with all that overlap or touch it; None if it is none."""
        return self._coverage.at(asInstant(instant))

    def nextChange(self, instant: datetime) -> datetime | None:
        """The first instant after `instant` at which a break begins or ends; None if there is none ever."""
        return self._coverage.nextChange(asInstant(instant))

    def between(self, start: datetime, stop: datetime) -> list[BreakInterval]:
        """The merged breaks that overlap ``[start, stop)``, in order and in their full length: not clipped."""
        return self._coverage.between(asInstant(start), asInstant(stop))

    @property
    def isEmpty(self) -> bool:
        """Whether it has no breaks at all."""
        return not self.breaks

    def __eq__(self, other: object) -> bool:
        return self.breaks == other.breaks if isinstance(other, BreakSchedule) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.breaks)

    def __repr__(self) -> str:
        return f"BreakSchedule({self.breaks!r})"


# --- what an admin writes, read. Mistakes are added to `messages`, and the value is None then.


def _collected(prefix: str, reader: Callable[[Any], _T], value: object, messages: list[str]) -> _T | None:
    """What `reader` makes of `value`, if it raises no `ValueError`."""
    try:
        return reader(value)
    except BreakErrors as problems:
        messages += [f"{prefix}{message}" for message in problems.messages]
    except ValueError as problem:
        messages.append(f"{prefix}{problem}")
    return None


def _read(name: str, reader: Callable[[Any], _T], value: object, messages: list[str]) -> _T | None:
    """What `reader` makes of the argument `name`; None if it is not given."""
    return None if value is None else _collected(f"{name}: ", reader, value, messages)


def _times(start: object, stop: object, messages: list[str]) -> tuple[time | None, time | None]:
    ends_a_day = isEndOfDay(stop)
    first = _collected("start: ", timeOfDay, start, messages)
    last = MIDNIGHT if ends_a_day else _collected("stop: ", timeOfDay, stop, messages)
    if first == last and first is not None and not ends_a_day:
        messages.append(
            f"start {start!r} and stop {stop!r} are the same time: a break that lasts the whole day is "
            'written ("00:00", "24:00")'
        )
    return first, last


def _datetimes(start: object, stop: object, messages: list[str]) -> tuple[datetime | None, datetime | None]:
    if not (looksLikeDatetime(start) and looksLikeDatetime(stop)):
        messages.append(
            f"start {start!r} and stop {stop!r} do not go together: write two times of day (for a break that "
            "recurs) or two datetimes (for one that does not)"
        )
        return None, None
    first = _collected("start: ", isoDatetime, start, messages)
    last = _collected("stop: ", isoDatetime, stop, messages)
    if first is None or last is None:
        return None, None
    if (first.tzinfo is None) != (last.tzinfo is None):
        messages.append(
            f"start {start!r} and stop {stop!r} do not go together: write both with an offset from UTC, or both "
            "without one (then they are in tz=)"
        )
    elif last <= first:
        messages.append(f"stop {stop!r} is not later than start {start!r}")
    return first, last


def _days(value: object) -> tuple[int, ...] | None:
    days = weekdays(value)
    return None if days == EVERY_DAY else days


def _dates(value: object) -> tuple[date, ...]:
    if isinstance(value, (str, date)) or not isinstance(value, Iterable):
        value = (value,)
    return tuple(sorted({isoDate(item) for item in value}))


def _check_combination(break_: Break, *, any_days: bool) -> None:
    """Raise `BreakErrors` unless the arguments go together."""
    if isinstance(break_.start, datetime):
        if any_days or break_.rule or break_.since or break_.skip:
            raise BreakErrors(
                ["days, rule, since and skip are for breaks that recur, and two datetimes are one break"]
            )
    elif break_.rule is not None:
        if any_days:
            raise BreakErrors(["days and rule exclude each other: say the days in the rule, as BYDAY"])
        _check_rule(break_.rule, break_.since, break_.start)
    elif break_.since is not None:
        raise BreakErrors(["since anchors a rule, and there is no rule"])


def _check_rule(text: str, since: date | None, start: time) -> None:
    try:
        others = parseRule(text, since).times - {start, MIDNIGHT}
    except ValueError as problem:
        raise BreakErrors([f"rule: {problem}"]) from None
    if others:
        found = f"{text!r} has dates at {timeText(min(others))}, and the break starts at {timeText(start)}"
        raise BreakErrors([f"rule: {found}: write dates without a time"])


def _listed(value: object, messages: list[str]) -> list[Break]:
    """The breaks that `value` of ``onBreakDuring`` says; what is wrong is added to `messages`."""
    if value is None:
        return []
    if isinstance(value, list):
        found = [
            _collected(f"item {number}, {item!r}: ", _break, item, messages)
            for number, item in enumerate(value, 1)
        ]
    else:
        found = [_collected("", _break, value, messages)]
    return [each for each in found if each is not None]


def _break(value: object) -> Break:
    if isinstance(value, Break):
        return value
    if isinstance(value, tuple) and len(value) in _PAIR_OR_TRIPLE:
        return Break(*value)
    raise ValueError(
        f'{value!r} is no break: write ("19:00", "07:00") or ("19:00", "07:00", "MO-FR"), a Break(…), or a '
        "list of those"
    )


# --- and written again


def _time_repr(value: time | datetime) -> str:
    if isinstance(value, datetime):
        return repr(value.isoformat(timespec="auto" if value.second or value.microsecond else "minutes"))
    return repr(value if value.microsecond else timeText(value))


def _stop_repr(value: time | datetime) -> str:
    return repr("24:00") if value == MIDNIGHT else _time_repr(value)
