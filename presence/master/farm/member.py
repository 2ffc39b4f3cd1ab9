"""One of the masters of a farm: what it tells the others and knows of them, and the watch on the router between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import inlineCallbacks

from presence.master.farm.queue.lateends import endWaiting
from presence.master.farm.queue.watch import REJOIN, RouterWatch
from presence.master.farm.seen.shadows import Shadows
from presence.master.farm.seen.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.farm.reconciliation import Reconciliation
    from presence.master.roster import Roster


# How long a master that starts may take to know whether it has `PresenceService`, in seconds.
_STARTS = 120.0


class Announcer(Protocol):
    """Who announces what is told (`presence.master.api.events`); see `Snapshots`."""

    def toldHere(self, names: Iterable[str]) -> object:
        """It has been stored what this master tells of these workers."""

    def toldElsewhere(self, names: Iterable[str]) -> object:
        """Other masters tell something new of these workers."""

    def toldLate(self, names: Iterable[str]) -> object:
        """It was heard too late that they do."""

    def tellAgain(self, names: Iterable[str] | None) -> object:
        """Tell of these workers once more (None: of all its own)."""


class Member:
    """The master, as one of a farm. `reconciliation` is that of its orders; `away` is called when a worker of another master is ready no
    longer for one of the builders.
    """

    def __init__(
        self, roster: Roster, events: Announcer, reconciliation: Reconciliation, away: Callable[[], object]
    ) -> None:
        self._master = master = roster.master
        self._look_soon = reconciliation.lookSoon
        #: what to do when the router is away
        self.routerLost = REJOIN

        def connection(name: str) -> Any:
            return getattr(master.workers.workers.get(name), "conn", None)

        def stored(names: Collection[str]) -> None:
            # (it may have been another master's until now)
            self._shadows.follow(names)
            events.toldHere(names)

        def changed(names: Collection[str]) -> None:
            self._shadows.follow(names)
            events.toldElsewhere(names)

        self.snapshots = Snapshots(
            master,
            connection=connection,
            isConfigured=lambda name: roster.findWorker(name) is not None,
            stored=stored,
            changed=changed,
            missed=events.toldLate,
            due=events.tellAgain,
        )
        reconciliation.looked = self.snapshots.looked
        self._shadows = Shadows(roster, self.snapshots, away)
        roster.observeConfiguration(self._shadows.followAll)
        self.router = RouterWatch(master, lambda: self.routerLost, self._rejoined)
        self.snapshots.pulse.beaten = self.router.heard
        #: whether `PresenceService` is there; None before that is known
        self.adopts: bool | None = None
        self._known_by = master.reactor.seconds() + _STARTS
        self.snapshots.pulse.hasPresences = lambda: self._adopts() or bool(roster.enrolledWorkers)

    def _adopts(self) -> bool:
        if self.adopts is None:
            # of a master that starts another one, which goes back, would forget what is ordered
            return bool(self._master.reactor.seconds() < self._known_by)
        return self.adopts

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Begin to tell, and to hear."""
        self.router.start()
        yield self.snapshots.start()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Say that this master stops, and leave no timer behind."""
        yield self.snapshots.stop()
        self._shadows.stop()
        self.router.stop()

    def clockJumped(self) -> None:
        """The clock has been set."""
        self.snapshots.clockJumped()

    def _rejoined(self) -> None:
        """Messages have been lost: make up for them."""
        self._look_soon()
        self.snapshots.lookSoon()
        self._master.botmaster.maybeStartBuildsForAllBuilders()
        endWaiting(self._master)
