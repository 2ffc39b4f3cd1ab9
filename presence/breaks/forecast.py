"""What the breaks of a worker will be: the next one, and those of the coming days, as people are shown them.

It does not know what time it is: it is told. Instants are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from presence.calendar.instants import datetimeOf, secondsOf
from presence.calendar.wallclock import startInstant
from presence.calendar.zones import localZone, zoneFor
from presence.text import MAX_REASON, cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from presence.breaks.partial import PartialInterval
    from presence.breaks.schedule import BreakInterval, BreakSchedule

#: How many days are shown: those of a week, and today's a second time.
DAYS = 8

#: How far ahead `comingBreaks()` looks, in seconds.
AHEAD = DAYS * 24 * 3600.0

#: How many breaks are shown at most.
MOST = 200

#: How many breaks a worker's side announces at most: those of a week, when there is one a day, and some.
ANNOUNCED = 10

# How many breaks in a row are looked at for a time at which something may start.
_MOST_IN_A_ROW = 100

# How many schedules are remembered. A master has a few; one that is reconfigured again and again has more.
_REMEMBERED = 2048


@dataclass(frozen=True, slots=True)
class ComingBreak:
    """A break that is or will be: `start`, `stop` (None where no end is in sight) and `reason` (or None).

    `finishBefore`: no build starts that would still run in it. `interruptsAt`: when what runs in it nevertheless is
    interrupted, or None.
    """

    start: float
    stop: float | None
    reason: str | None
    finishBefore: bool = False
    interruptsAt: float | None = None


@dataclass(frozen=True, slots=True)
class ComingLimit:
    """A partial break that is or will be: as `ComingBreak`, and what may start in it, for people."""

    start: float
    stop: float | None
    reason: str | None
    limit: str
    finishBefore: bool = False
    interruptsAt: float | None = None


def comingBreaks(
    schedule: BreakSchedule, now: float, suspendedUntil: float | None = None
) -> tuple[ComingBreak, ...]:
    """The breaks of `schedule` that overlap the coming eight days, in order: those that will take place.

    Breaks are suspended until `suspendedUntil`, if that is not None; of one that it reaches into, what is left is shown.
    """
    start = max(now, suspendedUntil or now)
    intervals = schedule.between(datetimeOf(start), datetimeOf(now + AHEAD))[:MOST]
    found = tuple(_coming(schedule, each) for each in intervals)
    if suspendedUntil is None:
        return found
    return tuple(replace(each, start=max(each.start, suspendedUntil)) for each in found)


def breaksToCome(
    schedule: BreakSchedule, now: float, suspendedUntil: float | None = None
) -> tuple[ComingBreak, ...]:
    """The next breaks of `schedule`, however far off: the first `ANNOUNCED` of those that have not begun at `now`, in order.

    Breaks are suspended until `suspendedUntil`, if that is not None; one that it reaches into begins then. So the answer
    changes when a break begins, and not as time passes.
    """
    found: list[ComingBreak] = []
    last = datetimeOf(now)
    if suspendedUntil is not None and suspendedUntil > now:
        last = datetimeOf(suspendedUntil)
        rest = schedule.at(last)
        if rest is not None:
            found.append(replace(_coming(schedule, rest), start=suspendedUntil))
    while len(found) < ANNOUNCED:
        following = _next(schedule, last)
        if following is None:
            break
        found.append(following)
        last = datetimeOf(following.start)
    return tuple(found)


def breaksBetween(
    schedule: BreakSchedule, first: datetime, last: datetime
) -> tuple[tuple[ComingBreak, ...], tuple[ComingLimit, ...]]:
    """All breaks that overlap the time between two moments, however many, and all partial ones; in order, in full length."""
    return tuple(_coming(schedule, each) for each in schedule.between(first, last)), _limits(
        schedule, first, last, None
    )


def nextBreak(breaks: Iterable[ComingBreak], now: float) -> ComingBreak | None:
    """The first of `breaks` that has not begun."""
    return min((each for each in breaks if each.start > now), key=lambda each: each.start, default=None)


def freeFrom(schedule: BreakSchedule, instant: float, suspendedUntil: float | None = None) -> float | None:
    """The first time from `instant` on that is in no break of `schedule`; None if none is in sight."""
    if suspendedUntil is not None and instant < suspendedUntil:
        return instant
    interval = schedule.at(datetimeOf(instant))
    if interval is None:
        return instant
    return None if interval.stop is None else secondsOf(interval.stop)


def freeFor(
    schedule: BreakSchedule, builder: str, instant: float, suspendedUntil: float | None = None
) -> float | None:
    """The first time from `instant` on at which builds of `builder` may start: in no break, and in no partial one that
    refuses them (how many run is not asked). None if none is in sight.
    """
    for _ in range(_MOST_IN_A_ROW):
        at = freeFrom(schedule, instant, suspendedUntil)
        if at is None or (suspendedUntil is not None and at < suspendedUntil):
            return at
        refusing = [each for each in schedule.partialAt(datetimeOf(at)) if not each.limit.admits(builder)]
        if not refusing:
            return at
        stops = [secondsOf(each.stop) for each in refusing if each.stop is not None]
        if len(stops) < len(refusing):
            return None
        instant = max(stops)
    return None


def finishBy(
    schedule: BreakSchedule, builder: str, instant: float, suspendedUntil: float | None = None
) -> float | None:
    """When a build of `builder` that starts at `instant` has to be finished, as a break with `finishBefore` starts then; None
    if it may take any time. A break that is suspended begins when that ends.
    """
    start = instant if suspendedUntil is None else max(instant, suspendedUntil)
    by = schedule.finishBy(datetimeOf(start), builder)
    return None if by is None else max(secondsOf(by), start)


def fitsFrom(
    schedule: BreakSchedule, builder: str, instant: float, length: float, suspendedUntil: float | None = None
) -> float | None:
    """The first time from `instant` on at which a build of `builder` that takes `length` seconds may start and is finished
    before the next break that wants that. None if none is in sight: it may be longer than all times between breaks.
    """
    for _ in range(_MOST_IN_A_ROW):
        at = freeFor(schedule, builder, instant, suspendedUntil)
        by = None if at is None else finishBy(schedule, builder, at, suspendedUntil)
        if at is None or by is None or at + length <= by:
            return at
        instant = by
    return None


def freeOf(breaks: Iterable[ComingBreak], instant: float) -> float | None:
    """The first time from `instant` on that is in none of `breaks`, of whatever schedules; None if none is in sight."""
    coming = sorted(breaks, key=lambda each: each.start)
    for each in coming:
        if each.start <= instant and each.stop is None:
            return None
        if each.start <= instant and each.stop is not None and instant < each.stop:
            instant = each.stop
    return instant


class Forecast:
    """The coming breaks of many workers that share a few schedules, and are looked at more often than breaks change.

    Each question about a schedule is answered once, and remembered for as long as the answer is true. Suspensions,
    which each worker has for itself, are not asked.
    """

    def __init__(self) -> None:
        self._days: dict[BreakSchedule, tuple[float, float, tuple[ComingBreak, ...]]] = {}
        self._next: dict[BreakSchedule, tuple[float, float, ComingBreak | None]] = {}
        self._between: dict[BreakSchedule, tuple[float, float, tuple[ComingBreak, ...]]] = {}

    def days(self, schedule: BreakSchedule, now: float) -> tuple[ComingBreak, ...]:
        """The breaks that overlap the eight days from today's midnight (on this host's clocks), in order, in full length."""
        if schedule.isEmpty:
            return ()
        known = self._days.get(schedule)
        if known is None or not known[0] <= now < known[1]:
            first, tomorrow, last = _days(now)
            found = tuple(_coming(schedule, each) for each in schedule.between(first, last))
            known = (secondsOf(first), secondsOf(tomorrow), found)
            _remember(self._days, schedule, known)
        return known[2]

    def partials(self, schedule: BreakSchedule, now: float) -> tuple[ComingLimit, ...]:
        """The partial breaks of the same days, in order, in full length. Few schedules have them: they are worked out anew."""
        if not schedule.isPartial:
            return ()
        first, _, last = _days(now)
        return _limits(schedule, first, last)

    def between(self, schedule: BreakSchedule, first: float, last: float) -> tuple[ComingBreak, ...]:
        """The breaks that overlap the time between two instants, in order, in full length; the first `MOST` of them."""
        if schedule.isEmpty:
            return ()
        known = self._between.get(schedule)
        if known is None or known[:2] != (first, last):
            found = schedule.between(datetimeOf(first), datetimeOf(last))[:MOST]
            known = (first, last, tuple(_coming(schedule, each) for each in found))
            _remember(self._between, schedule, known)
        return known[2]

    def partialsBetween(self, schedule: BreakSchedule, first: float, last: float) -> tuple[ComingLimit, ...]:
        """Likewise the partial breaks."""
        return _limits(schedule, datetimeOf(first), datetimeOf(last)) if schedule.isPartial else ()

    def both(
        self, schedule: BreakSchedule, now: float, span: tuple[float, float] | None = None
    ) -> tuple[tuple[ComingBreak, ...], tuple[ComingLimit, ...]]:
        """The breaks and the partial ones, of the days from today on, or between the two instants of `span`."""
        if span is None:
            return self.days(schedule, now), self.partials(schedule, now)
        return self.between(schedule, *span), self.partialsBetween(schedule, *span)

    def next(self, schedule: BreakSchedule, now: float) -> ComingBreak | None:
        """The first break that begins after `now`, or None."""
        if schedule.isEmpty:
            return None
        known = self._next.get(schedule)
        if known is None or not known[0] <= now < known[1]:
            found = _next(schedule, datetimeOf(now))
            # no break within the horizon of the schedule: ask again tomorrow
            until = now + 24 * 3600 if found is None else found.start
            known = (now, until, found)
            _remember(self._next, schedule, known)
        return known[2]


def _days(now: float) -> tuple[datetime, datetime, datetime]:
    """The instants at which today begins, tomorrow does, and the last of the days ends."""
    zone = zoneFor(localZone())
    today = datetimeOf(now).astimezone(zone).date()
    first, tomorrow, last = (
        startInstant(datetime.combine(today + timedelta(days=days), time()), zone) for days in (0, 1, DAYS)
    )
    return first, tomorrow, last


def _next(schedule: BreakSchedule, now: datetime) -> ComingBreak | None:
    change = schedule.nextChange(now)
    if change is not None and schedule.at(change) is None:
        # that is the end of the present one
        change = schedule.nextChange(change)
    found = None if change is None else schedule.at(change)
    return None if found is None else _coming(schedule, found)


def _spared(schedule: BreakSchedule, interval: BreakInterval | PartialInterval) -> tuple[bool, float | None]:
    if not (schedule.finishes or schedule.interrupts):
        return False, None
    spared = schedule.spares(interval)
    return spared.finishBefore, None if spared.interruptsAt is None else secondsOf(spared.interruptsAt)


def _coming(schedule: BreakSchedule, interval: BreakInterval) -> ComingBreak:
    return ComingBreak(
        secondsOf(interval.start),
        None if interval.stop is None else secondsOf(interval.stop),
        cut("; ".join(interval.reasons) or None, MAX_REASON),
        *_spared(schedule, interval),
    )


def _limits(
    schedule: BreakSchedule, first: datetime, last: datetime, most: int | None = MOST
) -> tuple[ComingLimit, ...]:
    return tuple(
        ComingLimit(
            secondsOf(each.start),
            None if each.stop is None else secondsOf(each.stop),
            cut("; ".join(each.reasons) or None, MAX_REASON),
            each.limit.text,
            *_spared(schedule, each),
        )
        for each in schedule.partialBetween(first, last)[:most]
    )


def _remember(known: dict[Any, Any], schedule: BreakSchedule, answer: Any) -> None:
    if len(known) >= _REMEMBERED:
        del known[next(iter(known))]
    known[schedule] = answer
