"""What the breaks of a worker will be: the next one, and those of the days that a week view shows.

Hundreds of workers share a few schedules, and are looked at more often than their breaks change. So each
question about a schedule is answered once, and remembered for as long as the answer is true.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from presence.calendar.wallclock import startInstant
from presence.calendar.zones import localZone, zoneFor

if TYPE_CHECKING:
    from presence.breaks.schedule import BreakInterval, BreakSchedule

#: How many days are shown, from today's midnight.
DAYS = 8

# How many schedules are remembered. A master has a few; one that is reconfigured again and again has more.
_REMEMBERED = 2048

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def seconds(instant: datetime) -> float:
    """An aware datetime in seconds since the epoch."""
    return (instant - _EPOCH).total_seconds()


def instant(at: float) -> datetime:
    """The aware datetime, in UTC, of so many seconds since the epoch."""
    return _EPOCH + timedelta(seconds=at)


class Forecast:
    """Answers about schedules, in dictionaries as the API has them: `start`, `stop` (seconds), `reason`.

    `stop` is None where no end is in sight. The days are those of the clocks of this host. `now` is in seconds
    since the epoch.
    """

    def __init__(self) -> None:
        self._days: dict[BreakSchedule, tuple[float, float, list[dict[str, Any]]]] = {}
        self._next: dict[BreakSchedule, tuple[float, float, dict[str, Any] | None]] = {}

    def days(self, schedule: BreakSchedule, now: float) -> list[dict[str, Any]]:
        """The breaks that overlap the eight days from today's midnight, in order, each in its full length."""
        if schedule.isEmpty:
            return []
        known = self._days.get(schedule)
        if known is None or not known[0] <= now < known[1]:
            first, tomorrow, last = _days(now)
            found = [_told(each) for each in schedule.between(first, last)]
            known = (seconds(first), seconds(tomorrow), found)
            _remember(self._days, schedule, known)
        # whoever gets it may do with it what he likes
        return [dict(each) for each in known[2]]

    def next(self, schedule: BreakSchedule, now: float) -> dict[str, Any] | None:
        """The first break that begins after `now`, or None."""
        if schedule.isEmpty:
            return None
        known = self._next.get(schedule)
        if known is None or not known[0] <= now < known[1]:
            found = _next(schedule, instant(now))
            # no break within the horizon of the schedule: ask again tomorrow
            until = now + 24 * 3600 if found is None else found["start"]
            known = (now, until, found)
            _remember(self._next, schedule, known)
        return None if known[2] is None else dict(known[2])


def _days(now: float) -> tuple[datetime, datetime, datetime]:
    """The instants at which today begins, tomorrow does, and the last of the days ends."""
    zone = zoneFor(localZone())
    today = instant(now).astimezone(zone).date()
    first, tomorrow, last = (
        startInstant(datetime.combine(today + timedelta(days=days), time()), zone) for days in (0, 1, DAYS)
    )
    return first, tomorrow, last


def _next(schedule: BreakSchedule, now: datetime) -> dict[str, Any] | None:
    change = schedule.nextChange(now)
    if change is not None and schedule.at(change) is None:
        # that is the end of the present one
        change = schedule.nextChange(change)
    found = None if change is None else schedule.at(change)
    return None if found is None else _told(found)


def _told(interval: BreakInterval) -> dict[str, Any]:
    return {
        "start": seconds(interval.start),
        "stop": None if interval.stop is None else seconds(interval.stop),
        "reason": "; ".join(interval.reasons) or None,
    }


def _remember(known: dict[Any, Any], schedule: BreakSchedule, answer: Any) -> None:
    if len(known) >= _REMEMBERED:
        del known[next(iter(known))]
    known[schedule] = answer
