"""The resource `reconfig` of Buildbot's Data API: what waits to be reconfigured, and what may be ordered of it.

All instants are seconds since the epoch. This module has no subclass of `ResourceType` among its names but its own
one: see `registerResources()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from buildbot.data import base, exceptions, types
from buildbot.www.rest import JSONRPC_CODES, BadJsonRpc2
from twisted.internet.defer import inlineCallbacks

from presence.master import filters
from presence.orders import UnknownAction
from presence.reconfigorders import PlanOrder, ReconfigOrder, readReconfigOrder

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

    from presence.master.reconfigreport import ReconfigReport

_NullableText = types.NoneOk(types.String())
_NullableInstant = types.NoneOk(filters.Instant())
_NullableInteger = types.NoneOk(types.Integer())


class HeldType(types.Entity):
    """What is held and why; null is every builder, or every worker."""

    builder = _NullableText
    worker = _NullableText
    why = types.String()


class WaitingForType(types.Entity):
    """A build that is waited for. `remaining` is in seconds; null where nobody can know, as `since` where it prepares."""

    buildid = _NullableInteger
    number = _NullableInteger
    builder = types.String()
    worker = types.String()
    since = _NullableInstant
    remaining = _NullableInstant


class ResultType(types.Entity):
    """How the last one has ended."""

    number = types.Integer()
    result = types.String()
    by = _NullableText
    at = filters.Instant()
    mistakes = types.List(of=types.String())


class ReconfigEndpoint(base.Endpoint):
    """The reconfiguration of this master."""

    kind = base.EndpointKind.SINGLE
    pathPatterns: ClassVar[list[str]] = ["/reconfig", "/masters/n:masterid/reconfig"]

    @property
    def report(self) -> ReconfigReport:
        """Where the entity is."""
        return self.rtype.report

    @inlineCallbacks
    def get(
        self, _resultSpec: Any, kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, dict[str, Any] | None]:
        """The entity; None for another master."""
        if not self._isHere(kwargs):
            return None
        return (yield self.report.entity())

    @inlineCallbacks
    def control(
        self, action: str, args: dict[str, Any], kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, dict[str, Any]]:
        """Follow an order. The action is taken by its exact name: Buildbot's authorization has looked at that."""
        parameters = dict(args)
        # Buildbot puts in the user of the session, over what the caller may have written there
        by = parameters.pop("owner", None)
        try:
            order = readReconfigOrder(action, parameters, self.master.reactor.seconds())
        except UnknownAction as problem:
            raise exceptions.InvalidControlException(str(problem)) from None
        except ValueError as problem:
            raise BadJsonRpc2(str(problem), JSONRPC_CODES["invalid_params"]) from None
        if not self._isHere(kwargs):
            raise exceptions.InvalidPathError(
                f"master {kwargs['masterid']} is not this one: ask that one, at its own URL"
            )
        if isinstance(order, PlanOrder):
            return (yield self.report.plan(order))
        if isinstance(order, ReconfigOrder):
            return (yield self.report.request(order, by))
        if not self.report.cancel(by):
            raise BadJsonRpc2(
                "no reconfig waits that could be cancelled: GET reconfig shows what there is",
                JSONRPC_CODES["invalid_request"],
            )
        return (yield self.report.entity())

    def _isHere(self, kwargs: dict[str, Any]) -> bool:
        return bool(kwargs.get("masterid", self.master.masterid) == self.master.masterid)


class Reconfig(base.ResourceType):
    """The reconfiguration of a master."""

    name = "reconfig"
    plural = "reconfigs"
    endpoints: ClassVar[list[Any]] = [ReconfigEndpoint]
    eventPathPatterns: ClassVar[list[str]] = ["/reconfigs/:masterid"]

    report: ReconfigReport

    class EntityType(types.Entity):
        """What is told of it."""

        masterid = types.Integer()
        state = types.String()
        number = _NullableInteger
        by = _NullableText
        since = _NullableInstant
        all = types.Boolean()
        deadline = _NullableInstant
        on_deadline = _NullableText
        held = types.List(of=HeldType("held"))
        waiting_for = types.List(of=WaitingForType("waiting_for"))
        last = types.NoneOk(ResultType("result"))

    entityType = EntityType(name)

    @staticmethod
    def sanitizeMessage(msg: dict[str, Any]) -> dict[str, Any]:
        """Each entity is made for its event; there is nobody else who might change it."""
        return msg
