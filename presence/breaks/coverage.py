"""When at least one of several breaks is: their occurrences, merged wherever they overlap or touch.

Nothing is worked out for the whole calendar. A question looks at the days around its instant, and at more
days only while the break that it finds reaches beyond what it sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from presence.breaks.occurrences import EARLIEST_START, LATEST_STOP, Occurrences
from presence.breaks.startdays import FIRST_DAY, LAST_DAY
from presence.calendar.wallclock import EARLIEST, LATEST, UTC, later, midnight

if TYPE_CHECKING:
    from collections.abc import Sequence

HORIZON = timedelta(days=400)
"""How far before and after an instant the beginning and the end of its break are looked for."""

# The days before and after an instant which are looked at, one window after the other. The first has room for
# a break of a night or a day. The last goes beyond the horizon (and back beyond the year in which that is), so
# that what it shows holds for weeks.
_WINDOWS = ((3, 2), (16, 16), (64, 64), (800, 432))
# The days before and after one from which a break may go on otherwise: what is missing then is missing for the
# first time within a year, as even yearly rules recur by then.
_AROUND_A_TURN = (8, 432)


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


class _Piece(NamedTuple):
    """Occurrences which overlap or touch, and the numbers of the breaks they belong to."""

    start: datetime
    stop: datetime
    numbers: list[int]


class _View(NamedTuple):
    """All pieces that have to do with ``[first, last]``, by their start. Outside they may be incomplete."""

    first: datetime
    last: datetime
    pieces: list[_Piece]

    def isWhole(self, piece: _Piece) -> bool:
        """Whether `piece` ends on both sides where it seems to."""
        return self.first <= piece.start and piece.stop <= self.last


class _Found(NamedTuple):
    """What is true from `since` to just before `until`: it is `piece`, or no break."""

    since: datetime
    until: datetime
    piece: _Piece | None


class Coverage:
    """The union of several breaks, each given as its occurrences and its reason (or None).

    Instants are in UTC. What was found last is remembered, as the next question is mostly about the same break.
    """

    __slots__ = ("_breaks", "_changed", "_found", "_reasons")

    def __init__(self, breaks: Sequence[Occurrences], reasons: Sequence[str | None]) -> None:
        self._breaks = breaks
        self._reasons = reasons
        self._found = _Found(LATEST, LATEST, None)
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
        if interval is None:
            starts = (each.nextStart(instant) for each in self._breaks)
            return min((start for start in starts if start is not None), default=None)
        return interval.stop or self._end_beyond_horizon(instant)

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
        return _Found(since, until, None)

    def _around(self, start: datetime, stop: datetime) -> _View:
        """A view of ``[start, stop]`` with all of each piece there, as far as the horizon."""
        for before, after in _WINDOWS:
            view = self._view(start.toordinal() - before, stop.toordinal() + after)
            touched = (piece for piece in view.pieces if piece.start <= stop and start <= piece.stop)
            if all(view.isWhole(piece) for piece in touched):
                break
        return view

    def _view(self, first: int, last: int) -> _View:
        """What the occurrences make which start on the days (ordinals) from `first` to `last`."""
        spans = sorted(
            (start, stop, number)
            for number, each in enumerate(self._breaks)
            for start, stop in each.startingBetween(first, last)
        )
        pieces: list[_Piece] = []
        for start, stop, number in spans:
            if pieces and start <= pieces[-1].stop:
                piece = pieces[-1]
                if number not in piece.numbers:
                    piece.numbers.append(number)
                if stop > piece.stop:
                    pieces[-1] = _Piece(piece.start, stop, piece.numbers)
            else:
                pieces.append(_Piece(start, stop, [number]))
        # Outside of these two lies all that starts on other days.
        return _View(
            EARLIEST if first <= FIRST_DAY else midnight(first - 1) + LATEST_STOP,
            LATEST if last >= LAST_DAY else midnight(last + 1) + EARLIEST_START,
            pieces,
        )

    def _interval(self, piece: _Piece, start: datetime, stop: datetime) -> BreakInterval:
        """`piece` as it is told to who asks about ``[start, stop]``."""
        reasons = dict.fromkeys([self._reasons[number] for number in piece.numbers])
        return BreakInterval(
            max(piece.start, _oldest_start(start)),
            piece.stop if piece.stop <= later(stop, HORIZON) else None,
            tuple(reason for reason in reasons if reason is not None),
        )

    def _end_beyond_horizon(self, instant: datetime) -> datetime | None:
        """When the break ends that is at `instant` and goes on beyond the horizon; None if it never ends.

        What has gone on for that long is there every day, so it ends at a turn of one of its breaks or never.
        """
        horizon = later(instant, HORIZON).toordinal()
        turns = {turn for each in self._breaks for turn in each.turns if turn > horizon}
        before, after = _AROUND_A_TURN
        for day in (horizon, *sorted(turns)):
            view = self._view(day - before, day + after)
            for piece in view.pieces:
                if piece.start <= view.first < piece.stop <= view.last:
                    return piece.stop
        return None


def _oldest_start(instant: datetime) -> datetime:
    """The earliest start that is told to who asks about `instant`."""
    return datetime(later(instant, -HORIZON).year, 1, 1, tzinfo=UTC)


def _while_shown_alike(piece: _Piece, instant: datetime, *, begins: bool) -> _Found:
    """How long `piece` is what there is to say, its end known or not known as at `instant`.

    `begins`: whether it begins where it seems to. If it does not, nothing is said of earlier instants.
    """
    since = piece.start if begins else instant
    horizon = later(piece.stop, -HORIZON)
    if instant < horizon:
        return _Found(since, horizon, piece)
    return _Found(max(since, horizon), piece.stop, piece)
