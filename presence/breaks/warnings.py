"""What is allowed, and hardly meant: sentences for people, each with what was probably meant.

Shown by `buildbot checkconfig` and `presence breaks`. Pure: the instant is told.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from presence.breaks.schedule import Break, BreakSchedule
from presence.calendar.timeofday import timeText
from presence.calendar.wallclock import later, midnight
from presence.calendar.weekdays import CODES, EVERY_DAY, weekdaysText
from presence.calendar.zones import localZoneWarning, zoneFor, zoneWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_OPEN = timedelta(minutes=10)
"""A time between two breaks that is shorter is hardly meant to be one."""

_LOOK_AHEAD = timedelta(days=35)
_LOOK_BACK = timedelta(days=400)
_AROUND = timedelta(days=10)
_DAYS_A_WEEK = 7
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_LONGEST_WEEKEND = 4
_AFTERNOON = time(12)


def warningsOf(schedule: BreakSchedule, now: datetime) -> list[str]:
    """What is surprising about `schedule`, each thing once."""
    found: list[str] = []
    for each in schedule.breaks:
        found += filter(None, (_nights(each), _is_over(each, now)))
        found += filter(None, [zoneWarning(each.tz)])
    found += _short_gaps(schedule, now)
    return list(dict.fromkeys(found))


def hostWarnings() -> list[str]:
    """What is wrong with the time of this host, for breaks that are written without a zone."""
    return [each for each in (localZoneWarning(),) if each is not None]


def _nights(break_: Break) -> str | None:
    """Nights over a weekend whose days are open, where the weekend as a whole may be meant."""
    start, stop, days = break_.start, break_.stop, break_.days
    if not isinstance(start, time) or not isinstance(stop, time) or days is None or break_.nights != 1:
        return None
    if start < _AFTERNOON or not {_FRIDAY, _SATURDAY, _SUNDAY} <= set(days) or len(days) > _LONGEST_WEEKEND:
        return None
    first = _FRIDAY
    while (first - 1) % _DAYS_A_WEEK in days:
        first -= 1
    last = first + len(days) - 1
    if {day % _DAYS_A_WEEK for day in range(first, last + 1)} != set(days):
        return None
    first_code, last_code = CODES[first % _DAYS_A_WEEK], CODES[last % _DAYS_A_WEEK]
    end = CODES[(last if last % _DAYS_A_WEEK != _SUNDAY else last + 1) % _DAYS_A_WEEK]
    clocks = f'"{timeText(start)}", "{timeText(stop)}"'
    return (
        f'({clocks}, "{first_code}-{last_code}") is {len(days)} nights, and the days between them are open, Saturday\'s too: '
        f'if the whole time is meant, write Break("{first_code} {timeText(start)}", "{end} {timeText(stop)}"); if the '
        "nights are, write them in two breaks"
    )


def _is_over(break_: Break, now: datetime) -> str | None:
    schedule = BreakSchedule([break_], "UTC")
    if not _ends(schedule, now):
        return None
    since = lastEnd(schedule, now)
    if since is not None:
        return f"{break_!r} is over since {_moment(break_, since)}: take it out"
    if break_.calendar is not None:
        return f"{break_!r} has no event that is a break"
    return (
        f"{break_!r} never happens, as no clock of its zone shows these times, or they lie beyond the end of the calendar: "
        "take it out"
    )


def _ends(schedule: BreakSchedule, now: datetime) -> bool:
    """Whether nothing of it comes any more."""
    return (
        schedule.at(now) is None
        and schedule.nextChange(now) is None
        and not schedule.partialAt(now)
        and schedule.nextPartialChange(now) is None
    )


def lastEnd(schedule: BreakSchedule, now: datetime) -> datetime | None:
    """When the last break before `now` ended; None if there was none."""
    day = now.toordinal()
    turns = [turn for each in schedule.breaks for turn in each.occurrences().turns if turn < day]
    # within 400 days, or else around the last day after which one of them went on otherwise, and so ended
    for last in (now, *(later(midnight(turn), _AROUND) for turn in sorted(turns, reverse=True))):
        intervals = schedule.allBetween(later(last, -_LOOK_BACK), min(last, now))
        ends = [each.stop for each in intervals if each.stop is not None and each.stop <= now]
        if ends:
            return max(ends)
    return None


def _moment(break_: Break, instant: datetime) -> str:
    return f"{instant.astimezone(zoneFor(break_.tz or 'UTC')):%Y-%m-%d %H:%M}"


def _short_gaps(schedule: BreakSchedule, now: datetime) -> Iterator[str]:
    """The times between two breaks that are too short to be meant, each once by its clock."""
    intervals = schedule.between(now, later(now, _LOOK_AHEAD))
    shown: dict[tuple[time, time], list[int]] = {}
    for one, other in pairwise(intervals):
        if one.stop is not None and other.start - one.stop < SHORTEST_OPEN:
            zone = zoneFor(next((each.tz for each in schedule.breaks if each.tz is not None), "UTC"))
            first, last = one.stop.astimezone(zone), other.start.astimezone(zone)
            shown.setdefault((first.time(), last.time()), []).append(first.weekday())
    for (first_clock, last_clock), days in shown.items():
        on = tuple(sorted(set(days)))
        when = "every day" if on == EVERY_DAY else f"on {weekdaysText(on)}"
        yield (
            f"between two breaks the worker is available from {timeText(first_clock)} to {timeText(last_clock)} only, "
            f'{when}: if it is meant to be away all the time, let the breaks touch (a whole day is ("00:00", "24:00"))'
        )
