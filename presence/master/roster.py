"""The roster: who is who on this master. One per master; it makes itself when the first worker asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.util.service import ReconfigurableServiceMixin, SharedService
from twisted.internet.defer import inlineCallbacks

from presence.master.api.reconfigreport import ReconfigReport
from presence.master.assembly import Publication
from presence.master.mirror import mirror
from presence.master.note import Whereabouts
from presence.master.quiesce.reconfigurations import Quiesce
from presence.master.starting.wakeup import Wakeup
from presence.model.builderpresence import BuilderPresence
from presence.model.clockguard import ClockGuard, ThreadTicker
from presence.model.workerpresence import WorkerPresence

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.buildslave import PresenceMixin


class Roster(ReconfigurableServiceMixin, SharedService):
    """All `WorkerPresence` and `BuilderPresence` objects of a master, and what they have in common.

    They survive a reconfig: who waited before it is fired after it. `Roster.getService(master)` gives the one
    instance, in a Deferred.
    """

    # after the workers (127): then it is known who has gone
    reconfig_priority = 100

    #: what makes the guard against clock jumps tick; a test with a fake reactor may want another
    tickerFactory = ThreadTicker

    def __init__(self) -> None:
        super().__init__()
        self._workers: dict[str, WorkerPresence] = {}
        self._builders: dict[str, BuilderPresence] = {}
        self._enrolled: dict[str, PresenceMixin] = {}
        self._wakeup: Wakeup | None = None
        self._publication: Publication | None = None
        self._quiesce: Quiesce | None = None
        self._report: ReconfigReport | None = None
        self._whereabouts: Whereabouts | None = None
        self._guard: ClockGuard | None = None
        self._consumer: Any = None

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
            presence = self._workers[name] = WorkerPresence(name, self.master.reactor)
            presence.hold("offline")
            presence.observe(self._worker_changed)
        return presence

    def builder(self, name: str) -> BuilderPresence:
        """The presence of the builder `name`. `KeyError` when there is none in the configuration."""
        return self._builders[name]

    @property
    def publication(self) -> Publication:
        """What is published of the workers and builders, and what may be ordered over the API."""
        if self._publication is None:
            raise RuntimeError("the roster has not started")
        return self._publication

    @property
    def quiesce(self) -> Quiesce:
        """The reconfigurations that wait until they hurt no build."""
        if self._quiesce is None:
            raise RuntimeError("the roster has not started")
        return self._quiesce

    def wake(self) -> None:
        """See that the builders of all workers hear that they may build again, in one wake-up."""
        if self._wakeup is not None:
            for name in self._workers:
                self._wakeup.workerReady(name)

    def findWorker(self, name: str) -> WorkerPresence | None:
        """The presence of the worker `name`, or None when there is none in the configuration."""
        return self._workers.get(name)

    def findBuilder(self, name: str) -> BuilderPresence | None:
        """The presence of the builder `name`, or None when there is none in the configuration."""
        return self._builders.get(name)

    def enrolled(self, name: str) -> PresenceMixin | None:
        """The service of the worker `name` that is one of ours, or None."""
        return self._enrolled.get(name)

    def enroll(self, worker: PresenceMixin) -> WorkerPresence:
        """The presence for `worker`, which from now on says itself what holds it."""
        self._enrolled[worker.workername] = worker
        return self.worker(worker.workername)

    def dismiss(self, worker: PresenceMixin) -> None:
        """The service `worker` has ended; its presence stays for whoever follows by its name."""
        del self._enrolled[worker.workername]
        self.publication.drains.forget(worker.workername)
        presence = self._workers[worker.workername]
        for source in ("admin", "pause", "quarantine", "graceful"):
            presence.release(source)

    @inlineCallbacks
    def startService(self) -> Generator[Deferred[Any], Any, None]:
        """Set up everything at once, and then listen to what happens to stock workers."""
        self._wakeup = Wakeup(self.master, self._enrolled.__contains__)
        self._guard = ClockGuard(self.master.reactor, self._clock_jumped, self.tickerFactory)
        self._guard.start()
        self._publication = Publication(self, self._wakeup.workerReady)
        self._quiesce = Quiesce(self, self._reconfig_changed)
        self._report = ReconfigReport(self.master, self._quiesce)
        self._whereabouts = Whereabouts(self.master)
        self._whereabouts.note()
        self._follow(self.master.config)
        yield super().startService()
        yield self._wakeup.start()
        yield self._publication.start()
        yield self._quiesce.start()
        self._consumer = yield self.master.mq.startConsuming(
            self._stock_worker_changed, ("workers", None, None)
        )

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Leave no timer and no thread behind; whoever still waits gets `PresenceStopped`."""
        if self._guard is not None:
            self._guard.stop()
        if self._consumer is not None:
            self._consumer.stopConsuming()
        if self._quiesce is not None:
            self._quiesce.stop()
        if self._whereabouts is not None:
            self._whereabouts.stop()
        for builder in self._builders.values():
            builder.stop()
        for worker in self._workers.values():
            worker.stop()
        if self._wakeup is not None:
            yield self._wakeup.stop()
        if self._publication is not None:
            yield self._publication.stop()
        if self._report is not None:
            yield self._report.stop()
        yield super().stopService()

    @inlineCallbacks
    def reconfigServiceWithBuildbotConfig(self, new_config: Any) -> Generator[Deferred[Any], Any, None]:
        """Follow a new configuration. Who stays is not touched."""
        self._follow(new_config)
        if self._whereabouts is not None:
            self._whereabouts.note()
        yield super().reconfigServiceWithBuildbotConfig(new_config)

    def _follow(self, config: Any) -> None:
        for worker in config.workers:
            self.worker(worker.workername)
            self._mirror_stock_worker(worker.workername)
        wanted = {builder.name: builder.workernames for builder in config.builders}
        for name in self._builders.keys() - wanted.keys():
            self._builders.pop(name).stop()
        for name, workernames in wanted.items():
            self._follow_builder(name, workernames)
        for name in self._workers.keys() - {worker.workername for worker in config.workers}:
            self._workers.pop(name).stop()
        if self._publication is not None:
            self._publication.follow()

    def _follow_builder(self, name: str, workernames: Iterable[str]) -> None:
        builder = self._builders.setdefault(name, BuilderPresence(name))
        # a name that is no worker's has been refused with the configuration
        wanted = dict.fromkeys(self._workers[workername] for workername in workernames)
        for presence in builder.workers:
            if presence not in wanted:
                builder.removeWorker(presence)
        for presence in wanted:
            builder.addWorker(presence)

    def _worker_changed(self, presence: WorkerPresence) -> None:
        if presence.ready and self._wakeup is not None:
            self._wakeup.workerReady(presence.name)
        if self._publication is not None:
            self._publication.holdsChanged(presence)

    def _reconfig_changed(self) -> None:
        if self._report is not None:
            self._report.changed()

    def _clock_jumped(self) -> None:
        for worker in tuple(self._enrolled.values()):
            if worker.breakTimer is not None:
                worker.breakTimer.reconsider()
        if self._wakeup is not None:
            self._wakeup.clockJumped()
        if self._quiesce is not None:
            self._quiesce.lookSoon()
        if self._publication is not None:
            self._publication.clockJumped()

    def _stock_worker_changed(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        self._mirror_stock_worker(message["name"])

    def _mirror_stock_worker(self, name: str) -> None:
        worker = self.master.workers.workers.get(name)
        # it may be not there yet, or no longer there; and one of ours mirrors itself
        if worker is not None and name in self._workers and name not in self._enrolled:
            mirror(worker, self._workers[name])
