"""Events on Buildbot's message queue about workers and builders that have changed, for pages, scripts and reporters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.mq.simple import SimpleMQ
from buildbot.util.deferwaiter import DeferWaiter
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import deferLater
from twisted.logger import Logger

from presence.master.api.lastsent import LastSent
from presence.master.builds.waiting import unclaimedRequests
from presence.model.gathering import Gathering
from presence.model.retries import Retries
from presence.model.states import PresenceState
from presence.model.wave import Wave

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Mapping

    from twisted.internet.defer import Deferred

    from presence.master.api.entities import Entities
    from presence.master.api.readycounts import ReadyCounts
    from presence.master.roster import Roster

_log = Logger()

#: How many workers or builders are announced in one turn of the reactor. Each event is compared with what every listener
#: wants to hear, and each of Buildbot's workers is a listener.
SLICE = 50


class Events:
    """Announces the entities that have changed: each once, as it is then, however often it has changed.

    While many workers connect, or go, one after the other, each of them changes the numbers of a thousand builders.
    Then what can build, or no longer can, is announced as ever, and the rest when that is over.

    `types` are the registered resource types by name, which produce the events.
    """

    def __init__(
        self, roster: Roster, entities: Entities, counts: ReadyCounts, types: Mapping[str, Any]
    ) -> None:
        self._roster = roster
        self._entities = entities
        self._counts = counts
        self._types = types
        self._workers: set[str] = set()
        self._builders: set[str] = set()
        # of those that have changed, whom nothing is told of before the wave is over, unless it changes once more
        self._put_off: dict[str, set[str]] = {name: set() for name in types}
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
        self._announcing = DeferWaiter()
        self._consumers: list[Any] = []
        self._stopped = False

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
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Announce nothing any more. A Deferred that fires when nothing is under way."""
        self._stopped = True
        self._gathering.stop()
        self._retries.stop()
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
                self._types[name].produceEvent(sent.forget(gone), "removed")
        self._workers.update(self._roster.workers)
        self._builders.update(self._roster.builders)
        self._schedule()

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
        self._builders.update(builders)
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
            self._wave.goesOn()
        self._unsettled.discard(name)

    # --- what happens

    def _worker_event(self, key: tuple[str, ...], message: dict[str, Any]) -> None:
        if key[-1] in ("connected", "disconnected"):
            self._wave.moved()
        if self._roster.findWorker(message["name"]) is not None:
            self.workerChanged(message["name"])

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
        if self._workers or self._builders or any(self._put_off.values()) or self._must_count():
            self._announcing.add(self._announce())

    def _again(self, what: Hashable) -> None:
        if isinstance(what, tuple):
            rtype, name = what
            (self._workers if rtype == "presence" else self._builders).add(name)
        self._schedule()

    @inlineCallbacks
    def _announce(self) -> Generator[Deferred[Any], Any, None]:
        if self._wave.size:
            # of some of them nothing may be told now
            yield self._each(tuple(self._unsettled), self._settle)
        workers, self._workers = self._workers, set()
        yield self._each(self._due("presence", workers, self._is_worker_due), self._announce_worker)
        if self._must_count():
            yield self._count()
        builders, self._builders = self._builders, set()
        yield self._each(self._due("builderpresence", builders, self._is_builder_due), self._announce_builder)

    def _due(self, rtype: str, changed: set[str], is_due: Callable[[str], bool]) -> set[str]:
        """Those of `changed` that are to be announced now; the others are put off until the wave is over."""
        put_off, size = self._put_off[rtype], self._wave.size
        if size <= 1:
            # it is over, and another one may have begun
            changed |= put_off
        due = {name for name in changed if is_due(name)} if size else set(changed)
        put_off |= changed
        put_off -= due
        if put_off:
            self._schedule()
        return due

    def _is_worker_due(self, name: str) -> bool:
        presence = self._roster.findWorker(name)
        # the first of a wave may be the only one
        return (
            presence is None or self._wave.size == 1 or self._is_flip("presence", name, ready=presence.ready)
        )

    def _is_builder_due(self, name: str) -> bool:
        ready = self._counts.readyOf(name)
        if self._is_flip("builderpresence", name, ready=ready > 0):
            return True
        return self._wave.size == 1 and self._sent["builderpresence"].last(name, "ready") != ready

    def _is_flip(self, rtype: str, name: str, *, ready: bool) -> bool:
        """Whether it is news that this worker or builder is, or is not, ready."""
        return (self._sent[rtype].last(name, "state") == PresenceState.AVAILABLE.name) != ready

    @inlineCallbacks
    def _each(
        self, names: Iterable[str], announce: Callable[[str], None]
    ) -> Generator[Deferred[None], None, None]:
        for number, name in enumerate(names):
            if number % SLICE == 0:
                self._heard = {
                    name: mayBeHeard(self._master.mq, each.plural) for name, each in self._types.items()
                }
            announce(name)
            if number % SLICE == SLICE - 1:
                yield deferLater(self._master.reactor, 0, lambda: None)

    def _announce_worker(self, name: str) -> None:
        self._settle(name)
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
        if (
            entity is not None
            and not self._stopped
            and self._sent[rtype].isNews(entity)
            and self._heard[rtype]
        ):
            self._types[rtype].produceEvent(entity, "changed")

    def _must_count(self) -> bool:
        """Whether to ask how many requests wait. While nobody listens it is put off: with builds that start and end all
        the time it would be ten questions a second for nobody.
        """
        return (
            self._recount
            and not self._counting
            and mayBeHeard(self._master.mq, self._types["builderpresence"].plural)
        )

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
                name = self._entities.builderName(builderid)
                if name is not None:
                    self._builders.add(name)
        if self._recount:
            self._schedule()


def mayBeHeard(mq: Any, plural: str) -> bool:
    """Whether anybody may be listening to events about `plural` on the message queue `mq`.

    Buildbot compares an event with what each listener wants to hear, and each of its workers is a listener. Who listens
    is known only where the queue is that of one master.
    """
    # what a master has as `mq` is a connector, which stands for the queue that is configured
    queue = getattr(mq, "impl", mq)
    return not isinstance(queue, SimpleMQ) or any(each.filter[0] in (plural, None) for each in queue.qrefs)
