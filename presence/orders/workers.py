"""What may be ordered of a worker over Buildbot's API: hold, drain, release, work, push, withdraw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from presence.orders.ancestry import ANCESTORS
from presence.orders.reading import Action, Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """Accept no builds, because of `reason` (or None), before `until` (seconds since the epoch; None: no end); with
    `force` also where too few would be ready.
    """

    reason: str | None = None
    until: float | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class DrainOrder:
    """Accept no builds, because of `reason` (or None), but let those that run and what they wait for finish.

    At `deadline` (seconds since the epoch; None: there is none), when something still runs, do as `onDeadline` says,
    one of `ON_DEADLINE`; None is the first of them. Workers with the same `group` (None: none) are drained together:
    what runs on one of them may wait for a build that only another one can do. `force` is as in `HoldOrder`. `ancestors`
    are the processes from which it is ordered.
    """

    reason: str | None = None
    deadline: float | None = None
    onDeadline: str | None = None
    group: str | None = None
    force: bool = False
    ancestors: tuple[str, ...] = field(default=(), repr=False)


#: What may happen at the deadline of a drain: what still runs is interrupted, and built again elsewhere; or the drain
#: is given up.
ON_DEADLINE = ("interrupt", "release")


@dataclass(frozen=True, slots=True)
class ReleaseOrder:
    """End the hold, or the drain."""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """Accept builds in spite of the breaks before `until` (seconds since the epoch); None: keep the breaks again."""

    until: float | None = None


#: For how long a hold may be pushed at a time, in seconds: who pushes renews it, and it goes when that stops.
LONGEST_PUSH = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class PushOrder:
    """Accept no builds before `until` (seconds since the epoch), because of `reason` (or None), as `source` says, which
    measures something. Several sources may at once; each renews and ends its own.
    """

    source: str
    until: float
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class WithdrawOrder:
    """End the hold that `source` has pushed."""

    source: str


#: The parameter that names the workers, where something is ordered of several at once.
WORKERS = "workers"


def readNames(value: object) -> tuple[str, ...] | None:
    """The names of the workers that the value of `WORKERS` says, each once; None for what does not say any."""
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        return None
    return tuple(dict.fromkeys(value))


Order = HoldOrder | DrainOrder | ReleaseOrder | WorkOrder | PushOrder | WithdrawOrder


_FORCE = Parameter("flag", "whether to do it also where too few workers would be ready")

_SOURCE_NAME = Parameter("name", "the name of what measures, such as zabbix", required=True, nullable=False)


ACTIONS: Mapping[str, Action] = {
    "hold": Action(
        {
            "reason": Parameter("text", "why, for people"),
            "until": Parameter("instant", "when the hold ends by itself; null: never"),
            "force": _FORCE,
        },
        HoldOrder,
    ),
    "drain": Action(
        {
            "reason": Parameter("text", "why, for people"),
            "deadline": Parameter("instant", "how long what runs may go on; null: to its end"),
            "on_deadline": Parameter(
                "choice",
                "what happens then to what still runs",
                choices=ON_DEADLINE,
                field="onDeadline",
            ),
            "group": Parameter("text", "the same for workers that are drained together"),
            "force": _FORCE,
            **ANCESTORS,
        },
        DrainOrder,
    ),
    "release": Action({}, ReleaseOrder),
    "work": Action(
        {"until": Parameter("instant", "until when breaks are disregarded; null: no longer", required=True)},
        WorkOrder,
    ),
    "push": Action(
        {
            "source": _SOURCE_NAME,
            "reason": Parameter("text", "what it has measured, for people"),
            "until": Parameter(
                "instant", "when the hold ends unless it is pushed again", required=True, nullable=False
            ),
        },
        PushOrder,
    ),
    "withdraw": Action({"source": _SOURCE_NAME}, WithdrawOrder),
}
