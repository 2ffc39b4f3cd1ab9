"""`Break`: what an admin writes. The laws are in ``docs/breaks.rst``."""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from presence.breaks.ics.reader import CalendarFile, CalendarOccurrences
from presence.breaks.occurrences import Occurrences, OneOff, Recurring
from presence.breaks.reading.arguments import (
    buildsOf,
    dayAndClock,
    daysOf,
    deadlineOf,
    flagOf,
    patternsOf,
    times,
)
from presence.breaks.reading.mistakes import BreakErrors, read
from presence.breaks.reading.skips import Holidays, skippedDays, skipText
from presence.breaks.rules import parseRule, ruleText
from presence.breaks.startdays import RuleDays, StartDays, WeeklyDays
from presence.calendar.isodates import isoDate
from presence.calendar.timeofday import MIDNIGHT, timeText
from presence.calendar.weekdays import EVERY_DAY, NAMES, weekdaysText
from presence.calendar.zones import canonicalZone, zoneFor
from presence.text import readReason

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

_NO_END = (
    (
        "it lasts until it begins again, a week later, so it has no end: write two dates, or a rule with INTERVAL=2 or "
        "more, which has one week in two"
    ),
)
_WHICH_BUILDS = (
    (
        "builds= does not go with finishBefore= and deadline=, as it does not say which builds have to end: write two "
        "breaks, or only= and without="
    ),
)
_DAYS_A_WEEK = 7
# after so many years at most (28 mostly, 40 around a century) a date is on each day of the week again
_CYCLE = 40


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Break:
    """Times at which a worker does not accept new builds, half-open: away at `start`, available at `stop`.

    Recurring: `start` and `stop` are times of day, on the wall clocks of `tz`. It starts on `days` (default:
    every day), or on the days of `rule` (RFC 5545, anchored at the date `since`), but not on the days in
    `skip`; a `stop` not later than `start` is on the next day. With a day in both (``"FR 18:00"``, ``"MO 08:00"``)
    it is one break from the first to the second.
    Once: `start` and `stop` are two datetimes, aware or on the wall clocks of `tz`, and there are no days.
    From a calendar: see `fromCalendar()`.
    `tz` is an IANA name or a tzinfo; None leaves it to the schedule. `reason` is for people.

    `finishBefore`: no build starts that would still run when the break starts. `deadline`: what still runs so long
    after the start is interrupted, and built again elsewhere; a duration (``"30m"``) or seconds.
    `builds`, `only`, `without` make it a partial break: at most so many builds run in it, and only those of builders
    that match `only` and do not match `without` start.

    The attributes say the same in one form only, so that breaks which mean the same compare equal:
    `start` and `stop` are naive `datetime.time` (a `stop` of 00:00 is the end of a day), `nights` midnights apart, or
    both naive datetimes, or both in UTC, or both None for a `calendar`; `days` are numbers as of
    `datetime.weekday()`, or None for every day; `tz` is a name wherever the zone has one; `deadline` is in seconds;
    `skip` are dates, and `skipCalendars` what says of other days that they are left out.

    Raises `BreakErrors` (a `ValueError`) for everything that is not so, with what is wrong and what would be
    right.
    """

    start: time | datetime | None
    stop: time | datetime | None
    days: tuple[int, ...] | None
    nights: int
    tz: str | tzinfo | None
    rule: str | None
    since: date | None
    skip: tuple[date, ...]
    skipCalendars: tuple[Holidays | CalendarFile, ...]
    reason: str | None
    finishBefore: bool
    deadline: int | None
    builds: int | None
    only: tuple[str, ...]
    without: tuple[str, ...]
    calendar: CalendarFile | None

    def __init__(
        self,
        start: str | time | datetime,
        stop: str | time | datetime,
        days: object = None,
        *,
        tz: str | tzinfo | None = None,
        rule: str | None = None,
        since: str | date | None = None,
        skip: object = (),
        reason: str | None = None,
        finishBefore: bool = False,
        deadline: str | float | timedelta | None = None,
        builds: int | None = None,
        only: object = None,
        without: object = None,
    ) -> None:
        messages: list[str] = []
        shared = {"tz": tz, "reason": reason, "finishBefore": finishBefore, "deadline": deadline}
        found = times(start, stop, messages)
        values = {
            "start": found.start,
            "stop": found.stop,
            "nights": found.nights,
            "days": read("days", daysOf, days, messages) if found.day is None else (found.day,),
            **_read_shared({**shared, "builds": builds, "only": only, "without": without}, messages),
            "rule": read("rule", ruleText, rule, messages),
            "since": read("since", isoDate, since, messages),
            "calendar": None,
        }
        values["skip"], values["skipCalendars"] = read("skip", skippedDays, skip, messages) or ((), ())
        if found.day is not None and days is not None:
            messages.append(f"days={days!r}: the start {start!r} says the day already")
        if messages:
            raise BreakErrors(messages)
        _fill(self, values)
        _check_combination(self, any_days=days is not None, moment=found.day is not None)

    @classmethod
    def fromCalendar(
        cls,
        file: str | PathLike[str] | CalendarFile,
        *,
        tz: str | tzinfo | None = None,
        reason: str | None = None,
        finishBefore: bool = False,
        deadline: str | float | timedelta | None = None,
        builds: int | None = None,
        only: object = None,
        without: object = None,
    ) -> Break:
        """The events of an iCalendar file as breaks; the file is read now, and by a master again when it changes.

        `tz` is for events of whole days, and others without a zone. Events that are cancelled or shown as free are
        left out. Needs the packages of the extra ``calendar``. Raises `BreakErrors`.
        """
        messages: list[str] = []
        reader = CalendarFile.read
        calendar = file if isinstance(file, CalendarFile) else read("file", reader, file, messages)
        given = {"tz": tz, "reason": reason, "finishBefore": finishBefore, "deadline": deadline}
        shared = _read_shared({**given, "builds": builds, "only": only, "without": without}, messages)
        if messages:
            raise BreakErrors(messages)
        break_ = cls.__new__(cls)
        _fill(break_, {**_NOTHING, **shared, "calendar": calendar})
        _check_partial(break_)
        return break_

    def __hash__(self) -> int:
        # without tz, as dateutil's zones cannot be hashed
        return hash(tuple(getattr(self, each) for each in _HASHED))

    def __repr__(self) -> str:
        if self.calendar is not None:
            return f"Break.fromCalendar({', '.join([repr(self.calendar.path), *self._keywords()])})"
        return f"Break({', '.join([*self._moments(), *self._keywords()])})"

    def _moments(self) -> list[str]:
        start, stop = self.start, self.stop
        if isinstance(start, time) and isinstance(stop, time) and self._has_day:
            assert self.days is not None  # noqa: S101 (it has one)
            return _moments_of_week(self.days[0], start, stop, self.nights)
        written = [_time_repr(start), repr("24:00") if stop == MIDNIGHT else _time_repr(stop)]
        return written if self.days is None else [*written, repr(weekdaysText(self.days))]

    @property
    def _has_day(self) -> bool:
        """Whether it is written with a day in its start and stop."""
        return isinstance(self.start, time) and (
            self.nights != _natural_nights(self)
            # without a day two equal times are refused
            or self.start == self.stop != MIDNIGHT
            or (self.rule is not None and self.days is not None)
        )

    def _keywords(self) -> list[str]:
        skip = skipText(self.skip, self.skipCalendars) if self.skip or self.skipCalendars else None
        written: dict[str, Any] = {
            "tz": self.tz and repr(self.tz),
            "rule": self.rule and repr(self.rule),
            "since": self.since and repr(self.since.isoformat()),
            "skip": skip,
            "reason": self.reason and repr(self.reason),
            "finishBefore": self.finishBefore and "True",
            "deadline": None if self.deadline is None else repr(self.deadline),
            "builds": self.builds and repr(self.builds),
            "only": self.only and repr(list(self.only)),
            "without": self.without and repr(list(self.without)),
        }
        return [f"{name}={value}" for name, value in written.items() if value]

    @property
    def isPartial(self) -> bool:
        """Whether some builds may start in it."""
        return self.builds is not None or bool(self.only) or bool(self.without)

    def inZone(self, timezone: str | tzinfo) -> Break:
        """The same break in `timezone` (from `canonicalZone()`) if it has no `tz`; else the break itself."""
        return self if self.tz is not None else self._with(tz=timezone)

    def withCalendar(self, calendar: CalendarFile) -> Break:
        """The same break, with its file as it is in `calendar`, wherever it has one of that path."""
        skip = tuple(
            calendar if isinstance(each, CalendarFile) and each.path == calendar.path else each
            for each in self.skipCalendars
        )
        own = self.calendar
        if own is not None and own.path == calendar.path:
            own = calendar
        if (own, skip) == (self.calendar, self.skipCalendars):
            return self
        return self._with(calendar=own, skipCalendars=skip)

    @property
    def calendars(self) -> tuple[CalendarFile, ...]:
        """The files that it is made of."""
        skipped = tuple(each for each in self.skipCalendars if isinstance(each, CalendarFile))
        return skipped if self.calendar is None else (self.calendar, *skipped)

    def _with(self, **values: Any) -> Break:
        break_ = copy.copy(self)
        _fill(break_, values)
        return break_

    def occurrences(self) -> Occurrences:
        """When it happens. It must have a `tz` (see `inZone()`), unless it is one break between two instants."""
        return _occurrences(self)


