"""What may be ordered of the configuration of a master over Buildbot's API: reconfig, plan, cancel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from presence.orders.ancestry import ANCESTORS
from presence.orders.reading import Action, Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What may be done with what still runs at the deadline, and what each of them means.
ON_DEADLINE: Mapping[str, str] = {
    "abort": "go on as before, and change nothing",
    "interrupt": "end it, so that its requests are built again afterwards, and reconfigure",
    "reconfig": "reconfigure all the same, and let it be hurt",
}


@dataclass(frozen=True, slots=True)
class ReconfigOrder:
    """Reconfigure when nothing runs that would be hurt, or, with `everything`, when nothing runs at all.

    `deadline` (seconds since the epoch; None: no end) is how long to wait, and `onDeadline`, one of `ON_DEADLINE`,
    what happens then. `ancestors` are the processes from which it is ordered (`presence.orders.ancestry`).
    """

    everything: bool = False
    deadline: float | None = None
    onDeadline: str = "abort"
    ancestors: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """Say what a reconfiguration would hold, and do nothing."""

    everything: bool = False


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Give up the reconfiguration that waits."""


def _reconfig(**values: Any) -> ReconfigOrder:
    if "onDeadline" in values and "deadline" not in values:
        raise ValueError("on_deadline says what happens at the deadline: give deadline as well")
    return ReconfigOrder(**values)


_ALL = {"all": Parameter("flag", "whether it is about everything that runs", field="everything")}

ACTIONS: Mapping[str, Action] = {
    "reconfig": Action(
        {
            **_ALL,
            "deadline": Parameter("instant", "how long to wait; null: to the end"),
            "on_deadline": Parameter(
                "choice", "what happens then", choices=tuple(ON_DEADLINE), field="onDeadline"
            ),
            **ANCESTORS,
        },
        _reconfig,
    ),
    "plan": Action(_ALL, PlanOrder),
    "cancel": Action({}, CancelOrder),
}
