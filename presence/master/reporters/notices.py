"""Makes the notices that the generators of a master's reporters want, and gives them to these as events."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.calendar.zones import localZone, zoneFor
from presence.master.authz import ownersOf
from presence.master.builds.waiting import unclaimedRequests
from presence.master.reporters.generator import EVENTS, isAddress, isMeant
from presence.master.reporters.looks import GRACE, Looks, entityOf
from presence.master.reporters.notice import Notice
from presence.master.reporters.outbox import Outbox
from presence.master.stored import objects
from presence.words.absent import GONE
from presence.words.holds import holdText

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.happenings.happening import Happening
    from presence.master.reporters.notice import NoticeTerms
    from presence.master.roster import Roster

_log = Logger()

#: How often it is looked what is true, in seconds; and schedules.
INTERVAL, DAILY = 60.0, 24 * 3600.0

# Of so many things it is remembered that they were told, over a restart (in so many characters).
_MOST, _MOST_STORED = 1000, 60_000


class Wanted:
    """What one generator wants: what it is told, and when it was."""

    def __init__(self, number: str, terms: NoticeTerms, roster: Roster, send: Callable[..., object]) -> None:
        self.number = number
        self.terms = terms
        self.looks = Looks(roster, terms)
        self.outbox = Outbox(
            lambda *what: send(number, *what),
            digest=terms.digest,
            mostADay=terms.mostADay,
            zone=zoneFor(localZone()),
        )


class Notices:
    """The notices of one master, from `start()` to `stop()`.

    `readyOf(builder)` says how many of its workers are ready, `reconfig()` the one that waits, or None.
    """

    def __init__(self, roster: Roster, *, readyOf: Callable[[str], int], reconfig: Callable[[], Any]) -> None:
        self._roster = roster
        self._master = roster.master
        self._ready_of = readyOf
        self._reconfig = reconfig
        self._wanted: dict[str, Wanted] = {}
        self._timer: IDelayedCall | None = None
        # the notices that were told, by generator and key; in the order in which they were
        self._told: dict[str, None] = {}
        self._stored: list[str] = []
        self._objectid: int | None = None
        # workers that were to be back by now, with the hold that has ended
        self._expected: dict[str, tuple[float, str]] = {}
        # until when admins have held workers
        self._held: dict[str, float] = {}
        self._schedules = float("-inf")
        self._looking = self._failed = self._stopped = False

    @inlineCallbacks
    def start(self, wanted: Mapping[str, NoticeTerms]) -> Generator[Deferred[Any], Any, None]:
        """Begin, when it is known what was told before."""
        try:
            self._objectid = yield self._master.db.state.getObjectId(*objects.NOTICES)
            told = yield self._master.db.state.getState(self._objectid, "told", [])
            self._stored = [each for each in told if isinstance(each, str)]
            self._told = dict.fromkeys(self._stored)
        except Exception:  # noqa: BLE001 (better a notice twice than none)
            _log.failure("while reading which notices were sent")
        self.follow(wanted)
        if not self._stopped:
            self._tick()

    def follow(self, wanted: Mapping[str, NoticeTerms]) -> None:
        """From now on this is wanted, by the numbers of the generators."""
        for number in self._wanted.keys() - wanted.keys():
            del self._wanted[number]
        for number, terms in wanted.items():
            if number not in self._wanted:
                self._wanted[number] = Wanted(number, terms, self._roster, self._send)

    def stop(self) -> None:
        """Tell nothing any more. No timer is left."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def clockJumped(self) -> None:
        """The clock has jumped: look now."""
        if self._timer is not None:
            self._timer.reset(0)

    # --- what happens

    def happened(self, happening: Happening) -> None:
        """Something has happened."""
        if happening.kind == "order" and happening.outcome == "done" and happening.what in {"hold", "drain"}:
            for name in happening.workers:
                self._held.pop(name, None)
                if happening.what == "hold" and happening.until is not None:
                    self._held[name] = happening.until
        for each in tuple(self._wanted.values()):
            for notice in self._of(happening, each.terms):
                self._tell(each, notice)

    def _of(self, happening: Happening, terms: NoticeTerms) -> Iterable[Notice]:
        for name in happening.workers:
            if not isMeant(terms.workers, name):
                continue
            kind, text, until = "", None, None
            if happening.what == "absent":
                kind, text = (
                    "absent",
                    f"{name} is back" if happening.kind == "end" else GONE.format(name=name),
                )
            elif happening.what == "drain":
                kind, text = "drains", _drainText(name, happening)
            elif happening.kind in {"end", "order"}:
                kind, (text, until) = "backEarly", self._return(name, happening)
            if text is not None and getattr(terms, kind):
                key = f"{happening.kind} {name} {happening.what} {happening.at:.0f}"
                yield Notice(key, kind, text, (name,), since=happening.since, until=until)

    def _return(self, name: str, happening: Happening) -> tuple[str | None, float | None]:
        """What is said of a worker that is back, or released, before it had said; and when it had."""
        if happening.kind == "order":
            until = (
                self._held.get(name) if (happening.what, happening.outcome) == ("release", "done") else None
            )
            text = f"{name} is released early"
        else:
            until = happening.until if happening.what in {"worker", "admin"} else None
            text = f"{name} is back early"
            if until is not None and happening.outcome == "over":
                # it may be late
                self._expected[name] = (until, happening.what)
        return (None, None) if until is None or until - happening.at <= GRACE else (text, until)

    # --- what is true

    def _tick(self) -> None:
        self._timer = self._roster.clock.callLater(INTERVAL, self._tick)
        self._look()

    @inlineCallbacks
    def _look(self) -> Generator[Deferred[Any], Any, None]:
        if self._looking:
            return
        self._looking = True
        try:
            yield self._look_once()
            self._failed = False
        except Exception:  # noqa: BLE001 (a notice that is late is no build that is)
            if not self._failed:
                self._failed = True
                _log.failure(
                    "while looking for notices; it is looked again every minute, and this is said once"
                )
        finally:
            self._looking = False

    @inlineCallbacks
    def _look_once(self) -> Generator[Deferred[Any], Any, None]:
        now = self._roster.clock.seconds()
        waiting: dict[str, int] = {}
        if any(each.terms.starvingAfter is not None for each in self._wanted.values()):
            for builderid, number in (yield unclaimedRequests(self._master)).items():
                builder = self._master.botmaster.getBuilderById(builderid)
                if builder is not None:
                    waiting[builder.name] = number
        ready = {name: self._ready_of(name) for name in waiting}
        daily = not 0 <= now - self._schedules < DAILY
        if daily:
            self._schedules = now
        for each in tuple(self._wanted.values()):
            found = [*each.looks.ofWorkers(now), *each.looks.ofBuilders(waiting, ready, now)]
            if daily:
                found += each.looks.ofSchedules(now)
            found += [*self._late(each.terms, now), *self._waits(each.terms, now)]
            for notice in found:
                self._tell(each, notice)
            # (what was told just now was told later than that)
            each.outbox.look(self._roster.clock.seconds())
        self._expected = {name: what for name, what in self._expected.items() if now - what[0] < 2 * GRACE}
        yield self._store()

    def _late(self, terms: NoticeTerms, now: float) -> Iterable[Notice]:
        for name, (until, _) in self._expected.items() if terms.backLate else ():
            presence = self._roster.findWorker(name)
            holds = () if presence is None else [each for each in presence.holds if each.source != "break"]
            if holds and now - until >= GRACE and isMeant(terms.workers, name):
                text = f"{name} was to be back, and is {holdText(entityOf(holds[0]))}"
                yield Notice(f"late {name} {until:.0f}", "backLate", text, (name,), since=until)

    def _waits(self, terms: NoticeTerms, now: float) -> Iterable[Notice]:
        reconfig = self._reconfig()
        longest = terms.reconfigLongerThan
        if longest is not None and reconfig is not None and now - reconfig.since >= longest:
            by = f" that {reconfig.by} has ordered" if reconfig.by else ""
            text = f"the reconfiguration{by} still waits for builds to end"
            yield Notice(
                f"reconfig {reconfig.number} {reconfig.since:.0f}",
                "reconfigLongerThan",
                text,
                since=reconfig.since,
            )

    # --- and is told

    def _tell(self, wanted: Wanted, notice: Notice) -> None:
        told = f"{wanted.number} {notice.key}"
        if told in self._told:
            return
        self._told[told] = None
        while len(self._told) > _MOST:
            del self._told[next(iter(self._told))]
        now = self._roster.clock.seconds()
        people = [*wanted.terms.to]
        if wanted.terms.owners:
            for name in notice.workers:
                worker = self._master.workers.workers.get(name)
                people += [each for each in sorted(ownersOf(worker)) if isAddress(each)]
        for each in dict.fromkeys(people) if people else (None,):
            wanted.outbox.put(each, notice, now)

    def _send(
        self, number: str, recipient: str | None, notices: list[Notice], left_out: int, digest: bool
    ) -> None:
        self._master.mq.produce(
            (EVENTS, number, "new"),
            {
                "recipients": [] if recipient is None else [recipient],
                "notices": [self._entity(each) for each in notices],
                "left_out": left_out,
                "digest": digest,
            },
        )

    def _entity(self, notice: Notice) -> dict[str, Any]:
        entity = asdict(notice)
        del entity["key"]
        entity["workers"] = list(notice.workers)
        url = self._master.config.buildbotURL
        entity["url"] = (
            f"{url}#/presence?view=worker&worker={quote(notice.workers[0], safe='')}"
            if len(notice.workers) == 1
            else None
        )
        return entity

    @inlineCallbacks
    def _store(self) -> Generator[Deferred[Any], Any, None]:
        told = list(self._told)
        while len(json.dumps(told)) > _MOST_STORED:
            del told[: len(told) // 10 + 1]
        if told != self._stored and self._objectid is not None:
            yield self._master.db.state.setState(self._objectid, "told", told)
            self._stored = told


def _drainText(name: str, happening: Happening) -> str | None:
    """What is said of a drain that is done, or was given up; None of one that is ordered."""
    if happening.kind == "drained":
        late = ", after its deadline" if happening.outcome == "late" else ""
        return f"{name} is drained{late}: nothing runs on it any more"
    return f"{name} was not drained at the deadline, and is released" if happening.kind == "result" else None
