"""What many breaks are on a day, in pieces: those that happen once, those by weekday, those by rules, and others.

The breaks by weekday of one zone are the same every week, on the wall. Where the clocks of the zone are not changed, they
are merged there, once for each weekday, and a day is a copy of that. The days of rules are found for a year at a time;
those that start together on a day are merged likewise, once.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, timedelta
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from presence.breaks.occurrences import OneOff, Recurring
from presence.breaks.startdays import DAYS_A_WEEK, LAST_DAY
from presence.calendar.wallclock import midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from presence.breaks.occurrences import Occurrences, Weekly

# For how many days it is worked out beforehand what a change of the clocks does to each of the breaks.
_AHEAD = 800

# The hours from 00:00 of a day on within which its occurrences lie, and how far apart the clocks are looked at.
_HOURS, _STEP = 48, 6

# How many years are kept of what rules yield.
_MOST_YEARS = 8

# How many different sets of them are kept, with what they are together.
_MOST_PATTERNS = 512

Place = tuple[datetime, datetime, int]
"""Where a break comes in the order of all: start, stop, and its number among those of the schedule."""


class Pattern:
    """The reasons of breaks that recur together, each with its place from the 00:00 of a day on. It equals only itself."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: dict[str, tuple[timedelta, timedelta, int]] = {}


class Piece(NamedTuple):
    """Occurrences which overlap or touch; and of each reason that one of them has, which of them comes first.

    Of a pattern it is known where it begins for the first time: where it recurs, nothing in it comes earlier.
    """

    start: datetime
    stop: datetime
    reasons: dict[str, Place]
    patterns: dict[Pattern, datetime]

    def inOrder(self) -> tuple[str, ...]:
        """The reasons, in the order in which they come."""
        places = dict(self.reasons)
        for pattern, base in self.patterns.items():
            _earliest(
                places,
                {
                    reason: (base + start, base + stop, number)
                    for reason, (start, stop, number) in pattern.places.items()
                },
            )
        return tuple(sorted(places, key=places.__getitem__))


NO_REASONS: dict[str, Place] = {}
NO_PATTERNS: dict[Pattern, datetime] = {}


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """`pieces`, which come by their start, with all that overlap or touch put together."""
    found: list[Piece] = []
    own = False  # whether the dicts of the last one are nobody else's
    for piece in pieces:
        if not found or piece.start > found[-1].stop:
            found.append(piece)
            own = False
            continue
        start, stop, reasons, patterns = found[-1]
        if piece.reasons or piece.patterns:
            if not own:
                reasons, patterns, own = dict(reasons), dict(patterns), True
            _earliest(reasons, piece.reasons)
            for pattern, base in piece.patterns.items():
                patterns[pattern] = min(base, patterns.get(pattern, base))
        found[-1] = Piece(start, max(stop, piece.stop), reasons, patterns)
    return found


def _earliest(places: dict[str, Place], others: dict[str, Place]) -> None:
    """Put `others` among `places`; of a reason that is in both the first."""
    for reason, place in others.items():
        if reason not in places or place < places[reason]:
            places[reason] = place


