"""Takes workers that have not been seen for long out of their builders' reckoning, and back in when they connect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.builds.requests import findPending
from presence.master.happenings.happening import Happening
from presence.master.stored import objects
from presence.words import absent as words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.absence.terms import AbsenceTerms
    from presence.master.roster import Roster
    from presence.model.workerpresence import WorkerPresence

_log = Logger()

#: How often it is looked who is absent, in seconds.
INTERVAL = 60.0

# How much is stored of when workers were seen last, in characters: what a TEXT of MariaDB takes.
_MOST = 60_000


class Absence:
    """The long absent workers of a master, from `start()` to `stop()`. `tell` hears of each that is one now, or is back.

    When a worker was seen last is stored, since Buildbot does not know it.
    """

    def __init__(self, roster: Roster, terms: AbsenceTerms, tell: Callable[[Happening], object]) -> None:
        self._roster = roster
        self._master = roster.master
        self.terms = terms
        self._tell = tell
        # when those were seen last that are not connected
        self._seen: dict[str, float] = {}
        self._stored: dict[str, float] = {}
        self._absent: set[str] = set()
        self._objectid: int | None = None
        self._timer: IDelayedCall | None = None
        self._consumer: Any = None
        self._started = self._stopped = self._looking = self._failed = False

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Begin, when it is known since when workers have not been seen."""
        now = self._roster.clock.seconds()
        try:
            self._objectid = yield self._master.db.state.getObjectId(*objects.ABSENCE)
            stored = yield self._master.db.state.getState(self._objectid, "seen", {})
        except Exception:  # noqa: BLE001 (from now on, then)
            _log.failure("while reading when workers were seen last")
            stored = {}
        if self._stopped:
            return
        self._stored = {name: at for name, at in stored.items() if isinstance(at, (int, float))}
        for name, presence in self._roster.workers.items():
            if presence.heldBy("offline") is not None:
                # a clock that was set back makes nobody come from the future
                self._seen[name] = min(self._stored.get(name, now), now)
        self._started = True
        if self.terms.cancel:
            self._consumer = yield self._master.mq.startConsuming(
                lambda *_: self._look_soon(), ("buildrequests", None, "new")
            )
        self._tick()

    @inlineCallbacks
    def stop(self, *, restore: bool) -> Generator[Deferred[Any], Any, None]:
        """Look no more; with `restore` everybody is reckoned with again. No timer is left."""
        self._stopped, self._started = True, False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            yield consumer.stopConsuming()
        if self._absent and restore:
            for name in self._absent:
                self._mark(name, None)
            self._absent = set()
            self._roster.doWithout(self._absent)

    def workerChanged(self, presence: WorkerPresence) -> None:
        """The holds of a worker have changed: it may have gone, or come."""
        if not self._started:
            return
        name = presence.name
        if presence.heldBy("offline") is not None:
            self._seen.setdefault(name, self._roster.clock.seconds())
            return
        since = self._seen.pop(name, None)
        if name in self._absent:
            self._absent.discard(name)
            self._roster.doWithout(self._absent)
            _log.info("{worker} is back, and its builders have it again", worker=name)
            self._say("end", name, since)

    def configurationChanged(self) -> None:
        """Forget who is no longer there; who is new has not been seen yet."""
        if not self._started:
            return
        workers = self._roster.workers
        for name in self._seen.keys() - workers.keys():
            del self._seen[name]
            self._absent.discard(name)
        for presence in workers.values():
            if presence.name not in self._seen:
                self.workerChanged(presence)

    def clockJumped(self) -> None:
        """The clock has jumped: look now."""
        self._look_soon()

    # --- who is absent

    def _look_soon(self) -> None:
        if self._timer is not None:
            self._timer.reset(0)

    def _tick(self) -> None:
        self._timer = self._roster.clock.callLater(INTERVAL, self._tick)
        if not self._looking:
            self._looking = True
            self._look().addErrback(self._complain).addBoth(self._looked)

    def _complain(self, failure: Any) -> None:
        if not self._failed:
            self._failed = True
            _log.failure("while looking who is long absent; it is tried every minute, and said once", failure)

    def _looked(self, _: object) -> None:
        self._looking = False

    @inlineCallbacks
    def _look(self) -> Generator[Deferred[Any], Any, None]:
        now = self._roster.clock.seconds()
        new = [
            name
            for name, at in self._seen.items()
            if name not in self._absent and now - at >= self.terms.after
        ]
        gone = []
        for name in new:
            # another master may have it
            model = yield self._master.db.workers.getWorker(name=name)
            if model is not None and model.connected_to:
                self._seen[name] = now
            else:
                gone.append(name)
        # some may have connected meanwhile
        gone = [name for name in gone if name in self._seen and self._started]
        if gone:
            self._absent.update(gone)
            for name in gone:
                self._mark(name, words.REASON)
                _log.warn("{gone}", gone=words.GONE.format(name=name))
                self._say("begin", name, self._seen[name])
            self._roster.doWithout(self._absent)
        if self.terms.cancel and self._absent:
            yield self._cancel()
        yield self._store()
        self._failed = False

    def _mark(self, name: str, reason: str | None) -> None:
        """Say it where it is said why the worker does not build."""
        presence = self._roster.findWorker(name)
        if presence is not None and presence.heldBy("offline") is not None:
            presence.hold("offline", reason, since=self._seen.get(name))

    def _say(self, kind: str, name: str, since: float | None) -> None:
        self._tell(Happening(self._roster.clock.seconds(), kind, "absent", (name,), since=since))

    @inlineCallbacks
    def _cancel(self) -> Generator[Deferred[Any], Any, None]:
        """Cancel the requests that nobody but such workers could build."""
        builders = self._master.botmaster.builders
        without = {
            builder._builderid
            for name, builder in builders.items()
            if builder.config is not None
            and builder.config.workernames
            and self._absent.issuperset(builder.config.workernames)
            and self._roster.findBuilder(name) is not None
        }
        for each in (yield findPending(self._master)) if without else ():
            if each.builderid in without:
                _log.info("request {request} is cancelled: {why}", request=each.id, why=words.CANCELLED)
                yield self._master.data.control(
                    "cancel", {"reason": words.CANCELLED}, ("buildrequests", str(each.id))
                )

    @inlineCallbacks
    def _store(self) -> Generator[Deferred[Any], Any, None]:
        seen = {name: int(at) for name, at in sorted(self._seen.items(), key=lambda each: each[1])}
        while len(json.dumps(seen)) > _MOST:
            # of those that have gone last it is known again soon enough
            seen.popitem()
        if seen != self._stored and self._objectid is not None:
            yield self._master.db.state.setState(self._objectid, "seen", seen)
            self._stored = dict(seen)
