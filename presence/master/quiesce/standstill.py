"""The moment at which Buildbot's distributor is between two builders: all that it has chosen is among the builds then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, inlineCallbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from presence.master.starting.answers import SiteAnswers

#: How long a function of the site's may take to answer the distributor, in seconds, until it is done without.
PATIENCE = 60.0

# How often it is looked, at least, whether it is still to be waited for, in seconds.
_LOOK = 1.0


class Standstill:
    """Waits for it. `answers` are what the distributor itself may wait for."""

    def __init__(self, master: Any, answers: SiteAnswers) -> None:
        self._clock = master.reactor
        self._distributor = master.botmaster.brd
        self._answers = answers
        self._timers: set[IDelayedCall] = set()

    @inlineCallbacks
    def reach(
        self, wanted: Callable[[], bool], deadline: Callable[[], float | None], grace: Callable[[], float]
    ) -> Generator[Deferred[Any], Any, Callable[[], object] | None]:
        """A Deferred of what is to be called when it may be over; of None when it is not `wanted()` any more.

        What a function of the site's has not answered by the `deadline()` (seconds since the epoch, or None), or within a
        minute, is done without. Whatever else the distributor is about has `grace()` seconds more, and then it is done without
        that. (Buildbot's own reconfig does not wait for it at all.)
        """
        lock = self._distributor.activity_lock
        acquired: Deferred[Any] = lock.acquire()
        while not acquired.called:
            yield self._either(acquired, deadline())
            if acquired.called:
                break
            if not wanted():
                _withdraw(acquired)
                return None
            end, now = deadline(), self._clock.seconds()
            if end is None or now < end:
                self._answers.giveUp(PATIENCE)
            elif not self._answers.giveUp() and now >= end + grace():
                _withdraw(acquired)
                return lambda: None
        release: Callable[[], object] = lock.release
        return release

    def look(self) -> None:
        """Something has happened, or the clock has jumped: look now."""
        for timer in self._timers:
            timer.reset(0)

    def _either(self, acquired: Deferred[Any], deadline: float | None) -> Deferred[None]:
        """A Deferred that fires when it is there, and when it is to be looked, whichever is first."""
        wait = _LOOK
        if deadline is not None and deadline > self._clock.seconds():
            wait = min(wait, deadline - self._clock.seconds())
        either: Deferred[None] = Deferred()

        def fire(result: Any = None) -> Any:
            if timer in self._timers:
                self._timers.discard(timer)
                if timer.active():
                    timer.cancel()
                either.callback(None)
            return result

        timer = self._clock.callLater(wait, fire)
        self._timers.add(timer)
        acquired.addCallback(fire)
        return either


def _withdraw(acquired: Deferred[Any]) -> None:
    def ignore(failure: Failure) -> None:
        """It is that it was cancelled."""

    acquired.addErrback(ignore)
    acquired.cancel()
