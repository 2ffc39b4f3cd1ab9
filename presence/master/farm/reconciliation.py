"""What the masters of a farm order of each other's workers. The database is the truth; messages only shorten the wait.

Orders are counted (see `presence.master.holding.recordtable`). Each master looks every two seconds whether there has been another
one, and reads then what is stored of its own workers. Whoever has stored one tells what it was besides, so that it is heeded within
milliseconds; a message that is lost, or is heard while the database is away, costs no more than this time.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.farm.seen.unheard import TOLD, marksOf
from presence.master.holding.recordtable import REVISION

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.farm.seen.unheard import Mark
    from presence.master.holding.storedorders import Followed, StoredOrders

_log = Logger()

#: How often it is looked, in seconds, and by how much later each time, so that the masters do not look all at once.
PERIOD, JITTER = 2.0, 0.2

#: How soon it is looked again after a failure, in seconds, the first time; each time it takes twice as long, up to `PERIOD`.
AGAIN = 0.25

#: The messages: somebody has stored an order.
ORDERED = ("control", "presences", "ordered")

# With more workers what is stored of them is not in the message, and with more than that neither are their names.
_MOST_RECORDS, _MOST_NAMES = 100, 1000


class Reconciliation:
    """Lets one master heed the orders of all. `heeds` is called with the revision that it has come to, whenever that is another
    one: it heeds all orders up to that.
    """

    def __init__(self, master: Any, orders: StoredOrders, heeds: Callable[[int], object]) -> None:
        self._master = master
        self._orders = orders
        self._heeds = heeds
        self._consumer: Any = None
        self._timer: IDelayedCall | None = None
        self._looking = self._reading = self._asked = self._stopped = False
        self._failures = 0
        # what has been heard and not been read: revisions, and names of workers
        self._heard: set[int] = set()
        self._unread: set[str] = set()
        #: called with the marks of the masters (`presence.master.farm.seen.unheard`), at each look
        self.looked: Callable[[dict[int, Mark]], object] = lambda _: None
        #: up to where the orders are heeded
        self.revision = 0

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen to the other masters, and look for the first time."""
        self._orders.stored = self._stored
        self.lookSoon()
        self._consumer = yield self._master.mq.startConsuming(self._ordered, ORDERED)

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Listen no more. No timer is left."""
        self._stopped = True
        self._orders.stored = None
        self._cancel()
        if self._consumer is not None:
            yield self._consumer.stopConsuming()

    def lookSoon(self) -> None:
        """There may have been orders of which this master has not heard: look in the next turn."""
        # what is being looked at may be older than what has to be seen
        self._asked = True
        if not self._looking:
            self._wait(0)

    clockJumped = lookSoon

    # --- looking

    def _wait(self, seconds: float) -> None:
        self._cancel()
        if not self._stopped:
            self._timer = self._master.reactor.callLater(seconds, self._look)

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    @inlineCallbacks
    def _look(self) -> Generator[Deferred[Any], Any, None]:
        self._timer, self._looking, self._asked = None, True, False
        try:
            states = yield self._orders.table.farmStates(REVISION, TOLD)
            self.looked(marksOf(states))
            revision = int(states.get(REVISION) or 0)
            if revision > self.revision:
                yield self._orders.reread()
                self._come_to(revision)
            self._succeeded()
        except Exception as problem:  # noqa: BLE001 (whatever it is: it is tried again)
            self._failed(problem)
        self._looking = False
        again = min(AGAIN * 2 ** (self._failures - 1), PERIOD) if self._failures else PERIOD
        self._wait(0 if self._asked and not self._failures else again + random.uniform(0, JITTER))  # noqa: S311

    def _succeeded(self) -> None:
        if self._failures:
            _log.info("it can be read again what admins have ordered at other masters")
        self._failures = 0

    def _failed(self, problem: Exception) -> None:
        if not self._failures:
            _log.warn(
                "it cannot be read what admins have ordered at other masters; it is tried again: {kind}: {problem}",
                kind=type(problem).__name__,
                problem=str(problem),
            )
        # (more of them would be too large for a float one day)
        self._failures = min(self._failures + 1, 10)

    def _come_to(self, revision: int) -> None:
        if revision > self.revision:
            self.revision = revision
            self._heeds(revision)

    # --- being told

    def _stored(self, followed: Followed) -> None:
        """An order has been stored here, and done."""
        records = followed.records
        message: dict[str, Any] = {
            "masterid": self._master.masterid,
            "revision": followed.revision,
            "workers": list(records) if len(records) <= _MOST_NAMES else None,
        }
        if len(records) <= _MOST_RECORDS:
            message["records"] = {name: each.toDict() for name, each in records.items()}
        self._master.mq.produce(ORDERED, message)
        self._follow({followed.revision})

    def _ordered(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        if message["masterid"] == self._master.masterid:
            return
        if message["workers"] is None:
            self.lookSoon()
            return
        # (each record has its number: none takes the place of a newer one)
        if "records" in message and self._orders.takeTold(message["records"]):
            self._follow({message["revision"]})
            return
        self._heard.add(message["revision"])
        self._unread.update(message["workers"])
        if not self._reading:
            self._read()

    @inlineCallbacks
    def _read(self) -> Generator[Deferred[Any], Any, None]:
        """Read what is stored of the workers of which something has been heard, and what is heard meanwhile after that."""
        self._reading = True
        while self._heard and not self._stopped:
            revisions, self._heard = self._heard, set()
            names, self._unread = self._unread, set()
            try:
                yield self._orders.reread(names)
                self._follow(revisions)
            except Exception as problem:  # noqa: BLE001 (whatever it is: it is looked for it)
                self._failed(problem)
                self.lookSoon()
        self._reading = False

    def _follow(self, revisions: set[int]) -> None:
        """The orders with these revisions are heeded."""
        for revision in sorted(revisions):
            if revision == self.revision + 1:
                self._come_to(revision)
            elif revision > self.revision:
                # there were others before it
                self.lookSoon()
