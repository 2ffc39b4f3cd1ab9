"""The breaks of the coming days, as both sides show them to people. Pure: it is told the instant."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from presence.wire.messages import LATEST, MAX_ITEMS, MAX_REASON, ComingBreak, cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from presence.breaks.schedule import BreakSchedule

#: How far ahead is looked, in seconds: the days of a week, and today's a second time.
AHEAD = 8 * 24 * 3600.0

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def comingBreaks(
    schedule: BreakSchedule, now: float, suspendedUntil: float | None = None
) -> tuple[ComingBreak, ...]:
    """The breaks of `schedule` that overlap the coming eight days, in order: those that will take place.

    `now` and `suspendedUntil` (breaks are suspended until then, or None) are seconds since the epoch.
    """
    start, end = max(now, suspendedUntil or 0.0), now + AHEAD
    if start >= end:
        return ()
    found = []
    for interval in schedule.between(_instant(start), _instant(end))[:MAX_ITEMS]:
        begins = _seconds(interval.start)
        stops = None if interval.stop is None else _seconds(interval.stop)
        reason = cut("; ".join(interval.reasons) or None, MAX_REASON)
        # of a break that a suspension reaches into, what is left
        found.append(ComingBreak(max(begins, suspendedUntil or 0.0), stops, reason))
    return tuple(found)


def nextBreak(breaks: Iterable[ComingBreak], now: float) -> ComingBreak | None:
    """The first of `breaks` that has not begun."""
    return min((each for each in breaks if each.start > now), key=lambda each: each.start, default=None)


def freeFrom(schedule: BreakSchedule, instant: float, suspendedUntil: float | None = None) -> float | None:
    """The first time from `instant` on that is in no break of `schedule`; None if none is in sight."""
    if suspendedUntil is not None and instant < suspendedUntil:
        return instant
    interval = schedule.at(_instant(instant))
    if interval is None:
        return instant
    return None if interval.stop is None else _seconds(interval.stop)


def _instant(seconds: float) -> datetime:
    # cut off to the microsecond: rounding up could be late
    return _EPOCH + timedelta(microseconds=math.floor(min(seconds, LATEST) * 1_000_000))


def _seconds(instant: datetime) -> float:
    return (instant - _EPOCH).total_seconds()
