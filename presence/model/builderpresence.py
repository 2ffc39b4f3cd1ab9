"""The presence of a builder: that of its workers, taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.model.states import PresenceState
from presence.model.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.defer import Deferred

    from presence.model.states import Hold
    from presence.model.workerpresence import WorkerPresence


class BuilderPresence:
    """The presence of a builder: that of the workers it may use, taken together. `name` is that of the builder.

    A worker is ready for it that is AVAILABLE, and in no partial break that refuses this builder; none is while the builder
    itself is held.

    It watches its workers only while somebody waits for one of them: on a master with hundreds of workers
    and a thousand builders a flip then costs nothing for the builders that nobody asked about.
    """

    __slots__ = ("_elsewhere", "_waiters", "_watching", "_workers", "held", "name")

    def __init__(self, name: str, workers: list[WorkerPresence] | tuple[WorkerPresence, ...] = ()) -> None:
        self.name = name
        #: what holds the builder itself, or None
        self.held: Hold | None = None
        self._workers: dict[WorkerPresence, None] = dict.fromkeys(workers)
        # (most builders have none of these, nobody waits for them, and then there is nothing to wait with)
        self._elsewhere: dict[WorkerPresence, None] | None = None
        self._watching: dict[WorkerPresence, Callable[[], None]] | None = None
        self._waiters: Waiters | None = None

    def __repr__(self) -> str:
        return f"<BuilderPresence {self.name!r} {len(self.readyWorkers)} of {len(self._workers)} ready>"

    @property
    def workers(self) -> tuple[WorkerPresence, ...]:
        """Its workers, in the order in which they were added."""
        return tuple(self._workers)

    @property
    def readyWorkers(self) -> tuple[WorkerPresence, ...]:
        """Those of the workers that are ready, and whose partial breaks let this builder start."""
        return tuple(worker for worker in self._workers if self._may_build_on(worker))

    @property
    def state(self) -> PresenceState:
        """AVAILABLE when one of the workers is."""
        if self._first_ready() is None:
            return PresenceState.NOT_ACCEPTING_NEW_BUILDS
        return PresenceState.AVAILABLE

    @property
    def backAt(self) -> float | None:
        """When the first of the workers is back for it (see `WorkerPresence.backFor`), in seconds since the epoch; None when
        none of them has said, and when one is ready.
        """
        if self._first_ready() is not None:
            return None
        if self.held is not None and any(
            worker.ready and worker.admits(self.name) for worker in self._workers
        ):
            return self.held.until
        known = (worker.backFor(self.name) for worker in self._workers)
        back = min((at for at in known if at is not None), default=None)
        if self.held is None or back is None:
            return back
        return None if self.held.until is None else max(back, self.held.until)

    def hold(self, hold: Hold | None) -> None:
        """No build of this builder may start, whatever its workers say; None: they may again."""
        self.held = hold
        if self._waiters is not None:
            self._waiters.fire()

    def addWorker(self, presence: WorkerPresence) -> None:
        """The builder may use this worker from now on. Adding it twice is adding it once."""
        self._workers[presence] = None
        if self._waiters:
            self._watch()
            self._waiters.fire()

    def removeWorker(self, presence: WorkerPresence) -> None:
        """The builder may not use this worker any longer. Does nothing when it did not."""
        self._workers.pop(presence, None)
        self._unwatch_one(presence)

    def addElsewhere(self, presence: WorkerPresence) -> None:
        """The builder may use this worker, which is connected to another master: whoever waits for a ready one may get it, and it is
        not among the `workers` of this one.
        """
        if self._elsewhere is None:
            self._elsewhere = {}
        self._elsewhere[presence] = None
        if self._waiters:
            self._watch()
            self._waiters.fire()

    def removeElsewhere(self, presence: WorkerPresence) -> None:
        """It may not any longer. Does nothing when it did not."""
        if self._elsewhere is not None:
            self._elsewhere.pop(presence, None)
        self._unwatch_one(presence)

    @property
    def isReadyElsewhere(self) -> bool:
        """Whether one of those is ready that are connected to other masters."""
        return any(worker.ready for worker in self._elsewhere or ())

    def waitUntilReady(self) -> Deferred[WorkerPresence]:
        """A Deferred that fires with a `WorkerPresence` that is ready for this builder: at once, or when there is one.

        Order, failing and cancelling are as in `WorkerPresence.waitUntilReady`.
        """
        waiters = self._who_waits()
        deferred = waiters.wait()
        if waiters:
            self._watch()
        return deferred

    def stop(self) -> None:
        """The builder is gone: fail all waiters with `PresenceStopped`."""
        self._unwatch()
        self._who_waits().stop()

    @property
    def _all(self) -> Iterable[WorkerPresence]:
        return self._workers if not self._elsewhere else (*self._workers, *self._elsewhere)

    def _who_waits(self) -> Waiters:
        if self._waiters is None:
            self._waiters = Waiters(self._first_ready, self.name, self._unwatch)
        return self._waiters

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = {}
        for worker in self._all:
            if worker not in self._watching:
                self._watching[worker] = worker.observe(self._worker_changed)

    def _unwatch(self) -> None:
        watching, self._watching = self._watching, None
        for stop in (watching or {}).values():
            stop()

    def _unwatch_one(self, worker: WorkerPresence) -> None:
        if self._watching is not None and worker in self._watching:
            self._watching.pop(worker)()

    def _worker_changed(self, worker: WorkerPresence) -> None:
        if self._may_build_on(worker) and self._waiters is not None:
            self._waiters.fire()

    def _may_build_on(self, worker: WorkerPresence) -> bool:
        return self.held is None and worker.ready and worker.admits(self.name)

    def _first_ready(self) -> WorkerPresence | None:
        for worker in self._all:
            if self._may_build_on(worker):
                return worker
        return None
