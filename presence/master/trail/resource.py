"""The resource `trail` of Buildbot's Data API: what has happened on this master, the newest first.

All instants are seconds since the epoch. This module has no subclass of `ResourceType` among its names but its own
one: see `registerResources()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from buildbot.data import base, exceptions, types
from twisted.internet.defer import inlineCallbacks

from presence.master.api import fields as filters
from presence.master.api.endpoints import OwnEvents, refused
from presence.master.api.presences import PresenceEndpoint
from presence.master.compat import Entity
from presence.words.trail import trailText

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

    from presence.master.api.shapes import TrailEntity
    from presence.master.trail.trail import Trail

# So many are told unless somebody asks for more.
_FEW = 500

#: How long whoever asks waits for a file that hangs, in seconds.
PATIENCE = 10.0

_NONE = "this master keeps no trail: PresenceService(trail=True) does"


class TrailEndpoint(base.Endpoint):
    """What has happened on this master."""

    kind = base.EndpointKind.COLLECTION
    rootLinkName = "trail"
    pathPatterns: ClassVar[list[str]] = ["/trail"]

    @inlineCallbacks
    def get(
        self, resultSpec: Any, _kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, list[TrailEntity]]:
        """The entries."""
        if self.rtype.trail is None:
            raise exceptions.InvalidPathError(_NONE)
        return (yield self.read(resultSpec, _worker_of(resultSpec)))

    @inlineCallbacks
    def read(self, resultSpec: Any, worker: str | None) -> Generator[Deferred[Any], Any, list[TrailEntity]]:
        """The entries (about this worker) that `resultSpec` asks for."""
        trail: Trail = self.rtype.trail
        if resultSpec.limit is None:
            resultSpec.limit = _FEW
        # what else is asked may be true of any of them
        plain = not resultSpec.order and all(each.field in {"at", "workers"} for each in resultSpec.filters)
        wanted = {"most": max(0, resultSpec.limit) + max(0, resultSpec.offset or 0)} if plain else {}
        reading = trail.read(worker, _since_of(resultSpec), **wanted).addTimeout(
            PATIENCE, self.master.reactor, onTimeoutCancel=_hangs
        )
        try:
            found = yield reading
        except OSError as problem:
            raise refused(f"the trail cannot be read: {problem}") from None
        return filters.select(resultSpec, self.rtype.entityType, [trailEntity(each) for each in found])


class WorkerTrailEndpoint(PresenceEndpoint):
    """What has happened to one worker; nothing, where no trail is kept."""

    kind = base.EndpointKind.COLLECTION
    pathPatterns: ClassVar[list[str]] = ["/presences/n:workerid/trail", "/presences/i:name/trail"]
    read = TrailEndpoint.read

    def get(self, resultSpec: Any, kwargs: dict[str, Any]) -> Any:
        """The entries."""
        name = self.workerName(kwargs)
        return [] if name is None or self.rtype.trail is None else self.read(resultSpec, name)

    def control(self, action: str, _args: dict[str, Any], _kwargs: dict[str, Any]) -> None:  # type: ignore[override]
        """Nothing is ordered of it."""
        raise exceptions.InvalidControlException(f"action {action}: nothing is ordered of what has happened")

    @property
    def entities(self) -> Any:
        """Where workers are known by their ids."""
        return self.rtype.entities


class TrailEntry(OwnEvents, base.ResourceType):
    """One thing that has happened."""

    name = "trailentry"
    plural = "trail"
    endpoints: ClassVar[list[Any]] = [TrailEndpoint, WorkerTrailEndpoint]
    eventPathPatterns: ClassVar[list[str]] = ["/trail/:number"]

    #: None while none is kept
    trail: Trail | None = None

    class EntityType(Entity):
        """Its fields."""

        number = types.Integer()
        at = filters.Instant()
        kind = types.String()
        what = types.String()
        workers = types.List(of=types.String())
        builders = types.List(of=types.String())
        by = filters.NullableText
        reason = filters.NullableText
        since = filters.NullableInstant
        until = filters.NullableInstant
        outcome = filters.NullableText
        problem = filters.NullableText
        left_out = types.Integer()
        text = types.String()

    entityType = EntityType(name)

    @staticmethod
    def entity(entry: dict[str, Any]) -> TrailEntity:
        """The entity that an entry of the trail is, with a text for people."""
        return trailEntity(entry)


def trailEntity(entry: dict[str, Any]) -> TrailEntity:
    """The entity that an entry of the trail is, with a text for people."""
    entity: TrailEntity = {
        "number": entry["number"],
        "at": entry["at"],
        "kind": str(entry.get("kind")),
        "what": str(entry.get("what")),
        "workers": [str(each) for each in entry.get("workers") or ()],
        "builders": [str(each) for each in entry.get("builders") or ()],
        "by": entry.get("by"),
        "reason": entry.get("reason"),
        "since": entry.get("since"),
        "until": entry.get("until"),
        "outcome": entry.get("outcome"),
        "problem": entry.get("problem"),
        "left_out": entry.get("left_out", 0),
        "text": "",
    }
    entity["text"] = trailText(entity)
    return entity


def _worker_of(spec: Any) -> str | None:
    """The worker that a filter names."""
    for each in spec.filters:
        if each.field == "workers" and each.op == "contains" and len(each.values) == 1:
            return str(each.values[0])
    return None


def _since_of(spec: Any) -> float:
    """The instant from which on a filter wants them."""
    since = [each.values[0] for each in spec.filters if each.field == "at" and each.op in {"ge", "gt"}]
    return float(max(since, default=0.0))


def _hangs(_value: Any, seconds: float) -> None:
    raise refused(f"the trail cannot be read: its file has hung for {seconds:.0f} s")
