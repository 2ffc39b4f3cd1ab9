"""The resource `requestpresences` of Buildbot's Data API: why requests wait, and when they may start.

All instants are seconds since the epoch. This module has no subclass of `ResourceType` among its names but its own:
see `registerResources()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from buildbot.data import base, exceptions, types
from twisted.internet.defer import inlineCallbacks

from presence.master.api import fields as filters
from presence.master.builds.requests import findPending, findRequest
from presence.master.compat import Entity
from presence.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from twisted.internet.defer import Deferred

    from presence.master.api.entities import Entities
    from presence.master.api.shapes import ReasonEntity, RequestPresenceEntity, WorkerReasonsEntity
    from presence.master.builds.requests import Request
    from presence.master.why.facts import Reason, Why, WorkerWhy
    from presence.master.why.reader import WhyReader

# The ids that a database takes.
_LARGEST = 2**31 - 1


class ReasonType(Entity):
    """One thing that a request waits for."""

    kind = types.String()
    text = types.String()
    since = filters.NullableInstant
    until = filters.NullableInstant
    estimated = types.Boolean()
    hint = filters.NullableText


class WorkerReasonsType(Entity):
    """Why a request does not start on one worker."""

    workerid = types.NoneOk(types.Integer())
    name = types.String()
    reasons = types.List(of=ReasonType("reason"))
    earliest = filters.NullableInstant
    estimated = types.Boolean()


class _Endpoint(base.Endpoint):
    @property
    def reader(self) -> WhyReader:
        """What finds it out."""
        return self.rtype.reader()

    def name(self, builderid: int) -> str | None:
        """The name of the builder with this id, if it is one of this master's, or of the farm's."""
        found: str | None = self.rtype.entities.builderName(builderid)
        return found

    def control(self, action: str, _args: dict[str, Any], _kwargs: dict[str, Any]) -> None:
        """Nothing is ordered of them here: Buildbot's own ``buildrequests`` are there for that."""
        raise exceptions.InvalidControlException(f"action {shown(action)}: POST to buildrequests/ID")


class RequestPresenceEndpoint(_Endpoint):
    """One request."""

    kind = base.EndpointKind.SINGLE
    pathPatterns: ClassVar[list[str]] = [
        "/requestpresences/n:buildrequestid",
        "/buildrequests/n:buildrequestid/presence",
    ]

    @inlineCallbacks
    def get(
        self, _resultSpec: Any, kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, RequestPresenceEntity | None]:
        """The entity; None when there is no such request."""
        if kwargs["buildrequestid"] > _LARGEST:
            return None
        request: Request | None = yield findRequest(self.master, kwargs["buildrequestid"])
        if request is None:
            return None
        if request.claimed or request.complete:
            return _unpending(request, self.name(request.builderid))
        whys: dict[int, Why] = yield self.reader.ofRequests([request], self.name)
        return _Entities().ofRequest(request, self.name(request.builderid), whys[request.id])


class BuilderRequestPresenceEndpoint(_Endpoint):
    """A request of one builder, if there were one."""

    kind = base.EndpointKind.SINGLE
    pathPatterns: ClassVar[list[str]] = [
        "/builders/n:builderid/requestpresence",
        # Buildbot's builders may have any name
        "/builders/s:buildername/requestpresence",
    ]

    @inlineCallbacks
    def get(
        self, _resultSpec: Any, kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, RequestPresenceEntity | None]:
        """The entity; None when there is no such builder."""
        name: str | None = (
            kwargs["buildername"] if "buildername" in kwargs else self.name(kwargs["builderid"])
        )
        builderid = None if name is None else self.rtype.entities.builderId(name)
        builder = self.master.botmaster.builders.get(name)
        if name is None or builderid is None or (builder is not None and builder.config is None):
            return None
        why: Why = yield self.reader.ofBuilder(name)
        return _Entities().ofBuilder(builderid, name, why, self.master.reactor.seconds())


class RequestPresencesEndpoint(_Endpoint):
    """All requests that wait, or those of one builder."""

    kind = base.EndpointKind.COLLECTION
    rootLinkName = "requestpresences"
    pathPatterns: ClassVar[list[str]] = ["/requestpresences", "/builders/n:builderid/requestpresences"]

    @inlineCallbacks
    def get(
        self, resultSpec: Any, kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, list[RequestPresenceEntity]]:
        """The entities: by builder, and those first that Buildbot takes first; of each the workers that are free first."""
        requests: list[Request] = yield findPending(self.master, kwargs.get("builderid"))
        total, offset, limit = len(requests), resultSpec.offset or 0, resultSpec.limit
        chosen = resultSpec.filters or resultSpec.order or resultSpec.fields
        page = limit is not None and limit >= 0 <= offset and not chosen
        if page:
            # the others need not be explained
            requests = requests[offset : offset + limit]
        whys: dict[int, Why] = yield self.reader.ofRequests(requests, self.name)
        make = _Entities(self.reader.named)
        found = [make.ofRequest(each, self.name(each.builderid), whys[each.id]) for each in requests]
        if page:
            resultSpec.offset = resultSpec.limit = None
            return base.ListResult(found, offset=offset, total=total, limit=limit)
        return filters.select(resultSpec, self.rtype.entityType, found)


