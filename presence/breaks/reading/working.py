"""``workingDuring``: for those who think of when a machine works. The breaks are what is left of the week."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from presence.breaks.reading.arguments import dayAndClock
from presence.breaks.written import Break
from presence.calendar.timeofday import timeText
from presence.calendar.weekdays import EVERY_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DAY = 24 * 3600
_WEEK = 7 * _DAY

_Window = tuple[int, int]
"""From when to when, in seconds since Monday 00:00 on the wall; the second may lie in the next week."""


def breaksBetweenWork(windows: Sequence[Break]) -> list[Break]:
    """The breaks in which none of `windows` is, every week: on the wall clock, so with the laws that breaks have.

    Raises `ValueError` for windows that are not of every week, for those that leave no time for breaks, and for none.
    """
    if not windows:
        raise ValueError('it has no time in which it works: write ("19:00", "07:00"), or leave it out')
    zones = list(dict.fromkeys(str(each.tz) for each in windows))
    if len(zones) > 1:
        raise ValueError("its times are in several zones: write them in one, as timezone=")
    spans: list[_Window] = []
    for each in windows:
        spans += _spans(each)
    free = _gaps(spans)
    if not free:
        raise ValueError("it works all week, so there are no breaks: leave it out")
    return [_with_zone(each, windows[0]) for each in _breaks(free)]


def _with_zone(break_: Break, window: Break) -> Break:
    return break_ if window.tz is None else break_.inZone(window.tz)


def _spans(window: Break) -> list[_Window]:
    start, stop = window.start, window.stop
    if (
        not isinstance(start, time)
        or not isinstance(stop, time)
        or window.rule
        or window.skip
        or window.skipCalendars
    ):
        raise ValueError(
            f"{window!r} is not the same every week: write times of day and days, or say the breaks as onBreakDuring="
        )
    if window.isPartial or window.finishBefore or window.deadline is not None or window.reason:
        raise ValueError(
            f"{window!r} says more than when it works: write that with the breaks, as onBreakDuring="
        )
    if start.microsecond or stop.microsecond:
        raise ValueError(f"{window!r}: write whole seconds")
    begin, end = _seconds(start), _seconds(stop) + window.nights * _DAY
    return [(day * _DAY + begin, day * _DAY + end) for day in window.days or EVERY_DAY]


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _gaps(spans: Iterable[_Window]) -> list[_Window]:
    """What `spans` leave of the week, by the start, which lies in the week."""
    # once more a week earlier and later: what goes over Sunday is seen at both ends
    around = sorted((start + shift, stop + shift) for start, stop in spans for shift in (-_WEEK, 0, _WEEK))
    gaps = []
    end = around[0][1]
    for start, stop in around[1:]:
        if start > end and 0 <= end < _WEEK:
            gaps.append((end, start))
        end = max(end, stop)
    return gaps


def _breaks(gaps: Iterable[_Window]) -> list[Break]:
    """A break for each gap; those that are alike, and not longer than a day, are one with several days."""
    alike: dict[tuple[time, time], list[int]] = {}
    breaks = []
    for start, stop in gaps:
        if stop - start < _DAY or (stop - start == _DAY and start % _DAY == 0):
            alike.setdefault((_clock(start), _clock(stop)), []).append(start // _DAY)
        else:
            first, last = (dayAndClock(each // _DAY, timeText(_clock(each))) for each in (start, stop))
            breaks.append(Break(first, last))
    return [
        *(Break(start, "24:00" if stop == time() else stop, days) for (start, stop), days in alike.items()),
        *breaks,
    ]


def _clock(second: int) -> time:
    return (datetime.min + timedelta(seconds=second % _DAY)).time()  # noqa: DTZ901 (a wall clock time)
