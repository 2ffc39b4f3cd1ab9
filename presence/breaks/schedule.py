"""Breaks: when a worker does not accept new builds because its calendar says so.

`Break` is what an admin writes, `BreakSchedule` answers what it means at an instant, in `BreakInterval`s.
None of them knows what time it is. The laws are in ``docs/breaks.rst``.

Most workers of most farms have no breaks: what works them out is imported for the first that there is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from presence.calendar.wallclock import asInstant
from presence.lazy import lazily

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo

    from presence.breaks.coverage import BreakInterval, Coverage
    from presence.breaks.ics.reader import CalendarFile
    from presence.breaks.partial import PartialInterval, Partials
    from presence.breaks.reading.items import writtenBreak
    from presence.breaks.reading.mistakes import BreakErrors
    from presence.breaks.sparing import Deadline, Spared, Sparing
    from presence.breaks.written import Break

__all__ = ["Break", "BreakErrors", "BreakInterval", "BreakSchedule", "writtenBreak"]

__getattr__, __dir__ = lazily(
    globals(),
    {
        "Break": "presence.breaks.written",
        "BreakErrors": "presence.breaks.reading.mistakes",
        "BreakInterval": "presence.breaks.coverage",
        "writtenBreak": "presence.breaks.reading.items",
    },
)

# How many days of a calendar are worked out beforehand: the longest of a question about a month or a break that ends.
_BEHIND, _AHEAD = 32, 432


@lru_cache(maxsize=1024)  # many workers have the same schedule
def _shared(breaks: tuple[Break, ...]) -> tuple[tuple[Break, ...], Coverage | None, tuple[str, ...], int]:
    """These breaks, when at least one of them is that is not a partial one, their zones, and a hash: objects that are there once."""
    if not breaks:
        return (), None, (), hash(())
    from presence.breaks.partial import coverageOf  # noqa: PLC0415 (see above)
    from presence.calendar.zones import zoneName  # noqa: PLC0415

    zones = dict.fromkeys(zoneName(each.tz) for each in breaks if each.tz is not None)
    return breaks, coverageOf([each for each in breaks if not each.isPartial]), tuple(zones), hash(breaks)


# as few schedules have such breaks, they are put together when they are asked for


@lru_cache(maxsize=1024)
def _partials(breaks: tuple[Break, ...]) -> Partials:
    from presence.breaks.partial import Partials  # noqa: PLC0415 (see above)

    return Partials(breaks)


@lru_cache(maxsize=1024)
def _sparing(breaks: tuple[Break, ...]) -> Sparing:
    from presence.breaks.sparing import Sparing  # noqa: PLC0415 (see above)

    return Sparing(breaks)


class BreakSchedule:
    """The breaks of one worker, as one answer: their union, in which overlapping and adjacent breaks are one.

    `breaks` are those it was given, each with a `tz`; `zones` is what these are called, each once. Schedules with the same breaks are equal.
    Instants are aware datetimes of any zone (`ValueError` for a naive one), and UTC when returned.
    It does not know what time it is, and answers a question alike whenever and however often it is asked.
    """

    __slots__ = ("_coverage", "_hash", "breaks", "zones")

    breaks: tuple[Break, ...]
    zones: tuple[str, ...]

    def __init__(self, breaks: Iterable[Break] = (), timezone: str | tzinfo | None = None) -> None:
        """`timezone` is for those of `breaks` that have no `tz`; None is the zone of this host."""
        breaks = tuple(breaks)
        zone = None
        if timezone is not None or any(each.tz is None for each in breaks):
            from presence.calendar.zones import canonicalZone, localZone  # noqa: PLC0415 (see above)

            zone = localZone() if timezone is None else canonicalZone(timezone)
        self.breaks, self._coverage, self.zones, self._hash = _shared(
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
        if value is None and timezone is None and workingDuring is None:
            return cls()
        from presence.breaks.reading.items import breaksOf  # noqa: PLC0415 (see above)

        return cls(*breaksOf(value, timezone, workingDuring))

    def at(self, instant: datetime) -> BreakInterval | None:
        """The break in which `instant` lies, merged with all that overlap or touch it; None if it is none."""
        at = asInstant(instant)
        return None if self._coverage is None else self._coverage.at(at)

    def nextChange(self, instant: datetime) -> datetime | None:
        """The first instant after `instant` at which a break begins or ends; None if there is none ever."""
        after = asInstant(instant)
        return None if self._coverage is None else self._coverage.nextChange(after)

    def between(self, start: datetime, stop: datetime) -> list[BreakInterval]:
        """The merged breaks that overlap ``[start, stop)``, in order and in their full length: not clipped."""
        span = asInstant(start), asInstant(stop)
        return [] if self._coverage is None else self._coverage.between(*span)

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
        limit = getattr(interval, "limit", None)
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
        # (of its breaks it takes a while, and a forecast is looked up by it)
        return self._hash

    def __repr__(self) -> str:
        return f"BreakSchedule({self.breaks!r})"
