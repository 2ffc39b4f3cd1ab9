"""Who is told what happens on a master: the trail, the metrics, the notices, and who is long absent. What nobody wants is not there, and costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks, succeed
from twisted.logger import Logger

from presence.master.api.registration import registerResources
from presence.master.listening.listeners import mayBeHeard

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.absence.absence import Absence
    from presence.master.absence.terms import AbsenceTerms
    from presence.master.happenings.happening import Happening, Listener
    from presence.master.happenings.watch import Watch
    from presence.master.metrics.measures import Measures
    from presence.master.metrics.port import MetricsPort
    from presence.master.reporters.notices import Notices
    from presence.master.roster import Roster
    from presence.master.trail.trail import Trail
    from presence.master.why.facts import Why
    from presence.model.states import Hold
    from presence.model.workerpresence import WorkerPresence


_log = Logger()


# (what is not needed of a dataclass is not made: each method of one is compiled at every start)
@dataclass(eq=False, repr=False)
class Sources:
    """Where the parts find out what they do not know: whether the drain of a worker is not done, how the last reconfiguration has ended and which one
    waits, why a request of a builder would wait, how many workers of a builder are ready, what others count, how the worker with an
    id is called, and to which groups a worker of Buildbot's belongs.
    """

    isBusy: Callable[[str], bool]
    lastReconfig: Callable[[], Any]
    reconfig: Callable[[], Any]
    why: Callable[[str], Deferred[Why]]
    readyOf: Callable[[str], int]
    tallies: Callable[[], dict[str, int]]
    nameOf: Callable[[int], str | None]
    groupsOf: Callable[[Any], Iterable[str]]


class Telling:
    """Makes the parts that somebody wants, and hands on to them what happens.

    `entries` is the resource type of the trail. `orderListeners` are those that hear of orders, as long as somebody wants to: it is one list,
    which others keep. `sources` are where the parts find out what they do not know.
    """

    def __init__(self, roster: Roster, entries: Any, sources: Sources) -> None:
        self._roster = roster
        self._master = roster.master
        self._entries = entries
        self._sources = sources
        self._watch: Watch | None = None
        self._trail: Trail | None = None
        self._trail_size: int | None = None
        self._measures: Measures | None = None
        self._place: str | None = None
        self._port: MetricsPort | None = None
        self._notices: Notices | None = None
        self._absence: Absence | None = None
        self._following = self._stopped = False
        self._listeners: list[Listener] = []
        self.orderListeners: list[Listener] = []

    # --- who wants to know

    def listen(self, listener: Listener) -> None:
        """Call `listener` with each happening from now on."""
        from presence.master.happenings.watch import Watch  # noqa: PLC0415 (nobody may want to know)

        self._listeners.append(listener)
        if self._watch is None:
            self._watch = Watch(
                self._roster,
                self._tell,
                isBusy=self._sources.isBusy,
                lastReconfig=self._sources.lastReconfig,
            )
            self._watch.start()
            self.orderListeners.append(self._watch.ordered)

    def stopListening(self, listener: Listener) -> None:
        """Call it no more."""
        self._listeners.remove(listener)
        if not self._listeners:
            self._watch = None
            self.orderListeners.clear()

    def keepTrail(self, size: int | None) -> Deferred[None]:
        """Keep a trail of so many bytes, or none. A Deferred that fires when one of before is written."""
        if size == self._trail_size:
            return succeed(None)
        ended = self._end_trail()
        self._trail_size = size
        if size is not None:
            from presence.master.trail.trail import Trail  # noqa: PLC0415 (it may be off)

            self._trail = Trail(self._master.reactor, self._master.basedir, size, self._publish)
            self._entries.trail = self._trail
            self.listen(self._trail.add)
        return ended

    @inlineCallbacks
    def measure(self, place: str | None) -> Generator[Deferred[Any], Any, None]:
        """Have metrics there: see `metricsPlace()`. A Deferred that fires when those of before are no longer anywhere."""
        if place == self._place:
            return
        yield self._end_measures()
        self._place = place
        if place is None:
            return
        from presence.master.metrics import resource, terms  # noqa: PLC0415 (they may be off)
        from presence.master.metrics.measures import Measures  # noqa: PLC0415

        sources = self._sources
        self._measures = measures = Measures(
            self._roster,
            sources.why,
            readyOf=sources.readyOf,
            tallies=sources.tallies,
            nameOf=sources.nameOf,
            groupsOf=sources.groupsOf,
        )
        self.listen(measures.happened)
        yield measures.start()
        if place == terms.WEB:
            registerResources(self._master, resource)["presencemetrics"].measures = measures
        else:
            from presence.master.metrics.port import MetricsPort  # noqa: PLC0415

            self._port = MetricsPort(self._master.reactor, place, measures.text)
            yield self._port.start()

    @property
    def metricsPort(self) -> int | None:
        """The number of the port of the metrics, if they have one of their own."""
        return None if self._port is None else self._port.number

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Tell nothing any more. A Deferred that fires when the trail is written, and no port is listened at."""
        self._stopped = True
        self._end_notices()
        absence, self._absence = self._absence, None
        if absence is not None:
            yield absence.stop(restore=False)
        yield self._end_trail()
        yield self._end_measures()
        self._watch = None
        self.orderListeners.clear()

    @inlineCallbacks
    def _end_measures(self) -> Generator[Deferred[Any], Any, None]:
        measures, self._measures, self._place = self._measures, None, None
        port, self._port = self._port, None
        if measures is None:
            return
        rtype = self._master.data.getResourceType("presencemetrics")
        if rtype is not None:
            rtype.measures = None
        if port is not None:
            yield port.stop()
        self.stopListening(measures.happened)
        yield measures.stop()

    def _end_trail(self) -> Deferred[None]:
        trail, self._trail, self._trail_size = self._trail, None, None
        if trail is None:
            return succeed(None)
        self._entries.trail = None
        self.stopListening(trail.add)
        return trail.stop()

    @inlineCallbacks
    def _follow_reporters(self) -> Generator[Deferred[Any], Any, None]:
        """Have the notices that generators of Buildbot's reporters want."""
        # these are configured when the whole configuration has been taken over
        yield self._master.initLock.acquire()
        self._master.initLock.release()
        self._following = False
        manager = getattr(self._master, "service_manager", None)
        wanted = {
            each.number: each.terms
            for reporter in getattr(manager, "namedServices", {}).values()
            for each in getattr(reporter, "generators", None) or ()
            if getattr(each, "presenceNotices", False)
        }
        if self._stopped or not wanted:
            self._end_notices()
        elif self._notices is not None:
            self._notices.follow(wanted)
        else:
            from presence.master.reporters.notices import Notices  # noqa: PLC0415 (nobody may want any)

            self._notices = notices = Notices(
                self._roster, readyOf=self._sources.readyOf, reconfig=self._sources.reconfig
            )
            self.listen(notices.happened)
            yield notices.start(wanted)

    def _end_notices(self) -> None:
        notices, self._notices = self._notices, None
        if notices is not None:
            self.stopListening(notices.happened)
            notices.stop()

    def _publish(self, entry: dict[str, Any]) -> None:
        if mayBeHeard(self._master.mq, self._entries.plural):
            self._entries.produceEvent(self._entries.entity(entry), "new")

    def _tell(self, happening: Happening) -> None:
        for listener in tuple(self._listeners):
            listener(happening)

    @inlineCallbacks
    def watchAbsence(self, terms: AbsenceTerms | None) -> Generator[Deferred[Any], Any, None]:
        """Take workers that are long absent out of the reckoning, or (None) reckon with all."""
        if terms == (None if self._absence is None else self._absence.terms):
            return
        before, self._absence = self._absence, None
        if before is not None:
            yield before.stop(restore=True)
        if terms is not None:
            from presence.master.absence.absence import Absence  # noqa: PLC0415 (it may be off)

            self._absence = absence = Absence(self._roster, terms, self._tell)
            yield absence.start()

    # --- what happens

    def workerChanged(self, presence: WorkerPresence) -> None:
        """The holds of a worker have changed."""
        if self._watch is not None:
            self._watch.workerChanged(presence)
        if self._measures is not None:
            self._measures.workerChanged(presence)
        if self._absence is not None:
            self._absence.workerChanged(presence)

    def announced(self, name: str) -> None:
        """Something of a worker has changed."""
        if self._watch is not None:
            self._watch.announced(name)

    def builderChanged(self, name: str, hold: Hold | None) -> None:
        """What holds a builder itself has changed."""
        if self._watch is not None:
            self._watch.builderChanged(name, hold)

    def gaveUp(self, name: str, by: str | None) -> None:
        """A drain has ended at its deadline."""
        if self._watch is not None:
            self._watch.gaveUp(name, by)

    def reconfigChanged(self) -> None:
        """Something of a reconfiguration has changed."""
        if self._watch is not None:
            self._watch.reconfigChanged()

    def configurationChanged(self) -> None:
        """The roster has followed a new configuration."""
        if not self._following:
            self._following = True
            self._follow_reporters().addErrback(
                lambda failure: _log.failure("while looking who wants notices", failure)
            )
        if self._watch is not None:
            self._watch.configurationChanged()
        if self._absence is not None:
            self._absence.configurationChanged()

    def clockJumped(self) -> None:
        """The clock has jumped."""
        if self._trail is not None:
            self._trail.clockJumped()
        if self._measures is not None:
            self._measures.clockJumped()
        if self._notices is not None:
            self._notices.clockJumped()
        if self._absence is not None:
            self._absence.clockJumped()
