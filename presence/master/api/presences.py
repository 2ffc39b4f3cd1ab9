"""The resources `presences` and `builderpresences` of Buildbot's Data API. All instants are seconds since the epoch.

This module has no subclass of `ResourceType` among its names but its own two: see `registerResources()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from buildbot.data import base, exceptions, types
from twisted.internet.defer import inlineCallbacks, succeed
from twisted.internet.task import deferLater

from presence.master.api import fields as filters
from presence.master.api.endpoints import (
    Farm,
    OwnEvents,
    announced,
    follow,
    invalid,
    orderedEntity,
    readApiOrder,
    tooLarge,
    unknownWorker,
    withInside,
    workerActions,
)
from presence.master.builds.waiting import unclaimedRequests
from presence.master.compat import Entity
from presence.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from twisted.internet.defer import Deferred

    from presence.master.api.entities import Entities
    from presence.master.api.shapes import BuilderPresenceEntity, OrderedEntity, PresenceEntity
    from presence.master.happenings.orders import Meant
    from presence.master.holding.builderholds import BuilderHolds
    from presence.master.holding.storedorders import StoredOrders

# So many workers are described in one turn of the reactor.
_SLICE = 50

_DAY = 24 * 3600

# For how many days breaks are told at a time, and of which years: what is asked for is worked out.
_LONGEST, _FARTHEST = 62 * _DAY, 400 * _DAY


class _Published(OwnEvents):
    """What the two resource types have in common: where their entities come from, and where orders go."""

    entities: Entities
    orders: StoredOrders
    builderHolds: BuilderHolds
    #: what other masters have to say of an order; None where there is one master
    farm: Farm | None
    #: counts what has changed and is not counted yet
    settle: Callable[[], object]


class _Endpoint(base.Endpoint):
    @property
    def entities(self) -> Entities:
        """Where the entities are."""
        return self.rtype.entities


class PresenceEndpoint(_Endpoint):
    """The presence of one worker, and what may be ordered of it."""

    kind = base.EndpointKind.SINGLE
    pathPatterns: ClassVar[list[str]] = [
        "/presences/n:workerid",
        "/presences/i:name",
        "/workers/n:workerid/presence",
        "/workers/i:name/presence",
    ]

    def get(self, resultSpec: Any, kwargs: dict[str, Any]) -> PresenceEntity | None:
        """The entity; None when there is no such worker."""
        name = self.workerName(kwargs)
        return None if name is None else self.entities.worker(name, breaks=_wants_breaks(resultSpec))

    @announced
    @inlineCallbacks
    def control(
        self, action: str, args: dict[str, Any], kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, OrderedEntity]:
        """Follow an order. The result is the presence as it is then, without its breaks, and how the order is acknowledged."""
        order, by = readApiOrder(workerActions(), action, args, self.master.reactor.seconds())
        name, workerid = yield self._find(kwargs)
        acknowledged = yield follow(self.rtype, {name: workerid}, order, by)
        answer = orderedEntity(self.entities, name, workerid, acknowledged[name])
        return (yield withInside(self.master, order, answer))

    def orderedOf(self, _args: dict[str, Any], kwargs: dict[str, Any]) -> Meant:
        """The worker of which something is ordered, as far as its name is known."""
        name = self.workerName(kwargs) or kwargs.get("name")
        return (() if name is None else (name,)), ()

    def workerName(self, kwargs: dict[str, Any]) -> str | None:
        """The name of the worker that the path names, if it is one of this master's."""
        if "workerid" in kwargs:
            return self.entities.workerName(kwargs["workerid"])
        name: str = kwargs["name"]
        return name if self.entities.isWorker(name) else None

    @inlineCallbacks
    def _find(self, kwargs: dict[str, Any]) -> Generator[Deferred[Any], Any, tuple[str, int]]:
        """The name and the id of the worker, which may be one of another master's."""
        name = self.workerName(kwargs)
        here = self.master.workers.workers.get(name)
        if here is not None and here.workerid is not None:
            return here.workername, here.workerid
        if not tooLarge(kwargs.get("workerid")):
            model = yield self.master.db.workers.getWorker(
                workerid=kwargs.get("workerid"), name=kwargs.get("name")
            )
            if model is not None and model.configured_on:
                return model.name, model.id
        raise exceptions.InvalidPathError(unknownWorker(kwargs.get("workerid", kwargs.get("name"))))


