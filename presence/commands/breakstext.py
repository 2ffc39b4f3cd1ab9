"""The breaks that are coming, as a page of text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from presence.breaks.partial import PartialInterval
from presence.breaks.warnings import lastEnd
from presence.calendar.wallclock import clockChanges, later
from presence.calendar.zones import zoneFor, zoneName
from presence.words.breaks import sparedText
from presence.words.holds import atText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from presence.breaks.schedule import BreakInterval, BreakSchedule

_NO_END = "no end within 400 days"
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Title:
    """Whose breaks they are, and in which zone they are shown."""

    name: str
    zone: tzinfo
    zoneName: str


def titleOf(name: str, schedule: BreakSchedule, zone: str | tzinfo | None, home: str | tzinfo) -> Title:
    """The zone is `zone` if there is one, else the one in which the breaks are written, if it is one."""
    if zone is None:
        written = [each.tz for each in schedule.breaks if each.tz is not None]
        zone = written[0] if written and all(each == written[0] for each in written) else home
    return Title(name, zoneFor(zone), zoneName(zone))


def period(start: datetime, days: int) -> str:
    """The headline: the time that is shown."""
    moment = f"{start:%a %Y-%m-%d}"
    if (start.hour, start.minute) != (0, 0):
        moment += f" {start:%H:%M}"
    return f"Breaks in the {days} days from {moment}" if days > 1 else f"Breaks in the day from {moment}"


def section(title: Title, schedule: BreakSchedule, start: datetime, stop: datetime) -> list[str]:
    """What there is to say of one worker, a line each."""
    if schedule.isEmpty:
        return [f"{title.name}: no breaks" if title.name else "no breaks"]
    intervals, all_of_them = schedule.between(start, stop), schedule.allBetween(start, stop)
    away = sum(((min(each.stop or stop, stop) - max(each.start, start)) for each in intervals), timedelta(0))
    names = [title.name] if title.name else []
    head = [*names, title.zoneName, f"on a break for {length(away)} of {length(stop - start)}"]
    rows = [row for each in all_of_them for row in _rows(title.zone, schedule, each, start, stop)]
    changes = clockChanges(title.zone, start, stop)
    rows += [
        (change, _change(title.zone, change))
        for change in changes
        if not any(each.start < change < (each.stop or stop) for each in intervals)
    ]
    rows.sort(key=lambda row: row[0])
    lines = [text for _, text in rows]
    if not all_of_them:
        lines += _outside(title.zone, schedule, start, stop)
    return [", ".join(head), *(f"  {text}" for text in lines)]


def _outside(zone: tzinfo, schedule: BreakSchedule, start: datetime, stop: datetime) -> list[str]:
    """What there is to say where no break falls into the time that is shown: the next one, or the last."""
    coming: list[BreakInterval | PartialInterval] = []
    for change in (schedule.nextChange(stop - _INSTANT), schedule.nextPartialChange(stop - _INSTANT)):
        if change is not None:
            coming += schedule.allBetween(change, change + _INSTANT)
    if coming:
        first = min(coming, key=lambda each: each.start)
        return [f"next: {text}" for _, text in _rows(zone, schedule, first, start, first.stop or first.start)]
    since = lastEnd(schedule, start)
    if since is None:
        return ["no break comes any more"]
    return [f"it is over since {since.astimezone(zone):%a %Y-%m-%d %H:%M}"]


def _rows(
    zone: tzinfo,
    schedule: BreakSchedule,
    interval: BreakInterval | PartialInterval,
    first: datetime,
    last: datetime,
) -> Iterator[tuple[datetime, str]]:
    """A line for a break, and one for each change of the clocks in it, with the instants they are about.

    `first`, `last`: the period which is shown. Of a long break the changes before and after it are left out.
    """
    start = interval.start.astimezone(zone)
    limit = [interval.limit.text] if isinstance(interval, PartialInterval) else []
    reason = "; ".join([*limit, *_spared(zone, schedule, interval), *interval.reasons])
    if interval.stop is not None:
        stop = _stop(start, interval.stop.astimezone(zone))
        yield interval.start, _line(start, stop, length(interval.stop - interval.start), reason)
    elif interval.start < first:
        yield interval.start, f"{_NO_END:<55}   {reason}".rstrip()
    else:
        yield interval.start, _line(start, _NO_END, "", reason)
    earliest = max(interval.start, later(first, -timedelta(days=1)))
    for change in clockChanges(zone, earliest, min(interval.stop or last, last)):
        if change != interval.stop:
            effect = "" if interval.stop is None else f": {_effect(zone, change)}"
            yield interval.start, f"  {_change(zone, change)}{effect}"


def _spared(zone: tzinfo, schedule: BreakSchedule, interval: BreakInterval | PartialInterval) -> list[str]:
    """What a break does for builds that run when it starts, and to them."""
    if not (schedule.finishes or schedule.interrupts):
        return []
    spared = schedule.spares(interval)
    at = ""
    if spared.interruptsAt is not None:
        moment = spared.interruptsAt.astimezone(zone)
        same_day = moment.date() == interval.start.astimezone(zone).date()
        at = atText(_clock(moment) if same_day else f"{moment:%a} {_clock(moment)}")
    return sparedText(finishBefore=spared.finishBefore, interruptsAt=at)


def _effect(zone: tzinfo, change: datetime) -> str:
    shift = _shift(zone, change)
    return f"this break is {length(abs(shift))} {'longer' if shift < timedelta(0) else 'shorter'}"


def _line(start: datetime, stop: str, length: str, reason: str) -> str:
    return f"{start:%a %Y-%m-%d  %H:%M} – {stop:<16} {length:>12}   {reason}".rstrip()


def _stop(start: datetime, stop: datetime) -> str:
    """The end of a break: with its day if that is another one, and the end of a day as 24:00."""
    last = stop - timedelta(days=1) if (stop.hour, stop.minute, stop.second) == (0, 0, 0) else stop
    clock = "24:00" if last is not stop else _clock(stop)
    if last.date() == start.date():
        return clock
    return (
        f"{clock} {last:%a}" if last.date() - start.date() < timedelta(days=7) else f"{clock} {last:%Y-%m-%d}"
    )


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _change(zone: tzinfo, change: datetime) -> str:
    """A change of the clocks, as it is announced: by the time at which it happens on the old clock."""
    before, after = (change - timedelta(seconds=1)).astimezone(zone), change.astimezone(zone)
    shift = _shift(zone, change)
    moment = before + timedelta(seconds=1)
    direction = "forward" if shift > timedelta(0) else "back"
    return (
        f"{moment:%a %Y-%m-%d  %H:%M}   clocks go {direction} by {length(abs(shift))}, "
        f"{before.tzname()} → {after.tzname()}"
    )


def _shift(zone: tzinfo, change: datetime) -> timedelta:
    """By how much the clocks are set forward, or (negative) back."""
    before, after = (change - timedelta(seconds=1)).astimezone(zone), change.astimezone(zone)
    return (after.utcoffset() or timedelta(0)) - (before.utcoffset() or timedelta(0))


def length(span: timedelta) -> str:
    """A length of time for people: ``13 h``, ``1 h 30 min``, ``168 h``."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if number
    ]
    return " ".join(parts) or "0 min"
