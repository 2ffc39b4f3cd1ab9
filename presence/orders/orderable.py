"""What a worker can be ordered, by how it is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from presence.orders.workers import Order

#: It can be ordered everything; everything but to work in spite of breaks; and it has no presence that could be ordered anything.
ALL, NO_BREAKS, STOCK = "all", "no breaks", "stock"


def refusalOf(name: str, ability: str, order: Order) -> str | None:
    """Why the worker `name`, of which `ability` is one of these three, cannot follow `order`; None if it can."""
    if ability == STOCK:
        return (
            f"{name} is one of Buildbot's own workers, which have no presence to hold: put PresenceService() into "
            'c["services"], declare it as a BuildSlave, or use Buildbot\'s pause'
        )
    if ability == NO_BREAKS:
        # who asks has an order in his hands; a master on which nothing is ordered has not got it in memory
        from presence.orders.workers import WorkOrder  # noqa: PLC0415

        return (
            None
            if not isinstance(order, WorkOrder) or order.until is None
            else (
                f"{name} has no breaks in master.cfg in spite of which it could work: give it onBreakDuring=, or "
                "release its hold"
            )
        )
    return None
