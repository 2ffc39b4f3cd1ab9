"""Many small pieces of work, of which the reactor does some in each of its turns, and other things in between."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Turns:
    """Does `size` pieces of work in each turn of the reactor, in the order in which they were asked for."""

    def __init__(self, clock: IReactorTime, size: int) -> None:
        self._clock = clock
        self._size = self._left = size
        self._waiting: deque[Callable[[], object]] = deque()
        # begins the next turn, when something has been done in this one
        self._next: IDelayedCall | None = None

    def do(self, work: Callable[[], object]) -> None:
        """Call `work()`: before this returns where this turn has room, else in one of the next. It must not fail."""
        if self._next is None:
            self._next = self._clock.callLater(0, self._turn)
        if self._left and not self._waiting:
            self._left -= 1
            work()
        else:
            self._waiting.append(work)

    def clockJumped(self) -> None:
        """The clock has been set, perhaps back: the next turn is the next one."""
        if self._next is not None:
            self._next.reset(0)

    def _turn(self) -> None:
        self._next = self._clock.callLater(0, self._turn) if self._waiting else None
        self._left = self._size
        while self._left and self._waiting:
            self._left -= 1
            self._waiting.popleft()()