class Sources:
    """What happens on a day, of breaks given as their occurrences and their reasons (or None)."""

    __slots__ = ("_once", "_others", "_recurring", "_ruled", "_weeks")

    def __init__(self, breaks: Sequence[Occurrences], reasons: Sequence[str | None]) -> None:
        self._once = _Once()
        self._recurring = [each for each in breaks if not isinstance(each, OneOff)]
        self._ruled: dict[int, _Ruled] = {}
        self._others: list[tuple[Occurrences, int, str | None]] = []
        self._weeks: dict[int, _Weeks] = {}
        for number, (each, reason) in enumerate(zip(breaks, reasons, strict=True)):
            weekly = each.weekly if isinstance(each, Recurring) else None
            if isinstance(each, OneOff):
                self._once.add([_piece(*span, number, reason) for span in each.startingBetween(0, 0)])
            elif isinstance(each, Recurring) and weekly is not None:
                # (not all zones can be hashed)
                self._weeks.setdefault(id(each.zone), _Weeks(each.zone)).add(each, weekly, number, reason)
            elif isinstance(each, Recurring) and each.isShort:
                self._ruled.setdefault(id(each.zone), _Ruled(each.zone)).add(each, number, reason)
            else:
                self._others.append((each, number, reason))

    def prepare(self, day: int) -> None:
        """Do beforehand what takes long of the years after `day`."""
        self._once.nextStart(midnight(day))
        for week in self._weeks.values():
            week.prepare(day)

    def nextStart(self, instant: datetime) -> datetime | None:
        """The first start of any of them after `instant`; None if there is none."""
        starts = [self._once.nextStart(instant), *(each.nextStart(instant) for each in self._recurring)]
        return min((start for start in starts if start is not None), default=None)

    def around(self, day: int) -> list[Piece]:
        """What starts on `day`, and what has started before, however long ago, and has not stopped by then."""
        return [*self._once.during(midnight(day)), *self.between(day, day)]

    def between(self, first: int, last: int) -> list[Piece]:
        """At least all that starts on the days from `first` to `last`, and what starts only once also if it stops then."""
        found: list[Piece] = []
        for day in range(first, last + 1):
            found += self._once.onDay(day)
            for ruled in self._ruled.values():
                found += ruled.onDay(day)
            for week in self._weeks.values():
                found += week.onDay(day)
        for each, number, reason in self._others:
            found += [_piece(*span, number, reason) for span in each.startingBetween(first, last)]
        return found


class _Once:
    """The breaks that happen once."""

    __slots__ = ("_all", "_days", "_starts")

    def __init__(self) -> None:
        self._all: list[Piece] = []
        self._starts: list[datetime] | None = None
        self._days: dict[int, list[Piece]] = {}

    def add(self, pieces: list[Piece]) -> None:
        self._all += pieces
        for piece in pieces:
            for day in {piece.start.toordinal(), piece.stop.toordinal()}:
                self._days.setdefault(day, []).append(piece)

    def nextStart(self, instant: datetime) -> datetime | None:
        if self._starts is None:
            self._starts = sorted(piece.start for piece in self._all)
        place = bisect_right(self._starts, instant)
        return self._starts[place] if place < len(self._starts) else None

    def during(self, instant: datetime) -> list[Piece]:
        return [piece for piece in self._all if piece.start <= instant <= piece.stop]

    def onDay(self, day: int) -> list[Piece]:
        return self._days.get(day, [])


class _Ruled:
    """The breaks of one zone that start by rules, or not on days that are known year by year, and are over on the next day.

    On many days the same of them start; what those are together is worked out once, on the wall.
    """

    __slots__ = ("_breaks", "_patterns", "_spans", "_years", "_zone")

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        # in the order of their spans on the wall, which come by themselves, when they are all known
        self._breaks: list[tuple[Recurring, int, str | None]] = []
        self._spans: list[tuple[timedelta, timedelta, int, str | None]] = []
        # of each year that was asked about, by its day: a byte for each break, 1 for those that start on it
        self._years: dict[int, list[bytes]] = {}
        # what breaks are together, by those bytes
        self._patterns: dict[bytes, list[_OnTheWall]] = {}

    def add(self, break_: Recurring, number: int, reason: str | None) -> None:
        self._breaks.append((break_, number, reason))

    def onDay(self, day: int) -> list[Piece]:
        year = date.fromordinal(day).year
        which = self._year(year)[day - date(year, 1, 1).toordinal()]
        if 1 not in which:
            return []
        offset = _steadyOffset(self._zone, day)
        if offset is None:
            pieces = [
                _piece(*span, number, reason)
                for each, number, reason in compress(self._breaks, which)
                if (span := each.spanOf(day))
            ]
            return merged(sorted(pieces, key=itemgetter(0)))
        return _onDay(midnight(day) - offset, self._on_the_wall(which))

    def _on_the_wall(self, which: bytes) -> list[_OnTheWall]:
        if which not in self._patterns:
            if len(self._patterns) >= _MOST_PATTERNS:
                self._patterns.clear()
            self._patterns[which] = _mergedOnTheWall(compress(self._spans, which))
        return self._patterns[which]

    def _year(self, year: int) -> list[bytes]:
        if not self._spans:
            self._breaks.sort(key=lambda each: (*each[0].wall, each[1]))
            self._spans = [(*each.wall, number, reason) for each, number, reason in self._breaks]
        if year not in self._years:
            if len(self._years) >= _MOST_YEARS:
                del self._years[min(self._years)]
            starts = [each.startsOf(year) for each, _, _ in self._breaks]
            self._years[year] = [bytes(each) for each in zip(*starts, strict=True)]
        return self._years[year]