class CalendarEndpoint(PresenceEndpoint):
    """The breaks of one worker as an iCalendar file, for phones and calendar programs; without the reasons of the breaks."""

    kind = base.EndpointKind.RAW_INLINE
    pathPatterns: ClassVar[list[str]] = [
        "/presences/n:workerid/calendar.ics",
        "/presences/i:name/calendar.ics",
    ]
    #: whether the reasons are in it, which may name people
    reasons = False

    def get(self, _resultSpec: Any, kwargs: dict[str, Any]) -> Any:
        """A Deferred of what Buildbot's web server sends; None when this master has no such worker."""
        name = self.workerName(kwargs)
        text = None if name is None else self.entities.calendar(name, reasons=self.reasons)
        # (of endpoints of this kind Buildbot awaits the answer)
        if text is None:
            return succeed(None)
        return succeed({"raw": text, "mime-type": "text/calendar", "filename": f"{name}.ics"})

    def control(self, action: str, _args: dict[str, Any], _kwargs: dict[str, Any]) -> None:  # type: ignore[override]
        """Nothing is ordered of a calendar."""
        raise exceptions.InvalidControlException(
            f"action {shown(action)}: POST {', '.join(workerActions())} to the worker, as in presences/NAME"
        )


class CalendarWithReasonsEndpoint(CalendarEndpoint):
    """The same with the reasons."""

    pathPatterns: ClassVar[list[str]] = [
        "/presences/n:workerid/calendar-with-reasons.ics",
        "/presences/i:name/calendar-with-reasons.ics",
    ]
    reasons = True


class PresencesEndpoint(_Endpoint):
    """The presences of all workers of this master, or of all masters of its farm; with the breaks of the coming days, or those between two instants, which are
    whole seconds since the epoch.
    """

    kind = base.EndpointKind.COLLECTION
    rootLinkName = "presences"
    pathPatterns: ClassVar[list[str]] = ["/presences", "/presences/between/n:first/n:last"]

    @inlineCallbacks
    def get(self, resultSpec: Any, kwargs: dict[str, Any]) -> Generator[Deferred[Any], Any, list[Any]]:
        """The entities, by name."""
        span = (kwargs["first"], kwargs["last"]) if kwargs else None
        if span is not None:
            self._check_span(*span)
        found = self.entities.workers(breaks=_wants_breaks(resultSpec), span=span)
        if span is not None and self.rtype.remote is not None and _wants_breaks(resultSpec):
            from presence.master.farm.breaksbetween import askOthers  # noqa: PLC0415 (there may be one master)

            yield askOthers(self.rtype.remote, self.master.masterid, found, span)
        return filters.select(resultSpec, self.rtype.entityType, found)

    @announced
    @inlineCallbacks
    def control(
        self, action: str, args: dict[str, Any], _kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, dict[str, Any]]:
        """Follow an order for all of ``workers``, a list of names, or for none of them. The result are their presences.

        Whether each of them may be ordered that is asked before (see `presence.master.access.many`).
        """
        from presence.orders.workers import WORKERS, readNames  # noqa: PLC0415 (nobody may order anything)

        parameters = dict(args)
        names = readNames(parameters.pop(WORKERS, None))
        order, by = readApiOrder(workerActions(), action, parameters, self.master.reactor.seconds())
        if names is None:
            raise invalid(
                f"{action} needs {WORKERS}, a list of names; or POST it to one worker, as in presences/NAME"
            )
        workers = yield self._find(names)
        acknowledged = yield follow(self.rtype, workers, order, by, nothing="; nothing was ordered")
        found = []
        for number, name in enumerate(names, 1):
            found.append(orderedEntity(self.entities, name, workers[name], acknowledged[name]))
            if number % _SLICE == 0:
                yield deferLater(self.master.reactor, 0, lambda: None)
        return (yield withInside(self.master, order, {"presences": found}))

    def orderedOf(self, args: dict[str, Any], _kwargs: dict[str, Any]) -> Meant:
        """The workers of which something is ordered."""
        from presence.orders.workers import WORKERS, readNames  # noqa: PLC0415 (as above)

        return readNames(args.get(WORKERS)) or (), ()

    def _check_span(self, first: int, last: int) -> None:
        if not (0 < last - first <= _LONGEST and abs(first - self.master.reactor.seconds()) <= _FARTHEST):
            raise exceptions.InvalidQueryParameter(
                f"from {first} to {last}: at most {_LONGEST // _DAY} days, within {_FARTHEST // _DAY} from now"
            )

    @inlineCallbacks
    def _find(self, names: Sequence[str]) -> Generator[Deferred[Any], Any, dict[str, int]]:
        """The ids of these workers, of which some may be other masters'."""
        here = self.master.workers.workers
        ids = {name: here[name].workerid for name in names if name in here and here[name].workerid}
        if len(ids) < len(names):
            models = yield self.master.db.workers.getWorkers()
            ids = {each.name: each.id for each in models if each.configured_on} | ids
        unknown = [name for name in names if name not in ids]
        if unknown:
            raise exceptions.InvalidPathError(f"{unknownWorker(unknown[0])}; nothing was ordered")
        return {name: ids[name] for name in names}


