"""The whole farm as one master sees it: what each of the masters tells of the workers that are connected to it.

A master tells of a worker by storing a snapshot of it, at most ten times a second and for all that have changed in one
transaction, and then sending it to the others, which keep it. What is lost on the way is noticed by the pulse (see
`presence.master.farm.seen.pulse`), and read from the database; and while nothing comes through the queue at all the database is read
every two seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.util.deferwaiter import DeferWaiter
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.farm.seen.exchange import Exchange
from presence.master.farm.seen.gone import withoutMaster
from presence.master.farm.seen.known import Known
from presence.master.farm.seen.pulse import PERIOD
from presence.master.farm.seen.snapshottable import Offer, Snapshot, SnapshotTable
from presence.model.gathering import Gathering
from presence.model.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

_log = Logger()

#: What is stored says what the breaks of the coming days are: so it is stored again after so long (seconds), though nothing
#: has changed.
RENEWED = 6 * 3600.0


class Snapshots:
    """What is told of the workers of the farm, by this master and by the others.

    `connection` gives the connection of a worker to this master, None if it has none; `isConfigured` says whether it is one of
    this master's configuration. `stored` is called with the names of those workers that this master tells of and has
    told of anew; `changed` with those of which others have; `missed` with those of the latter of which it was heard too late that
    they have; and `due` with the names of workers that are to be told of again.
    """

    def __init__(
        self,
        master: Any,
        *,
        connection: Callable[[str], Any],
        isConfigured: Callable[[str], bool],
        stored: Callable[[Collection[str]], object],
        changed: Callable[[Collection[str]], object],
        due: Callable[[Collection[str] | None], object],
        missed: Callable[[Collection[str]], object],
    ) -> None:
        self._master = master
        self._connection = connection
        self._is_configured = isConfigured
        self._stored = stored
        self._changed = changed
        self._due = due
        self._missed = missed
        self._exchange = Exchange(master, self._received, self._read, self._masters_moved)
        self.pulse = self._exchange.pulse
        self.looked = self._exchange.unheard.looked
        self._table = SnapshotTable(master, self.pulse.boot)
        self._known = Known()
        # of whom something is told that matters to their builders
        self._mattering: set[str] = set()
        # the names of the masters
        self._masters: dict[int, str] = {}
        self._learning = False
        # the connection with which a worker was here when it connected to another master
        self._left: dict[str, Any] = {}
        self._offered: dict[str, tuple[dict[str, Any], dict[str, list[Any]]]] = {}
        # what is being stored: what is known is older
        self._being_stored: dict[str, Any] = {}
        self._removed: set[str] = set()
        # of which it was heard, while the database was read, that nothing is told any more: what was read may be older
        self._dropped: set[str] = set()
        self._writing = self._reading = self._unread = self._stopped = False
        self._gathering = Gathering(master.reactor, self._turn)
        self._retries = Retries(master.reactor, lambda what: self._again(str(what)))
        self._under_way = DeferWaiter()
        self._timers: list[IDelayedCall] = []

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen, and read what is stored."""
        yield self._exchange.start()
        self._read()
        self._renew_later()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Tell no more. A Deferred that fires when nothing is under way."""
        self._stopped = True
        self._gathering.stop()
        self._retries.stop()
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        yield self._exchange.stop()
        yield self._under_way.wait()

    def lookSoon(self) -> None:
        """There may have been messages that have not come."""
        self._read()

    def clockJumped(self) -> None:
        """The clock has been set."""
        self.pulse.clockJumped()
        self._exchange.unheard.clockJumped()
        self._gathering.clockJumped()
        self._retries.clockJumped()

    # --- what is known

    def isOurs(self, name: str) -> bool:
        """Whether this master is the one that tells of a worker: it is connected here, or nobody else tells of it."""
        known = self._known.get(name)
        if known is None or known.masterid == self._master.masterid:
            return True
        return self._claims(name, known)

    def elsewhere(self, name: str) -> dict[str, Any] | None:
        """What another master tells of a worker; None where this one does, or nobody."""
        known = self._known.get(name)
        if known is None or known.masterid == self._master.masterid or self._claims(name, known):
            return None
        return self.entity(known)

    def told(self, name: str) -> dict[str, Any] | None:
        """What is told of a worker, by whichever master; None if nothing is."""
        known = self._known.get(name)
        return None if known is None else self.entity(known)

    @property
    def known(self) -> Known:
        """All that is told."""
        return self._known

    def concernsBuilders(self, name: str) -> bool:
        """Whether what has been told of a worker since this was asked last matters to its builders."""
        matters = name in self._mattering
        self._mattering.discard(name)
        return matters

    @property
    def names(self) -> set[str]:
        """The names of all workers of which somebody tells."""
        return self._known.names

    def entity(self, snapshot: Snapshot) -> dict[str, Any]:
        """What is told of a worker; that it is offline where the master that tells of it is gone."""
        if not self.pulse.isGone(snapshot.masterid):
            return snapshot.entity
        since = self.pulse.since(snapshot.masterid) or snapshot.at
        master = self._masters.get(snapshot.masterid, snapshot.masterid)
        return withoutMaster(snapshot.entity, master, since)

    @property
    def leads(self) -> bool:
        """Whether of the masters that tell of workers, and live, this one comes first."""
        ids = {each.masterid for each in self._known.all} - {self._master.masterid}
        return all(self._master.masterid < each or self.pulse.isGone(each) for each in ids)

    # --- what this master tells

    def offer(self, name: str, entity: Mapping[str, Any], unusable: dict[str, list[Any]]) -> None:
        """Store this, and tell it the others, if it is news."""
        known = self._known.get(name)
        if (
            name not in self._offered
            and name not in self._being_stored
            and known is not None
            and known.masterid == self._master.masterid
            and (known.entity, known.unusable) == (entity, unusable)
        ):
            return
        self._offered[name] = (dict(entity), unusable)
        self._removed.discard(name)
        self._gathering.ask()

    def forget(self, name: str) -> None:
        """A worker has left the configuration."""
        self._offered.pop(name, None)
        known = self._known.get(name)
        if known is not None and known.masterid == self._master.masterid:
            self._removed.add(name)
            self._drop(name)
            self._gathering.ask()

    def _claims(self, name: str, known: Snapshot) -> bool:
        """Whether to take a worker over from another master."""
        if not self._is_configured(name):
            return False
        connection = self._connection(name)
        if connection is not None:
            return self._left.get(name) is not connection
        return self.pulse.isGone(known.masterid)

    def _turn(self) -> None:
        if (self._offered or self._removed) and not self._writing and not self._stopped:
            self._under_way.add(self._write())

    @inlineCallbacks
    def _write(self) -> Generator[Deferred[Any], Any, None]:
        offered = self._being_stored = self._offered
        self._offered = {}
        removed, self._removed = self._removed, set()
        self._writing = True
        offers = {}
        for name, (entity, unusable) in offered.items():
            known = self._known.get(name)
            other = known is not None and known.masterid != self._master.masterid
            # (where this master does not know of another's claim it takes over what is connected here, and nothing else)
            claims = self._claims(name, known) if known is not None and other else entity["connected"]
            offers[name] = Offer(entity, unusable, claims)
        try:
            if removed:
                yield self._table.remove(removed)
            found: dict[str, Snapshot] = {}
            if offers:
                found = yield self._table.write(offers)
        except Exception:  # noqa: BLE001
            # what has been offered meanwhile is newer
            self._offered = {**offered, **self._offered}
            self._removed |= removed - self._offered.keys()
            delay = self._retries.failed("write")
            _log.warn(
                "what is known of the workers cannot be stored; that is tried again in {delay} s", delay=delay
            )
            return
        finally:
            self._writing, self._being_stored = False, {}
        self._retries.succeeded("write")
        ours = [each for each in found.values() if each.masterid == self._master.masterid]
        self._keep(found.values())
        self._exchange.send(ours, removed, self._table.mark)
        self._stored([each.name for each in ours])
        if self._offered or self._removed:
            self._gathering.ask()

    # --- what the others tell

    def _received(self, masterid: int, snapshots: Iterable[Snapshot], removed: Iterable[str]) -> None:
        for name in removed:
            known = self._known.get(name)
            if known is not None and known.masterid == masterid:
                self._drop(name)
                self._due([name])
        self._keep(snapshots)

    def _masters_moved(self) -> None:
        """A master is gone, or there again; or this one hears nothing, or hears again."""
        self._read()
        others = [each for each in self._known.all if each.masterid != self._master.masterid]
        self._mattering.update(each.name for each in others)
        self._changed([each.name for each in others])
        if self.leads:
            # those of one that is gone cannot tell it themselves
            self._missed([each.name for each in others if self.pulse.isGone(each.masterid)])
        # those of a master that is gone are told of by another one that has them in its configuration
        self._due([each.name for each in others if self._claims(each.name, each)])

    def _keep(self, snapshots: Iterable[Snapshot]) -> None:
        others = []
        again = []
        for each in snapshots:
            name, known = each.name, self._known.get(each.name)
            if known is not None and known.order >= each.order:
                continue
            self._index(each)
            if each.masterid == self._master.masterid:
                continue
            others.append(name)
            connection = self._connection(name)
            if connection is not None and each.entity["connected"]:
                # it has connected there since it connected here, which has yet to be noticed here
                self._left[name] = connection
            elif connection is not None:
                again.append(name)
        if others:
            self._changed(others)
        if again:
            self._due(again)

    def _index(self, snapshot: Snapshot) -> None:
        self.pulse.watch(snapshot.masterid)
        if self._known.put(snapshot):
            self._mattering.add(snapshot.name)
        if self._known.hasUnnamed and not (self._learning or self._stopped):
            self._under_way.add(self._learn())

    def _drop(self, name: str) -> None:
        self._dropped.add(name)
        self._known.drop(name)
        self._left.pop(name, None)
        self._changed([name])

    # --- and what is stored

    def _read(self) -> None:
        self._unread = True
        if not self._reading and not self._stopped:
            self._under_way.add(self._read_all())

    @inlineCallbacks
    def _read_all(self) -> Generator[Deferred[Any], Any, None]:
        self._reading = True
        try:
            while self._unread and not self._stopped:
                self._unread = False
                before = {each.name: each for each in self._known.all}
                self._dropped.clear()
                found, marks, self._masters, alive = yield self._table.read()
                for masterid, mark in marks.items():
                    self._exchange.unheard.heard(masterid, mark)
                for name in self._dropped & found.keys():
                    # it may have been stored again since: that is seen by the next look
                    del found[name]
                    self._unread = True
                self._take(before, found)
                self.pulse.databaseSays(alive)
        except Exception:  # noqa: BLE001
            delay = self._retries.failed("read")
            _log.warn(
                "what other masters know of their workers cannot be read; that is tried again in {delay} s",
                delay=delay,
            )
        else:
            self._retries.succeeded("read")
            if self.pulse.deaf:
                self._later(PERIOD, self._read)
        finally:
            self._reading = False

    @inlineCallbacks
    def _learn(self) -> Generator[Deferred[Any], Any, None]:
        """Ask the database what the builders are called."""
        self._learning = True
        try:
            models = yield self._master.db.builders.getBuilders()
            self._known.nameBuilders({each.id: each.name for each in models})
            self._mattering |= self.names
        except Exception:  # noqa: BLE001
            self._later(PERIOD, self._read)
            return
        finally:
            self._learning = False
        self._changed(self.names)

    def _take(self, before: Mapping[str, Snapshot], found: Mapping[str, Snapshot]) -> None:
        for name, known in before.items():
            # (what has come by a message meanwhile is newer)
            if name not in found and self._known.get(name) is known:
                self._drop(name)
                self._due([name])
        for name, each in found.items():
            last = self._known.get(name)
            if last is not None and last is before.get(name) and last.order > each.order:
                # it was forgotten, and is told of again
                self._drop(name)
            if each.masterid == self._master.masterid and not self._is_configured(name):
                # it left the configuration while this master did not run
                self._removed.add(name)
                self._gathering.ask()
        news = [
            each
            for name, each in found.items()
            if name not in self._removed
            and (last := self._known.get(name)) is not None
            and last.order < each.order
        ]
        self._keep(each for name, each in found.items() if name not in self._removed)
        if news:
            self._missed([each.name for each in news if each.masterid != self._master.masterid])

    def _again(self, what: str) -> None:
        if what == "write":
            self._gathering.ask()
        else:
            self._read()

    def _renew_later(self) -> None:
        def renew() -> None:
            self._due(None)
            self._renew_later()

        self._later(RENEWED, renew)

    def _later(self, seconds: float, call: Callable[[], object]) -> None:
        self._timers = [each for each in self._timers if each.active()]
        if not self._stopped:
            self._timers.append(self._master.reactor.callLater(seconds, call))
