"""Instants: seconds since the epoch, as clocks and messages have them, and aware datetimes, as calendars do.

This is the one place where the two meet. A datetime counts microseconds and a float of today is finer than that, so
one of the two ways has to round. The laws: an instant before 19:00 is before 19:00 as a datetime, however near it is;
and the seconds of 19:00 are 19:00 or, where there is no such float, one just after it. So nothing that waits
for an instant is ever early.
"""

from __future__ import annotations

import math
import sys
from datetime import datetime, timedelta
from typing import TypeGuard

from presence.calendar.wallclock import EARLIEST, UTC
from presence.calendar.wallclock import LATEST as _LATEST
from presence.text import shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The latest instant that may be named, in seconds: the last second of the year 9999, where calendars end.
LATEST = 253402300799.0


def datetimeOf(seconds: float) -> datetime:
    """The instant as a datetime in UTC, cut off to the microsecond. Beyond the calendar it is its first or last one."""
    try:
        return _EPOCH + timedelta(microseconds=math.floor(seconds * 1_000_000))
    except OverflowError:
        return EARLIEST if seconds < 0 else _LATEST


def secondsOf(instant: datetime) -> float:
    """An aware datetime in seconds since the epoch: a float that is not before it."""
    seconds = (instant - _EPOCH).total_seconds()
    while datetimeOf(seconds) < instant:
        seconds = math.nextafter(seconds, math.inf)
    return seconds


def isFinite(value: object) -> TypeGuard[float]:
    """Whether `value` is a finite number, and one that a float can hold; a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    # compared rather than converted: there are whole numbers that are too large for that
    return -sys.float_info.max <= value <= sys.float_info.max


def checkFinite(what: str, value: object) -> float:
    """`value`, called `what`, if it is a finite number of seconds since the epoch. `ValueError` if not."""
    if isFinite(value):
        return value
    raise ValueError(
        f"{what} {shown(value)} is not an instant: give seconds since the epoch, a finite number"
    )


def readInstant(value: object, now: float) -> float:
    """The instant to come that somebody has written as `value`, in seconds since the epoch.

    Raises `ValueError` for anything else, for what is not after `now`, and for what is beyond the calendar.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(  # noqa: TRY004 (mistakes are ValueErrors)
            f"{shown(value)} is not an instant: give seconds since the epoch, a number such as {int(now) + 3600}"
        )
    if value <= now:
        raise ValueError(f"{shown(value)} is past: now it is {int(now)}, in seconds since the epoch")
    if not value <= LATEST:  # a NaN neither
        raise ValueError(
            f"{shown(value)} is beyond the year 9999: give seconds (not milliseconds) since the epoch, a number "
            f"such as {int(now) + 3600}"
        )
    return value
