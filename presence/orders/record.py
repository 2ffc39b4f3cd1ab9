"""What the admins have ordered of one worker, as one value: it is stored and restored whole, or not at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from presence.calendar.instants import checkFinite
from presence.model.states import Hold
from presence.orders.refusals import OrderRefused
from presence.text import readText

if TYPE_CHECKING:
    from presence.orders.placed import Drain, Pushed
    from presence.orders.workers import Order, PushOrder, WithdrawOrder

_VERSION = 1

# How many sources may push holds of one worker at once.
_MOST_PUSHED = 20

#: The revision of a record that stands for one that cannot be read: it is neither newer nor older than any other.
UNREADABLE = -1


@dataclass(frozen=True, slots=True)
class AdminRecord:
    """`hold` is the hold ``admin`` or None, and `drain` tells how it is one, or None; until `workUntil` (seconds since the epoch, or None) breaks are
    disregarded, because `workBy` said so. `pushed` are the holds of sources that measure something, by their names.

    Where several masters share a database each order has a `revision`, and the record that of the last order about its worker;
    elsewhere it is 0. Records that say the same are equal, whatever their revisions are.
    """

    hold: Hold | None = None
    workUntil: float | None = None
    workBy: str | None = None
    drain: Drain | None = None
    pushed: tuple[Pushed, ...] = ()
    revision: int = field(default=0, compare=False)

    def isOlderThan(self, other: AdminRecord) -> bool:
        """Whether it is known that `other` was stored after this one."""
        return UNREADABLE not in (self.revision, other.revision) and self.revision < other.revision

    def after(self, order: Order, by: str | None, now: float) -> AdminRecord:
        """The record when `order` has been followed, which `by` has given at `now`.

        Raises `OrderRefused` where what somebody else has ordered does not allow it.
        """
        # who asks has one in his hands; a master on which nothing is ordered has not got it in memory
        from presence.orders.placed import Drain  # noqa: PLC0415
        from presence.orders.workers import (  # noqa: PLC0415
            ON_DEADLINE,
            DrainOrder,
            HoldOrder,
            ReleaseOrder,
            WorkOrder,
        )

        if isinstance(order, HoldOrder):
            return replace(self, hold=Hold("admin", order.reason, by, now, order.until), drain=None)
        if isinstance(order, DrainOrder):
            drain = Drain(order.deadline, order.onDeadline or ON_DEADLINE[0], order.group)
            return replace(self, hold=Hold("admin", order.reason, by, now, None), drain=drain)
        if isinstance(order, ReleaseOrder):
            return replace(self, hold=None, drain=None)
        if isinstance(order, WorkOrder):
            return replace(self, workUntil=order.until, workBy=None if order.until is None else by)
        return self._after_push(order, by, now)

    def _after_push(self, order: PushOrder | WithdrawOrder, by: str | None, now: float) -> AdminRecord:
        from presence.calendar.durations import durationText  # noqa: PLC0415 (as above)
        from presence.orders.placed import Pushed  # noqa: PLC0415
        from presence.orders.workers import LONGEST_PUSH, PushOrder  # noqa: PLC0415

        current = {each.source: each for each in self.pushed if each.until > now}
        before = current.pop(order.source, None)
        if before is not None and before.by != by:
            raise OrderRefused(
                f"the hold of the source {order.source} was pushed by {before.by or 'somebody without a login'}, who alone "
                f"renews and ends it: it ends by itself in {durationText(before.until - now)}; or give another source"
            )
        if isinstance(order, PushOrder):
            if order.until - now > LONGEST_PUSH:
                raise OrderRefused(
                    f"a hold is pushed for at most {durationText(LONGEST_PUSH)} at a time: push it again before it ends; or "
                    "hold the worker"
                )
            if len(current) >= _MOST_PUSHED:
                raise OrderRefused(
                    f"{_MOST_PUSHED} sources have pushed holds already, and no more are allowed: let one end first"
                )
            since = now if before is None else before.since
            current[order.source] = Pushed(order.source, order.reason, by, since, order.until)
        return replace(self, pushed=tuple(current[name] for name in sorted(current)))

    def toDict(self) -> dict[str, Any]:
        """The record as JSON takes it."""
        hold, drain = self.hold, self.drain
        pushed = {"pushed": [asdict(each) for each in self.pushed]} if self.pushed else {}
        return {
            **pushed,
            "version": _VERSION,
            "revision": self.revision,
            "hold": hold and {"reason": hold.reason, "by": hold.by, "since": hold.since, "until": hold.until},
            "work": None if self.workUntil is None else {"until": self.workUntil, "by": self.workBy},
            "drain": drain
            and {"deadline": drain.deadline, "on_deadline": drain.onDeadline, "group": drain.group},
        }

    @classmethod
    def fromDict(cls, value: object) -> AdminRecord:
        """The record that `toDict()` has made `value` of. `ValueError` for anything else."""
        if not isinstance(value, dict) or value.get("version") != _VERSION:
            raise ValueError(f"{value!r} is not a record of version {_VERSION}")
        try:
            hold, work = value["hold"], value["work"]
            drain = value.get("drain")  # versions before there were drains have none
            return cls(
                hold
                and Hold(
                    "admin", readText(hold["reason"]), readText(hold["by"]), hold["since"], hold["until"]
                ),
                work and checkFinite("until", work["until"]),
                work and readText(work["by"]),
                drain and _drain(drain),
                _pushed(value.get("pushed", ())),
                _revision(value.get("revision", 0)),  # there were none at first
            )
        except (KeyError, TypeError) as problem:
            raise ValueError(f"{value!r} is not a record: {problem!r}") from None


def _drain(value: Any) -> Drain:
    # here and below: few records have any
    from presence.orders.placed import Drain  # noqa: PLC0415

    # (as it was written at first)
    on_deadline = value["on_deadline" if "on_deadline" in value else "onDeadline"]
    return Drain(value["deadline"], on_deadline, value["group"])


def _pushed(values: Any) -> tuple[Pushed, ...]:
    if values in ((), []):
        return ()
    from presence.orders.placed import Pushed  # noqa: PLC0415

    return tuple(Pushed(**each) for each in values)


def _revision(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a revision")
    return value
