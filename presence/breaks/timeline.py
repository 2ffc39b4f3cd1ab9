"""The union of many breaks, worked out once for each day and kept: a question costs no look at each of them.

The breaks by weekday of one zone are the same every week, on the wall. Where the clocks of the zone are not changed, they
are merged there, once for each weekday, and a day is a copy of that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from presence.breaks.occurrences import EARLIEST_START, LATEST_STOP, OneOff, Recurring
from presence.breaks.startdays import DAYS_A_WEEK, FIRST_DAY, LAST_DAY
from presence.calendar.wallclock import EARLIEST, LATEST, midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from presence.breaks.occurrences import Occurrences

# How many days, and how many pieces, are kept at most beyond those that are asked about.
_MOST_DAYS, _MOST_PIECES = 1600, 20_000

# For how many days it is worked out beforehand what a change of the clocks does to each of the breaks.
_AHEAD = 800

# The hours from 00:00 of a day on within which its occurrences lie, and how far apart the clocks are looked at.
_HOURS, _STEP = 48, 6

Place = tuple[datetime, datetime, int]
"""Where a break comes in the order of all: start, stop, and its number among those of the schedule."""


class Piece(NamedTuple):
    """Occurrences which overlap or touch; and of each reason that one of them has, which of them comes first."""

    start: datetime
    stop: datetime
    reasons: dict[str, Place]


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


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """`pieces`, which come by their start, with all that overlap or touch put together."""
    found: list[Piece] = []
    for piece in pieces:
        if found and piece.start <= found[-1].stop:
            last = found[-1]
            reasons = _both(last.reasons, piece.reasons) if piece.reasons else last.reasons
            if piece.stop > last.stop or reasons is not last.reasons:
                found[-1] = Piece(last.start, max(last.stop, piece.stop), reasons)
        else:
            found.append(piece)
    return found


def _both(one: dict[str, Place], other: dict[str, Place]) -> dict[str, Place]:
    news = {reason: place for reason, place in other.items() if reason not in one or place < one[reason]}
    return {**one, **news} if news else one


class Timeline:
    """What several breaks are from one day to another. It grows, on both sides, as it is asked."""

    __slots__ = ("_first", "_last", "_pieces", "_sources")

    def __init__(self, sources: Sources, day: int) -> None:
        self._sources = sources
        self._begin(day)

    def view(self, first: int, last: int, start: datetime, stop: datetime) -> View:
        """The pieces around ``[start, stop]``: those that overlap or touch it, and the next one on each side.

        It shows at least what starts on the days (ordinals) from `first` to `last`.
        """
        self._grow(first, last)
        begin = bisect_left(self._pieces, start, key=itemgetter(1))
        end = bisect_right(self._pieces, stop, key=itemgetter(0))
        return View(*boundsOf(self._first, self._last), self._pieces[max(begin - 1, 0) : end + 1])

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

    def _add(self, first: int, last: int) -> None:
        new = sorted(self._sources.between(first, last), key=itemgetter(0))
        if not new:
            return
        latest = max(map(itemgetter(1), new))
        begin = bisect_left(self._pieces, new[0].start, key=itemgetter(1))
        end = bisect_right(self._pieces, latest, key=itemgetter(0))
        self._pieces[begin:end] = merged(sorted(self._pieces[begin:end] + new, key=itemgetter(0)))


class Sources:
    """What happens on a day, of breaks given as their occurrences and their reasons (or None)."""

    __slots__ = ("_once", "_others", "_weeks")

    def __init__(self, breaks: Sequence[Occurrences], reasons: Sequence[str | None]) -> None:
        self._once = _Once()
        self._others: list[tuple[Occurrences, int, str | None]] = []
        self._weeks: dict[int, _Weeks] = {}
        for number, (each, reason) in enumerate(zip(breaks, reasons, strict=True)):
            if isinstance(each, OneOff):
                self._once.add([_piece(*span, number, reason) for span in each.startingBetween(0, 0)])
            elif isinstance(each, Recurring) and each.weekly is not None:
                # (not all zones can be hashed)
                self._weeks.setdefault(id(each.zone), _Weeks(each.zone)).add(each, number, reason)
            else:
                self._others.append((each, number, reason))

    def prepare(self, day: int) -> None:
        """Do beforehand what takes long of the years after `day`."""
        for week in self._weeks.values():
            week.prepare(day)

    def around(self, day: int) -> list[Piece]:
        """What starts on `day`, and what has started before, however long ago, and has not stopped by then."""
        return [*self._once.during(midnight(day)), *self.between(day, day)]

    def between(self, first: int, last: int) -> list[Piece]:
        """At least all that starts on the days from `first` to `last`, and what starts only once also if it stops then."""
        found: list[Piece] = []
        for day in range(first, last + 1):
            found += self._once.onDay(day)
            for week in self._weeks.values():
                found += week.onDay(day)
        for each, number, reason in self._others:
            found += [_piece(*span, number, reason) for span in each.startingBetween(first, last)]
        return found


class _Once:
    """The breaks that happen once."""

    __slots__ = ("_all", "_days")

    def __init__(self) -> None:
        self._all: list[Piece] = []
        self._days: dict[int, list[Piece]] = {}

    def add(self, pieces: list[Piece]) -> None:
        self._all += pieces
        for piece in pieces:
            for day in {piece.start.toordinal(), piece.stop.toordinal()}:
                self._days.setdefault(day, []).append(piece)

    def during(self, instant: datetime) -> list[Piece]:
        return [piece for piece in self._all if piece.start <= instant <= piece.stop]

    def onDay(self, day: int) -> list[Piece]:
        return self._days.get(day, [])


class _Weeks:
    """The breaks by weekday of one zone."""

    __slots__ = ("_breaks", "_changes", "_patterns", "_skipped", "_zone")

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._breaks: list[tuple[Recurring, int, str | None]] = []
        # of a day, which breaks are left out on it
        self._skipped: dict[int, set[int]] = {}
        # by weekday: what there is of the day on the wall, from its 00:00 on
        self._patterns: dict[int, list[_OnTheWall]] = {}
        # the days around changes of the clocks, as far as they have been worked out
        self._changes: dict[int, list[Piece]] = {}

    def add(self, break_: Recurring, number: int, reason: str | None) -> None:
        self._breaks.append((break_, number, reason))
        assert break_.weekly is not None  # noqa: S101 (that is what they are sorted by)
        for day in break_.weekly.skipped:
            self._skipped.setdefault(day, set()).add(number)

    def prepare(self, day: int) -> None:
        for later in range(day, min(day + _AHEAD, LAST_DAY)):
            if later not in self._changes and _steadyOffset(self._zone, later) is None:
                self._changes[later] = self._one_by_one(later)

    def onDay(self, day: int) -> list[Piece]:
        offset = _steadyOffset(self._zone, day)
        if offset is None:
            return self._changes.get(day) or self._one_by_one(day)
        pattern, base = self._pattern(day), midnight(day) - offset
        return [
            Piece(base + start, base + stop, _moved(reasons, base) if reasons else _NO_REASONS)
            for start, stop, reasons in pattern
        ]

    def _one_by_one(self, day: int) -> list[Piece]:
        pieces = [
            _piece(*span, number, reason)
            for each, number, reason in self._breaks
            for span in each.startingBetween(day, day)
        ]
        return merged(sorted(pieces, key=itemgetter(0)))

    def _pattern(self, day: int) -> list[_OnTheWall]:
        skipped, weekday = self._skipped.get(day), day % DAYS_A_WEEK
        if skipped is not None:
            return self._merged(weekday, skipped)
        if weekday not in self._patterns:
            self._patterns[weekday] = self._merged(weekday, ())
        return self._patterns[weekday]

    def _merged(self, weekday: int, skipped: Iterable[int]) -> list[_OnTheWall]:
        spans = sorted(
            (each.weekly.start, each.weekly.stop, number, reason)
            for each, number, reason in self._breaks
            if each.weekly is not None and weekday in each.weekly.weekdays and number not in skipped
        )
        found: list[_OnTheWall] = []
        for start, stop, number, reason in spans:
            if found and start <= found[-1].stop:
                found[-1] = found[-1]._replace(stop=max(stop, found[-1].stop))
            else:
                found.append(_OnTheWall(start, stop, {}))
            if reason is not None:
                # they come in this order
                found[-1].reasons.setdefault(reason, (start, stop, number))
        return found


class _OnTheWall(NamedTuple):
    start: timedelta
    stop: timedelta
    reasons: dict[str, tuple[timedelta, timedelta, int]]


_NO_REASONS: dict[str, Place] = {}


def _moved(reasons: dict[str, tuple[timedelta, timedelta, int]], base: datetime) -> dict[str, Place]:
    return {reason: (base + start, base + stop, number) for reason, (start, stop, number) in reasons.items()}


def _piece(start: datetime, stop: datetime, number: int, reason: str | None) -> Piece:
    return Piece(start, stop, _NO_REASONS if reason is None else {reason: (start, stop, number)})


def _steadyOffset(zone: tzinfo, day: int) -> timedelta | None:
    """The offset of `zone` from UTC, if it is one and the same wherever a break is that starts on `day`.

    (No zone has ever changed its clocks twice within a few hours.)
    """
    wall = datetime.fromordinal(day)
    offsets = {
        zone.utcoffset(wall + timedelta(hours=hours)) for hours in range(-_STEP, _HOURS + _STEP + 1, _STEP)
    }
    offset = offsets.pop()
    return None if offsets else offset or timedelta(0)