class BuilderPresenceEndpoint(_Endpoint):
    """The presence of one builder, and what may be ordered of it."""

    kind = base.EndpointKind.SINGLE
    pathPatterns: ClassVar[list[str]] = [
        "/builderpresences/n:builderid",
        "/builders/n:builderid/presence",
        # Buildbot's builders may have any name, so this is "s:" there, too
        "/builders/s:buildername/presence",
    ]

    @inlineCallbacks
    def get(
        self, _resultSpec: Any, kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, BuilderPresenceEntity | None]:
        """The entity; None when this master has no such builder."""
        name = self.builderName(kwargs)
        return None if name is None else (yield self._entity(name))

    def orderedOf(self, _args: dict[str, Any], kwargs: dict[str, Any]) -> Meant:
        """The builder of which something is ordered, if it is there."""
        name = self.builderName(kwargs)
        return (), (() if name is None else (name,))

    @announced
    @inlineCallbacks
    def control(
        self, action: str, args: dict[str, Any], kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, BuilderPresenceEntity | None]:
        """Follow an order. The result is the builder as it is then."""
        from presence.orders.builders import ACTIONS  # noqa: PLC0415 (as above)

        order, by = readApiOrder(ACTIONS, action, args, self.master.reactor.seconds())
        name = self.builderName(kwargs)
        builderid = None if name is None else self.entities.builderId(name)
        if name is None or builderid is None:
            builder = shown(kwargs.get("buildername", kwargs.get("builderid")))
            raise exceptions.InvalidPathError(
                f"there is no builder {builder} here: GET builderpresences lists them"
            )
        yield self.rtype.builderHolds.follow({name: builderid}, order, by)
        return (yield self._entity(name))

    def builderName(self, kwargs: dict[str, Any]) -> str | None:
        """The name of the builder that the path names, if it is one of this master's."""
        name = kwargs.get("buildername")
        if name is None:
            name = self.entities.builderName(kwargs["builderid"])
        return None if name is None or self.entities.builderId(name) is None else name

    @inlineCallbacks
    def _entity(self, name: str) -> Generator[Deferred[Any], Any, BuilderPresenceEntity | None]:
        waiting = yield unclaimedRequests(self.master)
        self.rtype.settle()
        return self.entities.builder(name, waiting)


