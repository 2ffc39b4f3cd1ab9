"""Waking builders when workers may build (again): once for all workers of a moment, and only where work waits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from buildbot.util.deferwaiter import DeferWaiter
from sqlalchemy.exc import DBAPIError, ProgrammingError
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.builds.waiting import unclaimedRequests
from presence.master.starting.distribution import Distribution
from presence.master.starting.sorting import Sorting
from presence.model.gathering import Gathering
from presence.model.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

    from presence.master.starting.answers import SiteAnswers

_log = Logger()

#: How many pauses more are made while the distributor is still on its way to the builders of the last wake-up. It would begin
#: with those of this one when it is through with that, and has then sorted the same builders twice.
PATIENCE = 9

#: For how long it is believed that no request is pending, in seconds, unless an event says otherwise. Events of other
#: masters may be lost.
BELIEF = 1.0


class Wakeup:
    """Tells the build request distributor about workers that became ready.

    The workers of one reactor turn make one call, for those builders only that use one of them and have
    unclaimed requests, and that the distributor is not on its way to already: when it reaches a builder it looks who
    is ready then. (A request that arrives, or is unclaimed, later than the question about the unclaimed
    ones wakes its builder by itself: Buildbot does that.)

    What fails, as the question or the distributor does without a database, is tried again until one pass has been made.

    `isOurs` says by its name whether a worker is one of ours.
    """

    def __init__(self, master: Any, isOurs: Callable[[str], bool], answers: SiteAnswers) -> None:
        self._master = master
        self._is_ours = isOurs
        self._names: set[str] = set()
        # a worker that flaps a thousand times a second costs ten wake-ups
        self._gathering = Gathering(master.reactor, self._wake)
        self._waking = DeferWaiter()
        self._distribution = Distribution(master, answers, self._schedule, self._passed)
        # of builders, where the distributor has failed, and of the question, which has no builder
        self._retries = Retries(master.reactor, self._try_again)
        # the workers for which that was asked in vain, or None if it was not
        self._in_vain: set[str] | None = None
        self._sorting = Sorting(master)
        self._stopped = False
        self._consumers: list[Any] = []
        # how many pauses the next wake-up is put off, if the distributor is not through with what it has
        self._patience = 0
        # how often a request has come into the queue, and until when it is believed that there is none
        self._arrivals = 0
        #: how often the distributor was called
        self.wakeups = 0
        self._idle_until = -math.inf

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Gather from now on what Buildbot would do for each worker by itself, and hear of requests."""
        botmaster = self._master.botmaster
        self._kick = botmaster.maybeStartBuildsForWorker
        botmaster.maybeStartBuildsForWorker = self._worker_kicks
        self._distribution.start()
        self._sorting.start()
        for event in ("new", "unclaimed"):
            consumer = yield self._master.mq.startConsuming(
                self._request_arrived, ("buildrequests", None, event)
            )
            self._consumers.append(consumer)

    def workerReady(self, name: str) -> None:
        """The worker `name` may build again: see that its builders hear of it, in the next reactor turn."""
        self._names.add(name)
        self._schedule()

    @property
    def isPending(self) -> bool:
        """Whether the distributor is about to be sent to builders."""
        return bool(self._names) or self._waking.has_waited()

    def clockJumped(self) -> None:
        """The clock has jumped: the end of the pause may be hours away now. Do not wait for it."""
        self._gathering.clockJumped()
        self._retries.clockJumped()

    def stop(self) -> Deferred[None]:
        """Wake nobody any more. A Deferred that fires when the wake-up that is under way has ended."""
        self._stopped = True
        # Buildbot's own method, which is the class's, comes to light again
        vars(self._master.botmaster).pop("maybeStartBuildsForWorker", None)
        self._distribution.stop()
        self._retries.stop()
        self._sorting.stop()
        for consumer in self._consumers:
            consumer.stopConsuming()
        self._gathering.stop()
        return self._waking.wait()

    def _worker_kicks(self, name: str) -> None:
        """What `botmaster.maybeStartBuildsForWorker` is: a worker has connected, a build of it has ended, and the like."""
        # also one that is held: what a running build waits for may start in spite of a reconfiguration that waits
        if self._is_ours(name):
            self.workerReady(name)
        else:
            self._kick(name)

    def _request_arrived(self, _key: tuple[str, ...], _message: dict[str, Any]) -> None:
        self._arrivals += 1
        self._idle_until = -math.inf

    def _schedule(self) -> None:
        if not self._stopped:
            self._gathering.ask()

    def _wake(self) -> None:
        busy = self._waking.has_waited() or self._distribution.isActive
        if not busy:
            self._names |= self._distribution.takeUnreached()
        due = self._names or (self._distribution.hasBuildersToRevisit and self._in_vain is None)
        if due or self._distribution.hasBuildersAhead:
            # look again after the pause: for what has become ready in it, and whether the distributor was stopped
            self._gathering.ask()
        if not due:
            self._patience = 0
            return
        if busy and self._patience:
            self._patience -= 1
            return
        self._patience = PATIENCE
        self._take_up()
        names, self._names = self._names, set()
        self._waking.add(self._wake_builders_of(names))

    def _passed(self, builder: Any, went_well: bool) -> None:
        if went_well:
            self._retries.succeeded(builder)
        else:
            # Buildbot says in the log what it was
            self._retries.failed(builder)

    def _try_again(self, builder: Any) -> None:
        if builder is not None:
            if self._master.botmaster.builders.get(builder.name) is not builder:
                self._retries.succeeded(builder)
                return
            self._distribution.revisit(builder)
        else:
            self._take_up()
        self._schedule()

    def _take_up(self) -> None:
        """Let the next question be that, too, which was asked in vain."""
        self._names |= self._in_vain or set()
        self._in_vain = None

    @inlineCallbacks
    def _wake_builders_of(self, workernames: set[str]) -> Generator[Deferred[Any], Any, None]:
        botmaster = self._master.botmaster
        now, arrivals = self._master.reactor.seconds(), self._arrivals
        # (a clock that was set back must not make it last)
        if now < self._idle_until <= now + BELIEF:
            # the event that would have told otherwise may be lost: after each pause it is looked whether this is over
            self._names |= workernames
            return
        try:
            waiting = yield unclaimedRequests(self._master)
            found = (botmaster.getBuilderById(builderid) for builderid in sorted(waiting))
            builders = [builder for builder in found if builder is not None]
            if not waiting and arrivals == self._arrivals:
                self._idle_until = now + BELIEF
        except Exception as problem:  # noqa: BLE001
            if isinstance(problem, DBAPIError) and not isinstance(problem, ProgrammingError):
                # there is no database: the distributor would fail as well, at each builder
                self._in_vain = workernames | (self._in_vain or set())
                delay = self._retries.failed(None)
                _log.warn(
                    "the database does not say which builders have requests; it is asked again in {delay} s",
                    delay=delay,
                )
                return
            # better a wake-up too many than a request that nobody comes back to
            _log.failure("while asking which builders have requests; waking all builders of the workers")
            builders = botmaster.getBuilders()
        self._retries.succeeded(None)
        wanted = self._distribution.buildersToSend(workernames, builders)
        if wanted and not self._stopped:
            # until they are sorted: only then the distributor says that it is active
            self.wakeups += 1
            yield self._distribution.send(wanted)
