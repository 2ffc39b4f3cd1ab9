"""Builders that admins hold: no build of theirs starts, on whichever worker, also none that another build waits for.

What is held is in the database, a row for each builder, by its id: it is read when a master starts, before any worker can
connect, and where several masters share the database, when another one has changed it, and before each build (`presence.master.holding.lastmoment`). Until it has been read
no build starts at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredLock, inlineCallbacks
from twisted.logger import Logger

from presence.master.holding.recordtable import RecordTable
from presence.master.stored.objects import BUILDERS
from presence.model.retries import Retries
from presence.model.states import Hold

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from presence.master.roster import Roster
    from presence.orders.record import AdminRecord
    from presence.orders.workers import HoldOrder, ReleaseOrder

_log = Logger()

_READING = "read"

_UNREADABLE = "it cannot be read from the database which builders are held; that is tried again"


class BuilderHolds:
    """The builders of a master that are held, and the door (see `presence.master.starting.chooser`) to them.

    `changed` is called with the name of a builder that is held now, or no longer.
    """

    def __init__(self, roster: Roster, changed: Callable[[str], object]) -> None:
        self._roster = roster
        self._master = roster.master
        self._changed = changed
        self._lock = DeferredLock()
        self.table = RecordTable(self._master, BUILDERS)
        self._retries = Retries(self._master.reactor, self._read_again)
        self._consumer: Any = None
        # by the ids of the builders; None before it has been read
        self._holds: dict[int, Hold] | None = None
        self._timers: dict[int, IDelayedCall] = {}
        # what holds all of them, after it could not be read
        self._unreadable: Hold | None = None
        # whether any builder has ever been held
        self._used = False
        self._stopped = False
        #: whether none of them is heeded here while no worker of this master has a presence: they are for the other masters
        self.rests = False

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Read what is stored, and listen to the other masters. What cannot be read is read again."""
        self._consumer = yield self._master.mq.startConsuming(
            self._ordered_elsewhere, ("control", "builderpresences", None, None)
        )
        yield self.read().addErrback(self._unread)

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Finish what is being stored; leave no timer."""
        self._stopped = True
        self._retries.stop()
        for builderid in tuple(self._timers):
            self._end_timer(builderid)
        if self._consumer is not None:
            yield self._consumer.stopConsuming()
        yield self._lock.run(lambda: None)

    def follow(
        self, builders: Mapping[str, int], order: HoldOrder | ReleaseOrder, by: str | None
    ) -> Deferred[None]:
        """Follow an order of `by`, about `builders` (their ids, by name). A Deferred that fires when it is stored and done. When
        it fails nothing has changed yet, and what is stored then is read again.
        """

        def failed(failure: Failure) -> Failure:
            self._retries.failed(_READING)
            return failure

        return self._lock.run(self._follow, builders, order, by).addErrback(failed)

    @inlineCallbacks
    def forget(self) -> Generator[Deferred[Any], Any, None]:
        """Release all of them: the farm goes back to Buildbot alone, which has no page on which somebody could."""
        held = {str(builderid): builderid for builderid in self._holds or ()}
        if held:
            from presence.orders.workers import ReleaseOrder  # noqa: PLC0415 (once in the life of a farm)

            yield self.follow(held, ReleaseOrder(), None)

    def hold(self, builder: str) -> Hold | None:
        """What holds this builder, or None."""
        # (most farms hold none, and are asked for each builder whenever a worker comes or goes)
        if self._holds is not None and not self._holds:
            return None
        builderid = self.idOf(builder)
        return None if builderid is None else self.holdOf(builderid)

    def holdOf(self, builderid: int) -> Hold | None:
        """What holds the builder with this id, which may be one of another master, or None."""
        return self._unreadable if self._holds is None else self._holds.get(builderid)

    def take(self, builderid: int, record: AdminRecord) -> None:
        """Do what has been read of a builder."""
        # (where it is not known of the others all of them are held)
        if self._holds is not None:
            self._do(builderid, record)

    def isHeld(self, builder: str) -> bool:
        """Whether no build of this builder may start."""
        return self.isGuarding and (self._holds is None or self.hold(builder) is not None)

    def clockJumped(self) -> None:
        """The clock has been set: a hold may be over, or one that was over may hold again."""
        self._retries.clockJumped()
        if self._used:
            self._read_again(None)

    # --- the door

    @property
    def isGuarding(self) -> bool:
        """Whether any builder is held, or may be."""
        if self.rests and not self._roster.enrolledWorkers:
            return False
        return self._holds is None or bool(self._holds)

    def onlyChildren(self, builder: str, _worker: Any) -> bool:
        """Whether the builder is held: it saves the questions about most of its requests."""
        return self.isHeld(builder)

    def mayStart(self, builder: str, _worker: Any, _request: Any) -> bool:
        """Whether builds of this builder may start."""
        return not self.isHeld(builder)

    # --- what is stored

    @inlineCallbacks
    def _follow(
        self, builders: Mapping[str, int], order: HoldOrder | ReleaseOrder, by: str | None
    ) -> Generator[Deferred[Any], Any, None]:
        now = self._master.reactor.seconds()
        rows = {str(builderid): name for name, builderid in builders.items()}
        found = yield self.table.change(tuple(rows), lambda before: before.after(order, by, now))
        _log.info(
            "{by} has ordered of the builders {names}: {order!r}",
            by=by,
            names=", ".join(builders),
            order=order,
        )
        for row, each in found.items():
            self._do(int(row), each.record)
            self._master.mq.produce(
                ("control", "builderpresences", row, "changed"), {"masterid": self._master.masterid}
            )

    def read(self) -> Deferred[None]:
        """Read what is stored of all builders, and do it. When it fails it is not tried again."""
        return self._lock.run(self._read_all)

    @inlineCallbacks
    def _read_all(self) -> Generator[Deferred[Any], Any, None]:
        records = yield self.table.readAll()
        if self._stopped:
            return
        unreadable, self._unreadable = self._unreadable, None
        self._holds = self._holds or {}
        for builderid in {*self._holds, *map(int, records)}:
            self._do(builderid, records.get(str(builderid)))
        self._retries.succeeded(_READING)
        if unreadable is not None:
            self._all_changed()

    def _unread(self, failure: Failure) -> None:
        delay = self._retries.failed(_READING)
        _log.warn(
            "it cannot be read which builders are held ({problem}); that is tried again in {delay} s",
            problem=failure.getErrorMessage(),
            delay=delay,
        )
        if self._holds is None and self._unreadable is None:
            self._unreadable = Hold("admin", _UNREADABLE, None, self._roster.clock.seconds(), None)
            self._all_changed()

    def _all_changed(self) -> None:
        for name in self._roster.builders:
            self._changed(name)

    def _read_again(self, _what: object) -> None:
        self.read().addErrback(self._unread)

    def _ordered_elsewhere(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        if message["masterid"] != self._master.masterid:
            self._read_again(None)

    # --- and done

    def _do(self, builderid: int, record: AdminRecord | None) -> None:
        hold, now = None if record is None else record.hold, self._roster.clock.seconds()
        if hold is not None and hold.until is not None and hold.until <= now:
            hold = None
        holds = self._holds = {} if self._holds is None else self._holds
        before = holds.pop(builderid, None)
        self._end_timer(builderid)
        if hold is not None:
            holds[builderid] = hold
            self._used = True
            if hold.until is not None:
                self._wait(builderid, hold.until)
        if hold != before:
            self._tell(builderid)

    def _wait(self, builderid: int, until: float) -> None:
        clock = self._roster.clock
        self._timers[builderid] = clock.callLater(until - clock.seconds(), self._due, builderid, until)

    def _due(self, builderid: int, until: float) -> None:
        del self._timers[builderid]
        if until > self._roster.clock.seconds():
            # never early
            self._wait(builderid, until)
        else:
            self._do(builderid, None)

    def _end_timer(self, builderid: int) -> None:
        timer = self._timers.pop(builderid, None)
        if timer is not None:
            timer.cancel()

    def _tell(self, builderid: int) -> None:
        builder = self._master.botmaster.getBuilderById(builderid)
        if builder is not None:
            self._changed(builder.name)

    def idOf(self, name: str) -> int | None:
        """The id of a builder of this master, or None."""
        builder = self._master.botmaster.builders.get(name)
        # (see `Entities.builderId`)
        return None if builder is None else builder._builderid
