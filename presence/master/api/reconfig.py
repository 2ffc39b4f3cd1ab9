"""The resource `reconfig` of Buildbot's Data API: what waits to be reconfigured, and what may be ordered of it.

All instants are seconds since the epoch. This module has no subclass of `ResourceType` among its names but its own
one: see `registerResources()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from buildbot.data import base, types
from twisted.internet.defer import inlineCallbacks

from presence.master.api import fields as filters
from presence.master.api.endpoints import MasterEndpoint, OfEachMaster, refused
from presence.master.compat import Entity

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from twisted.internet.defer import Deferred

    from presence.master.api.reconfigreport import ReconfigReport
    from presence.master.api.shapes import PlanEntity, ReconfigEntity
    from presence.orders.reading import Action

_NullableInteger = types.NoneOk(types.Integer())


class HeldType(Entity):
    """What is held and why; null is every builder, or every worker."""

    builder = filters.NullableText
    worker = filters.NullableText
    why = types.String()


class WaitingForType(Entity):
    """A build that is waited for. `remaining` is in seconds; null where that is not known, as `since` where it prepares."""

    buildid = _NullableInteger
    number = _NullableInteger
    builder = types.String()
    worker = types.String()
    since = filters.NullableInstant
    remaining = filters.NullableInstant


class ResultType(Entity):
    """How the last one has ended."""

    number = types.Integer()
    result = types.String()
    by = filters.NullableText
    at = filters.Instant()
    mistakes = types.List(of=types.String())


class ReconfigEndpoint(MasterEndpoint):
    """The reconfiguration of a master."""

    pathPatterns: ClassVar[list[str]] = ["/reconfig", "/masters/n:masterid/reconfig"]


class Reconfig(OfEachMaster, base.ResourceType):
    """The reconfiguration of a master."""

    name = "reconfig"
    plural = "reconfigs"
    endpoints: ClassVar[list[Any]] = [ReconfigEndpoint]
    eventPathPatterns: ClassVar[list[str]] = ["/reconfigs/:masterid"]

    report: ReconfigReport

    def actions(self) -> Mapping[str, Action]:
        """See `OfEachMaster`."""
        from presence.orders.reconfig import ACTIONS  # noqa: PLC0415 (nobody may order anything)

        return ACTIONS

    def told(self) -> Deferred[ReconfigEntity]:
        """The entity."""
        return self.report.entity()

    @inlineCallbacks
    def obey(self, order: Any, by: str | None) -> Generator[Deferred[Any], Any, ReconfigEntity | PlanEntity]:
        """Follow an order."""
        from presence.orders.reconfig import PlanOrder, ReconfigOrder  # noqa: PLC0415 (as above)

        if isinstance(order, PlanOrder):
            return (yield self.report.plan(order))
        if isinstance(order, ReconfigOrder):
            return (yield self.report.request(order, by))
        if not self.report.cancel(by):
            raise refused("no reconfig waits that could be cancelled: GET reconfig shows what there is")
        return (yield self.report.entity())

    class EntityType(Entity):
        """Its fields."""

        masterid = types.Integer()
        state = types.String()
        number = _NullableInteger
        by = filters.NullableText
        since = filters.NullableInstant
        all = types.Boolean()
        deadline = filters.NullableInstant
        on_deadline = filters.NullableText
        held = types.List(of=HeldType("held"))
        waiting_for = types.List(of=WaitingForType("waiting_for"))
        last = types.NoneOk(ResultType("result"))

    entityType = EntityType(name)
