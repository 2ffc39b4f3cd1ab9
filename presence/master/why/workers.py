"""What is known of the workers of one builder: collected from the roster, from Buildbot's objects, and from estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.interfaces import ILatentWorker, IRenderable
from twisted.internet.defer import inlineCallbacks

from presence.master.builds.estimates import estimates
from presence.master.builds.running import allBuilds, isLost
from presence.master.why.explain import buildName, reconfigReason
from presence.master.why.facts import Reason, Running, Taken, WorkerFacts
from presence.master.why.lockowners import LockOwners

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.breaks.door import BreakDoor, Refusal
    from presence.master.builds.estimates import Estimate
    from presence.master.enrolled import EnrolledWorker
    from presence.master.quiesce.gate import ReconfigGate
    from presence.master.roster import Roster
    from presence.master.why.lockowners import Contention
    from presence.model.workerpresence import WorkerPresence


class Builds:
    """The builds that run on a master, as they are in one turn of the reactor."""

    def __init__(self, master: Any) -> None:
        self.all = [each for each in allBuilds(master) if not isLost(each)]
        self.owners = LockOwners(self.all)
        self._by_worker: dict[str, list[Any]] = {}
        for each in self.all:
            if each.workerforbuilder is not None and each.workerforbuilder.worker is not None:
                self._by_worker.setdefault(each.workerforbuilder.worker.workername, []).append(each)

    def on(self, worker: str) -> list[Any]:
        """Those on a worker."""
        return self._by_worker.get(worker, [])


class Candidates:
    """The workers of one builder, as they are in one turn of the reactor; `about` are the builds of which it has to be known
    how long they take still.
    """

    def __init__(
        self, roster: Roster, door: BreakDoor, gate: ReconfigGate, builder: Any, builds: Builds
    ) -> None:
        self._roster = roster
        self._door = door
        self._gate = gate
        self._builder = builder
        self._builds = builds
        self._of = {each.worker.workername: each for each in builder.workers if each.worker is not None}
        self._contentions: dict[str, list[Contention]] = {}
        self._refused: dict[str, Refusal | None] = {}
        self.about: set[Any] = set()

    @inlineCallbacks
    def collect(self) -> Generator[Deferred[Any], Any, None]:
        """Find out what runs there, and who has the locks. A Deferred that fires when that is known."""
        accesses = self._builder.config.locks
        locks = []
        if accesses and not IRenderable.providedBy(accesses):
            botmaster = self._builder.botmaster
            locks = list((yield botmaster.getLockFromLockAccesses(accesses, self._builder.config_version)))
        for name in filter(self._door.isGuarded, self._of):
            self._refused[name] = yield self._door.whyNot(name, self._builder.name)
        for name, wfb in self._of.items():
            own = [(lock.getLockForWorker(name), access) for lock, access in locks]
            contentions = [
                *self._builds.owners.contentions(wfb.worker.locks or (), wfb.worker),
                *self._builds.owners.contentions(own, None),
            ]
            if contentions:
                self._contentions[name] = contentions
            self.about.update(build for each in contentions for build in each.owners)
            running = self._builds.on(name)
            most = wfb.worker.max_builds
            if most and len(running) >= most:
                self.about.update(running)
            else:
                self.about.update(each for each in running if each.workerforbuilder is wfb)

    def facts(self, remaining: dict[int, Estimate], now: float) -> list[WorkerFacts]:
        """What is known of each worker of the configuration, given how long the builds of `about` take still (by id)."""
        names = dict.fromkeys((*self._builder.config.workernames, *self._of))
        return [self._worker(each, remaining, now) for each in names]

    def _worker(self, name: str, remaining: dict[int, Estimate], now: float) -> WorkerFacts:
        def run(builds: Iterable[Any]) -> tuple[Running, ...]:
            return tuple(_running(each, remaining, now) for each in builds)

        presence, wfb = self._roster.findWorker(name), self._of.get(name)
        worker = self._roster.master.workers.workers.get(name)
        running = self._builds.on(name)
        most = None if wfb is None else wfb.worker.max_builds or None
        own = [] if wfb is None else [each for each in running if each.workerforbuilder is wfb]
        contentions = self._contentions.get(name, ())
        full = bool(own) or (most is not None and len(running) >= most)
        holds = () if presence is None else presence.holds
        enrolled = self._roster.enrolled(name)
        refusals = tuple(self._refusals(name, presence))
        blocked = bool(holds or refusals or full or contentions)
        return WorkerFacts(
            name,
            None if worker is None else worker.workerid,
            attached=wfb is not None,
            holds=holds,
            drained=self._roster.isDrained(name),
            backAt=None if presence is None else presence.backAt,
            freeFrom=_free_from(presence, enrolled, self._builder.name),
            refusals=refusals,
            own=run(own)[0] if own else None,
            running=run(running) if full and not own else (),
            most=most,
            locks=tuple(Taken(each.name, run(each.owners), each.all) for each in contentions),
            # where something else says no it is not asked: that takes time
            accepts=None if blocked or wfb is None else _is_available(wfb),
            className="" if worker is None else type(worker).__name__,
        )

    def _refusals(self, name: str, presence: WorkerPresence | None) -> Iterable[Reason]:
        builder = self._builder.name
        why = self._refused.get(name)
        if why is not None:
            yield Reason("partial" if why.finishBy is None else "sparing", why.reason, until=why.until)
        if presence is not None and presence.heldBy("reconfig") is None:
            held = self._gate.why(builder, name)
            if held is not None:
                yield reconfigReason(held)


def _free_from(
    presence: WorkerPresence | None, enrolled: EnrolledWorker | None, builder: str
) -> Callable[[float], float | None] | None:
    """What knows the breaks of a worker in which `builder` may not start; None where it has none."""
    breaks = None if presence is None else presence.breaks
    if breaks is None or (
        enrolled is not None and breaks is enrolled.breakTimer and enrolled.schedule.isEmpty
    ):
        return None
    if enrolled is not None and enrolled.schedule.isPartial:
        return lambda at: breaks.freeFrom(at, builder)
    return breaks.freeFrom


def _running(build: Any, remaining: dict[int, Estimate], now: float) -> Running:
    estimate = remaining.get(build.buildid)
    ends = None if estimate is None or estimate.remaining is None else now + estimate.remaining
    return Running(buildName(build), ends)


def _is_available(wfb: Any) -> bool:
    worker = wfb.worker
    if worker.conn is None and not ILatentWorker.providedBy(worker):
        return False
    return bool(wfb.isAvailable())


def estimatesOf(master: Any, builds: Iterable[Any]) -> Deferred[dict[int, Estimate]]:
    """How long these builds take still, by their ids."""
    return estimates(master, [each.buildid for each in builds if each.buildid is not None])
