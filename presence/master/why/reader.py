"""Finds out why requests wait, when somebody asks. Nothing of it is kept, and nothing is done while nobody does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from buildbot.interfaces import IRenderable
from twisted.internet.defer import inlineCallbacks

from presence.master.why.explain import NAMED, explain, explainWorkers, heldReason
from presence.master.why.facts import Reason, Why
from presence.master.why.workers import Builds, Candidates, estimatesOf
from presence.words import waiting as words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from twisted.internet.defer import Deferred

    from presence.master.breaks.door import BreakDoor
    from presence.master.builds.requests import Request
    from presence.master.farm.seen.snapshots import Snapshots
    from presence.master.quiesce.gate import ReconfigGate
    from presence.master.quiesce.shutdown import Stop
    from presence.master.roster import Roster
    from presence.master.starting.answers import SiteAnswers
    from presence.master.starting.decisions import Look
    from presence.master.why.facts import WorkerFacts, Workers
    from presence.model.states import Hold

#: How long a function of `master.cfg` may take to answer before it is said that everybody waits for it, in seconds.
PATIENCE = 2.0

_NOT_HERE = Reason("builder", words.NOT_HERE)


class WhyReader:
    """Why the requests of a master wait. `stop` gives what was ordered of its stop, None if nothing was, and
    `builderHold` what holds a builder. With `farm`, what other masters tell of their workers, it is known of those, too.
    """

    #: of a longer list of workers so many are told by name
    named = NAMED

    def __init__(
        self,
        roster: Roster,
        door: BreakDoor,
        gate: ReconfigGate,
        answers: SiteAnswers,
        stop: Callable[[], Stop | None],
        *,
        builderHold: Callable[[str], Hold | None],
        farm: Callable[[], Snapshots | None] = lambda: None,
    ) -> None:
        self._roster = roster
        self._door = door
        self._gate = gate
        self._answers = answers
        self._stop = stop
        self._builder_hold = builderHold
        self._farm = farm

    @property
    def _master(self) -> Any:
        return self._roster.master

    @inlineCallbacks
    def ofBuilder(self, name: str) -> Generator[Deferred[Any], Any, Why]:
        """Why a request of this builder, made now, would wait, in a Deferred."""
        facts = yield self._facts([name])
        workers = explainWorkers(facts.get(name, ()), self._now())
        return explain(workers, tuple(self._reasons(name, awaited=False)))

    @inlineCallbacks
    def ofRequests(
        self, requests: Iterable[Request], named: Callable[[int], str | None]
    ) -> Generator[Deferred[Any], Any, dict[int, Why]]:
        """Why each of these requests waits, by their ids, in a Deferred. `named` gives the name of a builder of this master."""
        requests = list(requests)
        names = {each.builderid: named(each.builderid) for each in requests}
        facts = yield self._facts(name for name in set(names.values()) if name is not None)
        found: dict[int, Why] = {}
        # what many requests have in common is worked out once
        workers: dict[tuple[str, frozenset[str]], Workers] = {}
        general: dict[tuple[str, bool], tuple[Reason, ...]] = {}
        for each in requests:
            name = names[each.builderid]
            # (a builder may go while the database is asked)
            config = None if name is None else self._config(name)
            if name is not None and config is None and name in facts and self._farm() is not None:
                # other masters have it
                reasons = tuple(self._reasons(name, awaited=each.awaited))
                found[each.id] = explain(explainWorkers(facts[name], self._now()), reasons, each.ahead)
                continue
            if name is None or config is None or name not in facts:
                found[each.id] = explain(explainWorkers((), self._now()), (_NOT_HERE,))
                continue
            look = self._answers.decisions.of(name)
            refused = frozenset() if look is None else frozenset(look.refused.get(each.id, ()))
            if (name, refused) not in workers:
                meant = self._without(facts[name], refused, config)
                workers[name, refused] = explainWorkers(meant, self._now())
            if (name, each.awaited) not in general:
                general[name, each.awaited] = tuple(self._reasons(name, awaited=each.awaited))
            reasons = general[name, each.awaited]
            if look is not None:
                reasons = (*reasons, *_decided(look, each.id))
            # a function of the site's may take any of them first
            ahead = 0 if config.nextBuild else each.ahead
            found[each.id] = explain(workers[name, refused], reasons, ahead)
        return found

    @inlineCallbacks
    def _facts(self, names: Iterable[str]) -> Generator[Deferred[Any], Any, dict[str, list[WorkerFacts]]]:
        """What is known of the workers of builders, by the names of these; one that has gone is missing."""
        names = list(names)
        builds = Builds(self._master)
        candidates: dict[str, Candidates] = {}
        for name in names:
            if self._config(name) is not None:
                builder = self._master.botmaster.builders[name]
                candidates[name] = Candidates(self._roster, self._door, self._gate, builder, builds)
                yield candidates[name].collect()
        about = {build for each in candidates.values() for build in each.about}
        remaining = yield estimatesOf(self._master, about)
        now = self._now()
        found = {name: each.facts(remaining, now) for name, each in candidates.items()}
        farm = self._farm()
        if farm is None:
            return found
        # of those that are connected to another master that one knows
        from presence.master.why.told import factsOfFarm  # noqa: PLC0415

        told = yield factsOfFarm(self._master, farm, names)
        for name, facts in told.items():
            here = {each.name: each for each in found.get(name, ())}
            found[name] = list((here | {each.name: each for each in facts}).values())
        return found

    def _config(self, name: str) -> Any:
        """What is configured of a builder; None when it is not there."""
        builder = self._master.botmaster.builders.get(name)
        return None if builder is None else builder.config

    def _reasons(self, builder: str, *, awaited: bool) -> Iterator[Reason]:
        if self._config(builder) is not None:
            yield from self._reasons_here(awaited=awaited)
        hold = self._builder_hold(builder)
        if hold is not None:
            yield heldReason(builder, hold)
        if self._answers.decisions.isLeftOut(builder):
            yield Reason("function", words.LEFT_OUT)

    def _reasons_here(self, *, awaited: bool) -> Iterator[Reason]:
        """What concerns all builders of this master."""
        botmaster = self._master.botmaster
        if botmaster.shuttingDown and not awaited:
            yield self._stopping()
        elif not botmaster.brd.can_distribute:
            yield Reason("master", words.STARTS_NOTHING)
        for what, since in self._answers.overdue(PATIENCE):
            yield Reason("function", words.NO_ANSWER.replace("{function}", what), since)

    def _stopping(self) -> Reason:
        stop = self._stop()
        by = None if stop is None else stop.by
        text = words.STOPPING if by is None else words.STOPPING_BY.replace("{by}", by)
        return Reason("master", text, None if stop is None else stop.since, hint=words.HINTS["master"])

    @staticmethod
    def _without(workers: list[WorkerFacts], refused: frozenset[str], config: Any) -> list[WorkerFacts]:
        """The workers, of which Buildbot has refused some for a request when they were free."""
        if not refused:
            return workers
        reason = Reason("function", _refusal(config))
        return [
            replace(each, refusals=(*each.refusals, reason))
            if each.name in refused and _isFree(each)
            else each
            for each in workers
        ]

    def _now(self) -> float:
        now: float = self._master.reactor.seconds()
        return now


def _decided(look: Look, request: int) -> Iterator[Reason]:
    """What the functions of `master.cfg` have said of a request in the last look at its builder."""
    if look.failed is not None:
        yield _failed("nextBuild", look.failed)
    elif look.asked and request not in look.chosen:
        last = next(reversed(look.chosen), None)
        text = words.NO_REQUEST_CHOSEN if last is None else words.OTHER_CHOSEN.replace("{request}", str(last))
        yield Reason("function", text)
    if request in look.noWorker:
        problem = look.noWorker[request]
        yield (
            Reason("function", words.NO_WORKER_CHOSEN) if problem is None else _failed("nextWorker", problem)
        )


def _failed(function: str, problem: str) -> Reason:
    return Reason("function", words.FAILED.replace("{function}", function).replace("{problem}", problem))


def _refusal(config: Any) -> str:
    """Why a worker that is free may have been refused, as the configuration of the builder has it."""
    if callable(config.canStartBuild):
        return words.REFUSED
    return words.LOCKS_TAKEN if IRenderable.providedBy(config.locks) else words.INCOMPATIBLE


def _isFree(worker: WorkerFacts) -> bool:
    """Whether nothing else is known to be in the way on it."""
    return not (worker.holds or worker.refusals or worker.own or worker.locks or worker.running)
