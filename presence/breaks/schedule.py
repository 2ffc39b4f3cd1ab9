"""Breaks: when a worker does not accept new builds because its calendar says so.

`Break` is what an admin writes, `BreakSchedule` answers what it means at an instant, in `BreakInterval`s.
None of them knows what time it is. The laws are in ``docs/breaks.rst``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from presence.breaks.coverage import BreakInterval, Coverage
from presence.breaks.partial import PartialInterval, Partials, coverageOf
from presence.breaks.reading.mistakes import BreakErrors, collected, read
from presence.breaks.reading.spelling import HOW_TO_WRITE, spelledBreak
from presence.breaks.reading.working import breaksBetweenWork
from presence.breaks.sparing import Deadline, Spared, Sparing
from presence.breaks.written import Break
from presence.calendar.timeofday import isEndOfDay, timeOfDay
from presence.calendar.wallclock import asInstant
from presence.calendar.zones import canonicalZone, localZone, zoneName

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo

    from presence.breaks.ics.reader import CalendarFile

__all__ = ["Break", "BreakErrors", "BreakInterval", "BreakSchedule"]

_PAIR_OR_TRIPLE = (2, 3)

# How many days of a calendar are worked out beforehand: the longest of a question about a month or a break that ends.
_BEHIND, _AHEAD = 32, 432


@lru_cache(maxsize=1024)  # many workers have the same schedule
def _shared(breaks: tuple[Break, ...]) -> tuple[tuple[Break, ...], Coverage, tuple[str, ...]]:
    """These breaks, when at least one of them is that is not a partial one, and their zones: objects that are there once."""
    zones = dict.fromkeys(zoneName(each.tz) for each in breaks if each.tz is not None)
    return breaks, coverageOf([each for each in breaks if not each.isPartial]), tuple(zones)


# as few schedules have such breaks, they are put together when they are asked for
_partials = lru_cache(maxsize=1024)(Partials)
_sparing = lru_cache(maxsize=1024)(Sparing)


class BreakSchedule:
    """The breaks of one worker, as one answer: their union, in which overlapping and adjacent breaks are one.

    `breaks` are those it was given, each with a `tz`; `zones` is what these are called, each once. Schedules with the same breaks are equal.
    Instants are aware datetimes of any zone (`ValueError` for a naive one), and UTC when returned.
    It does not know what time it is, and answers a question alike whenever and however often it is asked.
    """

    __slots__ = ("_coverage", "breaks", "zones")

    breaks: tuple[Break, ...]
    zones: tuple[str, ...]

    def __init__(self, breaks: Iterable[Break] = (), timezone: str | tzinfo | None = None) -> None:
        """`timezone` is for those of `breaks` that have no `tz`; None is the zone of this host."""
        breaks = tuple(breaks)
        zone = None if timezone is None else canonicalZone(timezone)
        if zone is None and any(each.tz is None for each in breaks):
            zone = localZone()
        self.breaks, self._coverage, self.zones = _shared(
            tuple(each if zone is None else each.inZone(zone) for each in breaks)
        )

    @classmethod
    def fromConfig(
        cls, value: object, timezone: object = None, workingDuring: object = None
    ) -> BreakSchedule:
        """The schedule that ``onBreakDuring=value, timezone=timezone, workingDuring=workingDuring`` says.

        `value` is None (never a break), a ``(start, stop)`` or ``(start, stop, days)`` tuple, a string, a `Break`, or a
        list of those. `timezone` is for breaks without a `tz`: an IANA name, a tzinfo, or None for the zone
        of this host. `workingDuring` says the opposite, when there is no break, in tuples, strings or a list of those;
        it excludes `value`.
        Raises `BreakErrors` (a `ValueError`) with a message for each mistake.
        """
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

    def partialAt(self, instant: datetime) -> tuple[PartialInterval, ...]:
        """The partial breaks in which `instant` lies, one for each limit; they are not in what `at()` says."""
        return _partials(self.breaks).at(asInstant(instant)) if self.isPartial else ()

    def partialBetween(self, start: datetime, stop: datetime) -> list[PartialInterval]:
        """The partial breaks that overlap ``[start, stop)``, merged where their limit is the same, by their start."""
        return _partials(self.breaks).between(asInstant(start), asInstant(stop)) if self.isPartial else []

    def allBetween(self, start: datetime, stop: datetime) -> list[BreakInterval | PartialInterval]:
        """Both kinds of breaks that overlap ``[start, stop)``, by their start."""
        found: list[BreakInterval | PartialInterval] = [*self.between(start, stop)]
        found += self.partialBetween(start, stop)
        return sorted(found, key=lambda each: each.start)

    def nextPartialChange(self, instant: datetime) -> datetime | None:
        """The first instant after `instant` at which a partial break begins or ends; None if there is none ever."""
        return _partials(self.breaks).nextChange(asInstant(instant)) if self.isPartial else None

    def finishBy(self, instant: datetime, builder: str) -> datetime | None:
        """When a build of `builder` that starts at `instant` has to be finished, as a break with ``finishBefore`` starts
        then; None if none does. In the middle of such a break it is `instant` itself.
        """
        return _sparing(self.breaks).nextStart(asInstant(instant), builder)

    def deadlines(self, instant: datetime) -> list[Deadline]:
        """Of the breaks at `instant` those that interrupt, after a while, what still runs."""
        return _sparing(self.breaks).deadlines(asInstant(instant))

    def nextDeadlineStart(self, instant: datetime) -> datetime | None:
        """The first instant after `instant` at which `deadlines()` says something else; None if there is none ever."""
        return _sparing(self.breaks).nextDeadlineStart(asInstant(instant))

    def spares(self, interval: BreakInterval | PartialInterval) -> Spared:
        """What `interval`, one of this schedule's, means for builds that run when it starts."""
        limit = interval.limit if isinstance(interval, PartialInterval) else None
        return _sparing(self.breaks).of(interval.start, interval.stop, limit)

    @property
    def isEmpty(self) -> bool:
        """Whether it has no breaks at all, nor partial ones."""
        return not self.breaks

    @property
    def isPartial(self) -> bool:
        """Whether it has partial breaks."""
        return any(each.isPartial for each in self.breaks)

    @property
    def finishes(self) -> bool:
        """Whether builds have to be finished before any of its breaks."""
        return any(each.finishBefore for each in self.breaks)

    @property
    def interrupts(self) -> bool:
        """Whether any of its breaks interrupts what still runs."""
        return any(each.deadline is not None for each in self.breaks)

    @property
    def calendars(self) -> tuple[CalendarFile, ...]:
        """The calendar files that its breaks are made of, each once."""
        return tuple(dict.fromkeys(file for each in self.breaks for file in each.calendars))

    def withCalendar(self, calendar: CalendarFile) -> BreakSchedule:
        """The same schedule with the content of one of its files as it is in `calendar`."""
        return BreakSchedule(each.withCalendar(calendar) for each in self.breaks)

    def prepareCalendars(self, instant: datetime) -> None:
        """Do what takes long of the questions about `instant`, the weeks before and the year after it, to the calendars.

        Another thread may: it changes nothing but what is known of the files, for all schedules.
        """
        day = asInstant(instant).toordinal()
        for each in self.breaks:
            if each.calendars:
                occurrences = each.occurrences()
                occurrences.startingBetween(day - _BEHIND, day + _AHEAD)
                occurrences.nextStart(asInstant(instant))

    def __eq__(self, other: object) -> bool:
        return self.breaks == other.breaks if isinstance(other, BreakSchedule) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.breaks)

    def __repr__(self) -> str:
        return f"BreakSchedule({self.breaks!r})"


# --- what an admin writes, read. Mistakes are added to `messages`, and the value is None then.


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
