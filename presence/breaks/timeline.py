"""The union of many breaks, worked out once for each day and kept: a question costs no look at each of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from presence.breaks.occurrences import EARLIEST_START, LATEST_STOP
from presence.breaks.sources import merged
from presence.breaks.startdays import FIRST_DAY, LAST_DAY
from presence.calendar.wallclock import EARLIEST, LATEST, midnight

if TYPE_CHECKING:
    from datetime import datetime

    from presence.breaks.sources import Piece, Sources

# How many days, and how many pieces, are kept at most beyond those that are asked about.
_MOST_DAYS, _MOST_PIECES = 1600, 20_000

# How many days are worked out beforehand, so many at a time, and after how many occurrences that is enough.
_AHEAD, _STEP, _ENOUGH = 800, 40, 60_000


class View(NamedTuple):
    """Pieces that have to do with ``[first, last]``, by their start. Outside they may be incomplete."""

    first: datetime
    last: datetime
    pieces: list[Piece]

    def isWhole(self, piece: Piece) -> bool:
        """Whether `piece` ends on both sides where it seems to."""
        return self.first <= piece.start and piece.stop <= self.last


def boundsOf(first: int, last: int) -> tuple[datetime, datetime]:
    """The instants before and after which all lies that starts on other days than those from `first` to `last`."""
    return (
        EARLIEST if first <= FIRST_DAY else midnight(first - 1) + LATEST_STOP,
        LATEST if last >= LAST_DAY else midnight(last + 1) + EARLIEST_START,
    )


class Timeline:
    """What several breaks are from one day to another. It grows, on both sides, as it is asked."""

    __slots__ = ("_first", "_last", "_pieces", "_sources")

    def __init__(self, sources: Sources, day: int) -> None:
        self._sources = sources
        self._first = self._last = 0
        self._pieces: list[Piece] = []
        self._begin(day)

    def prepare(self) -> None:
        """Work out the years that come, unless that is too much: questions about them then cost next to nothing."""
        found, last = 0, min(self._last + _AHEAD, LAST_DAY)
        while self._last < last and found < _ENOUGH and len(self._pieces) < _MOST_PIECES:
            step = min(self._last + _STEP, last)
            found += self._add(self._last + 1, step)
            self._last = step

    def view(self, first: int, last: int, start: datetime, stop: datetime) -> View:
        """The pieces around ``[start, stop]``: those that overlap or touch it, and the next one on each side.

        It shows at least what starts on the days (ordinals) from `first` to `last`.
        """
        self._grow(first, last)
        begin = bisect_left(self._pieces, start, key=itemgetter(1))
        end = bisect_right(self._pieces, stop, key=itemgetter(0))
        return View(*boundsOf(self._first, self._last), self._pieces[max(begin - 1, 0) : end + 1])

    def startAfter(self, instant: datetime) -> datetime | None:
        """The first start after `instant`, as far as the days are worked out around it; None if there is none."""
        first, last = boundsOf(self._first, self._last)
        place = bisect_right(self._pieces, instant, key=itemgetter(0))
        if not first <= instant or place == len(self._pieces) or self._pieces[place].start >= last:
            return None
        return self._pieces[place].start

    def _begin(self, day: int) -> None:
        self._first = self._last = min(max(day, FIRST_DAY), LAST_DAY)
        self._pieces = merged(sorted(self._sources.around(self._first), key=itemgetter(0)))

    def _grow(self, first: int, last: int) -> None:
        first, last = max(first, FIRST_DAY), min(last, LAST_DAY)
        if max(last, self._last) - min(first, self._first) > _MOST_DAYS + last - first:
            # the gap in between would be longer than what is worth keeping
            self._begin(first)
        if first < self._first:
            self._add(first, self._first - 1)
            self._first = first
        if last > self._last:
            self._add(self._last + 1, last)
            self._last = last
        if first > self._first and len(self._pieces) > _MOST_PIECES:
            self._first = first
            before, _ = boundsOf(first, last)
            del self._pieces[: bisect_left(self._pieces, before, key=itemgetter(1))]

    def _add(self, first: int, last: int) -> int:
        """Add the days from `first` to `last`; how much was found on them."""
        new = sorted(self._sources.between(first, last), key=itemgetter(0))
        if new:
            latest = max(map(itemgetter(1), new))
            begin = bisect_left(self._pieces, new[0].start, key=itemgetter(1))
            end = bisect_right(self._pieces, latest, key=itemgetter(0))
            self._pieces[begin:end] = merged(sorted(self._pieces[begin:end] + new, key=itemgetter(0)))
        return len(new)
