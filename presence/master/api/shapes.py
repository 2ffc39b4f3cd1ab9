"""The shapes of what the API answers and sends as events: JSON objects, field by field. They are imported for type checking alone.

All instants are seconds since the epoch. The names of states, and what may be null, are in `docs/rest.rst`.
"""

from __future__ import annotations

from typing import TypedDict


class HoldEntity(TypedDict):
    """One reason why a worker does not accept builds; `until` is None where it has no end."""

    source: str
    reason: str | None
    by: str | None
    since: float
    until: float | None


class BreakEntity(TypedDict):
    """A break as it happens; `stop` is None where no end is in sight, `interrupts_at` where what runs goes on."""

    start: float
    stop: float | None
    reason: str | None
    finish_before: bool
    interrupts_at: float | None


class PartialBreakEntity(BreakEntity):
    """A break in which some builds may start: which ones is said by `limit`, for people."""

    limit: str


class BreaksEntity(TypedDict):
    """The breaks of a worker, and the partial ones, of some days."""

    breaks: list[BreakEntity]
    partial_breaks: list[PartialBreakEntity]


class LimitEntity(TypedDict):
    """What may start in a partial break that is now, for people, and until when; None where no end is in sight."""

    limit: str
    until: float | None


class RefusedEntity(TypedDict):
    """A builder whose builds wait, as they would not be finished before a break; `until` is None where that is not known."""

    builder: str
    reason: str
    until: float | None
    finish_by: float | None


class BlockEntity(TypedDict):
    """Why nothing would start, though nothing holds it: `kind` is ``lock`` or ``reconfig``, and `text` for people."""

    kind: str
    text: str


class DrainEntity(TypedDict):
    """How a worker is drained; `state` is ``draining`` or ``drained``."""

    state: str
    deadline: float | None
    on_deadline: str
    group: str | None


class PresenceEntity(TypedDict):
    """A worker; `builders` are ids, and `breaks` and `partial_breaks` are there where they were asked for.

    `masterid` is the one of several masters that tells of it, and `stale_since` is since when nothing is heard of that one.
    """

    workerid: int
    name: str
    state: str
    holds: list[HoldEntity]
    connected: bool
    busy: bool
    running: int
    back_at: float | None
    next_break: BreakEntity | None
    breaks: list[BreakEntity]
    partial_breaks: list[PartialBreakEntity]
    limits: list[LimitEntity]
    refused: list[RefusedEntity]
    blocked: list[BlockEntity]
    interrupts_at: float | None
    work_until: float | None
    builders: list[int]
    groups: list[str]
    zones: list[str]
    holdable: bool
    drain: DrainEntity | None
    masterid: int | None
    stale_since: float | None


class AcknowledgementEntity(TypedDict):
    """Whether an order is `heeded`, by which masters (their names), and which have the worker and have not confirmed; `text` says so for
    people, None where it is heeded.
    """

    heeded: bool
    heeded_by: list[str]
    not_confirmed: list[str]
    text: str | None


class OrderedEntity(TypedDict):
    """The answer to an order: beside these three the worker as it is then, of a worker of this master's."""

    workerid: int
    name: str
    order: AcknowledgementEntity


class BuilderPresenceEntity(TypedDict):
    """A builder: how many of its workers are `ready`, of how many in `total`, and how many requests are `waiting`.
    `hold` is that of the builder itself.
    """

    builderid: int
    name: str
    state: str
    ready: int
    total: int
    waiting: int
    reason: str | None
    back_at: float | None
    hold: HoldEntity | None


class AwaitedEntity(TypedDict):
    """A request for which a build waits; `running` when it is being built."""

    buildrequestid: int
    builderid: int
    builder: str | None
    running: bool


class RunningBuildEntity(TypedDict):
    """A build that runs; `remaining` is in seconds, None where that cannot be estimated."""

    buildid: int
    number: int
    builderid: int
    builder: str
    workerid: int | None
    worker: str
    masterid: int
    started_at: float
    remaining: float | None
    waits_for: list[AwaitedEntity]


class ReasonEntity(TypedDict):
    """One thing that a request waits for; `until` is the end of it, `estimated` from builds of the past, None if unknown."""

    kind: str
    text: str
    since: float | None
    until: float | None
    estimated: bool
    hint: str | None


class WorkerReasonsEntity(TypedDict):
    """Why a request does not start on one worker, and when it may, if one knows."""

    workerid: int | None
    name: str
    reasons: list[ReasonEntity]
    earliest: float | None
    estimated: bool


class RequestPresenceEntity(TypedDict):
    """Why a request waits, or (then `buildrequestid` is None) one of its builder would; `total` counts its workers."""

    buildrequestid: int | None
    builderid: int
    builder: str | None
    state: str
    submitted_at: float | None
    ahead: int
    reasons: list[ReasonEntity]
    workers: list[WorkerReasonsEntity]
    total: int
    summary: list[ReasonEntity]
    earliest: float | None
    estimated: bool


class HeldEntity(TypedDict):
    """What a reconfiguration holds and why; None is every builder, or every worker."""

    builder: str | None
    worker: str | None
    why: str


class WaitingForEntity(TypedDict):
    """A build that a reconfiguration waits for. What is being prepared has no `buildid` and no `since` yet."""

    buildid: int | None
    number: int | None
    builder: str
    worker: str
    since: float | None
    remaining: float | None


class OutcomeEntity(TypedDict):
    """How the last reconfiguration has ended: see `presence.master.quiesce.reconfiguration.Outcome`."""

    number: int
    result: str
    by: str | None
    at: float
    mistakes: list[str]


class ReconfigEntity(TypedDict):
    """The reconfiguration of a master; `state` is ``idle``, ``waiting`` or ``reconfiguring``."""

    masterid: int
    state: str
    number: int | None
    by: str | None
    since: float | None
    all: bool
    deadline: float | None
    on_deadline: str | None
    held: list[HeldEntity]
    waiting_for: list[WaitingForEntity]
    last: OutcomeEntity | None


class RequestedEntity(ReconfigEntity):
    """The answer to an order of a reconfiguration, with the `mistakes` for which it was refused, and the ids of the builds from
    `inside` of which it was ordered.
    """

    inside: list[int]
    mistakes: list[str]


class PlanEntity(TypedDict):
    """What an order of a reconfiguration changes (for people) and would hold, and for whom it would wait; or the `mistakes`."""

    all: bool
    changes: list[str]
    held: list[HeldEntity]
    waiting_for: list[WaitingForEntity]
    mistakes: list[str]


class TrailEntity(TypedDict):
    """One thing that has happened: see `presence.master.happenings.happening`. `left_out` are the like ones before it that are not told."""

    number: int
    at: float
    kind: str
    what: str
    workers: list[str]
    builders: list[str]
    by: str | None
    reason: str | None
    since: float | None
    until: float | None
    outcome: str | None
    problem: str | None
    left_out: int
    text: str


class ShutdownEntity(TypedDict):
    """The stop of a master; `state` is ``running`` or ``stopping``."""

    masterid: int
    state: str
    reason: str | None
    by: str | None
    since: float | None
    deadline: float | None
    on_deadline: str | None
