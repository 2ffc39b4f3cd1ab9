"""What is known of a request that waits, and of the workers that could build it: data and nothing else.

All instants are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from presence.model.states import Hold


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a request waits for.

    `text` says it without its instants: `since`, and `until`, the end of it, which is known or (`estimated`) worked out from
    builds of the past; None where it is not known, and not worth saying. `kind` is a word for programs (of a hold, its
    source), and `hint` what could be done about it.
    """

    kind: str
    text: str
    since: float | None = None
    until: float | None = None
    estimated: bool = False
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A build that runs: what it is called ("runtests #12"), and until about when it does."""

    name: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A lock that cannot be taken now, and the builds that have it; not known of some. `all` of them must release it."""

    lock: str
    owners: tuple[Running, ...]
    all: bool


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What is known of a worker that could build a request.

    `backAt` is when what holds it ends, and `freeFrom` the first instant from another one on that is in no break of it.
    `own` is the build of the same builder that runs there (there is one at most), and `running` are all, of which it has
    at most `most`. `refusals` are made by whoever has decided: doors, functions of `master.cfg`. `accepts` is what Buildbot
    says itself, None when that was not asked.
    """

    name: str
    workerid: int | None = None
    attached: bool = True
    holds: tuple[Hold, ...] = ()
    drained: bool = False
    backAt: float | None = None
    freeFrom: Callable[[float], float | None] | None = None
    refusals: tuple[Reason, ...] = ()
    own: Running | None = None
    running: tuple[Running, ...] = ()
    most: int | None = None
    locks: tuple[Taken, ...] = ()
    accepts: bool | None = None
    className: str = ""


@dataclass(frozen=True, slots=True)
class WorkerWhy:
    """Why a request does not start on one worker: at least one reason, and when all of them are over, if that is known."""

    name: str
    workerid: int | None
    reasons: tuple[Reason, ...]
    earliest: float | None
    estimated: bool


@dataclass(frozen=True, slots=True)
class Workers:
    """Why a request starts on none of the workers of its builder: those first that are free first. `summary` says it in few
    words, and `known` are those of which one knows when they are free.
    """

    workers: tuple[WorkerWhy, ...]
    summary: tuple[Reason, ...]
    known: tuple[WorkerWhy, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Why a request waits: what concerns all workers, and each worker; and both in a few words. `earliest` is the first
    known instant at which it may start, `ahead` how many other requests Buildbot takes first.
    """

    reasons: tuple[Reason, ...]
    workers: Workers
    ahead: int
    earliest: float | None
    estimated: bool

    @property
    def summary(self) -> tuple[Reason, ...]:
        """The reasons, the general ones first."""
        return self.reasons + self.workers.summary
