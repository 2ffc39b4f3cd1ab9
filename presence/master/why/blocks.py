"""What keeps every build from a worker that nothing holds: locks that are taken, a reconfiguration that holds its builders, or an
admin who holds them.

What says so is imported when there is something to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.interfaces import IRenderable

from presence.master.builds.running import allBuilds, isLost, workerOf
from presence.model.gathering import Gathering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from presence.master.quiesce.plan import Plan
    from presence.master.roster import Roster
    from presence.master.why.facts import Reason
    from presence.master.why.lockowners import LockOwners
    from presence.model.states import Hold

    Announce = Callable[[Iterable[str], Iterable[str]], object]
    BuildersOf = Callable[[str], Iterable[str]]


# How many different reasons are told of a worker.
_TOLD = 3


class Blocks:
    """What blocks workers and builders, as it was a tenth of a second ago at most.

    Who builds is busy, and that is another matter: what a worker's own builds have taken does not block it.

    `plan` is that of the reconfiguration which waits, an empty one if none does; `buildersOf` gives the names of the builders
    that may use a worker, and `builderHold` what holds a builder. `announce` is called with the names of the
    workers, and of the builders, of which something else is true now.
    """

    def __init__(
        self,
        roster: Roster,
        plan: Callable[[], Plan],
        buildersOf: BuildersOf,
        announce: Announce,
        *,
        builderHold: Callable[[str], Hold | None],
    ) -> None:
        self._roster = roster
        self._plan = plan
        self._builders_of_worker = buildersOf
        self._announce = announce
        self._builder_hold = builderHold
        self._gathering = Gathering(roster.master.reactor, self._look)
        self._listening: dict[Any, Callable[[], object]] = {}
        # who needs a lock; and of each builder its locks, as (lock, access)
        self._workers_of: dict[Any, set[str]] = {}
        self._builders_of: dict[Any, set[str]] = {}
        self._locks: dict[str, list[tuple[Any, Any]]] = {}
        # (builder, worker) -> why the reconfiguration holds that; the worker is None where it holds the whole builder
        self._held: dict[str, dict[str | None, str]] = {}
        self._conflicts: Any = ()
        self._dirty_workers: set[str] = set()
        self._dirty_builders: set[str] = set()
        # what is true, and told
        self._workers: dict[str, tuple[Reason, ...]] = {}
        self._builders: dict[str, Reason] = {}
        self._stopped = False

    # --- what is true

    def ofWorker(self, name: str) -> tuple[Reason, ...]:
        """Why nothing would start on this worker, even if it is idle and nothing holds it; nothing if something would."""
        return self._workers.get(name, ())

    def ofBuilder(self, name: str) -> Reason | None:
        """Why none of its builds would start, on whichever worker; None if some would."""
        hold = self._builder_hold(name)
        held = self._held.get(name, {}).get(None)
        if hold is not None or held is not None:
            return _held_reason(name, hold, held)
        blocked = self._builders.get(name)
        return None if blocked is None or self._is_building(name) else blocked

    def ofPair(self, builder: str, worker: str, *, idle: bool) -> Reason | None:
        """Why builds of this builder would not start on this worker, which is `idle` or not."""
        held = self._held.get(builder, {}).get(worker)
        if held is not None:
            return _held_reason(builder, None, held)
        return next(iter(self._workers.get(worker, ())), None) if idle else None

    def mayConcern(self, builder: str) -> bool:
        """Whether `ofPair()` may have something to say of this builder."""
        return bool(self._workers) or builder in self._held

    # --- what makes it something else

    def follow(self) -> None:
        """The configuration has changed, and with it who needs which locks."""
        self._workers_of.clear()
        self._builders_of.clear()
        self._locks.clear()
        for builder in self._master.botmaster.builders.values():
            if builder.config is not None:
                self._find_locks(builder)
        self._dirty_workers.update(self._roster.workers, self._workers)
        self._dirty_builders.update(self._builders)
        self._gathering.ask()

    def workerChanged(self, name: str) -> None:
        """A worker has connected, or something else holds it: Buildbot finds its locks after it has told of the configuration."""
        worker = self._master.workers.workers.get(name)
        locks = () if worker is None else _locks_of(worker)
        if any(name not in self._workers_of.get(lock, ()) for lock, _ in locks):
            self._dirty_workers.add(name)
            self._gathering.ask()

    def planChanged(self) -> None:
        """The plan of a reconfiguration may be another one."""
        conflicts = self._plan().conflicts
        if conflicts == self._conflicts:
            return
        self._conflicts = conflicts
        self._dirty_builders.update(self._held)
        self._held = {}
        for each in conflicts:
            # (what holds a worker whole is a hold of its presence)
            if each.builder is not None:
                self._held.setdefault(each.builder, {}).setdefault(each.worker, each.why)
        self._dirty_builders.update(self._held)
        self._dirty_workers.update(self._workers)
        for name in self._dirty_builders:
            presence = self._roster.findBuilder(name)
            self._dirty_workers.update(each.name for each in (presence.workers if presence else ()))
        self._gathering.ask()

    def builderChanged(self, name: str) -> None:
        """A builder is held, or no longer."""
        presence = self._roster.findBuilder(name)
        self._dirty_builders.add(name)
        self._dirty_workers.update(each.name for each in (presence.workers if presence else ()))
        self._gathering.ask()

    def clockJumped(self) -> None:
        """The clock has been set."""
        self._gathering.clockJumped()

    def stop(self) -> None:
        """Listen no more, and leave no timer."""
        self._stopped = True
        self._gathering.stop()
        for stop in self._listening.values():
            stop()
        self._listening.clear()

    @property
    def _master(self) -> Any:
        return self._roster.master

    def _find_locks(self, builder: Any) -> None:
        accesses = builder.config.locks
        if not accesses or IRenderable.providedBy(accesses):
            return

        def found(pairs: Any) -> None:
            self._locks[builder.name] = list(pairs)
            presence = self._roster.findBuilder(builder.name)
            self._dirty_workers.update(each.name for each in (presence.workers if presence else ()))
            self._dirty_builders.add(builder.name)
            if not self._stopped:
                self._gathering.ask()

        botmaster = self._master.botmaster
        botmaster.getLockFromLockAccesses(accesses, builder.config_version).addCallback(found)

    def _listen(self, lock: Any) -> None:
        """Hear when somebody takes the lock, or releases it: of the former Buildbot tells nobody."""
        if lock in self._listening or self._stopped:
            return

        def claim(owner: Any, access: Any) -> None:
            type(lock).claim(lock, owner, access)
            self._moved(lock)

        lock.claim = claim
        subscription = lock.subscribeToReleases(lambda: self._moved(lock))

        def stop() -> None:
            vars(lock).pop("claim", None)
            subscription.unsubscribe()

        self._listening[lock] = stop

    def _moved(self, lock: Any) -> None:
        self._dirty_workers.update(self._workers_of.get(lock, ()))
        for name in self._builders_of.get(lock, ()):
            self._dirty_builders.add(name)
            presence = self._roster.findBuilder(name)
            self._dirty_workers.update(each.name for each in (presence.workers if presence else ()))
        self._gathering.ask()

    # --- and is found out

    def _look(self) -> None:
        workers, self._dirty_workers = self._dirty_workers, set()
        builders, self._dirty_builders = self._dirty_builders, set()
        owners = self._lock_owners(workers)
        changed = {name for name in workers if self._keep(self._workers, name, self._why(name, owners))}
        for name in builders:
            self._keep(self._builders, name, self._why_builder(name, owners))
        if changed or builders:
            self._announce(changed, builders)

    def _lock_owners(self, names: Iterable[str]) -> LockOwners | None:
        """Who has which locks; None where neither builders nor these workers have any."""
        workers = self._master.workers.workers
        if not self._locks and not any(_locks_of(workers.get(name)) for name in names):
            return None
        from presence.master.why.lockowners import LockOwners  # noqa: PLC0415

        return LockOwners(each for each in allBuilds(self._master) if not isLost(each))

    @staticmethod
    def _keep(known: dict[str, Any], name: str, now: Any) -> bool:
        """Remember what is true now of it. Whether that is news."""
        before = known.get(name)
        if now:
            known[name] = now
        else:
            known.pop(name, None)
        return (before or None) != (now or None)

    def _why(self, name: str, owners: LockOwners | None) -> tuple[Reason, ...]:
        worker, presence = self._master.workers.workers.get(name), self._roster.findWorker(name)
        if worker is None or presence is None:
            return ()
        for lock, _ in _locks_of(worker):
            self._workers_of.setdefault(lock, set()).add(name)
            self._listen(lock)
        taken = self._taken(worker, _locks_of(worker), worker, owners)
        if taken:
            return taken
        found: dict[str, Reason] = {}
        for builder in self._builders_of_worker(name):
            reason = self._why_pair(builder, worker, owners)
            if reason is None:
                return ()
            found.setdefault(reason.text, reason)
        return tuple(found.values())[:_TOLD]

    def _why_pair(self, builder: str, worker: Any, owners: LockOwners | None) -> Reason | None:
        hold = self._builder_hold(builder)
        held = self._held.get(builder, {})
        why = held.get(None, held.get(worker.workername))
        if hold is not None or why is not None:
            return _held_reason(builder, hold, why)
        locks = self._locks_on(builder, worker.workername)
        return next(iter(self._taken(worker, locks, None, owners)), None)

    def _why_builder(self, name: str, owners: LockOwners | None) -> Reason | None:
        """The lock of a builder that is taken for all of its workers."""
        reasons = []
        presence = self._roster.findBuilder(name)
        for each in presence.workers if presence is not None and name in self._locks else ():
            locks = self._locks_on(name, each.name)
            found = [] if owners is None else owners.contentions(locks, None)
            if not found:
                return None
            reasons.append(_reason(found[0]))
        return reasons[0] if reasons else None

    def _locks_on(self, builder: str, worker: str) -> list[tuple[Any, Any]]:
        locks = [(lock.getLockForWorker(worker), access) for lock, access in self._locks.get(builder, ())]
        for lock, _ in locks:
            self._builders_of.setdefault(lock, set()).add(builder)
            self._listen(lock)
        return locks

    @staticmethod
    def _taken(
        worker: Any, locks: Iterable[tuple[Any, Any]], requester: Any, owners: LockOwners | None
    ) -> tuple[Reason, ...]:
        """Of the locks those that are taken, and by nobody on this worker."""
        found = [] if owners is None else owners.contentions(locks, requester)
        if any(workerOf(build) == worker.workername for each in found for build in each.owners):
            return ()
        return tuple(map(_reason, found))

    def _is_building(self, builder: str) -> bool:
        found = self._master.botmaster.builders.get(builder)
        return found is not None and any(not each.finished for each in found.building)


def _held_reason(builder: str, hold: Hold | None, why: str | None) -> Reason:
    """That an admin holds the builder, or else a reconfiguration does."""
    from presence.master.why.explain import heldReason, reconfigReason  # noqa: PLC0415

    return reconfigReason(why or "") if hold is None else heldReason(builder, hold)


def _reason(contention: Any) -> Reason:
    from presence.master.why.explain import buildName, lockReason  # noqa: PLC0415
    from presence.master.why.facts import Running, Taken  # noqa: PLC0415

    builds = tuple(Running(buildName(each), None) for each in contention.owners)
    return lockReason(Taken(contention.name, builds, contention.all))


def _locks_of(worker: Any) -> list[tuple[Any, Any]]:
    """The locks of a worker, as (lock, access); one that has yet to start has no such attribute."""
    return getattr(worker, "locks", None) or []