class RequestPresence(base.ResourceType):
    """Why a request waits."""

    name = "requestpresence"
    plural = "requestpresences"
    endpoints: ClassVar[list[Any]] = [
        RequestPresenceEndpoint,
        BuilderRequestPresenceEndpoint,
        RequestPresencesEndpoint,
    ]

    #: gives what finds it out (not a property: Buildbot looks at all attributes when it is registered)
    reader: Callable[[], WhyReader]
    #: knows what builders are called
    entities: Entities

    class EntityType(Entity):
        """Its fields."""

        buildrequestid = types.NoneOk(types.Integer())
        builderid = types.Integer()
        builder = filters.NullableText
        state = types.String()
        submitted_at = filters.NullableInstant
        ahead = types.Integer()
        reasons = types.List(of=ReasonType("reason"))
        workers = types.List(of=WorkerReasonsType("worker"))
        total = types.Integer()
        summary = types.List(of=ReasonType("reason"))
        earliest = filters.NullableInstant
        estimated = types.Boolean()

    entityType = EntityType(name)


# An entity of which nothing is known. (The order of the fields is that of the documentation.)
_NOTHING: RequestPresenceEntity = {
    "buildrequestid": None,
    "builderid": 0,
    "builder": None,
    "state": "none",
    "submitted_at": None,
    "ahead": 0,
    "reasons": [],
    "workers": [],
    "total": 0,
    "summary": [],
    "earliest": None,
    "estimated": False,
}


class _AboutRequest(TypedDict):
    """The fields that say which request it is."""

    buildrequestid: int | None
    builderid: int
    builder: str | None
    submitted_at: float | None


class _Entities:
    """Makes entities, with the first `most` of the workers; what many of them have in common is there once."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._workers: dict[int, list[WorkerReasonsEntity]] = {}
        self._summaries: dict[int, list[ReasonEntity]] = {}

    def ofRequest(self, request: Request, builder: str | None, why: Why) -> RequestPresenceEntity:
        """Of a request that waits."""
        return {**self._why(why), **_about(request, builder), "state": "waiting"}

    def ofBuilder(self, builderid: int, builder: str, why: Why, now: float) -> RequestPresenceEntity:
        """Of a builder."""
        free = why.earliest is not None and why.earliest <= now
        return {
            **self._why(why),
            "state": "free" if free else "none",
            "builderid": builderid,
            "builder": builder,
        }

    def _why(self, why: Why) -> RequestPresenceEntity:
        found, general = why.workers, _reasons(why.reasons)
        workers = _once(self._workers, found, lambda: [_worker(each) for each in found.workers[: self._most]])
        return {
            **_NOTHING,
            "ahead": why.ahead,
            "reasons": general,
            "workers": workers,
            "total": len(found.workers),
            "summary": general + _once(self._summaries, found, lambda: _reasons(found.summary)),
            "earliest": why.earliest,
            "estimated": why.estimated,
        }


def _unpending(request: Request, builder: str | None) -> RequestPresenceEntity:
    state = "complete" if request.complete else "building"
    return {**_NOTHING, **_about(request, builder), "state": state}


def _about(request: Request, builder: str | None) -> _AboutRequest:
    return {
        "buildrequestid": request.id,
        "builderid": request.builderid,
        "builder": builder,
        "submitted_at": request.submittedAt,
    }


def _once(known: dict[int, Any], key: object, make: Callable[[], Any]) -> Any:
    # (they live as long as the whys that are made into entities)
    if id(key) not in known:
        known[id(key)] = make()
    return known[id(key)]


def _worker(worker: WorkerWhy) -> WorkerReasonsEntity:
    return {
        "workerid": worker.workerid,
        "name": worker.name,
        "reasons": _reasons(worker.reasons),
        "earliest": worker.earliest,
        "estimated": worker.estimated,
    }


def _reasons(reasons: Sequence[Reason]) -> list[ReasonEntity]:
    return [
        {
            "kind": each.kind,
            "text": each.text,
            "since": each.since,
            "until": each.until,
            "estimated": each.estimated,
            "hint": each.hint,
        }
        for each in reasons
    ]
