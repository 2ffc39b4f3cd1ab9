"""Schedules and instants, written as shortly as they can be."""

from datetime import datetime, timezone

from presence.breaks.schedule import BreakSchedule

UTC = timezone.utc
BERLIN = "Europe/Berlin"


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(*breaks, timezone="UTC"):
    return BreakSchedule.fromConfig(list(breaks), timezone)


def told(intervals):
    """Intervals as text, in UTC."""
    return [
        f"{each.start:%a %d %H:%M} – {'…' if each.stop is None else format(each.stop, '%a %d %H:%M')}"
        for each in intervals
    ]
