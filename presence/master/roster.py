"""The roster: the presences of all workers and builders of a master. A registry, and no more."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from buildbot.util.service import ReconfigurableServiceMixin, SharedService
from twisted.internet.defer import inlineCallbacks

from presence.master.builds.latentbuilders import isStranded, rejoin
from presence.master.mirror import isLatent, mirror
from presence.master.starting.crowd import Crowd
from presence.model.builderpresence import BuilderPresence
from presence.model.clockguard import ClockGuard, ThreadTicker
from presence.model.turns import Turns
from presence.model.workerpresence import WorkerPresence

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.enrolled import EnrolledWorker


# How many times a worker joins a builder in one turn of the reactor.
_JOIN = 25

# The sources of the holds that go with the service of a worker.
_OF_SERVICE = frozenset({"admin", "condition", "pause", "quarantine", "graceful"})


class Roster(ReconfigurableServiceMixin, SharedService):
    """All `WorkerPresence` and `BuilderPresence` objects of a master. They survive a reconfig: who waited before it is
    fired after it.

    `Roster.getService(master)` gives the one instance, in a Deferred.
    """

    # after the workers (127): then it is known who has gone
    reconfig_priority = 100

    #: what makes the guard against clock jumps tick; a test with a fake reactor may want another
    tickerFactory = ThreadTicker

    def __init__(self) -> None:
        super().__init__()
        self._workers: dict[str, WorkerPresence] = {}
        self._builders: dict[str, BuilderPresence] = {}
        self._enrolled: dict[str, EnrolledWorker] = {}
        self._observers: list[Callable[[WorkerPresence], object]] = []
        # one bound method, for all presences
        self._tell = self._worker_changed
        self._followers: list[Callable[[], object]] = []
        self._consumer: Any = None
        # workers that builders do without
        self._without: frozenset[str] = frozenset()

    @cached_property
    def clock(self) -> ClockGuard:
        """The clock of all presences and of their breaks."""
        return ClockGuard(self.master.reactor, self.tickerFactory)

    @cached_property
    def joining(self) -> Turns:
        """The turns in which workers that have connected join their builders."""
        return Turns(self.master.reactor, _JOIN)

    @cached_property
    def crowd(self) -> Crowd:
        """The workers that are connecting."""
        return Crowd(self.master)

    @property
    def workers(self) -> dict[str, WorkerPresence]:
        """The presences of all workers of the configuration, stock ones included, by name (a copy)."""
        return dict(self._workers)

    @property
    def builders(self) -> dict[str, BuilderPresence]:
        """The presences of all builders of the configuration, by name (a copy)."""
        return dict(self._builders)

    def worker(self, name: str) -> WorkerPresence:
        """The presence of the worker `name`. It is made, and held as `offline`, when it is new."""
        presence = self._workers.get(name)
        if presence is None:
            presence = self._workers[name] = WorkerPresence(name, self.clock)
            presence.hold("offline")
            presence.observe(self._tell)
        return presence

    def builder(self, name: str) -> BuilderPresence:
        """The presence of the builder `name`. `KeyError` when there is none in the configuration."""
        return self._builders[name]

    def findWorker(self, name: str) -> WorkerPresence | None:
        """The presence of the worker `name`, or None when there is none in the configuration."""
        return self._workers.get(name)

    def findBuilder(self, name: str) -> BuilderPresence | None:
        """The presence of the builder `name`, or None when there is none in the configuration."""
        return self._builders.get(name)

    def observe(self, changed: Callable[[WorkerPresence], object]) -> None:
        """Call `changed` with the presence of any worker after each change of its holds, before its own observers."""
        self._observers.append(changed)

    def observeConfiguration(self, changed: Callable[[], object]) -> None:
        """Call `changed` whenever the roster has followed a new configuration."""
        self._followers.append(changed)

    # --- workers of ours

    @property
    def enrolledWorkers(self) -> tuple[EnrolledWorker, ...]:
        """The services of all workers that are ours."""
        return tuple(self._enrolled.values())

    def enrolled(self, name: str) -> EnrolledWorker | None:
        """The service of the worker `name` that is one of ours, or None."""
        return self._enrolled.get(name)

    def isDrained(self, name: str) -> bool:
        """Whether an admin has ordered that the worker is drained, and has not released it since."""
        enrolled = self._enrolled.get(name)
        return enrolled is not None and enrolled.adminRecord.drain is not None

    def enroll(self, worker: EnrolledWorker) -> WorkerPresence:
        """The presence for `worker`, which from now on says itself what holds it."""
        self._enrolled[worker.workername] = worker
        return self.worker(worker.workername)

    def dismiss(self, worker: EnrolledWorker) -> None:
        """The service `worker` has ended; its presence stays for whoever follows by its name."""
        del self._enrolled[worker.workername]
        presence = self._workers[worker.workername]
        for hold in presence.holds:
            if hold.source in _OF_SERVICE:
                presence.release(hold.source, hold.name)

    # --- life

    @inlineCallbacks
    def startService(self) -> Generator[Deferred[Any], Any, None]:
        """Know everybody at once, and then listen to what happens to stock workers."""
        self._follow(self.master.config)
        yield super().startService()
        self._consumer = yield self.master.mq.startConsuming(
            self._stock_worker_changed, ("workers", None, None)
        )

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Leave no timer behind; whoever still waits gets `PresenceStopped`."""
        if self._consumer is not None:
            self._consumer.stopConsuming()
        self.crowd.stop()
        for builder in self._builders.values():
            builder.stop()
        for worker in self._workers.values():
            worker.stop()
        yield super().stopService()

    @inlineCallbacks
    def reconfigServiceWithBuildbotConfig(self, new_config: Any) -> Generator[Deferred[Any], Any, None]:
        """Follow a new configuration. Who stays is not touched."""
        self._follow(new_config)
        for changed in self._followers:
            changed()
        yield super().reconfigServiceWithBuildbotConfig(new_config)

    def rejoin(self, worker: Any) -> None:
        """A latent worker of ours has finished a build for a builder that is gone, and may belong to another one now."""
        rejoin(worker)
        self._follow(self.master.config)
        for changed in self._followers:
            changed()

    def doWithout(self, names: Iterable[str]) -> None:
        """Let the builders do without these workers from now on, and with all others."""
        self._without = frozenset(names)
        self._follow(self.master.config)
        for changed in self._followers:
            changed()

    def withoutOf(self, builder: str) -> tuple[str, ...]:
        """The workers without which a builder does; those that it is configured to have."""
        if not self._without:
            return ()
        names = (each.workernames for each in self.master.config.builders if each.name == builder)
        return tuple(name for found in names for name in found if name in self._without)

    def _follow(self, config: Any) -> None:
        for worker in config.workers:
            presence = self.worker(worker.workername)
            if isLatent(worker):
                # Buildbot may have yet to make it, and no event tells of that
                presence.release("offline")
            self._mirror_stock_worker(worker.workername)
        for each in self.master.workers.workers.values():
            if isLatent(each):
                rejoin(each)
        wanted = {builder.name: builder.workernames for builder in config.builders}
        for name in self._builders.keys() - wanted.keys():
            self._builders.pop(name).stop()
        for name, workernames in wanted.items():
            self._follow_builder(name, workernames)
        for name in self._workers.keys() - {worker.workername for worker in config.workers}:
            self._workers.pop(name).stop()

    def _follow_builder(self, name: str, workernames: Iterable[str]) -> None:
        builder = self._builders.get(name)
        if builder is None:
            builder = self._builders[name] = BuilderPresence(name)
        # a name that is not a worker's has been refused with the configuration
        wanted = dict.fromkeys(
            self._workers[workername] for workername in workernames if not self._is_stranded(workername, name)
        )
        for presence in builder.workers:
            if presence not in wanted:
                builder.removeWorker(presence)
        for presence in wanted:
            builder.addWorker(presence)

    def _is_stranded(self, worker: str, builder: str) -> bool:
        """Whether this worker cannot build for this builder, whatever holds it or not."""
        if worker in self._without:
            return True
        service = self.master.workers.workers.get(worker)
        return service is not None and isLatent(service) and isStranded(service, builder)

    def _worker_changed(self, presence: WorkerPresence) -> None:
        for changed in self._observers:
            changed(presence)

    def _stock_worker_changed(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        self._mirror_stock_worker(message["name"])

    def _mirror_stock_worker(self, name: str) -> None:
        worker = self.master.workers.workers.get(name)
        # it may be not there yet, or no longer there; and one of ours mirrors itself
        if worker is not None and name in self._workers and name not in self._enrolled:
            mirror(worker, self._workers[name])
