"""An order is acknowledged with whether it is heeded: the masters that have its workers say so.

A master has come to a revision when it heeds all orders up to that (`presence.master.farm.reconciliation`). It says so to the
others, and stores it for those that do not hear it.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from presence.master.farm.connections import mastersOf

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from twisted.internet.interfaces import IDelayedCall

    from presence.master.holding.recordtable import RecordTable
    from presence.master.roster import Roster
    from presence.orders.acknowledgement import Acknowledgement

_log = Logger()

#: For how long an order waits for those that are to confirm it, in seconds. When that is over they do not start any more what
#: they have asked the database about before the order was stored (`presence.master.holding.lastmoment.GOOD_FOR`).
PATIENCE = 1.0

#: The messages: a master heeds all orders up to a revision.
HEEDED = ("control", "presences", "heeded")

# By how much a timer may be early, in seconds.
_TOLERANCE = 0.01

_NOT_KNOWN = "(of which the database does not say the name now)"


class _Waiter:
    """Somebody who waits until all of these `masters` (ids) have come to a revision."""

    timer: IDelayedCall

    def __init__(self, revision: int) -> None:
        self.masters: set[int] = set()
        self.revision = revision
        self.since = monotonic()
        self.over = False
        self.done: Deferred[None] | None = None

    def end(self) -> None:
        """Wait no longer."""
        self.over = True
        if self.timer.active():
            self.timer.cancel()
        done, self.done = self.done, None
        if done is not None:
            done.callback(None)


class Confirmations:
    """Those of the other masters, and ours for them."""

    def __init__(self, roster: Roster, table: RecordTable) -> None:
        self._roster = roster
        self._master = roster.master
        self._table = table
        self._consumer: Any = None
        # up to which revision each master, by its id, heeds the orders, as far as it is known here
        self._known: dict[int, int] = {}
        self._waiters: list[_Waiter] = []
        # what is to be stored, and whether something is being stored
        self._to_store: int | None = None
        self._storing = False

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen to the other masters."""
        self._consumer = yield self._master.mq.startConsuming(self._heeded, HEEDED)

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Let nobody wait any longer. No timer is left."""
        for each in tuple(self._waiters):
            each.end()
        if self._consumer is not None:
            yield self._consumer.stopConsuming()

    def clockJumped(self) -> None:
        """The clock has been set: nobody waits for hours."""
        for each in self._waiters:
            if each.timer.active():
                each.timer.reset(0)

    def heeds(self, revision: int) -> None:
        """All orders up to `revision` are heeded here."""
        # one that only serves the UI never has a worker that anybody waits for
        if self._roster.enrolledWorkers:
            self._master.mq.produce(HEEDED, {"masterid": self._master.masterid, "revision": revision})
            self._to_store = revision
            if not self._storing:
                self._store()

    @inlineCallbacks
    def acknowledge(
        self, workers: Mapping[str, int], revision: int
    ) -> Generator[Deferred[Any], Any, dict[str, Acknowledgement]]:
        """Whether an order about `workers` (their ids, by name), which has just been stored and done here, is heeded; a Deferred that
        fires within a second.
        """
        from presence.orders.acknowledgement import Acknowledgement  # noqa: PLC0415 (nobody may order anything)

        waiter = self._wait(revision)
        try:
            masters = yield mastersOf(self._master, workers.values())
        except Exception:  # noqa: BLE001 (whatever it is, the order is stored)
            _log.failure("while asking which masters have the workers of an order")
            waiter.end()
            self._waiters.remove(waiter)
            return dict.fromkeys(workers, Acknowledgement(notConfirmed=(_NOT_KNOWN,)))
        waiter.masters = {each for found in masters.values() for each in found} - {self._master.masterid}
        if self._lacking(waiter) and not waiter.over:
            waiter.done = Deferred()
            yield waiter.done
        waiter.end()
        self._waiters.remove(waiter)
        if self._lacking(waiter):
            yield self._look(waiter.masters)
        lacking = self._lacking(waiter)
        return {
            name: Acknowledgement(
                tuple(each for id_, each in masters.get(workerid, {}).items() if id_ not in lacking),
                tuple(each for id_, each in masters.get(workerid, {}).items() if id_ in lacking),
            )
            for name, workerid in workers.items()
        }

    def _wait(self, revision: int) -> _Waiter:
        waiter = _Waiter(revision)
        self._arm(waiter, PATIENCE)
        self._waiters.append(waiter)
        return waiter

    def _arm(self, waiter: _Waiter, seconds: float) -> None:
        waiter.timer = self._master.reactor.callLater(seconds, self._due, waiter)

    def _due(self, waiter: _Waiter) -> None:
        # a clock that was set forward makes it no shorter: see `PATIENCE`
        rest = waiter.since + PATIENCE - monotonic()
        if rest > _TOLERANCE:
            self._arm(waiter, rest)
        else:
            waiter.end()

    def _lacking(self, waiter: _Waiter) -> set[int]:
        return {each for each in waiter.masters if self._known.get(each, -1) < waiter.revision}

    # --- what masters say, and store

    def _heeded(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        self._learn(message["masterid"], message["revision"])

    def _learn(self, masterid: int, revision: int) -> None:
        if revision > self._known.get(masterid, -1):
            self._known[masterid] = revision
            for each in tuple(self._waiters):
                if masterid in each.masters and not self._lacking(each):
                    each.end()

    @inlineCallbacks
    def _look(self, masters: set[int]) -> Generator[Deferred[Any], Any, None]:
        """Learn what these masters have stored: perhaps they have said it, and it was not heard here."""
        try:
            for masterid in sorted(masters):
                stored = yield self._table.farmState(f"heeds {masterid}")
                if isinstance(stored, int):
                    self._learn(masterid, stored)
        except Exception:  # noqa: BLE001 (then it is not known)
            _log.failure("while asking whether an order is heeded")

    @inlineCallbacks
    def _store(self) -> Generator[Deferred[Any], Any, None]:
        self._storing = True
        while self._to_store is not None:
            revision, self._to_store = self._to_store, None
            try:
                yield self._table.setFarmState(f"heeds {self._master.masterid}", revision)
            except Exception:  # noqa: BLE001 (it is stored with the next one; until then it counts as not confirmed)
                _log.failure("while storing up to which order this master heeds them")
        self._storing = False
