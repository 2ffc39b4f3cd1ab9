"""The metrics over Buildbot's API, with its authorization: `/api/v2/presencemetrics`.

This module has no subclass of `ResourceType` among its names but its own one: see `registerResources()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from buildbot.data import base, exceptions, types
from twisted.internet.defer import succeed

from presence.master.compat import Entity

if TYPE_CHECKING:
    from presence.master.metrics.measures import Measures

#: What is sent, in Prometheus' own words. (Buildbot adds the encoding.)
MIME_TYPE = "text/plain; version=0.0.4"


class MetricsEndpoint(base.Endpoint):
    """All metrics of this master."""

    kind = base.EndpointKind.RAW_INLINE
    pathPatterns: ClassVar[list[str]] = ["/presencemetrics"]

    def get(self, _resultSpec: Any, _kwargs: dict[str, Any]) -> Any:
        """A Deferred of what Buildbot's web server sends."""
        measures: Measures | None = self.rtype.measures
        if measures is None:
            raise exceptions.InvalidPathError(
                "this master has no metrics here: PresenceService(metrics=True) does"
            )
        return succeed({"raw": measures.text(), "mime-type": MIME_TYPE, "filename": "metrics.txt"})


class PresenceMetrics(base.ResourceType):
    """The metrics of a master."""

    name = "presencemetrics"
    plural = "presencemetrics"
    endpoints: ClassVar[list[Any]] = [MetricsEndpoint]

    #: None while there are none, or at a port of their own only
    measures: Measures | None = None

    class EntityType(Entity):
        """There are no entities."""

        name = types.String()

    entityType = EntityType(name)
