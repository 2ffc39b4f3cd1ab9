"""From wall clocks to instants. An instant is an aware datetime in UTC: only those compare without surprises."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo

UTC = timezone.utc
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)

_EPOCH_ON_THE_WALL = datetime(1970, 1, 1)  # noqa: DTZ001
_EPOCH = _EPOCH_ON_THE_WALL.replace(tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_NO_OFFSET = timedelta(0)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_HALF_TIME = 5000  # a year far from both ends of the calendar


def startInstant(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clocks of `zone` show the naive `wall`, which has `fold=0`, as a start.

    A time that exists twice is the first one, a time that a gap leaves out is moved forward by the gap: PEP 495,
    which `zone` keeps, has just that for `fold=0`. What lies beyond the calendar in UTC is clipped to its end.
    """
    try:
        offset = zone.utcoffset(wall) or _NO_OFFSET
        # the same as (wall - offset).replace(tzinfo=UTC), in a fifth of the time
        return _EPOCH + (wall - _EPOCH_ON_THE_WALL - offset)
    except OverflowError:
        return _nearer_end(wall)


def stopInstant(wall: datetime, again: datetime, zone: tzinfo) -> datetime:
    """The same as a stop: a time that exists twice is the second one. `again` is `wall` with `fold=1`.

    In a gap `fold=1` would move backwards; both times the right one is the later instant.
    """
    try:
        offset = min(zone.utcoffset(wall) or _NO_OFFSET, zone.utcoffset(again) or _NO_OFFSET)
        return _EPOCH + (wall - _EPOCH_ON_THE_WALL - offset)
    except OverflowError:
        return _nearer_end(wall)


def instantOf(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clocks of `zone` show the naive `wall`, as its `fold` chooses (PEP 495).

    With 0 a time that exists twice is the first one, and a time that does not exist is moved forward by the
    gap. With 1 it is the second one, and moved backwards.
    """
    return startInstant(wall, zone)


def asInstant(value: datetime) -> datetime:
    """The aware datetime `value` in UTC; what lies beyond the calendar there is clipped to its end.

    Raises `ValueError` for a naive datetime, as nobody can know which instant it is.
    """
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise ValueError(f"{value!r} is naive: an instant is an aware datetime")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return _nearer_end(value)


def _nearer_end(value: datetime) -> datetime:
    return EARLIEST if value.year < _HALF_TIME else LATEST


def midnight(day: int) -> datetime:
    """00:00 UTC of the day with this ordinal."""
    return _EPOCH + timedelta(day - _EPOCH_DAY)


def later(instant: datetime, span: timedelta) -> datetime:
    """`instant` + `span` (which may be negative), clipped to the ends of the calendar."""
    try:
        return instant + span
    except OverflowError:
        return EARLIEST if span < _NO_OFFSET else LATEST


def clockChanges(zone: tzinfo, start: datetime, stop: datetime) -> list[datetime]:
    """The instants in ``(start, stop]``, to the second, from which on the clocks of `zone` are set otherwise.

    Two changes within a day which take each other back are not found.
    """
    changes: list[datetime] = []
    while start < stop:
        end = min(later(start, _DAY), stop)
        if start.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset():
            changes.append(_change_between(zone, start, end))
        start = end
    return changes


def _change_between(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The change between two instants of which only the second is after it."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
