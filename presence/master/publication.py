"""What a master publishes of presences: the parts of the API, put together and kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master import dataapi
from presence.master.adminholds import AdminHolds
from presence.master.announcer import Announcer, unclaimedRequests
from presence.master.census import Census
from presence.master.entities import Entities
from presence.master.registration import registerResources
from presence.orders import WorkOrder

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.roster import Roster
    from presence.orders import Order


class Publication:
    """The API of one master. `entities` is what is told, `adminHolds` is what may be ordered."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        types = registerResources(roster.master, dataapi)
        for each in types.values():
            each.publication = self
        census = Census()
        self.entities = Entities(roster, census)
        self._announcer = Announcer(roster, self.entities, census, types)
        self.adminHolds = AdminHolds(roster.master, roster.enrolled, self._announcer.workerChanged)
        # whom a change of holds is told
        self.workerChanged = self._announcer.workerChanged
        # to be called when the configuration has changed, and when the clock has jumped
        self.follow = self._announcer.follow
        self.clockJumped = self._announcer.clockJumped

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Begin to listen, and to announce."""
        yield self.adminHolds.start()
        yield self._announcer.start()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """End it. A Deferred that fires when nothing is under way any more."""
        yield self.adminHolds.stop()
        yield self._announcer.stop()

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
            raise dataapi.invalid(
                f"{name} is one of Buildbot's own workers, which have no presence to hold: declare it as a "
                "BuildSlave in master.cfg, or use Buildbot's pause"
            )
        if isinstance(order, WorkOrder) and order.until is not None and worker.schedule.isEmpty:
            raise dataapi.invalid(
                f"{name} has no breaks in master.cfg in spite of which it could work: give it onBreakDuring=, or "
                "release its hold"
            )
