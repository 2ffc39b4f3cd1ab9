"""What may be ordered of a whole master over Buildbot's API: to stop when nothing runs, and not to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from presence.orders.ancestry import ANCESTORS
from presence.orders.reading import Action, Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What may happen at the deadline: the master goes on as before; or what still runs is interrupted, and is built again
#: when the master is started.
ON_DEADLINE = ("abort", "interrupt")


@dataclass(frozen=True, slots=True)
class StopOrder:
    """Stop when nothing runs, because of `reason` (or None). At `deadline` (seconds since the epoch; None: there is
    none) do as `onDeadline` says, one of `ON_DEADLINE`; None is the first of them. `ancestors` are the processes from which
    it is ordered.
    """

    reason: str | None = None
    deadline: float | None = None
    onDeadline: str | None = None
    ancestors: tuple[str, ...] = field(default=(), repr=False)

    @property
    def atDeadline(self) -> str:
        """What happens at the deadline."""
        return self.onDeadline or ON_DEADLINE[0]


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Do not stop."""


ACTIONS: Mapping[str, Action] = {
    "stop": Action(
        {
            "reason": Parameter("text", "why, for people"),
            "deadline": Parameter("instant", "how long to wait; null: to the end"),
            "on_deadline": Parameter("choice", "what happens then", choices=ON_DEADLINE, field="onDeadline"),
            **ANCESTORS,
        },
        StopOrder,
    ),
    "cancel": Action({}, CancelOrder),
}