_HASHED = [each.name for each in fields(Break) if each.name != "tz"]

_NOTHING: dict[str, Any] = {
    "start": None,
    "stop": None,
    "days": None,
    "nights": 0,
    "rule": None,
    "since": None,
    "skip": (),
    "skipCalendars": (),
}


def _fill(break_: Break, values: dict[str, Any]) -> None:
    for name, value in values.items():
        # the only way into a frozen dataclass
        object.__setattr__(break_, name, value)


# the arguments that every kind of break has, with their readers
_SHARED: dict[str, Callable[[Any], Any]] = {
    "tz": canonicalZone,
    "reason": readReason,
    "finishBefore": flagOf,
    "deadline": deadlineOf,
    "builds": buildsOf,
    "only": patternsOf,
    "without": patternsOf,
}


def _read_shared(given: dict[str, Any], messages: list[str]) -> dict[str, Any]:
    values = {name: read(name, reader, given[name], messages) for name, reader in _SHARED.items()}
    return {**values, "only": values["only"] or (), "without": values["without"] or ()}


def _natural_nights(break_: Break) -> int:
    """How many midnights lie in a break that is written without days in its times."""
    start, stop = break_.start, break_.stop
    return 1 if isinstance(start, time) and isinstance(stop, time) and stop <= start else 0


