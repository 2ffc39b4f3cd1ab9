"""One reconfiguration on its way: what was ordered, what is held for it, who waits for its end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed

from presence.master.quiesce.plan import Plan

if TYPE_CHECKING:
    from presence.master.builds.requeue import SendBack
    from presence.orders.reconfig import ReconfigOrder


@dataclass(frozen=True)
class Result:
    """How run `number` has ended, at the instant `at` (seconds since the epoch).

    `result` is ``reconfigured``, ``failed`` (with the `mistakes`; nothing was changed), ``partly`` (Buildbot has failed in the
    middle of it), ``cancelled``, ``deadline`` (which has come, and nothing was changed) or ``stopped`` (the master was).
    """

    number: int
    result: str
    by: str | None
    at: float
    mistakes: tuple[str, ...] = ()


@dataclass(eq=False)
class Run:
    """The run `number`, for the `order` of `by`, from `since` on; `newest` is the id of the newest build of then."""

    number: int
    order: ReconfigOrder
    by: str | None
    since: float
    newest: int
    #: the configuration that was loaded last, until it may be out of date
    config: Any
    plan: Plan = field(default_factory=Plan)
    reconfiguring: bool = False
    #: builds of which nothing comes any more, and since when that is known
    lost: dict[Any, float] = field(default_factory=dict)
    #: what interrupts the builds, from the deadline on, and since when it does
    sendBack: SendBack | None = None
    interruptedAt: float = 0.0
    interrupted: set[Any] = field(default_factory=set)
    shuttingDown: bool = False
    told: list[str] = field(default_factory=list)
    toldAt: float = 0.0
    result: Result | None = None
    _waiting: list[Deferred[Result]] = field(default_factory=list)

    def join(self, order: ReconfigOrder, by: str | None) -> None:
        """Take over what somebody else orders: everything, if one of them does; and the later deadline that was named."""
        everything = self.order.everything or order.everything
        if order.deadline is None:
            self.order = replace(self.order, everything=everything)
        else:
            self.order = replace(order, everything=everything)
        self.by = by or self.by

    def ended(self) -> Deferred[Result]:
        """A Deferred that fires with the result."""
        if self.result is not None:
            return succeed(self.result)
        deferred: Deferred[Result] = Deferred(self._waiting.remove)
        self._waiting.append(deferred)
        return deferred

    def end(self, result: Result) -> None:
        """It has ended."""
        self.result = result
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(result)
