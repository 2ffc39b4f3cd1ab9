"""What has failed is tried again, at ever longer intervals, until it succeeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: How long it takes until something is tried again, the first time and at most, in seconds. Each time it takes twice as long.
FIRST, LAST = 0.5, 30.0


class Retries:
    """Calls `again(what)` some time after `what` (anything hashable) has failed, on `clock`, until it has succeeded."""

    def __init__(self, clock: IReactorTime, again: Callable[[Hashable], object]) -> None:
        self._clock = clock
        self._again = again
        # how long it took the last time
        self._delays: dict[Hashable, float] = {}
        self._timers: dict[Hashable, IDelayedCall] = {}
        self._stopped = False

    def failed(self, what: Hashable) -> float:
        """It has failed: in how many seconds it is tried again."""
        self._cancel(what)
        delay = min(2 * self._delays[what], LAST) if what in self._delays else FIRST
        if not self._stopped:
            self._delays[what] = delay
            self._timers[what] = self._clock.callLater(delay, self._due, what)
        return delay

    def succeeded(self, what: Hashable) -> None:
        """It has not failed, or is wanted no longer: it is not tried again."""
        self._delays.pop(what, None)
        self._cancel(what)

    def clockJumped(self) -> None:
        """The clock has jumped: what would be tried again later may be hours away now. Try it at once."""
        for timer in self._timers.values():
            timer.reset(0)

    def stop(self) -> None:
        """Try nothing again. No timer is left."""
        self._stopped = True
        for what in tuple(self._timers):
            self.succeeded(what)

    def _due(self, what: Hashable) -> None:
        del self._timers[what]
        self._again(what)

    def _cancel(self, what: Hashable) -> None:
        timer = self._timers.pop(what, None)
        if timer is not None:
            timer.cancel()
