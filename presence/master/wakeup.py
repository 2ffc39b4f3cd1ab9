"""Waking builders when workers become ready: once for all workers of a moment, and only where work waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from buildbot.util.deferwaiter import DeferWaiter
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

_log = Logger()

#: The least time between two wake-ups, in seconds. The first is immediate; the ready workers of the time in
#: between are gathered. So a worker that flaps a thousand times a second costs ten wake-ups.
PAUSE = 0.1


class Wakeup:
    """Tells the build request distributor about workers that became ready.

    The workers of one reactor turn make one call, for those builders only that use one of them and have
    unclaimed requests. (A request that arrives, or is unclaimed, later than the question about the unclaimed
    ones wakes its builder by itself: Buildbot does that.)
    """

    def __init__(self, master: Any) -> None:
        self._master = master
        self._names: set[str] = set()
        self._timer: IDelayedCall | None = None
        self._waking = DeferWaiter()
        self._stopped = False

    def workerReady(self, name: str) -> None:
        """The worker `name` may build again: see that its builders hear of it, in the next reactor turn."""
        self._names.add(name)
        if self._timer is None and not self._stopped:
            self._timer = self._master.reactor.callLater(0, self._wake)

    def clockJumped(self) -> None:
        """The clock has jumped: the end of the pause may be hours away now. Do not wait for it."""
        if self._timer is not None:
            self._timer.reset(0)

    def stop(self) -> Deferred[None]:
        """Wake nobody any more. A Deferred that fires when the wake-up that is under way has ended."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._waking.wait()

    def _wake(self) -> None:
        self._timer = None
        if self._names:
            names, self._names = self._names, set()
            self._timer = self._master.reactor.callLater(PAUSE, self._wake)
            self._waking.add(self._wake_builders_of(names))

    @inlineCallbacks
    def _wake_builders_of(self, workernames: set[str]) -> Generator[Deferred[Any], Any, None]:
        botmaster = self._master.botmaster
        try:
            waiting = yield builderidsWithUnclaimedRequests(self._master)
            builders = [botmaster.getBuilderById(builderid) for builderid in waiting]
        except Exception:  # noqa: BLE001
            # better a wake-up too many than a request that nobody comes back to
            _log.failure("while asking which builders have requests; waking all builders of the workers")
            builders = botmaster.getBuilders()
        buildernames = [
            builder.name
            for builder in builders
            if builder is not None and builder.config and workernames.intersection(builder.config.workernames)
        ]
        if buildernames and not self._stopped:
            botmaster.brd.maybeStartBuildsOn(buildernames)


def builderidsWithUnclaimedRequests(master: Any) -> Deferred[list[int]]:
    """The ids of all builders that have unclaimed requests: a Deferred of a list of int; one SQL statement.

    Buildbot's own way to ask (`getBuildRequests(claimed=False)`) fetches every request, with five joins.
    """
    requests, claims = master.db.model.buildrequests, master.db.model.buildrequest_claims
    query = (
        sa.select(requests.c.builderid)
        .distinct()
        .select_from(requests.outerjoin(claims, requests.c.id == claims.c.brid))
        .where(claims.c.brid.is_(None), requests.c.complete == 0)
        .order_by(requests.c.builderid)
    )

    def thd(connection: Any) -> list[int]:
        return [row.builderid for row in connection.execute(query)]

    return master.db.pool.do(thd)
