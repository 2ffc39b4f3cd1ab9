"""Many workers that connect, or go, one after the other: after a restart, or when a network comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

#: A wave is over when no worker has connected or gone for so many seconds, and none is about to.
CALM = 1.0

#: And at the latest after so many, when another one begins: somebody may be looking at the numbers.
LONGEST = 30.0


class Wave:
    """Whether workers connect, or go, one after the other at the moment; and how many have."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._began = self._last = -LONGEST - CALM
        self._size = 0
        self._first = ""
        # those whose connections have yet to be taken
        self._connecting: set[str] = set()

    @property
    def size(self) -> int:
        """How many times a worker has connected or gone in the present wave; 0 when there is none."""
        now = self._clock.seconds()
        # (one alone keeps nobody waiting; and in case the clock was set back)
        calm = LONGEST if self._connecting and self._size > 1 else CALM
        going_on = 0 <= now - self._last < calm
        return self._size if going_on and 0 <= now - self._began < LONGEST else 0

    def moved(self, name: str, *, connecting: bool = False) -> None:
        """The worker `name` has connected or gone. `connecting` says that its connection has yet to be taken."""
        size = self.size
        self._last = self._clock.seconds()
        if not size:
            self._began, self._first = self._last, name
        self._size = size + 1
        if connecting:
            self._connecting.add(name)
        else:
            self._connecting.discard(name)

    def settled(self, name: str) -> None:
        """What has changed of `name` has been counted, and its connection, if it is new, is taken."""
        if name not in self._connecting:
            self.goesOn()
        elif self.size == 1 and self._first == name:
            # it is still alone
            self._connecting.remove(name)
            self.goesOn()
        else:
            self.moved(name)

    def goesOn(self) -> None:
        """What began with a connection is not through yet: if there is a wave, it goes on."""
        if self.size:
            self._last = self._clock.seconds()
