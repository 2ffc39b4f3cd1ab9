"""What a worker can be ordered, by how it is declared."""

from __future__ import annotations

from presence.orders.workers import Order, WorkOrder

#: It can be ordered everything; everything but to work in spite of breaks; and it has no presence that could be ordered anything.
ALL, NO_BREAKS, STOCK = "all", "no breaks", "stock"


def refusalOf(name: str, ability: str, order: Order) -> str | None:
    """Why the worker `name`, of which `ability` is one of these three, cannot follow `order`; None if it can."""
    if ability == STOCK:
        return (
            f"{name} is one of Buildbot's own workers, which have no presence to hold: put PresenceService() into "
            'c["services"], declare it as a BuildSlave, or use Buildbot\'s pause'
        )
    if ability == NO_BREAKS and isinstance(order, WorkOrder) and order.until is not None:
        return (
            f"{name} has no breaks in master.cfg in spite of which it could work: give it onBreakDuring=, or "
            "release its hold"
        )
    return None
