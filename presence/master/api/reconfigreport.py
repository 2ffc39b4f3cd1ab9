"""The entity and the events of the resource `reconfig`, and the way of its orders. Instants are seconds since the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.util.deferwaiter import DeferWaiter
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.builds.estimates import estimates
from presence.master.builds.running import workerOf
from presence.master.quiesce.ending import affectedBuilds
from presence.model.gathering import Gathering

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.api.shapes import (
        HeldEntity,
        OutcomeEntity,
        PlanEntity,
        ReconfigEntity,
        RequestedEntity,
        WaitingForEntity,
    )
    from presence.master.quiesce.plan import Plan
    from presence.master.quiesce.reconfiguration import Outcome
    from presence.master.quiesce.reconfigurations import Reconfigurations
    from presence.orders.reconfig import PlanOrder, ReconfigOrder

_log = Logger()


class ReconfigReport:
    """The entity of the resource `reconfig` of one master. `send` is called with the entity when it has changed."""

    def __init__(
        self, master: Any, reconfigurations: Reconfigurations, send: Callable[[ReconfigEntity], object]
    ) -> None:
        self._master = master
        self._reconfigurations = reconfigurations
        self._send = send
        self._sent: dict[str, Any] | None = None
        self._gathering = Gathering(master.reactor, self._turn)
        self._sending = DeferWaiter()

    # --- orders

    @inlineCallbacks
    def request(self, order: ReconfigOrder, by: str | None) -> Generator[Deferred[Any], Any, RequestedEntity]:
        """Order a reconfiguration: the entity as it is then, with the `mistakes` for which it was refused, and the builds
        from inside of which it was ordered.
        """
        # here and below: a master on which nobody orders one has not got it in memory
        from presence.master.quiesce.inside import insideOf  # noqa: PLC0415
        from presence.master.quiesce.newconfig import Mistakes  # noqa: PLC0415

        mistakes: list[str] = []
        try:
            reconfiguration = yield self._reconfigurations.request(order, by)
        except Mistakes as problem:
            reconfiguration, mistakes = None, problem.messages
        inside = yield insideOf(self._master, order.ancestors)
        entity: ReconfigEntity = yield self.entity()
        # it may be over already
        entity["number"] = None if reconfiguration is None else reconfiguration.number
        return {**entity, "inside": sorted(inside), "mistakes": mistakes}

    @inlineCallbacks
    def plan(self, order: PlanOrder) -> Generator[Deferred[Any], Any, PlanEntity]:
        """What an order would hold, and for whom it would wait now; or the `mistakes`."""
        from presence.master.quiesce.newconfig import Mistakes  # noqa: PLC0415
        from presence.master.quiesce.plan import Plan  # noqa: PLC0415

        mistakes: list[str] = []
        changes: list[str] = []
        plan = Plan()
        try:
            plan, changes = yield self._reconfigurations.plan(order.everything)
        except Mistakes as problem:
            mistakes = problem.messages
        waiting = yield self._builds(affectedBuilds(self._master, plan))
        return {
            "all": order.everything,
            "changes": changes,
            "held": _held(plan),
            "waiting_for": waiting,
            "mistakes": mistakes,
        }

    def cancel(self, by: str | None) -> bool:
        """Cancel what waits. Whether there was something."""
        return self._reconfigurations.cancel(by)

    # --- entities

    @inlineCallbacks
    def entity(self) -> Generator[Deferred[Any], Any, ReconfigEntity]:
        """The entity, in a Deferred."""
        before = self._reconfigurations.current
        waiting = yield self._builds([] if before is None else self._reconfigurations.waitedFor(before))
        # as it is when the estimates are there
        now, last = self._reconfigurations.current, self._reconfigurations.last
        order = None if now is None else now.order
        return {
            "masterid": self._master.masterid,
            "state": "idle" if now is None else "reconfiguring" if now.reconfiguring else "waiting",
            "number": None if now is None else now.number,
            "by": None if now is None else now.by,
            "since": None if now is None else now.since,
            "all": now is not None and now.plan.everything,
            "deadline": None if order is None else order.deadline,
            "on_deadline": None if order is None or order.deadline is None else order.onDeadline,
            "held": [] if now is None else _held(now.plan),
            "waiting_for": [] if now is None else waiting,
            "last": None if last is None else _outcome(last),
        }

    @inlineCallbacks
    def _builds(self, builds: Iterable[Any]) -> Generator[Deferred[Any], Any, list[WaitingForEntity]]:
        builds = list(builds)
        known = yield estimates(self._master, [each.buildid for each in builds if each.buildid is not None])
        found: list[WaitingForEntity] = [
            {
                "buildid": each.buildid,
                "number": each.number,
                "builder": each.builder.name,
                "worker": workerOf(each),
                "since": known[each.buildid].startedAt if each.buildid in known else None,
                "remaining": known[each.buildid].remaining if each.buildid in known else None,
            }
            for each in builds
        ]
        # the oldest first; what is being prepared has no id yet
        return sorted(found, key=lambda each: (each["buildid"] is None, each["buildid"] or 0))

    # --- events

    def changed(self) -> None:
        """Something of it may have changed."""
        self._gathering.ask()

    def clockJumped(self) -> None:
        """The clock has been set: the next event does not wait for it."""
        self._gathering.clockJumped()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Send no event any more."""
        self._gathering.stop()
        yield self._sending.wait()

    def _turn(self) -> None:
        sent = self._announce()
        sent.addErrback(lambda failure: _log.failure("while sending an event of a reconfig", failure))
        self._sending.add(sent)

    @inlineCallbacks
    def _announce(self) -> Generator[Deferred[Any], Any, None]:
        entity = yield self.entity()
        # how long it still takes passes with the time, and is not news
        news = {**entity, "waiting_for": [{**each, "remaining": None} for each in entity["waiting_for"]]}
        if news != self._sent:
            self._sent = news
            self._send(entity)


def _outcome(outcome: Outcome) -> OutcomeEntity:
    return {
        "number": outcome.number,
        "result": outcome.result,
        "by": outcome.by,
        "at": outcome.at,
        "mistakes": list(outcome.mistakes),
    }


def _held(plan: Plan) -> list[HeldEntity]:
    return [{"builder": each.builder, "worker": each.worker, "why": each.why} for each in plan.conflicts]
