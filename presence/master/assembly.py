"""What a master publishes of presences: the parts of the API, put together and kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.api import presences as dataapi
from presence.master.api import runningbuilds
from presence.master.api import shutdown as shutdownapi
from presence.master.api.endpoints import invalid
from presence.master.api.entities import Entities
from presence.master.api.events import Announcer
from presence.master.api.readycounts import Census
from presence.master.api.registration import registerResources
from presence.master.builds.unclaimed import unclaimedRequests
from presence.master.holding.drains import Drains
from presence.master.holding.storedorders import AdminHolds
from presence.master.quiesce.shutdown import Shutdown
from presence.orders.workers import ReleaseOrder, WorkOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.buildslave import PresenceMixin
    from presence.master.roster import Roster
    from presence.model.workerpresence import WorkerPresence
    from presence.orders.workers import Order

_log = Logger()


class Publication:
    """The API of one master. `entities` is what is told, `adminHolds` is what may be ordered of workers, `drains` what comes
    of that, and `shutdown` the stop of the master. `wake` is called with the name of a worker that may be able to start a build.
    """

    def __init__(self, roster: Roster, wake: Callable[[str], object]) -> None:
        self._roster = roster
        registerResources(roster.master, runningbuilds)
        types = registerResources(roster.master, dataapi)
        for each in types.values():
            each.publication = self
        census = Census()
        self._shutdown_type = registerResources(roster.master, shutdownapi)["shutdown"]
        self._shutdown_type.shutdown = self.shutdown = Shutdown(roster, self._shutdown_changed)
        self.drains = Drains(roster, self._tell, wake, self._give_up)
        self.entities = Entities(roster, census, self.drains)
        self._announcer = Announcer(roster, self.entities, census, types)
        self.adminHolds = AdminHolds(roster.master, roster.enrolled, self._ordered)
        # to be called when the configuration has changed
        self.follow = self._announcer.follow

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Begin to listen, and to announce."""
        self.drains.start()
        yield self.adminHolds.start()
        yield self._announcer.start()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """End it. A Deferred that fires when nothing is under way any more."""
        self.shutdown.end()
        self.drains.stop()
        yield self.adminHolds.stop()
        yield self._announcer.stop()

    def holdsChanged(self, presence: WorkerPresence) -> None:
        """The holds of a worker have changed."""
        self._tell(presence.name)
        self.drains.holdsChanged(presence)

    def clockJumped(self) -> None:
        """The clock has jumped."""
        self.shutdown.clockJumped()
        self.drains.clockJumped()
        self._announcer.clockJumped()

    def _tell(self, name: str) -> None:
        self._announcer.workerChanged(name)

    def _ordered(self, worker: PresenceMixin) -> None:
        self.drains.follow(worker)
        self._tell(worker.workername)

    def _shutdown_changed(self) -> None:
        entity = shutdownapi.shutdownEntity(self._roster.master, self.shutdown)
        self._shutdown_type.produceEvent(entity, "changed")

    def _give_up(self, worker: PresenceMixin) -> None:
        hold = worker.adminRecord.hold
        self.adminHolds.follow(
            worker.workername, worker.workerid, "release", ReleaseOrder(), None if hold is None else hold.by
        ).addErrback(lambda failure: _log.failure("while giving up a drain", failure))

    def workers(self, *, breaks: bool) -> list[dict[str, Any]]:
        """All workers, by name."""
        found = (self.entities.worker(name, breaks=breaks) for name in sorted(self._roster.workers))
        return [each for each in found if each is not None]

    @inlineCallbacks
    def builders(
        self, names: Iterable[str] | None = None
    ) -> Generator[Deferred[Any], Any, list[dict[str, Any] | None]]:
        """All builders, by name; or those of these names."""
        waiting = yield unclaimedRequests(self._roster.master)
        self._announcer.settle()
        if names is not None:
            return [self.entities.builder(name, waiting) for name in names]
        found = (self.entities.builder(name, waiting) for name in sorted(self._roster.builders))
        return [each for each in found if each is not None]

    def check(self, name: str, order: Order) -> None:
        """Whether `order` can be followed by the worker `name`. Raises the API's error if not.

        A worker of another master is checked by nobody: only that one knows.
        """
        if self._roster.findWorker(name) is None:
            return
        worker = self._roster.enrolled(name)
        if worker is None:
            raise invalid(
                f"{name} is one of Buildbot's own workers, which have no presence to hold: declare it as a "
                "BuildSlave in master.cfg, or use Buildbot's pause"
            )
        if isinstance(order, WorkOrder) and order.until is not None and worker.schedule.isEmpty:
            raise invalid(
                f"{name} has no breaks in master.cfg in spite of which it could work: give it onBreakDuring=, or "
                "release its hold"
            )