class _Weeks:
    """The breaks by weekday of one zone."""

    __slots__ = ("_breaks", "_changes", "_days", "_patterns", "_skipped", "_zone")

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._breaks: list[tuple[Recurring, Weekly, int, str | None]] = []
        # of a day, which breaks are left out on it
        self._skipped: dict[int, set[int]] = {}
        # by weekday: the breaks that start on it, on the wall, in order; and what they are together
        self._days: dict[int, list[tuple[timedelta, timedelta, int, str | None]]] = {}
        self._patterns: dict[int, list[_OnTheWall]] = {}
        # the days around changes of the clocks, as far as they have been worked out
        self._changes: dict[int, list[Piece]] = {}

    def add(self, break_: Recurring, weekly: Weekly, number: int, reason: str | None) -> None:
        self._breaks.append((break_, weekly, number, reason))
        for day in weekly.skipped:
            self._skipped.setdefault(day, set()).add(number)

    def prepare(self, day: int) -> None:
        for later in range(day, min(day + _AHEAD, LAST_DAY)):
            if later not in self._changes and _steadyOffset(self._zone, later) is None:
                self._changes[later] = self._one_by_one(later)

    def onDay(self, day: int) -> list[Piece]:
        offset = _steadyOffset(self._zone, day)
        if offset is None:
            return self._changes.get(day) or self._one_by_one(day)
        return _onDay(midnight(day) - offset, self._on_the_wall(day))

    def _one_by_one(self, day: int) -> list[Piece]:
        pieces = [
            _piece(*span, number, reason)
            for each, _, number, reason in self._breaks
            for span in each.startingBetween(day, day)
        ]
        return merged(sorted(pieces, key=itemgetter(0)))

    def _on_the_wall(self, day: int) -> list[_OnTheWall]:
        skipped, weekday = self._skipped.get(day), day % DAYS_A_WEEK
        if skipped is not None:
            return _mergedOnTheWall(each for each in self._of_weekday(weekday) if each[2] not in skipped)
        if weekday not in self._patterns:
            self._patterns[weekday] = _mergedOnTheWall(self._of_weekday(weekday))
        return self._patterns[weekday]

    def _of_weekday(self, weekday: int) -> list[tuple[timedelta, timedelta, int, str | None]]:
        if weekday not in self._days:
            self._days[weekday] = sorted(
                (weekly.start, weekly.stop, number, reason)
                for _, weekly, number, reason in self._breaks
                if weekday in weekly.weekdays
            )
        return self._days[weekday]


class _OnTheWall(NamedTuple):
    start: timedelta
    stop: timedelta
    pattern: Pattern


def _mergedOnTheWall(spans: Iterable[tuple[timedelta, timedelta, int, str | None]]) -> list[_OnTheWall]:
    """What the breaks of a day, which come in their order, are together."""
    found: list[_OnTheWall] = []
    begin = end = None
    pattern = Pattern()
    for start, stop, number, reason in spans:
        if begin is None or end is None or start > end:
            if begin is not None and end is not None:
                found.append(_OnTheWall(begin, end, pattern))
            begin, end, pattern = start, stop, Pattern()
        elif stop > end:
            end = stop
        if reason is not None:
            # they come in this order
            pattern.places.setdefault(reason, (start, stop, number))
    if begin is not None and end is not None:
        found.append(_OnTheWall(begin, end, pattern))
    return found


def _onDay(base: datetime, spans: Iterable[_OnTheWall]) -> list[Piece]:
    """What is on the wall on a day, of which `base` is the instant of 00:00."""
    return [
        Piece(base + start, base + stop, NO_REASONS, {pattern: base} if pattern.places else NO_PATTERNS)
        for start, stop, pattern in spans
    ]


def _piece(start: datetime, stop: datetime, number: int, reason: str | None) -> Piece:
    return Piece(start, stop, NO_REASONS if reason is None else {reason: (start, stop, number)}, NO_PATTERNS)


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
