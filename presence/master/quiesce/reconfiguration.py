"""One reconfiguration on its way: what was ordered, what is held for it, who waits for its end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed

from presence.master.quiesce.plan import Plan

if TYPE_CHECKING:
    from presence.master.quiesce.ending import Ending
    from presence.orders.reconfig import ReconfigOrder


@dataclass(frozen=True)
class Outcome:
    """How the reconfiguration `number` has ended, at the instant `at` (seconds since the epoch).

    `result` is ``reconfigured``, ``failed`` (with the `mistakes`; nothing was changed), ``partly`` (Buildbot has failed in the
    middle of it), ``cancelled``, ``deadline`` (which has come, and nothing was changed) or ``stopped`` (the master was).
    """

    number: int
    result: str
    by: str | None
    at: float
    mistakes: tuple[str, ...] = ()


@dataclass(eq=False)
class Reconfiguration:
    """The `order` of `by`, from `since` on, with a `number` of its own; `newest` is the id of the newest build of then."""

    number: int
    order: ReconfigOrder
    by: str | None
    since: float
    newest: int
    #: the configuration that was loaded last, until it may be out of date
    config: Any
    #: whom it waits for
    ending: Ending
    plan: Plan = field(default_factory=Plan)
    reconfiguring: bool = False
    shuttingDown: bool = False
    #: the builds that the log has named last, and when
    logged: list[str] = field(default_factory=list)
    loggedAt: float = 0.0
    outcome: Outcome | None = None
    _waiting: list[Deferred[Outcome]] = field(default_factory=list)

    def join(self, order: ReconfigOrder, by: str | None) -> None:
        """Take over what somebody else orders: everything, if one of them does; and the later deadline that was named."""
        everything = self.order.everything or order.everything
        if order.deadline is None:
            self.order = replace(self.order, everything=everything)
        else:
            self.order = replace(order, everything=everything)
        self.by = by or self.by

    def ended(self) -> Deferred[Outcome]:
        """A Deferred that fires with the outcome."""
        if self.outcome is not None:
            return succeed(self.outcome)
        deferred: Deferred[Outcome] = Deferred(self._waiting.remove)
        self._waiting.append(deferred)
        return deferred

    def end(self, outcome: Outcome) -> None:
        """It has ended."""
        self.outcome = outcome
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(outcome)
