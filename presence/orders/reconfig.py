"""What may be ordered of the configuration of a master over Buildbot's API: reconfig, plan, cancel. Read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from presence.orders.workers import UnknownAction, readInstant, short, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What may be done with what still runs at the deadline, and what each of them means.
ON_DEADLINE: Mapping[str, str] = {
    "abort": "go on as before, and change nothing",
    "interrupt": "end it, so that its requests are built again afterwards, and reconfigure",
    "reconfig": "reconfigure all the same, and let it be hurt",
}


@dataclass(frozen=True)
class ReconfigOrder:
    """Reconfigure when nothing runs that would be hurt, or, with `everything`, when nothing runs at all.

    `deadline` (seconds since the epoch; None: no end) is how long to wait, and `onDeadline`, one of `ON_DEADLINE`,
    what happens then.
    """

    everything: bool = False
    deadline: float | None = None
    onDeadline: str = "abort"


@dataclass(frozen=True)
class PlanOrder:
    """Say what a reconfiguration would hold, and do nothing."""

    everything: bool = False


@dataclass(frozen=True)
class CancelOrder:
    """Give up the reconfiguration that waits."""


def readReconfigOrder(
    action: str, parameters: Mapping[str, Any], now: float
) -> ReconfigOrder | PlanOrder | CancelOrder:
    """The order that `action` with `parameters` is, at the instant `now` (seconds since the epoch).

    A parameter that is null is as good as missing. Raises `UnknownAction`, and `ValueError` for any other mistake; both say
    what would be right.
    """
    known = ACTIONS.get(action)
    if known is None:
        raise UnknownAction(f"there is no action {short(action)}: there are {', '.join(ACTIONS)}")
    kind, readers = known
    values = {}
    for name, value in parameters.items():
        if name not in readers:
            raise ValueError(f"{action} has no parameter {short(name)}{suggestion(name, readers)}")
        if value is not None:
            attribute, read = readers[name]
            try:
                values[attribute] = read(value, now)
            except ValueError as problem:
                raise ValueError(f"{name}: {problem}") from None
    if "onDeadline" in values and "deadline" not in values:
        raise ValueError("on_deadline says what happens at the deadline: give deadline as well")
    order: ReconfigOrder | PlanOrder | CancelOrder = kind(**values)
    return order


def _flag(value: object, _now: float) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{short(value)} is neither true nor false")  # noqa: TRY004 (mistakes are ValueErrors)
    return value


def _choice(value: object, _now: float) -> str:
    if not isinstance(value, str) or value not in ON_DEADLINE:
        raise ValueError(f"{short(value)} is none of {', '.join(ON_DEADLINE)}")
    return value


_ALL = {"all": ("everything", _flag)}

#: The actions: what makes an order of their parameters, and of each of those its name there and how it is read.
ACTIONS: Mapping[str, tuple[Callable[..., Any], Mapping[str, tuple[str, Callable[[object, float], Any]]]]] = {
    "reconfig": (
        ReconfigOrder,
        {**_ALL, "deadline": ("deadline", readInstant), "on_deadline": ("onDeadline", _choice)},
    ),
    "plan": (PlanOrder, _ALL),
    "cancel": (CancelOrder, {}),
}
