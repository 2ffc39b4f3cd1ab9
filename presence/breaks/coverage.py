"""When at least one of several breaks is: their occurrences, merged wherever they overlap or touch.

Nothing is worked out for the whole calendar. A question looks at the days around its instant, and at more
days only while the break that it finds reaches beyond what it sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from presence.breaks.recurrences import FIRST_YEAR, LAST_YEAR
from presence.breaks.sources import NO_PATTERNS, NO_REASONS, Piece, Place, Sources, merged
from presence.breaks.timeline import Timeline, View, boundsOf
from presence.calendar.wallclock import EARLIEST, LATEST, UTC, later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from presence.breaks.occurrences import Occurrences

HORIZON = timedelta(days=400)
"""How far before and after an instant the beginning and the end of its break are looked for."""

# The days before and after an instant which are looked at, one window after the other. The first has room for
# a break of a night or a day. The last goes beyond the horizon (and back beyond the year in which that is), so
# that what it shows holds for weeks.
_WINDOWS = ((3, 2), (16, 16), (64, 64), (800, 432))
# The days before and after one from which a break may go on otherwise: what is missing then is missing for the
# first time within a year, as even yearly rules recur by then.
_AROUND_A_TURN = (8, 432)

# With more breaks than these it is kept what they are together, day by day. For fewer that would be more to keep
# than to work out again.
_FEW = 16

_BEGIN = itemgetter(0)


@dataclass(frozen=True, slots=True)
class BreakInterval:
    """One break as it happens, ``[start, stop)``, merged with all that overlap it or touch it.

    `start`, `stop`: aware datetimes in UTC. `stop` is None where no end lies within 400 days. A `start` that
    lies farther back than the year of 400 days ago is given as the beginning of that year (so that it does
    not change with every question). `reasons`: those of its breaks that have one, each once, in the order in
    which they begin.
    """

    start: datetime
    stop: datetime | None
    reasons: tuple[str, ...] = ()


class _Found(NamedTuple):
    """What is true from `since` to just before `until`: it is `piece`, or no break. `begins`: whether one begins at `until`."""

    since: datetime
    until: datetime
    piece: Piece | None
    begins: bool = False


class Coverage:
    """The union of several breaks, each given as its occurrences and its reason (or None).

    Instants are in UTC. What was found last is remembered, as the next question is mostly about the same break.
    """

    __slots__ = ("_breaks", "_changed", "_found", "_long", "_ordered", "_reasons", "_sources", "_timeline")

    def __init__(self, breaks: Sequence[Occurrences], reasons: Sequence[str | None]) -> None:
        self._breaks = breaks
        self._reasons = reasons
        self._sources = Sources(breaks, reasons) if len(breaks) > _FEW else None
        self._timeline: Timeline | None = None
        self._long: tuple[int, int, Timeline] | None = None
        self._found = _Found(LATEST, LATEST, None)
        # the reasons of the piece that was told last
        self._ordered: tuple[Piece, tuple[str, ...]] | None = None
        # no change lies after the first and before the second of these
        self._changed: tuple[datetime, datetime | None] = (LATEST, None)

    def at(self, instant: datetime) -> BreakInterval | None:
        """The merged break that contains `instant`."""
        found = self._found
        if not found.since <= instant < found.until:
            found = self._found = self._find(instant)
        return None if found.piece is None else self._interval(found.piece, instant, instant)

    def between(self, start: datetime, stop: datetime) -> list[BreakInterval]:
        """The merged breaks that overlap ``[start, stop)``, in their full length, in order."""
        if start >= stop:
            return []
        pieces = self._around(start, stop).pieces
        return [
            self._interval(piece, start, stop)
            for piece in pieces
            if piece.start < stop and start < piece.stop
        ]

    def nextChange(self, instant: datetime) -> datetime | None:
        """The first instant after `instant` at which a merged break begins or ends; None if there is none."""
        asked, change = self._changed
        if not asked <= instant or (change is not None and change <= instant):
            change = self._next_change(instant)
            self._changed = (instant, change)
        return change

    def _next_change(self, instant: datetime) -> datetime | None:
        interval = self.at(instant)
        if interval is not None:
            return interval.stop or self._end_beyond_horizon(instant)
        if self._found.begins:
            return self._found.until
        if self._sources is not None:
            for before, after in _WINDOWS[:-1]:
                day = instant.toordinal()
                view = self._view(day - before, day + after, instant, instant)
                for piece in view.pieces:
                    if instant < piece.start < view.last:
                        return piece.start
            following = None if self._timeline is None else self._timeline.startAfter(instant)
            if following is not None:
                return following
            return self._sources.nextStart(instant)
        starts = (each.nextStart(instant) for each in self._breaks)
        return min((start for start in starts if start is not None), default=None)

    def _find(self, instant: datetime) -> _Found:
        view = self._around(instant, instant)
        since, until = view.first, view.last
        for piece in view.pieces:
            if piece.start <= instant < piece.stop:
                return _while_shown_alike(piece, instant, begins=view.first <= piece.start)
            if piece.stop <= instant:
                since = max(since, piece.stop)
            else:
                until = min(until, piece.start)
        return _Found(since, until, None, begins=until < view.last)

    def _around(self, start: datetime, stop: datetime) -> View:
        """A view of ``[start, stop]`` with all of each piece there, as far as the horizon."""
        for before, after in _WINDOWS:
            if self._sources is not None and before == _WINDOWS[-1][0]:
                return self._long_view(self._sources, start, stop)
            view = self._view(start.toordinal() - before, stop.toordinal() + after, start, stop)
            touched = (piece for piece in view.pieces if piece.start <= stop and start <= piece.stop)
            if all(view.isWhole(piece) for piece in touched):
                break
        return view

    def _view(self, first: int, last: int, start: datetime, stop: datetime) -> View:
        """What the occurrences make which start on the days (ordinals) from `first` to `last`, around ``[start, stop]``."""
        if self._sources is None:
            return self._view_of_few(first, last, start, stop)
        if self._timeline is None:
            self._sources.prepare(first)
            self._timeline = Timeline(self._sources, first)
            self._timeline.prepare()
        return self._timeline.view(first, last, start, stop)

    def _long_view(self, sources: Sources, start: datetime, stop: datetime) -> View:
        """A view that reaches as far as the last window at least, and depends on nothing but the years: of what has no end in
        sight there is more to see the farther one looks, and whatever was asked before is to change nothing.
        """
        first, last = max(start.year - 3, FIRST_YEAR), min(stop.year + 2, LAST_YEAR)
        if self._long is None or self._long[:2] != (first, last):
            self._long = (first, last, Timeline(sources, date(first, 1, 1).toordinal()))
        days = date(first, 1, 1).toordinal(), date(last, 12, 31).toordinal()
        return self._long[2].view(*days, start, stop)

    def _view_of_few(self, first: int, last: int, start: datetime, stop: datetime) -> View:
        spans = [
            (begin, end, number)
            for number, each in enumerate(self._breaks)
            for begin, end in each.startingBetween(first, last)
        ]
        spans.sort(key=_BEGIN)
        near = _near(spans, start, stop)
        return View(*boundsOf(first, last), merged([self._piece(*span) for span in near]))

    def _piece(self, start: datetime, stop: datetime, number: int) -> Piece:
        reason = self._reasons[number]
        return Piece(
            start, stop, NO_REASONS if reason is None else {reason: (start, stop, number)}, NO_PATTERNS
        )

    def _interval(self, piece: Piece, start: datetime, stop: datetime) -> BreakInterval:
        """`piece` as it is told to who asks about ``[start, stop]``."""
        return BreakInterval(
            max(piece.start, _oldest_start(start)),
            piece.stop if piece.stop <= later(stop, HORIZON) else None,
            self._reasons_of(piece),
        )

    def _reasons_of(self, piece: Piece) -> tuple[str, ...]:
        if self._ordered is None or self._ordered[0] is not piece:
            self._ordered = piece, piece.inOrder()
        return self._ordered[1]

    def _end_beyond_horizon(self, instant: datetime) -> datetime | None:
        """When the break ends that is at `instant` and goes on beyond the horizon; None if it never ends.

        What has gone on for that long is there every day, so it ends at a turn of one of its breaks or never.
        """
        horizon = later(instant, HORIZON).toordinal()
        turns = {turn for each in self._breaks for turn in each.turns if turn > horizon}
        sources = self._sources or Sources(self._breaks, self._reasons)
        before, after = _AROUND_A_TURN
        seen = -1
        for day in (horizon, *sorted(turns)):
            if day - before > seen:
                sweep, first = Timeline(sources, day - before), day - before
            seen = day + after
            begin, _ = boundsOf(first, seen)
            view = sweep.view(first, seen, begin, begin)
            for piece in view.pieces:
                if piece.start <= begin < piece.stop <= view.last:
                    return piece.stop
        return None


def _near(spans: list[Place], start: datetime, stop: datetime) -> list[Place]:
    """Those of `spans`, which come by their start, that make the pieces which overlap or touch ``[start, stop]``, and the next
    one on each side.
    """
    kept = first = 0
    begun = reach = EARLIEST
    for place, (begin, end, _) in enumerate(spans):
        if begin > reach:
            # another piece: the one from `first` on is whole
            if reach < start:
                kept = first
            elif begun > stop:
                return spans[kept:place]
            first, begun, reach = place, begin, end
        elif end > reach:
            reach = end
    return spans[kept:]


def _oldest_start(instant: datetime) -> datetime:
    """The earliest start that is told to who asks about `instant`."""
    return datetime(later(instant, -HORIZON).year, 1, 1, tzinfo=UTC)


def _while_shown_alike(piece: Piece, instant: datetime, *, begins: bool) -> _Found:
    """How long `piece` is what there is to say, its end known or not known as at `instant`.

    `begins`: whether it begins where it seems to. If it does not, nothing is said of earlier instants.
    """
    since = piece.start if begins else instant
    horizon = later(piece.stop, -HORIZON)
    if instant < horizon:
        return _Found(since, horizon, piece)
    return _Found(max(since, horizon), piece.stop, piece)
