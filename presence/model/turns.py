"""Many small pieces of work, of which the reactor does some in each of its turns, and other things in between."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.interfaces import IDelayedCall, IReactorTime


#: When a turn has gone on for so long, in seconds, the rest of its pieces is left to the next: some take longer than others, and
#: each line that one of them writes into the log may wait for other threads.
LONGEST = 0.005


class Share:
    """What one turn has room for: at most `size` pieces, and none that begins when it has gone on for `LONGEST`."""

    __slots__ = ("_began", "_clock", "_left", "_size")

    def __init__(self, clock: IReactorTime, size: int) -> None:
        self._clock = clock
        self._size = size
        self.begin()

    def begin(self) -> None:
        """A turn begins."""
        self._left, self._began = self._size, self._clock.seconds()

    @property
    def isUsed(self) -> bool:
        """Whether there is no more room."""
        return not self._left

    def use(self) -> None:
        """One piece has been done."""
        # (a clock that is set back makes no turn longer than its number)
        self._left = self._left - 1 if self._clock.seconds() - self._began < LONGEST else 0


class Turns:
    """Does at most `size` pieces of work in each turn of the reactor, in the order in which they were asked for."""

    def __init__(self, clock: IReactorTime, size: int) -> None:
        self._clock = clock
        self._share = Share(clock, size)
        self._waiting: deque[Iterator[object]] = deque()
        # begins the next turn, when something has been done in this one
        self._next: IDelayedCall | None = None

    def do(self, pieces: Iterator[object]) -> None:
        """Go through `pieces`, to ask for the next of which is to do one: before this returns as far as this turn has room,
        then in the next ones. None may fail.
        """
        if self._next is None:
            self._next = self._clock.callLater(0, self._turn)
            self._share.begin()
        self._waiting.append(pieces)
        if len(self._waiting) == 1:
            self._go_on()

    def clockJumped(self) -> None:
        """The clock has been set, perhaps back: the next turn is the next one."""
        if self._next is not None:
            self._next.reset(0)

    def _turn(self) -> None:
        self._next = self._clock.callLater(0, self._turn) if self._waiting else None
        self._share.begin()
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self._share.isUsed:
            # (those that wait are not made beforehand: of a farm that connects they would be half a million)
            if next(self._waiting[0], self) is self:
                self._waiting.popleft()
            else:
                self._share.use()
