"""Workers of other classes become workers of ours, and go back: without another class in `master.cfg`, and without a disconnect.

An adopted worker is the same object, with the same connection and the same builds. Its class has become one that mixes
`PresenceMixin` into the class that it had, under the same name; so it keeps every promise of a `BuildSlave`, and for
Buildbot, which compares the names of classes, nothing has been reconfigured.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks, succeed
from twisted.logger import Logger
from twisted.python import reflect

from presence.master.buildslave import PresenceMixin
from presence.master.mirror import mirror
from presence.orders.record import AdminRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

    from presence.breaks.schedule import BreakSchedule
    from presence.master.assembly import Assembly
    from presence.master.conditions.written import Condition

    Terms = Callable[[str], tuple[BreakSchedule, tuple[str, ...], tuple[Condition, ...]]]

_log = Logger()


class Adopted(PresenceMixin):
    """What is different where `master.cfg` declares the worker without a presence: it is said elsewhere what it gets."""

    #: the class that it had
    declaredAs: type

    @inlineCallbacks
    def reconfigService(self, name: str, *args: Any, **kwargs: Any) -> Generator[Deferred[Any], Any, None]:
        """Take over a new configuration, which says nothing of breaks and owners."""
        yield super(PresenceMixin, self).reconfigService(name, *args, **kwargs)  # type: ignore[misc]

    def takeTerms(
        self, schedule: BreakSchedule, owners: tuple[str, ...], conditions: tuple[Condition, ...]
    ) -> None:
        """Have these breaks, these owners and these conditions from now on."""
        self.owners = owners
        self._follow_schedule(schedule)
        self._follow_conditions(conditions)

    def _cmp_common(self, them: Any) -> Any:
        """Buildbot compares the old configuration with the new, in which the worker has the class that was declared."""
        if type(them) is not self.declaredAs:
            return super()._cmp_common(them)  # type: ignore[misc]
        names: list[str] = []
        reflect.accumulateClassList(self.declaredAs, "compare_attrs", names)  # type: ignore[no-untyped-call]
        return True, *([getattr(each, name, None) for name in names] for each in (self, them))


class Adoption:
    """Adopts all workers of `master`, those that are configured later, too, from `start()` to `stop()`.

    `terms` gives the breaks and the owners of a worker, by its name.
    """

    def __init__(self, assembly: Assembly, terms: Terms) -> None:
        self._assembly = assembly
        self._workers = assembly.master.workers
        self._terms = terms

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Adopt who is there. A Deferred that fires when it is known what was ordered of each."""
        add = self._workers.addService

        def addService(worker: Any) -> Any:
            # it has not started: what `PresenceMixin` does when it starts is all that is to be done
            if not isinstance(worker, PresenceMixin):
                _change(worker, *self._terms(worker.name))
            return add(worker)

        # on the instance: what the class says comes to light again in the end
        self._workers.addService = addService
        self._assembly.builderHolds.rests = False
        self._tell_farm(adopts=True)
        for worker in tuple(self._workers.namedServices.values()):
            if not isinstance(worker, PresenceMixin):
                _change(worker, *self._terms(worker.name))
                yield worker.joinRunning(self._assembly)

    def follow(self) -> None:
        """The terms have changed."""
        for worker in self._adopted():
            worker.takeTerms(*self._terms(worker.name))

    @inlineCallbacks
    def forgetOrders(self) -> Generator[Deferred[Any], Any, None]:
        """Forget what admins have ordered of them, and of builders: who adopts them another day does not mean that any more.

        Where other masters of the farm have presences it is theirs, and only this master does not heed it any more.
        """
        from presence.orders.workers import ReleaseOrder, WorkOrder  # noqa: PLC0415 (once in the life of a farm)

        last = yield self._is_last()
        for worker in self._adopted() if last else ():
            record = worker.adminRecord
            for order in (ReleaseOrder(), WorkOrder()):
                if record != AdminRecord():
                    yield self._assembly.storedOrders.follow((worker.name,), order, None)
        if all(isinstance(each, Adopted) for each in self._assembly.roster.enrolledWorkers):
            # nobody is left here who has a presence
            if last:
                yield self._assembly.builderHolds.forget()
                yield self._forget_others()
            else:
                self._assembly.builderHolds.rests = True

    def stop(self) -> None:
        """Give all of them back."""
        vars(self._workers).pop("addService", None)
        for worker in self._adopted():
            presence = worker.presence
            worker.leaveRunning()
            names = _OURS & vars(worker).keys()
            worker.__class__ = worker.declaredAs
            for name in names:
                delattr(worker, name)
            _rebind(worker)
            if presence is not None:
                mirror(worker, presence)
            # what held it does so no longer
            worker.botmaster.maybeStartBuildsForWorker(worker.name)
        self._tell_farm(adopts=False)

    def _is_last(self) -> Deferred[bool]:
        if self._assembly.farmOrders is None:
            return succeed(True)
        # one that is alone has nothing of it in memory
        from presence.master.farm.goingback import isLast  # noqa: PLC0415

        return isLast(self._assembly.master, self._assembly.farm)

    def _forget_others(self) -> Deferred[None]:
        if self._assembly.farmOrders is None:
            return succeed(None)
        from presence.master.farm.goingback import forgetOrders  # noqa: PLC0415

        return forgetOrders(self._assembly.storedOrders.table)

    def _tell_farm(self, *, adopts: bool) -> None:
        if self._assembly.farm is not None:
            self._assembly.farm.adopts = adopts

    def _adopted(self) -> list[Any]:
        return [each for each in self._workers.namedServices.values() if isinstance(each, Adopted)]


def _change(
    worker: Any, schedule: BreakSchedule, owners: tuple[str, ...], conditions: tuple[Condition, ...]
) -> None:
    if "canStartBuild" in vars(worker):
        _log.warn(
            "{name} has a canStartBuild of its own, set from outside: it is no longer asked. Give the worker a class "
            "of its own that overrides it",
            name=worker.name,
        )
        del worker.canStartBuild
    declared: Any = type(worker)
    worker.__class__ = _adopting(declared)
    worker.initializePresence()
    worker.schedule, worker.owners = schedule, owners
    if conditions:
        worker.conditions = conditions
    _rebind(worker)


def _rebind(worker: Any) -> None:
    """Let those methods of the worker be called, when it is lost or its quarantine ends, that its class has now: Buildbot
    has kept those of the class that it had.
    """
    if worker.conn is not None:
        worker._detached_sub.callback = worker.detached
    timer = worker.quarantine_timer
    if timer is not None:
        reactor = worker.master.reactor
        rest = max(0.0, timer.getTime() - reactor.seconds())
        timer.cancel()
        worker.quarantine_timer = reactor.callLater(rest, worker.exitQuarantine)


@cache
def _adopting(declared: type) -> type:
    """The class that a worker of class `declared` becomes. The name is the same, also in the database."""
    return type(
        declared.__name__,
        (Adopted, declared),
        {
            "__module__": declared.__module__,
            "__qualname__": declared.__qualname__,
            "__doc__": declared.__doc__,
            # that of before: it is made of the name of the class, too
            "__hash__": declared.__hash__,
            "declaredAs": declared,
        },
    )


# What an adopted worker has that its own class does not know: whatever our classes give a first value, and five that they
# make for each worker.
_OURS = frozenset(
    name
    for part in Adopted.__mro__
    if part.__module__.startswith("presence.")
    for name in vars(part)
    if not name.startswith("__")
) | {"schedule", "_building", "_locked", "_admitted", "_end_observation"}