@lru_cache(maxsize=1024)  # many workers have the same break
def _occurrences(break_: Break) -> Occurrences:
    start, stop = break_.start, break_.stop
    zone = zoneFor(break_.tz or "UTC")
    if break_.calendar is not None:
        return CalendarOccurrences(break_.calendar, zone)
    if isinstance(start, time) and isinstance(stop, time):
        return Recurring(start, stop, _start_days(break_, start, zone), zone, break_.nights)
    assert isinstance(start, datetime)  # noqa: S101 (both are, which mypy cannot know)
    assert isinstance(stop, datetime)  # noqa: S101
    return OneOff(start, stop, zone)


def _start_days(break_: Break, start: time, zone: tzinfo) -> StartDays:
    if break_.rule is None:
        return _weekly_days(break_.days or EVERY_DAY, break_.skip, break_.skipCalendars)
    rule = parseRule(break_.rule, break_.since)
    return RuleDays(rule, break_.skip, start, zone, calendars=break_.skipCalendars, weekdays=break_.days)


_weekly_days = lru_cache(maxsize=1024)(WeeklyDays)  # many breaks differ in their times only


def _check_combination(break_: Break, *, any_days: bool, moment: bool) -> None:
    """Raise `BreakErrors` unless the arguments go together."""
    if isinstance(break_.start, datetime):
        if any_days or break_.rule or break_.since or break_.skip or break_.skipCalendars:
            raise BreakErrors(
                ["days, rule, since and skip are for breaks that recur, and two datetimes are one break"]
            )
    elif break_.rule is not None:
        if any_days:
            raise BreakErrors(["days and rule exclude each other: say the days in the rule, as BYDAY"])
        assert isinstance(break_.start, time)  # noqa: S101 (no datetime, and not from a calendar)
        _check_rule(break_, break_.rule, break_.start)
    elif break_.since is not None:
        raise BreakErrors(["since anchors a rule, and there is no rule"])
    elif moment and _is_a_week(break_):
        raise BreakErrors(_NO_END)
    _check_partial(break_)


def _is_a_week(break_: Break) -> bool:
    start, stop = break_.start, break_.stop
    assert isinstance(start, time)  # noqa: S101 (it recurs)
    assert isinstance(stop, time)  # noqa: S101
    return break_.nights > _DAYS_A_WEEK or (break_.nights == _DAYS_A_WEEK and stop >= start)


def _check_partial(break_: Break) -> None:
    if break_.builds is not None and (break_.finishBefore or break_.deadline is not None):
        raise BreakErrors(_WHICH_BUILDS)


def _check_rule(break_: Break, text: str, start: time) -> None:
    try:
        rule = parseRule(text, break_.since)
    except ValueError as problem:
        raise BreakErrors([f"rule: {problem}"]) from None
    if others := rule.times - {start, MIDNIGHT}:
        found = f"{text!r} has dates at {timeText(min(others))}, and the break starts at {timeText(start)}"
        raise BreakErrors([f"rule: {found}: write dates without a time"])
    if break_.days is not None:
        days = RuleDays(rule, (), start, zoneFor("UTC"), weekdays=break_.days)
        if not days.startsWithin(_CYCLE):
            raise BreakErrors(
                [f"rule: {text!r} never yields a {NAMES[break_.days[0]]}, on which the break starts"]
            )


# --- and written again


def _time_repr(value: time | datetime | None) -> str:
    if isinstance(value, datetime):
        return repr(value.isoformat(timespec="auto" if value.second or value.microsecond else "minutes"))
    assert value is not None  # noqa: S101 (a break from a calendar is written otherwise)
    return repr(value if value.microsecond else timeText(value))


def _moments_of_week(day: int, start: time, stop: time, nights: int) -> list[str]:
    ends_a_day = stop == MIDNIGHT
    first = 1 if ends_a_day else 0
    days = nights - first
    weeks, rest = divmod(days, _DAYS_A_WEEK)
    if weeks and rest == 0 and not ends_a_day and stop <= start:
        weeks -= 1  # the same day a week later is meant anyway
    later = f" +{weeks}w" if weeks else ""
    clock = "24:00" if ends_a_day else timeText(stop)
    return [repr(dayAndClock(day, timeText(start))), repr(dayAndClock(day + rest, clock) + later)]
