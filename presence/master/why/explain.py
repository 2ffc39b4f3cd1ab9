"""Explains why a request waits, from facts alone: no Buildbot, no clock, no database."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from presence.master.why.facts import Reason, Why, Workers, WorkerWhy
from presence.words import waiting as words
from presence.words.holds import HOLDS, holdText, sourceOf

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from presence.master.why.facts import Running, Taken, WorkerFacts
    from presence.model.states import Hold

#: How many workers are named in a summary; of the others it is counted what they do.
NAMED = 3

# How many builds are named that a reason speaks of.
_BUILDS = 3


class _End(NamedTuple):
    """When something is over, or None where nobody knows; and whether that is estimated."""

    at: float | None
    estimated: bool


def explain(workers: Workers, general: Sequence[Reason], ahead: int = 0) -> Why:
    """Why a request waits, when these are the workers of its builder, and `general` the reasons that concern all of them."""
    reasons = [*general]
    if ahead:
        one, many = words.AHEAD
        reasons.append(Reason("queue", one if ahead == 1 else many.replace("{count}", str(ahead))))
    if not workers.workers and not general:
        reasons.append(Reason("workers", words.NO_WORKERS, hint=words.HINTS["workers"]))
    return Why(tuple(reasons), workers, ahead, *_start(workers, general, ahead))


def explainWorkers(workers: Iterable[WorkerFacts], now: float) -> Workers:
    """Why a request does not start on these workers."""
    found = tuple(sorted((explainWorker(each, now) for each in workers), key=_urgency))
    return Workers(found, _summary(found), tuple(each for each in found if each.earliest is not None))


def explainWorker(worker: WorkerFacts, now: float) -> WorkerWhy:
    """Why the request does not start on this worker. There is always a reason, if only that nothing is in the way."""
    reasons = [
        *(_held(each, worker) for each in worker.holds),
        *worker.refusals,
        *_busy(worker),
        *(lockReason(each) for each in worker.locks),
    ]
    ends = [_End(each.until, each.estimated) for each in reasons[len(worker.holds) :]]
    if worker.holds:
        # with the breaks that follow without a gap
        ends.append(_End(worker.backAt, estimated=False))
    if not worker.attached and not worker.holds:
        reasons.append(Reason("connecting", words.CONNECTING))
        ends.append(_End(None, estimated=False))
    if not reasons and worker.accepts is False:
        reasons.append(Reason("class", words.REFUSES.replace("{kind}", worker.className)))
        ends.append(_End(None, estimated=False))
    if not reasons:
        return WorkerWhy(worker.name, worker.workerid, (Reason("free", words.FREE),), now, estimated=False)
    end = _last(ends)
    if end.at is not None and worker.freeFrom is not None and end.at > now:
        # a build may end in the middle of a break
        end = _End(worker.freeFrom(end.at), end.estimated)
    return WorkerWhy(worker.name, worker.workerid, tuple(reasons), *end)


def _summary(workers: Sequence[WorkerWhy]) -> tuple[Reason, ...]:
    """What to say of them in a sentence: each by name, or the first of them and what the others do."""
    shown = workers if len(workers) <= NAMED else workers[:1]
    clauses = [
        replace(each, text=each.text if place else f"{worker.name}: {each.text}")
        for worker in shown
        for place, each in enumerate(worker.reasons)
    ]
    if len(shown) < len(workers):
        counts = Counter(_kind(each) for each in workers[len(shown) :])
        text = ", ".join(f"{number} {kind}" for kind, number in counts.most_common())
        clauses.append(Reason("others", words.OTHERS.replace("{counts}", text)))
    return tuple(clauses)


def _start(workers: Workers, general: Sequence[Reason], ahead: int) -> _End:
    """When a request may start: with so many ahead of it, when so many workers have become free before."""
    if len(workers.known) <= ahead:
        return _End(None, estimated=False)
    first = workers.known[ahead]
    # that those ahead of it start there is a guess, too
    ends = [_End(first.earliest, first.estimated or ahead > 0)]
    return _last([*ends, *(_End(each.until, each.estimated) for each in general)])


def _last(ends: Iterable[_End]) -> _End:
    """When all of them are over."""
    last = _End(-math.inf, estimated=False)
    for each in ends:
        if each.at is None:
            return _End(None, estimated=False)
        if each.at > (last.at or -math.inf):
            last = each
    return last


def _urgency(worker: WorkerWhy) -> tuple[float, str]:
    return (math.inf if worker.earliest is None else worker.earliest), worker.name


def _kind(worker: WorkerWhy) -> str:
    kind = worker.reasons[0].kind
    return HOLDS[kind][0] if kind in HOLDS else words.KINDS[kind]


def _held(hold: Hold, worker: WorkerFacts) -> Reason:
    said = {"source": hold.source, "reason": hold.reason, "by": hold.by}
    text = holdText(said, drain=worker.drained)
    hint = words.HINTS.get(hold.source)
    # since when it is connected no longer is what one asks; of the others one asks for how long still
    since = hold.since if hold.source == "offline" else None
    return Reason(
        sourceOf(said), text, since, hold.until, hint=hint and hint.replace("{worker}", worker.name)
    )


def _busy(worker: WorkerFacts) -> list[Reason]:
    if worker.own is not None:
        text = words.BUSY.replace("{build}", worker.own.name)
        return [Reason("busy", text, until=worker.own.until, estimated=worker.own.until is not None)]
    if worker.most is None or len(worker.running) < worker.most:
        return []
    # so many of them have to end
    until = _nth(worker.running, len(worker.running) - worker.most)
    text = words.FULL.replace("{most}", str(worker.most)).replace("{builds}", _names(worker.running))
    return [Reason("busy", text, until=until, estimated=until is not None)]


def lockReason(taken: Taken) -> Reason:
    """That a lock is taken, and by whom."""
    until = _nth(taken.owners, len(taken.owners) - 1 if taken.all else 0) if taken.owners else None
    if taken.owners:
        text = words.LOCKED_BY.replace("{has}", "has" if len(taken.owners) == 1 else "have")
        text = text.replace("{lock}", taken.lock).replace("{owners}", _names(taken.owners))
    else:
        text = words.LOCKED.replace("{lock}", taken.lock)
    return Reason("lock", text, until=until, estimated=until is not None)


def heldReason(builder: str, hold: Hold) -> Reason:
    """That an admin holds the builder itself."""
    held = holdText({"source": hold.source, "reason": hold.reason, "by": hold.by})
    hint = words.HINTS["held"].replace("{builder}", shlex.quote(builder))
    return Reason("held", words.HELD.replace("{held}", held), until=hold.until, hint=hint)


def reconfigReason(why: str) -> Reason:
    """That a reconfiguration holds builds, and why."""
    text = holdText({"source": "reconfig", "reason": why, "by": None})
    return Reason("reconfig", text, hint=words.HINTS["reconfig"])


def buildName(build: Any) -> str:
    """What a build (Buildbot's) is called: "runtests #12"."""
    name = str(build.builder.name)
    return name if build.number is None else f"{name} #{build.number}"


def _nth(builds: Sequence[Running], place: int) -> float | None:
    """When so many of the builds, and one more, have ended; None when that is not known."""
    ends = sorted(math.inf if each.until is None else each.until for each in builds)
    return None if math.isinf(ends[place]) else ends[place]


def _names(builds: Sequence[Running]) -> str:
    names = [each.name for each in builds[:_BUILDS]]
    if len(builds) > _BUILDS:
        names.append(f"{len(builds) - _BUILDS} more")
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
