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

#: How long the distributor may take to reach whatever it has been sent to, in seconds. A busy one is never through.
COURTESY = 5.0

# How often it is looked, at least, whether it is still to be waited for, in seconds; and whether the distributor is through.
_LOOK = 1.0
_SOON = 0.1


class Standstill:
    """Waits for it. `answers` are what the distributor itself may wait for, and `willBeSent` says whether it is about to be
    sent to builders.
    """

    def __init__(self, master: Any, answers: SiteAnswers, willBeSent: Callable[[], bool]) -> None:
        self._clock = master.reactor
        self._botmaster = master.botmaster
        self._distributor = master.botmaster.brd
        self._answers = answers
        self._will_be_sent = willBeSent
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
        # What a build of before waits for may be about to start. For that it need not be between two builders, but through.
        patience = self._clock.seconds() + COURTESY
        while self._is_under_way() and wanted():
            end, now = deadline(), self._clock.seconds()
            # (a clock that was set back must not make it last)
            if not patience - COURTESY <= now < (patience if end is None else min(patience, end)):
                break
            yield self._either(None, end, _SOON)
        lock = self._distributor.activity_lock
        acquired: Deferred[Any] = lock.acquire()
        looked = False
        while not acquired.called:
            end = deadline()
            if looked or end is None or self._clock.seconds() < end:
                yield self._either(acquired, end, _LOOK)
            looked = True
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

    def _is_under_way(self) -> bool:
        """Whether the distributor has something before it, or is about to."""
        return bool(
            self._distributor.active
            or self._distributor._deferwaiter.has_waited()
            # requests that Buildbot gathers for a moment
            or self._botmaster._pending_builderids
            or self._will_be_sent()
        )

    def _either(self, acquired: Deferred[Any] | None, deadline: float | None, wait: float) -> Deferred[None]:
        """A Deferred that fires when it is there, and when it is to be looked, whichever is first."""
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
        if acquired is not None:
            acquired.addCallback(fire)
        return either


def _withdraw(acquired: Deferred[Any]) -> None:
    def ignore(failure: Failure) -> None:
        """It is that it was cancelled."""

    acquired.addErrback(ignore)
    acquired.cancel()
