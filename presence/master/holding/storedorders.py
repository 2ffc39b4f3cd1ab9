"""What the admins have ordered of the workers: stored in Buildbot's database, then done, then acknowledged.

Each worker has one value there, which is written whole, and those of all workers of an order in one transaction. So a
kill at any moment leaves the order of before or that of after. It is read when the service of the worker starts, before the worker can connect, with that of
all others that start then; when it connects; and where several masters share the database, when another one has stored an order
(`presence.master.farm`) and before each build (`presence.master.holding.lastmoment`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import DeferredLock, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.logger import Logger

from presence.master.holding.recordtable import RecordTable
from presence.model.retries import Retries
from presence.orders.orderable import ALL, NO_BREAKS, STOCK, refusalOf
from presence.orders.record import AdminRecord
from presence.orders.refusals import OrderRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from presence.master.enrolled import EnrolledWorker
    from presence.master.holding.keepready import FloorGuard
    from presence.master.holding.recordtable import Changed, Check
    from presence.master.roster import Roster
    from presence.model.workerpresence import WorkerPresence
    from presence.orders.workers import Order

    Read = Callable[[str], Deferred[AdminRecord]]

_log = Logger()

# Of how many workers it is done, in one turn of the reactor, what was ordered of all of them.
_AT_ONCE = 50


class Followed(NamedTuple):
    """An order that is stored: its revision (see `AdminRecord`), and what is stored of each worker since then."""

    revision: int
    records: Mapping[str, AdminRecord]


class StoredOrders:
    """The orders of a master's admins.

    `changed` is called with a worker after what was ordered of it has changed.
    """

    #: called with an order that was stored here
    stored: Callable[[Followed], object] | None = None
    #: reads what else is stored, in a Deferred, when all of it is read again
    readToo: Callable[[], Deferred[None]] | None = None

    #: decides how many workers are to stay ready
    floor: FloorGuard | None = None

    def __init__(self, roster: Roster, changed: Callable[[EnrolledWorker], object]) -> None:
        self._roster = roster
        self._master = roster.master
        self._enrolled = roster.enrolled
        self._changed = changed
        # one at a time: an order is made of the one before
        self._lock = DeferredLock()
        self.table = RecordTable(self._master)
        # what is stored of the workers that start with the one that has started, by name; None when that may have changed
        self._ahead: dict[str, AdminRecord] | None = None
        # of the workers (by name) of which it is not known what is stored
        self._retries = Retries(self._master.reactor, self._restore_again)

    def stop(self) -> Deferred[None]:
        """Finish what is being stored."""
        self._retries.stop()
        return self._lock.run(lambda: None)

    def check(self, name: str, order: Order) -> None:
        """Whether `order` can be followed by the worker `name`. Raises a `ValueError` that says why not.

        A worker of another master is checked by nobody: only that one knows.
        """
        refusal = None if self._roster.findWorker(name) is None else self.refusalOf(name, order)
        if refusal is not None:
            raise ValueError(refusal)

    def refusalOf(self, name: str, order: Order) -> str | None:
        """Why a worker of this master cannot follow `order`; None if it can."""
        return refusalOf(name, self.abilityOf(name), order)

    def abilityOf(self, name: str) -> str:
        """What can be ordered of a worker of this master: see `presence.orders.orderable`."""
        worker = self._enrolled(name)
        if worker is None:
            return STOCK
        return NO_BREAKS if worker.schedule.isEmpty else ALL

    def follow(
        self, workers: Iterable[str], order: Order, by: str | None, check: Check | None = None
    ) -> Deferred[Followed]:
        """Follow an order of `by`, about `workers` (their names). A Deferred that fires when it is stored, and done as far as this
        master can do it.

        It fails with `OrderRefused` where what is stored, or `check` of several masters, does not allow it. When it fails nothing has changed yet, of none of them. What is stored then is read again until that succeeds, and
        done: the database may have gone before it could say that it has stored the order.
        """
        names = tuple(workers)

        def failed(failure: Failure) -> Failure:
            # (what was refused has not been tried)
            for name in () if isinstance(failure.value, OrderRefused) else names:
                self._retries.failed(name)
            return failure

        return self._lock.run(self._follow, names, order, by, check).addErrback(failed)

    def begin(self, worker: EnrolledWorker) -> Deferred[None]:
        """As `restore`, of a worker whose service starts: what is stored of all that start with it is read at once."""
        return self._known_after(worker, self._read_ahead)

    def restore(self, worker: EnrolledWorker) -> Deferred[None]:
        """Do what is stored of `worker`, if that is not done. A Deferred that fires when it is.

        When it fails it is tried again until it succeeds.
        """
        return self._known_after(worker, self.table.read)

    def _known_after(self, worker: EnrolledWorker, read: Read) -> Deferred[None]:
        name = worker.workername

        def failed(failure: Failure) -> Failure:
            self._retries.failed(name)
            return failure

        def succeeded(_: object) -> None:
            self._retries.succeeded(name)
            worker.ordersKnown(True)

        return self._lock.run(self._restore, worker, read).addCallbacks(succeeded, failed)

    @inlineCallbacks
    def reread(self, names: Iterable[str] | None = None) -> Generator[Deferred[Any], Any, None]:
        """Do what is stored of those of these workers that are this master's, or of all of them. When it fails nothing is tried again."""
        workers = {
            each.workername: each
            for each in self._roster.enrolledWorkers
            if names is None or each.workername in names
        }
        found = (yield self.table.readMany(workers)) if workers else {}
        for number, (name, record) in enumerate(found.items(), 1):
            self.take(workers[name], record)
            if number % _AT_ONCE == 0:
                yield deferLater(self._master.reactor, 0, lambda: None)
        if names is None and self.readToo is not None:
            yield self.readToo()

    def clockJumped(self) -> None:
        """The clock has jumped: nothing waits for long to be tried again."""
        self._retries.clockJumped()

    def _restore_again(self, name: Any) -> None:
        worker = self._enrolled(name)
        if worker is None:
            self._retries.succeeded(name)
            return
        self.restore(worker).addErrback(
            lambda failure: _log.warn(
                "it cannot be read what admins have ordered of {name}: {problem}",
                name=name,
                problem=failure.getErrorMessage(),
            )
        )

    @inlineCallbacks
    def _follow(
        self, workers: tuple[str, ...], order: Order, by: str | None, check: Check | None
    ) -> Generator[Deferred[Any], Any, Followed]:
        self._ahead = None
        now = self._master.reactor.seconds()
        decision = None if self.floor is None else self.floor.decision(workers, order)
        found: Mapping[str, Changed] = yield self.table.change(
            workers, lambda before: before.after(order, by, now), decision, check
        )
        changed = [name for name, each in found.items() if each.isNew]
        if changed:
            _log.info(
                "{by} has ordered of {workers}: {order!r}", by=by, workers=", ".join(changed), order=order
            )
        for number, (name, each) in enumerate(found.items(), 1):
            worker = self._enrolled(name)
            if worker is not None and not each.record.isOlderThan(worker.adminRecord):
                self._do(worker, each.record)
            if number % _AT_ONCE == 0:
                yield deferLater(self._master.reactor, 0, lambda: None)
        revision = max((each.record.revision for each in found.values()), default=0)
        followed = Followed(revision, {name: each.record for name, each in found.items()})
        if self.stored is not None:
            self.stored(followed)
        return followed

    @inlineCallbacks
    def _restore(self, worker: EnrolledWorker, read: Read) -> Generator[Deferred[Any], Any, None]:
        self.take(worker, (yield read(worker.workername)))

    @inlineCallbacks
    def _read_ahead(self, name: str) -> Generator[Deferred[Any], Any, AdminRecord]:
        ahead = self._ahead
        if ahead is None:
            configured = {each.name for each in self._master.config.workers}
            ahead = self._ahead = yield self.table.readMany({name, *configured})
            # it is held while a configuration is taken over, and what is stored after that is another question
            self._master.initLock.acquire().addCallback(self._configuration_taken_over)
        record = ahead.pop(name, None)
        return (yield self.table.read(name)) if record is None else record

    def _configuration_taken_over(self, lock: DeferredLock) -> None:
        self._ahead = None
        lock.release()

    def takeTold(self, told: Mapping[str, Any]) -> bool:
        """Do what another master has stored of its own or other workers, by name, as it tells it. Whether that can be understood."""
        try:
            records = {name: AdminRecord.fromDict(value) for name, value in told.items()}
        except ValueError:
            return False
        for name, record in records.items():
            worker = self._enrolled(name)
            if worker is not None:
                self.take(worker, record)
        return True

    def notKnown(self, worker: EnrolledWorker) -> None:
        """What is stored of `worker` is not known: nothing starts there until it is, and that is tried until it succeeds."""
        worker.ordersKnown(False)
        self._retries.failed(worker.workername)

    def take(self, worker: EnrolledWorker, record: AdminRecord) -> None:
        """Do what is stored, if it is not older than what is done: it may have been read before that was stored."""
        known = worker.adminRecord
        if self._enrolled(worker.workername) is not worker or record.isOlderThan(known):
            return
        # Only what has changed since: whoever has held it without us (a service in master.cfg), has not asked for
        # that to be stored, nor to be undone.
        if record != known:
            self._do(worker, record)
        elif record.revision != known.revision:
            worker.adminRecord = record

    def _do(self, worker: EnrolledWorker, record: AdminRecord) -> None:
        presence, timer, hold = worker.presence, worker.breakTimer, record.hold
        if presence is None or timer is None:
            return
        before, worker.adminRecord = worker.adminRecord, record
        if hold is None:
            presence.release("admin")
        elif presence.heldBy("admin") != hold:
            presence.hold("admin", reason=hold.reason, by=hold.by, until=hold.until, since=hold.since)
        _do_pushed(presence, before, record)
        if timer.suspensionBy("admin") != record.workUntil:
            timer.suspend(record.workUntil, "admin")
        self._changed(worker)


# How a hold that was pushed is called in the presence: conditions that are asked have names of their own.
_PUSHED = "pushed "


def _do_pushed(presence: WorkerPresence, before: AdminRecord, record: AdminRecord) -> None:
    """Hold `presence` by what sources have pushed, and no longer by what they had `before`."""
    for source in {each.source for each in before.pushed} - {each.source for each in record.pushed}:
        # (also when it is over: nobody remembers it any more)
        presence.release("condition", f"{_PUSHED}{source}")
    for each in record.pushed:
        name = f"{_PUSHED}{each.source}"
        held = presence.heldBy("condition", name)
        if held is None or (held.reason, held.until) != (each.reason, each.until):
            presence.hold("condition", each.reason, each.source, each.until, each.since, name=name)
