"""What is asked at the last moment before a build, where several masters share a database: what has been ordered of its worker and of its
builder, at whichever master, up to now.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

    from presence.master.enrolled import EnrolledWorker
    from presence.master.holding.builderholds import BuilderHolds
    from presence.master.holding.storedorders import StoredOrders

_log = Logger()

#: For how long an answer of the database holds for a build that is about to start, in seconds since it was asked. It has to be
#: less than what an order waits for (`presence.master.farm.confirmations`): whoever does not confirm it has heeded it by then.
GOOD_FOR = 0.8

# How often the database is asked before a build, at most.
_ATTEMPTS = 3


class LastMoment:
    """Asks the database, one indexed statement a build, and does what is stored."""

    def __init__(self, orders: StoredOrders, builderHolds: BuilderHolds) -> None:
        self._orders = orders
        self._builder_holds = builderHolds

    @inlineCallbacks
    def heed(
        self, worker: EnrolledWorker, builder: str, monotonic: Callable[[], float] = time.monotonic
    ) -> Generator[Deferred[Any], Any, bool]:
        """Do what is stored of `worker`, and of `builder`, a build of which is about to start there. A Deferred that fires with whether that is
        known; it does not fail.

        While it is not known nothing starts on the worker; it is tried again until it succeeds.
        """
        builders, builderid = self._builder_holds, self._builder_holds.idOf(builder)
        row = None if builderid is None else str(builderid)
        problem = "it takes too long to ask the database"
        for _ in range(_ATTEMPTS):
            asked = monotonic()
            try:
                records = yield self._orders.table.readWith(worker.workername, builders.table, row)
            except Exception as error:  # noqa: BLE001 (whatever it is: then it is not known)
                problem = f"{type(error).__name__}: {error}"
                continue
            # what was stored since then is not in it
            if monotonic() - asked < GOOD_FOR:
                of_worker, of_builder = records
                self._orders.take(worker, of_worker)
                if builderid is not None:
                    builders.take(builderid, of_builder)
                return True
        _log.warn(
            "nothing starts on {name} before it is known what admins have ordered of it: {problem}",
            name=worker.workername,
            problem=problem,
        )
        self._orders.notKnown(worker)
        return False
