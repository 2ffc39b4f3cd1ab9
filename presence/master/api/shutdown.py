"""The resource `shutdown` of Buildbot's Data API: whether the master stops when nothing runs, and orders about that.

All instants are seconds since the epoch. This module has no subclass of `ResourceType` among its names but its own
one: see `registerResources()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from buildbot.data import base, types
from twisted.internet.defer import inlineCallbacks, succeed

from presence.master.api import fields as filters
from presence.master.api.endpoints import MasterEndpoint, OfEachMaster, refused, withInside
from presence.master.compat import Entity

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from twisted.internet.defer import Deferred

    from presence.master.api.shapes import ShutdownEntity
    from presence.master.quiesce.shutdown import Shutdown as Stopping
    from presence.orders.reading import Action


_NO_RULE = (
    "no rule in master.cfg says who may stop the master, and where no rule matches Buildbot lets everybody: give "
    'util.Authz a last rule such as util.AnyControlEndpointMatcher(role="admins"), or use `buildbot stop --clean`'
)


class ShutdownEndpoint(MasterEndpoint):
    """The stop of a master."""

    pathPatterns: ClassVar[list[str]] = ["/shutdown", "/masters/n:masterid/shutdown"]

    @inlineCallbacks
    def checkRules(self, action: str) -> Generator[Deferred[Any], Any, None]:
        """See `MasterEndpoint`: somebody has to be allowed to."""
        if not (yield _is_ruled(self.master, action)):
            raise refused(_NO_RULE)


class Shutdown(OfEachMaster, base.ResourceType):
    """The stop of a master."""

    name = "shutdown"
    plural = "shutdowns"
    endpoints: ClassVar[list[Any]] = [ShutdownEndpoint]
    eventPathPatterns: ClassVar[list[str]] = ["/shutdowns/:masterid"]

    shutdown: Stopping

    def actions(self) -> Mapping[str, Action]:
        """See `OfEachMaster`."""
        from presence.orders.shutdown import ACTIONS  # noqa: PLC0415 (nobody may order anything)

        return ACTIONS

    def told(self) -> Deferred[ShutdownEntity]:
        """The entity."""
        return succeed(shutdownEntity(self.master, self.shutdown))

    @inlineCallbacks
    def obey(self, order: Any, by: str | None) -> Generator[Deferred[Any], Any, ShutdownEntity]:
        """Follow an order."""
        from presence.orders.shutdown import StopOrder  # noqa: PLC0415 (as above)

        if isinstance(order, StopOrder):
            self.shutdown.request(order, by)
        elif not self.shutdown.cancel(by):
            raise refused("the master is not about to stop, or it is too late: GET shutdown shows it")
        entity = yield self.told()
        return (yield withInside(self.master, order, entity))

    class EntityType(Entity):
        """Its fields."""

        masterid = types.Integer()
        state = types.String()
        reason = filters.NullableText
        by = filters.NullableText
        since = filters.NullableInstant
        deadline = filters.NullableInstant
        on_deadline = filters.NullableText

    entityType = EntityType(name)


def shutdownEntity(master: Any, shutdown: Stopping) -> ShutdownEntity:
    """The entity."""
    stop = shutdown.stopping
    order = None if stop is None else stop.order
    return {
        "masterid": master.masterid,
        # it may be Buildbot's own, of which nothing else is known
        "state": "stopping" if master.botmaster.shuttingDown else "running",
        "reason": None if order is None else order.reason,
        "by": None if stop is None else stop.by,
        "since": None if stop is None else stop.since,
        "deadline": None if order is None else order.deadline,
        "on_deadline": None if order is None or order.deadline is None else order.atDeadline,
    }


@inlineCallbacks
def _is_ruled(master: Any, action: str) -> Generator[Deferred[Any], Any, bool]:
    """Whether a rule has decided that this may be ordered: all of them have been asked, and none has refused."""
    authz = getattr(master.www, "authz", None)
    for rule in () if authz is None else authz.allowRules:
        if rule.defaultDeny and (yield rule.match(("shutdown",), action, {})) is not None:
            return True
    return False
