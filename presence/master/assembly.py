"""The one place that makes the parts of a master, hands each what it needs, and registers the resources of the API."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from buildbot.util.service import SharedService
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.access.bearers import Bearers
from presence.master.api.entities import Entities
from presence.master.api.events import Events
from presence.master.builds.byworker import BuildersByWorker
from presence.master.builds.properties import PropertiesTogether
from presence.master.builds.running import buildsOn
from presence.master.compat import healMessages
from presence.master.groups import Groups
from presence.master.holding.builderholds import BuilderHolds
from presence.master.holding.keepready import FloorGuard, KeepReady
from presence.master.holding.lastmoment import LastMoment
from presence.master.holding.storedorders import StoredOrders
from presence.master.later import parts
from presence.master.later.resources import Resources, imported
from presence.master.listening.listeners import SortedListeners
from presence.master.listening.queue import isShared
from presence.master.listening.unheard import Unheard
from presence.master.note import Note
from presence.master.owner.unheardends import UnheardEnds
from presence.master.quiesce.gate import ReconfigGate
from presence.master.roster import Roster
from presence.master.starting.answers import SiteAnswers
from presence.master.starting.chooser import ChooserHook
from presence.master.starting.wakeup import Wakeup
from presence.master.telling.telling import Sources, Telling
from presence.model.readycounts import ReadyCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from twisted.internet.defer import Deferred

    from presence.master.breaks.deadlines import BreakDeadlines
    from presence.master.breaks.door import BreakDoor
    from presence.master.enrolled import EnrolledWorker
    from presence.master.farm.member import Member
    from presence.master.farm.orders import FarmOrders
    from presence.master.holding.drains import Drains
    from presence.master.quiesce.plan import Plan
    from presence.master.quiesce.reconfigurations import Reconfigurations
    from presence.master.quiesce.shutdown import Shutdown
    from presence.master.why.reader import WhyReader
    from presence.model.workerpresence import WorkerPresence

_log = Logger()


class Assembly(SharedService):
    """All parts of a master. It makes itself when the first worker of ours, or `PresenceService`, asks for it:
    `Assembly.getService(master)` gives the one instance, in a Deferred.

    `roster` knows who is who, `storedOrders` takes the orders of admins, `drains` is what comes of some of them,
    `reconfigurations` and `shutdown` bring the master to rest, `bearers` knows who orders without a login, and `telling` tells what happens to
    whoever wants to know.
    """

    _begun = False

    #: None where there is one master
    farmOrders: FarmOrders | None = None
    #: what the masters of the farm tell each other; None where there is one master
    farm: Member | None = None

    roster: Roster
    storedOrders: StoredOrders
    drains: Drains
    breakDoor: BreakDoor
    breakDeadlines: BreakDeadlines
    reconfigurations: Reconfigurations
    shutdown: Shutdown
    bearers: Bearers
    telling: Telling
    #: how many builds were refused at the last moment
    refusals = 0
    #: see `_exempt()`
    exempt: Callable[[EnrolledWorker, bool], frozenset[str]]
    builderHolds: BuilderHolds
    lastMoment: LastMoment

    @inlineCallbacks
    def startService(self) -> Generator[Deferred[Any], Any, None]:
        """Make everything at once, for the next worker asks in the same moment; and then begin."""
        master = self.master
        found = Roster.getService(master)
        # it is there at once; the Deferred fires when it listens to Buildbot
        self.roster = master.namedServices[Roster.getName()]
        self._make(master)
        self.roster.observe(self._worker_changed)
        # (not as a service that is reconfigured: one that is made during a reconfig has no part in that)
        self.roster.observeConfiguration(self._configuration_changed)
        self._begun = True
        self.roster.clock.start(self._clock_jumped)
        self._configuration_changed()
        for part in self._with_less:
            part.start()
        self._answers.start()
        self._hook.start()
        self.bearers.start()
        yield found
        yield super().startService()
        yield self.wakeup.start()
        if self.farmOrders is not None:
            self.storedOrders.readToo = self.builderHolds.read
            yield self.farmOrders.start()
        yield self.builderHolds.start()
        yield self._events.start()
        if isShared(master) and self.farmOrders is not None:
            yield self._show_farm(self.farmOrders)

    def _make(self, master: Any) -> None:
        roster = self.roster
        healMessages()
        self._note = Note(master)
        others = (each(master) for each in (Unheard, PropertiesTogether, BuildersByWorker, UnheardEnds))
        self._with_less = (SortedListeners(master.mq), *others)
        self._groups = Groups()
        # how a build gets to start, and what holds it
        self._answers = SiteAnswers(master)
        self.wakeup = Wakeup(master, lambda name: roster.enrolled(name) is not None, self._answers)
        self._requeue = parts.requeue(master.reactor)
        self.storedOrders = StoredOrders(roster, self._ordered)
        self.farmOrders = self._make_farm()
        self._given_up = parts.givenUp(roster, self.storedOrders, self._gave_up)
        self.drains = parts.drains(
            roster,
            self._requeue,
            self._announce,
            self.wakeup.workerReady,
            self._given_up.giveUp,
            census=None if self.farmOrders is None else self.farmOrders.census,
        )
        self.breakDoor = parts.breakDoor(roster, self.wakeup.workerReady, self._announce)
        self.breakDeadlines = parts.breakDeadlines(roster, self._requeue, self._announce)
        self.builderHolds = BuilderHolds(roster, self._builder_held)
        self.lastMoment = LastMoment(self.storedOrders, self.builderHolds)
        self._gate = ReconfigGate(master)
        starting = (self._answers, self.wakeup)
        self.reconfigurations = parts.reconfigurations(
            roster, self._gate, starting, self._reconfig_changed, self._wake_all
        )
        self.shutdown = parts.shutdown(master, starting, self._shutdown_changed, self._wake_all)
        self._hook = ChooserHook(
            master,
            (self._gate, self.builderHolds, self.drains, self.breakDoor),
            self._answers,
        )
        # one bound method, which all workers share
        self.exempt = self._exempt
        # the API
        self._resources = resources = Resources(master, self._wire)
        types = {each: resources[each] for each in ("presence", "builderpresence")}
        counts = ReadyCounts()
        hold = self.builderHolds.hold
        self._blocks = parts.blocks(
            roster, self._plan, counts.buildersOf, self._blocks_changed, builderHold=hold
        )
        self.entities = Entities(
            roster,
            counts,
            self.drains,
            self.breakDoor,
            self.breakDeadlines,
            blocks=self._blocks,
            groupsOf=self._groups_of,
            builderHold=self.builderHolds.holdOf,
        )
        self._events = Events(roster, self.entities, counts, types, imported())
        self._report = parts.reconfigReport(
            master,
            self.reconfigurations,
            lambda entity: resources["reconfig"].produceEvent(entity, "changed"),
        )
        self._why = why = cache(self._why_reader)
        sources = Sources(
            isBusy=self.drains.isBusy,
            lastReconfig=lambda: self.reconfigurations.last,
            reconfig=lambda: self.reconfigurations.current,
            why=lambda builder: why().ofBuilder(builder),
            readyOf=counts.readyOf,
            tallies=lambda: {"wakeups": self.wakeup.wakeups, "refusals": self.refusals},
            nameOf=self.entities.workerName,
            groupsOf=self._groups_of,
        )
        self.telling = Telling(self.roster, resources["trailentry"], sources)
        self.bearers = Bearers(master, self.telling.orderListeners)
        resources.start()
        if self.farmOrders is not None:
            # other masters may ask for them at any time
            self.farmOrders.serve(*(resources[each] for each in ("presence", "reconfig", "shutdown")))

    def _wire(self, types: Mapping[str, Any]) -> None:
        """Give the resource types what they need."""
        for name in ("presence", "builderpresence"):
            each = types[name]
            each.entities, each.orders, each.settle = self.entities, self.storedOrders, self._events.settle
            each.farm, each.builderHolds = self.farmOrders, self.builderHolds
        for name in ("presence", "builderpresence", "reconfig", "shutdown"):
            types[name].listeners = self.telling.orderListeners
            types[name].remote = None if self.farmOrders is None else self.farmOrders.remote
        types["runningbuild"].farm = lambda: self.farm
        types["reconfig"].report = self._report
        types["requestpresence"].entities = types["trailentry"].entities = self.entities
        types["requestpresence"].reader = self._why
        types["shutdown"].shutdown = self.shutdown

    def _make_farm(self) -> FarmOrders | None:
        """What masters of a farm have to do with each other. One that is alone has nothing of it in memory."""
        if not self.master.config.multiMaster:
            return None
        from presence.master.farm.orders import FarmOrders  # noqa: PLC0415

        return FarmOrders(self.roster, self.storedOrders)

    @inlineCallbacks
    def _show_farm(self, orders: FarmOrders) -> Generator[Deferred[Any], Any, None]:
        """Tell the other masters of the farm what is here, know what they tell, and watch the router between them."""
        from presence.master.farm.member import Member  # noqa: PLC0415

        self.farm = Member(self.roster, self._events, orders.reconciliation, self.drains.anotherIsAway)
        self.entities.join(self.farm.snapshots)
        yield self._events.join(self.farm.snapshots)
        yield self.farm.start()

    def _why_reader(self) -> WhyReader:
        # a master that nobody asks has not got it in memory
        from presence.master.why.reader import WhyReader  # noqa: PLC0415

        return WhyReader(
            self.roster,
            self.breakDoor,
            self._gate,
            self._answers,
            lambda: self.shutdown.stopping,
            builderHold=self.builderHolds.hold,
            farm=lambda: None if self.farm is None else self.farm.snapshots,
        )

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Leave no timer and no thread behind."""
        if not self._begun:
            return
        for part in (
            *(self.roster.clock, self.reconfigurations, self._blocks, self._note, self.bearers, self._hook),
            *(self._answers, self.shutdown, self.drains, self.breakDoor, self.breakDeadlines, self._given_up),
            *(self._requeue, self.telling, self.wakeup, self.farmOrders, self.storedOrders, self.farm),
            *(self.builderHolds, self._events, self._report, self._resources, *self._with_less),
        ):
            # (what several masters have to do with each other is not there where there is one)
            if part is not None:
                stopped: Any = part.stop()
                yield stopped
        yield super().stopService()

    # --- for workers of ours

    def _exempt(self, worker: EnrolledWorker, child: bool) -> frozenset[str]:
        """The sources of holds that do not refuse a build on `worker` by themselves, for doors have decided about it.

        `child` says whether another build waits for it.
        """
        return self.reconfigurations.exempts | self.drains.exempts(worker, child=child)

    def dismiss(self, worker: EnrolledWorker) -> None:
        """The service `worker` has ended."""
        for part in (self.drains, self.breakDoor, self.breakDeadlines):
            part.forget(worker.workername)
        self.roster.dismiss(worker)
        self._workers_changed()

    def sendBack(self, worker: EnrolledWorker) -> None:
        """The owner of `worker` needs the machine, and what runs there is to be built elsewhere."""
        self._requeue.send(buildsOn(worker), f"the owner of {worker.workername} needs the machine")

    def scheduleChanged(self, worker: EnrolledWorker) -> None:
        """The schedule of a worker is new, or another one."""
        self.breakDoor.follow(worker)
        self.breakDeadlines.follow(worker)
        self._workers_changed()

    def takeGroups(self, groups: Groups) -> None:
        """These are the groups from now on."""
        self._groups = groups
        for name in self.roster.workers:
            self._announce(name)

    def takeFloors(self, keepReady: KeepReady) -> None:
        """So many workers are to stay ready from now on."""
        if self.storedOrders.floor is None:
            self.storedOrders.floor = FloorGuard(
                self.roster,
                self._groups_of,
                lambda name: self.entities.worker(name, breaks=False),
                self._everybody,
            )
        self.storedOrders.floor.keepReady = keepReady

    def _everybody(self) -> tuple[Any, Callable[[int], str | None]]:
        return self.entities.workers(breaks=False), self.entities.builderName

    def _groups_of(self, worker: Any) -> Iterable[str]:
        # those of now: they may have changed since
        return self._groups.of(worker)

    # --- who hears of what

    def _worker_changed(self, presence: WorkerPresence) -> None:
        if presence.ready:
            self.wakeup.workerReady(presence.name)
        self._blocks.workerChanged(presence.name)
        self._announce(presence.name)
        self.drains.holdsChanged(presence)
        self.telling.workerChanged(presence)
        self.breakDeadlines.holdsChanged(presence)

    def _configuration_changed(self) -> None:
        # the functions that have been asked are those of the configuration of before
        self._answers.giveUp()
        self._answers.decisions.forget()
        self._events.follow()
        for name, builder in self.roster.builders.items() if self.builderHolds.isGuarding else ():
            builder.hold(self.builderHolds.hold(name))
        self._blocks.follow()
        self.reconfigurations.configurationChanged()
        self.telling.configurationChanged()
        self._note.write()
        self._workers_changed()

    def _workers_changed(self) -> None:
        if self.farmOrders is not None and self._begun:
            self.farmOrders.workersChanged()

    def _builder_held(self, name: str) -> None:
        """An admin holds a builder, or no longer."""
        builder = self.roster.findBuilder(name)
        if builder is not None:
            builder.hold(self.builderHolds.hold(name))
        self.telling.builderChanged(name, self.builderHolds.hold(name))
        self._blocks.builderChanged(name)
        self._events.blocksChanged((), (name,))
        if not self.builderHolds.isHeld(name):
            self.master.botmaster.maybeStartBuildsForBuilder(name)

    def _announce(self, name: str) -> None:
        self._events.workerChanged(name)
        self.telling.announced(name)

    def _ordered(self, worker: EnrolledWorker) -> None:
        self.drains.follow(worker)
        self._announce(worker.workername)

    def _gave_up(self, name: str, by: str | None) -> None:
        self.telling.gaveUp(name, by)

    def _plan(self) -> Plan:
        from presence.master.quiesce.plan import Plan  # noqa: PLC0415 (some never reconfigure so)

        return Plan() if (reconfig := self.reconfigurations.current) is None else reconfig.plan

    def _blocks_changed(self, workers: Iterable[str], builders: Iterable[str]) -> None:
        self._events.blocksChanged(workers, builders)

    def _reconfig_changed(self) -> None:
        self._blocks.planChanged()
        self._report.changed()
        self.telling.reconfigChanged()

    def _shutdown_changed(self) -> None:
        from presence.master.api.shutdown import shutdownEntity  # noqa: PLC0415 (some never stop so)

        self._resources["shutdown"].produceEvent(shutdownEntity(self.master, self.shutdown), "changed")

    def _wake_all(self) -> None:
        for name in self.roster.workers:
            self.wakeup.workerReady(name)

    def _clock_jumped(self, seconds: float) -> None:
        for worker in self.roster.enrolledWorkers:
            worker.clockJumped(seconds)
        for presence in self.roster.workers.values():
            presence.clockJumped()
        for part in (
            *(self.wakeup, self.reconfigurations, self.shutdown, self.breakDoor, self.breakDeadlines),
            *(self.storedOrders, self.farmOrders, self.builderHolds, self._given_up, self._requeue),
            *(self._blocks, self._events, self.telling, self.farm, self._report),
        ):
            # (what several masters have to do with each other is not there where there is one)
            if part is not None:
                part.clockJumped()
