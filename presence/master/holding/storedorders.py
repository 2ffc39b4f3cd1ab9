"""What the admins have ordered of the workers: stored in Buildbot's database, then done, then acknowledged.

Each worker has one value there, which is written whole. So a kill at any moment leaves the order of before or
that of after. It is read when the service of the worker starts, before the worker can connect; when it
connects; and when another master says that it has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredLock, inlineCallbacks
from twisted.logger import Logger

from presence.model.states import Hold
from presence.orders.record import AdminRecord
from presence.orders.workers import WorkOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

    from presence.master.enrolled import EnrolledWorker
    from presence.master.roster import Roster
    from presence.orders.workers import Order

_log = Logger()

# The rows of Buildbot's table of states that are ours. They are not made of names in this source, which may
# change; and a dot keeps them from those of anybody's class.
_OBJECT = ("presence", "presence.AdminHolds")

# How often a value is written before that has failed. Buildbot's setState() lets another master win, silently,
# that stores the first value of a worker at the same time.
_ATTEMPTS = 3

_UNREADABLE = "what was stored of an admin's hold cannot be read: release it, or hold it again"


class StoredOrders:
    """The orders of a master's admins.

    `changed` is called with a worker after what was ordered of it has changed.
    """

    def __init__(self, roster: Roster, changed: Callable[[EnrolledWorker], object]) -> None:
        self._roster = roster
        self._master = roster.master
        self._enrolled = roster.enrolled
        self._changed = changed
        # one at a time: an order is made of the one before
        self._lock = DeferredLock()
        self._objectid: int | None = None
        self._consumer: Any = None

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen to the other masters."""
        self._consumer = yield self._master.mq.startConsuming(
            self._ordered_elsewhere, ("control", "presences", None, None)
        )

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Finish what is being stored, and listen no more."""
        if self._consumer is not None:
            yield self._consumer.stopConsuming()
        yield self._lock.run(lambda: None)

    def check(self, name: str, order: Order) -> None:
        """Whether `order` can be followed by the worker `name`. Raises a `ValueError` that says why not.

        A worker of another master is checked by nobody: only that one knows.
        """
        if self._roster.findWorker(name) is None:
            return
        worker = self._enrolled(name)
        if worker is None:
            raise ValueError(
                f"{name} is one of Buildbot's own workers, which have no presence to hold: put PresenceService() into "
                'c["services"], declare it as a BuildSlave, or use Buildbot\'s pause'
            )
        if isinstance(order, WorkOrder) and order.until is not None and worker.schedule.isEmpty:
            raise ValueError(
                f"{name} has no breaks in master.cfg in spite of which it could work: give it onBreakDuring=, or "
                "release its hold"
            )

    def follow(self, name: str, workerid: int, action: str, order: Order, by: str | None) -> Deferred[None]:
        """Follow an order of `by`. A Deferred that fires when it is stored and done.

        When it fails nothing was stored and nothing has changed.
        """
        return self._lock.run(self._follow, name, workerid, action, order, by)

    def restore(self, worker: EnrolledWorker) -> Deferred[None]:
        """Do what is stored of `worker`, if that is not done. A Deferred that fires when it is."""
        return self._lock.run(self._restore, worker)

    @inlineCallbacks
    def _follow(
        self, name: str, workerid: int, action: str, order: Order, by: str | None
    ) -> Generator[Deferred[Any], Any, None]:
        before = yield self._read(name)
        record = before.after(order, by, self._master.reactor.seconds())
        if record != before:
            yield self._write(name, record)
            _log.info("{by} has ordered of worker {name}: {order!r}", by=by, name=name, order=order)
        worker = self._enrolled(name)
        if worker is not None:
            self._do(worker, record)
        # whatever comes of this message: who misses it reads the database when the worker connects
        self._master.mq.produce(
            ("control", "presences", str(workerid), action), {"masterid": self._master.masterid, "name": name}
        )

    @inlineCallbacks
    def _restore(self, worker: EnrolledWorker) -> Generator[Deferred[Any], Any, None]:
        record = yield self._read(worker.workername)
        # Only what has changed since: whoever has held it without us (a service in master.cfg), has not asked for
        # that to be stored, nor to be undone. And it may have left the configuration meanwhile.
        if record != worker.adminRecord and self._enrolled(worker.workername) is worker:
            self._do(worker, record)

    def _do(self, worker: EnrolledWorker, record: AdminRecord) -> None:
        presence, timer, hold = worker.presence, worker.breakTimer, record.hold
        if presence is None or timer is None:
            return
        worker.adminRecord = record
        if hold is None:
            presence.release("admin")
        elif presence.heldBy("admin") != hold:
            presence.hold("admin", reason=hold.reason, by=hold.by, until=hold.until, since=hold.since)
        if timer.suspensionBy("admin") != record.workUntil:
            timer.suspend(record.workUntil, "admin")
        self._changed(worker)

    def _ordered_elsewhere(self, _key: tuple[str, ...], message: dict[str, Any]) -> Deferred[None] | None:
        worker = self._enrolled(message["name"])
        if worker is None or message["masterid"] == self._master.masterid:
            return None
        return self.restore(worker)

    # --- the database

    @inlineCallbacks
    def _read(self, name: str) -> Generator[Deferred[Any], Any, AdminRecord]:
        state = self._master.db.state
        try:
            value = yield state.getState((yield self._object()), name, None)
            return AdminRecord() if value is None else AdminRecord.fromDict(value)
        except (TypeError, ValueError):
            # somebody wanted something of this worker; to let it build could be just what he did not want
            _log.failure("the stored state of worker {name} is not readable", name=name)
            return AdminRecord(Hold("admin", _UNREADABLE, None, self._master.reactor.seconds(), None))

    @inlineCallbacks
    def _write(self, name: str, record: AdminRecord) -> Generator[Deferred[Any], Any, None]:
        state, objectid, value = self._master.db.state, (yield self._object()), record.toDict()
        for _ in range(_ATTEMPTS):
            yield state.setState(objectid, name, value)
            if (yield state.getState(objectid, name, None)) == value:
                return
        raise RuntimeError(f"the database does not keep what was ordered of worker {name}")

    @inlineCallbacks
    def _object(self) -> Generator[Deferred[Any], Any, int]:
        if self._objectid is None:
            self._objectid = yield self._master.db.state.getObjectId(*_OBJECT)
        return self._objectid
