"""The floor: how many workers are to stay ready, whatever admins order. Pure: what is stored, and what else is known, is given."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from presence.orders.refusals import OrderRefused
from presence.orders.workers import DrainOrder, HoldOrder
from presence.words.holds import holdText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from presence.orders.record import AdminRecord
    from presence.orders.workers import Order

#: What is in the sentence with which a floor refuses, and in no other: a command may wait then.
REFUSED = "(keepReady)"

# How many workers are named that are away.
_NAMED = 5

_ALL = 100


@dataclass(frozen=True, slots=True)
class Floor:
    """How many workers of `name` (a builder, a group, or a pattern) are to be ready: `least`, or that percentage of them."""

    name: str
    least: int
    isPercentage: bool = False

    @classmethod
    def read(cls, name: str, value: object) -> Floor:
        """The floor that ``2``, or ``"50%"``, means. `ValueError` for anything else."""
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return cls(name, value)
        if isinstance(value, str) and value.endswith("%"):
            number = value[:-1].strip()
            if number.isascii() and number.isdecimal() and 1 <= int(number[:4]) <= _ALL:
                return cls(name, int(number), isPercentage=True)
        raise ValueError('give a number of workers, such as 2, or a percentage of them, such as "50%"')

    def of(self, total: int) -> int:
        """How many that are of so many workers."""
        return math.ceil(total * self.least / _ALL) if self.isPercentage else self.least


def concerns(order: Order) -> bool:
    """Whether a floor may refuse this order: one that holds workers, and is not forced."""
    return isinstance(order, (HoldOrder, DrainOrder)) and not order.force


@dataclass(frozen=True, slots=True)
class FloorDecision:
    """Decides, from what is stored, whether an order may hold `workers`, by their names.

    `floors` are those that it concerns, each with the names of its workers; `away` says of those that are held by something else
    than admins, why. `seconds` gives the time (since the epoch) when it is decided: a hold may be over by then.
    """

    workers: frozenset[str]
    floors: tuple[tuple[Floor, tuple[str, ...]], ...]
    away: Mapping[str, str] = field(hash=False)
    seconds: Callable[[], float]

    @property
    def names(self) -> frozenset[str]:
        """The workers of which it has to be known what is stored."""
        return frozenset(name for _, members in self.floors for name in members)

    def check(self, records: Mapping[str, AdminRecord]) -> None:
        """Raise `OrderRefused` where fewer would be ready than are to be kept, and fewer than now. `records` is what is stored."""
        now = self.seconds()
        held = {name: said for name in self.names if (said := _held(records.get(name), now)) is not None}
        away = {**held, **self.away}
        for floor, members in self.floors:
            ready = [name for name in members if name not in away]
            left = [name for name in ready if name not in self.workers]
            least = floor.of(len(members))
            if len(left) < min(least, len(ready)):
                raise OrderRefused(_refusal(floor, least, members, len(left), away))


def _held(record: AdminRecord | None, now: float) -> str | None:
    """Why an admin holds a worker, if one does."""
    hold = None if record is None else record.hold
    if record is None or hold is None or (hold.until is not None and hold.until <= now):
        return None
    said = {"source": hold.source, "reason": hold.reason, "by": hold.by}
    return holdText(said, drain=record.drain is not None)


def _refusal(floor: Floor, least: int, members: tuple[str, ...], left: int, away: Mapping[str, str]) -> str:
    kept = f"{least} of {len(members)} workers of {floor.name} are to stay ready {REFUSED}"
    told = [f"{name} ({away[name]})" for name in members if name in away]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    already = f"; away already: {', '.join(told[:_NAMED])}{more}" if told else ""
    return f"{kept}, and it would leave {left}{already}: wait for those, order less at once, or force it"


def floorsOf(
    floors: Iterable[tuple[Floor, tuple[str, ...]]], workers: frozenset[str]
) -> tuple[tuple[Floor, tuple[str, ...]], ...]:
    """Those that have one of these workers."""
    return tuple((floor, members) for floor, members in floors if not workers.isdisjoint(members))
