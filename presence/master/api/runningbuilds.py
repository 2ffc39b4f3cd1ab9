"""The resource `runningbuilds` of Buildbot's Data API: what runs on which worker, for how long, and for how long still.

This module has no subclass of `ResourceType` among its names but its own: see `registerResources()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from buildbot.data import base, exceptions, types
from twisted.internet.defer import inlineCallbacks

from presence.master.api import fields as filters
from presence.master.builds.everywhere import buildsEverywhere, buildsHere
from presence.master.compat import Entity
from presence.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator

    from twisted.internet.defer import Deferred

    from presence.master.api.shapes import RunningBuildEntity
    from presence.master.farm.member import Member


class AwaitedType(Entity):
    """A request for which a build waits; `running` when it is being built."""

    buildrequestid = types.Integer()
    builderid = types.Integer()
    builder = filters.NullableText
    running = types.Boolean()


class RunningBuildsEndpoint(base.Endpoint):
    """The builds that run, on all workers or on one: of this master, or of all masters of its farm."""

    kind = base.EndpointKind.COLLECTION
    pathPatterns: ClassVar[list[str]] = [
        "/runningbuilds",
        "/presences/n:workerid/runningbuilds",
        "/presences/i:name/runningbuilds",
    ]

    @inlineCallbacks
    def get(
        self, resultSpec: Any, kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, list[RunningBuildEntity]]:
        """The entities, those that have begun first come first."""
        farm = self.rtype.farm()
        found = yield runningBuilds(self.master, None if farm is None else farm.snapshots.pulse.isGone)
        for field, key in (("workerid", "workerid"), ("worker", "name")):
            if key in kwargs:
                found = [each for each in found if each[field] == kwargs[key]]
        return filters.select(resultSpec, RunningBuild.entityType, found)

    def control(self, action: str, _args: dict[str, Any], _kwargs: dict[str, Any]) -> None:
        """Nothing is ordered of them here: Buildbot's own ``builds`` are there for that."""
        raise exceptions.InvalidControlException(f"action {shown(action)}: POST to builds/ID")


class RunningBuild(base.ResourceType):
    """A build that runs."""

    name = "runningbuild"
    plural = "runningbuilds"
    endpoints: ClassVar[list[Any]] = [RunningBuildsEndpoint]

    #: what the masters of the farm tell each other; None where there is one master
    farm: Callable[[], Member | None] = staticmethod(lambda: None)

    class EntityType(Entity):
        """Its fields."""

        buildid = types.Integer()
        number = types.Integer()
        builderid = types.Integer()
        builder = types.String()
        workerid = types.NoneOk(types.Integer())
        worker = types.String()
        masterid = types.Integer()
        started_at = filters.Instant()
        remaining = filters.NullableInstant
        waits_for = types.List(of=AwaitedType("awaited"))

    entityType = EntityType(name)


@inlineCallbacks
def runningBuilds(
    master: Any, isGone: Callable[[int], bool] | None = None
) -> Generator[Deferred[Any], Any, list[RunningBuildEntity]]:
    """All builds of this master that run, as entities, in a Deferred: for a few SQL statements in all. With `isGone`, which knows
    which masters of the farm are, those of the others, too.
    """
    found = buildsHere(master) if isGone is None else (yield buildsEverywhere(master, isGone))
    running = {each.id: each for each in found}
    from presence.master.builds.estimates import estimates  # noqa: PLC0415 (nobody may ask)

    known = yield estimates(master, running)
    awaited = yield master.db.pool.do(_awaited, master.db.model, list(known))
    entities: list[RunningBuildEntity] = []
    for buildid, estimate in sorted(known.items(), key=lambda item: (item[1].startedAt, item[0])):
        build = running[buildid]
        entities.append(
            {
                "buildid": buildid,
                "number": build.number,
                "builderid": build.builderid,
                "builder": build.builder,
                "workerid": build.workerid,
                "worker": build.worker,
                "masterid": build.masterid,
                "started_at": estimate.startedAt,
                "remaining": estimate.remaining,
                "waits_for": [
                    {
                        "buildrequestid": row.id,
                        "builderid": row.builderid,
                        "builder": row.name,
                        "running": row.brid is not None,
                    }
                    for row in awaited
                    if row.parent_buildid == buildid
                ],
            }
        )
    return entities


def _awaited(connection: Any, model: Any, buildids: Collection[int]) -> list[Any]:
    """The rows of the requests, not complete, that these builds wait for."""
    sets, requests, claims = model.buildsets, model.buildrequests, model.buildrequest_claims
    builders = model.builders
    query = (
        sa.select(requests.c.id, requests.c.builderid, builders.c.name, sets.c.parent_buildid, claims.c.brid)
        .select_from(sets.join(requests, requests.c.buildsetid == sets.c.id))
        .outerjoin(builders, builders.c.id == requests.c.builderid)
        .outerjoin(claims, claims.c.brid == requests.c.id)
        .where(
            # first, for that is what there is an index for
            sets.c.complete == 0,
            sets.c.parent_buildid.in_(buildids),
            requests.c.complete == 0,
            requests.c.waited_for == 1,
        )
        .order_by(requests.c.id)
    )
    return connection.execute(query).fetchall() if buildids else []
