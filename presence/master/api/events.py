"""Events on Buildbot's message queue about workers and builders that have changed, for pages, scripts and reporters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.util.deferwaiter import DeferWaiter
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import deferLater
from twisted.logger import Logger

from presence.master.builds.waiting import unclaimedRequests
from presence.master.listening.lastsent import LastSent
from presence.master.listening.listeners import mayBeHeard
from presence.master.listening.putoff import PutOff
from presence.model.gathering import Gathering
from presence.model.retries import Retries
from presence.model.turns import Share
from presence.model.wave import Wave

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.api.entities import Entities
    from presence.master.farm.seen.snapshots import Snapshots
    from presence.master.roster import Roster
    from presence.model.readycounts import ReadyCounts

_log = Logger()

#: How many workers or builders are announced in one turn of the reactor, at most. Each event is compared with what every listener
#: wants to hear, and each of Buildbot's workers is a listener.
SLICE = 50

#: Of several masters, how long after something has changed that is another one's it is looked whether all has been told, in
#: seconds.
SETTLED = 1.0


class Events:
    """Announces the entities that have changed: each once, as it is then, however often it has changed.

    While many workers connect, or go, one after the other, each of them changes the numbers of a thousand builders.
    Then what can build, or no longer can, is announced as ever, and the rest when that is over (`PutOff`).

    `types` are the registered resource types by name, which produce the events. `preparing` does what takes long of the
    first event that somebody hears, some of it each time that it is asked for the next.
    """

    def __init__(
        self,
        roster: Roster,
        entities: Entities,
        counts: ReadyCounts,
        types: Mapping[str, Any],
        preparing: Iterator[None] | None = None,
    ) -> None:
        self._roster = roster
        self._entities = entities
        self._counts = counts
        self._types = types
        self._preparing = preparing
        self._workers: set[str] = set()
        self._builders: set[str] = set()
        # workers whose builders have yet to be counted anew
        self._unsettled: set[str] = set()
        # whether anybody listens to the events of a type, as it was when the present slice began
        self._heard: dict[str, bool] = {}
        self._sent = {name: LastSent() for name in types}
        self._waiting: Mapping[int, int] = {}
        self._recount = True
        self._counting = False
        # a worker that flaps a thousand times a second is announced ten times
        self._gathering = Gathering(roster.master.reactor, self._turn)
        # of the question how many requests wait, and of whom has yet to start, by type and name
        self._retries = Retries(roster.master.reactor, self._again)
        self._wave = Wave(roster.master.reactor)
        self._put_off = PutOff(roster.findWorker, counts, self._sent, self._wave)
        self._announcing = DeferWaiter()
        self._consumers: list[Any] = []
        self._stopped = False
        # what other masters tell; and of the builders (by id) the last event that anybody has sent, and those of which it is to
        # be seen, when nothing has moved for a while, whether that was right
        self._farm: Snapshots | None = None
        self._told: dict[int, Any] = {}
        self._doubtful: set[str] = set()
        self._settled: IDelayedCall | None = None

    @property
    def _master(self) -> Any:
        return self._roster.master

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen to what changes without a change of any hold."""
        for listener, key in (
            (self._worker_event, ("workers", None, None)),
            (self._build_event, ("builds", None, "new")),
            (self._build_event, ("builds", None, "finished")),
            (self._request_event, ("buildrequests", None, None)),
        ):
            self._consumers.append((yield self._master.mq.startConsuming(listener, key)))

    @inlineCallbacks
    def join(self, farm: Snapshots) -> Generator[Deferred[Any], Any, None]:
        """From now on this master is one of several: tell of those workers only that are connected here."""
        self._farm = farm
        self._put_off.mayBeConnecting = farm.known.isConnecting
        key = (self._types["builderpresence"].plural, None, "changed")
        self._consumers.append((yield self._master.mq.startConsuming(self._builder_told, key)))

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Announce nothing any more. A Deferred that fires when nothing is under way."""
        self._stopped = True
        self._gathering.stop()
        self._retries.stop()
        if self._settled is not None:
            self._settled.cancel()
            self._settled = None
        for consumer in self._consumers:
            yield consumer.stopConsuming()
        yield self._announcing.wait()

    def follow(self) -> None:
        """The configuration has changed, and with it whatever was in it."""
        self._counts.follow(self._roster.builders)
        self._entities.follow()
        for name, present in (("presence", self._roster.workers), ("builderpresence", self._roster.builders)):
            sent = self._sent[name]
            for gone in sent.names() - present.keys():
                self._forget(name, gone)
        self._workers.update(self._roster.workers)
        self._builders.update(self._roster.builders)
        self._schedule()

    def _forget(self, rtype: str, name: str) -> None:
        """It has left the configuration of this master; of several masters another one may still have it."""
        entity = self._sent[rtype].forget(name)
        if self._farm is not None and rtype == "presence":
            if not self._farm.isOurs(name):
                return
            self._farm.forget(name)
        self._types[rtype].produceEvent(entity, "removed")

    def toldHere(self, names: Iterable[str]) -> None:
        """It has been stored what this master tells of these workers."""
        if self._farm is None:
            return
        for name in names:
            entity = self._farm.told(name)
            if entity is not None and not self._stopped:
                self._types["presence"].produceEvent(entity, "changed")
                if self._farm.concernsBuilders(name):
                    self._builders.update(self._names_of(entity["builders"]))
        self._schedule()

    def toldElsewhere(self, names: Iterable[str]) -> None:
        """Other masters tell something new of these workers, and of their builders; it is seen to it that they have."""
        if self._farm is None:
            return
        for name in names:
            entity = self._farm.told(name)
            if entity is not None and self._farm.concernsBuilders(name):
                self._doubt(self._names_of(entity["builders"]))

    def toldLate(self, names: Iterable[str]) -> None:
        """It was read what other masters tell of these workers: an event of that has not come here, and may have gone nowhere."""
        for name in names:
            entity = None if self._farm is None else self._farm.told(name)
            if entity is not None and not self._stopped:
                self._types["presence"].produceEvent(entity, "changed")

    def tellAgain(self, names: Iterable[str] | None) -> None:
        """It may be up to this master now to tell of these workers (None: of all)."""
        self._workers.update(self._roster.workers if names is None else names)
        self._schedule()

    def _builder_told(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        self._told[message["builderid"]] = message
        self._doubt([message["name"]])

    def _doubt(self, builders: Iterable[str]) -> None:
        self._doubtful.update(name for name in builders if self._roster.findBuilder(name) is not None)
        if self._doubtful and self._settled is None and not self._stopped:
            self._settled = self._master.reactor.callLater(SETTLED, self._settle_doubts)

    def _settle_doubts(self) -> None:
        self._settled = None
        self._builders |= self._doubtful
        self._doubtful = set()
        self._schedule()

    def _names_of(self, builderids: Iterable[int]) -> list[str]:
        names = map(self._entities.builderName, builderids)
        return [name for name in names if name is not None and self._roster.findBuilder(name) is not None]

    def clockJumped(self) -> None:
        """The clock has jumped: the end of the pause may be hours away now. Do not wait for it."""
        self._gathering.clockJumped()
        self._retries.clockJumped()

    def workerChanged(self, name: str) -> None:
        """Something of the worker `name` may have changed."""
        self._entities.workerChanged()
        self._workers.add(name)
        self._unsettled.add(name)
        self._schedule()

    def blocksChanged(self, workers: Iterable[str], builders: Iterable[str]) -> None:
        """Something else blocks these, or nothing any more."""
        for name in workers:
            self._workers.add(name)
            self._builders.update(self._counts.buildersOf(name))
        for name in builders:
            self._builders.add(name)
            presence = self._roster.findBuilder(name) if self._farm is not None else None
            if presence is not None:
                # (what is told of a worker says which builders would not start there)
                self._workers.update(each.name for each in presence.workers)
        self._schedule()

    def settle(self) -> None:
        """Count what has changed and is not counted yet."""
        for name in tuple(self._unsettled):
            self._settle(name)

    def _settle(self, name: str) -> None:
        worker = self._roster.findWorker(name)
        if worker is not None and name in self._unsettled:
            self._builders.update(self._counts.changed(worker))
            if self._entities.isLimited(name):
                self._builders.update(self._counts.buildersOf(name))
            # it may take a while until one that has connected is ready
            if worker.heldBy("offline") is None:
                self._wave.settled(name)
            else:
                self._wave.goesOn()
        self._unsettled.discard(name)

    # --- what happens

    def _worker_event(self, key: tuple[str, ...], message: dict[str, Any]) -> None:
        name = message["name"]
        presence = self._roster.findWorker(name)
        if key[-1] in ("connected", "disconnected"):
            offline = presence is not None and presence.heldBy("offline") is not None
            # (one that connects to another master stays offline here)
            here = any(each["masterid"] == self._master.masterid for each in message["connected_to"])
            self._wave.moved(name, connecting=offline and here and key[-1] == "connected")
        if presence is not None:
            self.workerChanged(name)

    def _build_event(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        name = self._entities.workerName(message["workerid"])
        if name is not None:
            self.workerChanged(name)

    def _request_event(self, _key: tuple[str, ...], _message: dict[str, Any]) -> None:
        self._recount = True
        self._schedule()

    # --- and is announced

    def _schedule(self) -> None:
        if not self._stopped:
            self._gathering.ask()

    def _turn(self) -> None:
        if self._workers or self._builders or self._put_off or self._must_count():
            self._announcing.add(self._announce())

    def _again(self, what: Hashable) -> None:
        if isinstance(what, tuple):
            rtype, name = what
            (self._workers if rtype == "presence" else self._builders).add(name)
        self._schedule()

    @inlineCallbacks
    def _announce(self) -> Generator[Deferred[Any], Any, None]:
        self._heard.clear()
        if self._preparing is not None and any(map(self._is_heard, self._types)):
            yield self._prepare(self._preparing)
        if self._wave.size:
            # of some of them nothing may be told now
            yield self._each(tuple(self._unsettled), self._settle)
        workers, self._workers = self._workers, set()
        yield self._each(self._put_off.dueWorkers(workers), self._announce_worker)
        if self._must_count():
            yield self._count()
        builders, self._builders = self._builders, set()
        yield self._each(self._put_off.dueBuilders(builders), self._announce_builder)
        if self._put_off:
            self._schedule()

    @inlineCallbacks
    def _prepare(self, preparing: Iterator[None]) -> Generator[Deferred[None], None, None]:
        for _ in preparing:
            yield deferLater(self._master.reactor, 0, lambda: None)
        self._preparing = None

    @inlineCallbacks
    def _each(
        self, names: Iterable[str], announce: Callable[[str], None]
    ) -> Generator[Deferred[None], None, None]:
        share = Share(self._master.reactor, SLICE)
        self._heard.clear()
        for name in names:
            announce(name)
            share.use()
            if share.isUsed:
                yield deferLater(self._master.reactor, 0, lambda: None)
                share.begin()
                self._heard.clear()

    def _announce_worker(self, name: str) -> None:
        self._settle(name)
        if self._farm is not None and not self._farm.isOurs(name):
            self._retries.succeeded(("presence", name))
            return
        known = self._roster.findWorker(name) is not None
        self._tell("presence", name, self._entities.worker(name), known=known)

    def _announce_builder(self, name: str) -> None:
        known = self._roster.findBuilder(name) is not None
        self._tell("builderpresence", name, self._entities.builder(name, self._waiting), known=known)

    def _tell(self, rtype: str, name: str, entity: Mapping[str, Any] | None, *, known: bool) -> None:
        if entity is None and known:
            # it is in the configuration, and its service has yet to start: of that there is no event
            self._retries.failed((rtype, name))
            return
        self._retries.succeeded((rtype, name))
        if self._farm is not None and entity is not None and not self._stopped:
            self._tell_farm(self._farm, rtype, name, entity)
            return
        if (
            entity is not None
            and not self._stopped
            and self._sent[rtype].isNews(entity)
            and self._is_heard(rtype)
        ):
            self._types[rtype].produceEvent(entity, "changed")

    def _tell_farm(self, farm: Snapshots, rtype: str, name: str, entity: Mapping[str, Any]) -> None:
        # (what is in the configuration, so that it is seen when it leaves that)
        self._sent[rtype].isNews(entity)
        if rtype == "presence":
            farm.offer(name, entity, self._entities.unusable(name))
        elif self._told.get(entity["builderid"]) != entity:
            self._told[entity["builderid"]] = entity
            self._types[rtype].produceEvent(entity, "changed")

    def _is_heard(self, rtype: str) -> bool:
        if rtype not in self._heard:
            self._heard[rtype] = mayBeHeard(self._master.mq, self._types[rtype].plural)
        return self._heard[rtype]

    def _must_count(self) -> bool:
        """Whether to ask how many requests wait. While nobody listens it is put off: with builds that start and end all
        the time it would be ten questions a second for nobody.
        """
        wanted = self._recount and not self._counting
        return wanted and mayBeHeard(self._master.mq, self._types["builderpresence"].plural)

    @inlineCallbacks
    def _count(self) -> Generator[Deferred[Any], Any, None]:
        self._recount, self._counting = False, True
        try:
            waiting = yield unclaimedRequests(self._master)
        except Exception:  # noqa: BLE001
            self._recount = True
            delay = self._retries.failed("count")
            _log.warn(
                "the requests that wait cannot be counted; that is tried again in {delay} s", delay=delay
            )
            return
        finally:
            self._counting = False
        self._retries.succeeded("count")
        before, self._waiting = self._waiting, waiting
        for builderid in before.keys() | waiting.keys():
            if before.get(builderid) != waiting.get(builderid):
                names = self._names_of([builderid])
                if self._farm is None or self._farm.leads:
                    self._builders.update(names)
                else:
                    # one of the masters says it, and the others see to it that it has
                    self._doubt(names)
        if self._recount:
            self._schedule()
