"""When a break happens: its occurrences, as spans between two instants."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from presence.breaks.startdays import RuleDays, WeeklyDays, marked
from presence.calendar.timeofday import MIDNIGHT
from presence.calendar.wallclock import startInstant, stopInstant

if TYPE_CHECKING:
    from presence.breaks.startdays import StartDays

Span = tuple[datetime, datetime]
"""A start and a later stop, instants in UTC: half-open, ``[start, stop)``."""

EARLIEST_START = timedelta(days=-1)
LATEST_STOP = timedelta(days=3)
"""How far from 00:00 UTC of its start day an occurrence may lie, as no offset from UTC is a day: it starts
on that day and stops, on the clock, within 24 hours of that. One that is longer is told whenever it may still be.
"""


class Occurrences(Protocol):
    """A break in its zone. Days are ordinals (`datetime.date.toordinal()`).

    `turns`: days after which it may go on otherwise than before, ascending; from the last one on it recurs
    for ever as it did, or no more.
    """

    turns: tuple[int, ...]

    def startingBetween(self, first: int, last: int) -> list[Span]:
        """At least the occurrences whose start day lies from `first` to `last`, by their start; of those that
        are longer than a night also the ones that have begun earlier, and overlap `first`.
        """
        ...

    def nextStart(self, instant: datetime) -> datetime | None:
        """The first start after `instant`; None if there is none."""
        ...


class Weekly(NamedTuple):
    """A break by weekday on the wall: its days, and from when to when it is, from 00:00 of its start day on."""

    weekdays: frozenset[int]
    skipped: frozenset[int]
    start: timedelta
    stop: timedelta


class Recurring:
    """The occurrences of a break from `start`, on each of `days`, to `stop`, which is so many `nights` later.

    What a gap in the clock leaves empty does not happen.
    """

    __slots__ = ("_days", "_nights", "_start", "_stop", "_stop_again", "_zone", "turns")

    def __init__(self, start: time, stop: time, days: StartDays, zone: tzinfo, nights: int) -> None:
        self._start = start
        self._stop = stop
        self._stop_again = stop.replace(fold=1)
        self._nights = nights
        self._days = days
        self._zone = zone
        self.turns = days.turns

    @property
    def zone(self) -> tzinfo:
        """The zone on whose walls it is."""
        return self._zone

    @property
    def weekly(self) -> Weekly | None:
        """What it is every week, if it goes by weekdays and is over on the next day."""
        days = self._days
        if not isinstance(days, WeeklyDays) or days.skipped is None or self._nights > 1:
            return None
        return Weekly(days.weekdays, days.skipped, *self.wall)

    @property
    def wall(self) -> tuple[timedelta, timedelta]:
        """From when to when it is, on the wall, from 00:00 of its start day on."""
        midnight = datetime.combine(date.min, MIDNIGHT)
        start, stop = (datetime.combine(date.min, each) - midnight for each in (self._start, self._stop))
        return start, stop + timedelta(days=self._nights)

    @property
    def isShort(self) -> bool:
        """Whether it is over on the next day, whenever it is."""
        return self._nights <= 1

    def startsOf(self, year: int) -> bytes:
        """The days of a year of the calendar on which it starts: a byte for each, 1 on those days. 366 at most."""
        if isinstance(self._days, RuleDays):
            return self._days.marksOf(year)
        return marked(self._days, year)

    def startingBetween(self, first: int, last: int) -> list[Span]:
        """See `Occurrences`. Also those that have begun earlier and last for several nights."""
        days = self._days.between(first if self._nights <= 1 else first - self._nights + 1, last)
        return [span for day in days if (span := _span(self, day))]

    def nextStart(self, instant: datetime) -> datetime | None:
        """See `Occurrences`."""
        # a start lies less than two days after 00:00 UTC of its day
        day = self._days.nextAfter(instant.toordinal() - 2)
        while day is not None:
            span = _span(self, day)
            if span and instant < span[0]:
                return span[0]
            day = self._days.nextAfter(day)
        return None

    def spanOf(self, day: int) -> Span | None:
        """The occurrence that starts on `day`; None if its stop is not later than its start."""
        start = datetime.combine(date.fromordinal(day), self._start)
        stop_day = date.fromordinal(day + self._nights)
        stop = datetime.combine(stop_day, self._stop)
        again = datetime.combine(stop_day, self._stop_again)
        begin, end = startInstant(start, self._zone), stopInstant(stop, again, self._zone)
        return (begin, end) if begin < end else None


# Questions are mostly about the same days. For all breaks together it is at most 2 MB.
_span = lru_cache(maxsize=4096)(Recurring.spanOf)


class OneOff:
    """The one occurrence of a break from `start` to `stop`, both naive (in `zone`) or both in UTC."""

    __slots__ = ("_spans", "turns")

    def __init__(self, start: datetime, stop: datetime, zone: tzinfo) -> None:
        if start.tzinfo is None:
            start, stop = startInstant(start, zone), stopInstant(stop, stop.replace(fold=1), zone)
        self._spans = [(start, stop)] if start < stop else []
        self.turns: tuple[int, ...] = (stop.toordinal(),)

    def startingBetween(self, first: int, last: int) -> list[Span]:  # noqa: ARG002
        """See `Occurrences`."""
        # it may be years long, so it is never left out
        return self._spans

    def nextStart(self, instant: datetime) -> datetime | None:
        """See `Occurrences`."""
        return next((start for start, _ in self._spans if instant < start), None)