class BuilderPresencesEndpoint(_Endpoint):
    """The presences of all builders of this master, or of all masters of its farm."""

    kind = base.EndpointKind.COLLECTION
    rootLinkName = "builderpresences"
    pathPatterns: ClassVar[list[str]] = ["/builderpresences"]

    @inlineCallbacks
    def get(
        self, resultSpec: Any, _kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, list[BuilderPresenceEntity]]:
        """The entities, by name."""
        waiting = yield unclaimedRequests(self.master)
        self.rtype.settle()
        found = self.entities.builders(waiting)
        return filters.select(resultSpec, self.rtype.entityType, found)

    def control(self, action: str, _args: dict[str, Any], _kwargs: dict[str, Any]) -> None:
        """Nothing is ordered of all builders at once."""
        from presence.orders import builders  # noqa: PLC0415 (as above)

        raise exceptions.InvalidControlException(
            f"action {shown(action)}: POST {', '.join(builders.ACTIONS)} to one builder, as in builderpresences/ID; or "
            f"{', '.join(workerActions())} to workers, as in presences/NAME"
        )


class Presence(_Published, base.ResourceType):
    """The presence of a worker."""

    name = "presence"
    plural = "presences"
    endpoints: ClassVar[list[Any]] = [
        PresenceEndpoint,
        PresencesEndpoint,
        CalendarEndpoint,
        CalendarWithReasonsEndpoint,
    ]
    eventPathPatterns: ClassVar[list[str]] = ["/presences/:workerid"]

    class EntityType(Entity):
        """The fields of a worker."""

        workerid = types.Integer()
        name = types.String()
        state = types.String()
        holds = types.List(of=filters.HoldType("hold"))
        connected = types.Boolean()
        busy = types.Boolean()
        running = types.Integer()
        back_at = filters.NullableInstant
        next_break = types.NoneOk(filters.BreakType("break"))
        breaks = types.List(of=filters.BreakType("break"))
        partial_breaks = types.List(of=filters.PartialBreakType("partial_break"))
        limits = types.List(of=filters.LimitType("limit"))
        refused = types.List(of=filters.RefusedType("refused"))
        blocked = types.List(of=filters.BlockType("block"))
        interrupts_at = filters.NullableInstant
        work_until = filters.NullableInstant
        builders = types.List(of=types.Integer())
        groups = types.List(of=types.String())
        zones = types.List(of=types.String())
        holdable = types.Boolean()
        drain = types.NoneOk(filters.DrainType("drain"))
        masterid = types.NoneOk(types.Integer())
        stale_since = filters.NullableInstant

    entityType = EntityType(name)

    def serve(self, _action: str | None, params: dict[str, Any], _by: str | None) -> dict[str, Any]:
        """What another master asks for."""
        from presence.master.farm.breaksbetween import answer  # noqa: PLC0415 (there may be one master)

        return answer(self.entities.breaks, params)


class BuilderPresence(_Published, base.ResourceType):
    """The presence of a builder."""

    name = "builderpresence"
    plural = "builderpresences"
    endpoints: ClassVar[list[Any]] = [BuilderPresenceEndpoint, BuilderPresencesEndpoint]
    eventPathPatterns: ClassVar[list[str]] = ["/builderpresences/:builderid"]

    class EntityType(Entity):
        """The fields of a builder."""

        builderid = types.Integer()
        name = types.String()
        state = types.String()
        ready = types.Integer()
        total = types.Integer()
        waiting = types.Integer()
        reason = filters.NullableText
        back_at = filters.NullableInstant
        hold = types.NoneOk(filters.HoldType("hold"))

    entityType = EntityType(name)


def _wants_breaks(resultSpec: Any) -> bool:
    fields = getattr(resultSpec, "fields", None)
    return not fields or not {"breaks", "partial_breaks"}.isdisjoint(fields)
