"""Many workers that connect, or go, one after the other: after a restart, or when a network comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

#: A wave is over when no worker has connected or gone for so many seconds.
CALM = 1.0

#: And at the latest after so many, when another one begins: somebody may be looking at the numbers.
LONGEST = 30.0


class Wave:
    """Whether workers connect, or go, one after the other at the moment; and how many have."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._began = self._last = -LONGEST - CALM
        self._size = 0

    @property
    def size(self) -> int:
        """How many times a worker has connected or gone in the present wave; 0 when there is none."""
        now = self._clock.seconds()
        # (also in case the clock was set back)
        going_on = 0 <= now - self._last < CALM and 0 <= now - self._began < LONGEST
        return self._size if going_on else 0

    def moved(self) -> None:
        """A worker has connected or gone."""
        size = self.size
        self._last = self._clock.seconds()
        if not size:
            self._began = self._last
        self._size = size + 1

    def goesOn(self) -> None:
        """What began with a connection is not through yet: if there is a wave, it goes on."""
        if self.size:
            self._last = self._clock.seconds()
