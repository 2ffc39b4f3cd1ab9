"""What endpoints have in common: orders as they come over Buildbot's API, and its errors for those that cannot be followed."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from buildbot.data import base, exceptions
from buildbot.www.rest import JSONRPC_CODES, BadJsonRpc2
from twisted.internet.defer import inlineCallbacks, succeed
from twisted.internet.task import deferLater

from presence.orders.refusals import CannotFollow, OrderRefused, UnknownAction
from presence.text import MAX_NAME, cut, plain, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from twisted.internet.defer import Deferred

    from presence.master.api.entities import Entities
    from presence.master.api.shapes import OrderedEntity, PresenceEntity
    from presence.master.happenings.happening import Listener
    from presence.master.happenings.orders import Meant
    from presence.master.holding.recordtable import Check
    from presence.master.holding.storedorders import Followed, StoredOrders
    from presence.orders.acknowledgement import Acknowledgement
    from presence.orders.reading import Action
    from presence.orders.record import AdminRecord
    from presence.orders.workers import Order


def readApiOrder(
    actions: Mapping[str, Action], action: str, args: dict[str, Any], now: float
) -> tuple[Any, str | None]:
    """The order that `action` of `actions` is, and who has given it. Raises the API's errors.

    The action is taken by its exact name: Buildbot's authorization has looked at that.
    """
    # where nobody orders anything it is not in memory, nor what may be ordered
    from presence.orders.reading import readOrder  # noqa: PLC0415

    parameters = dict(args)
    # Buildbot puts in the user of the session, over what the caller may have written there
    by = parameters.pop("owner", None)
    if by is not None:
        # whatever the provider of the login takes for a name: it is shown, and logged, wherever the order is
        by = cut(plain(str(by)), MAX_NAME)
    try:
        return readOrder(actions, action, parameters, now), by
    except UnknownAction as problem:
        raise exceptions.InvalidControlException(str(problem)) from None
    except ValueError as problem:
        raise invalid(str(problem)) from None


def invalid(text: str) -> Exception:
    """The error of Buildbot's JSON-RPC for parameters that make no sense."""
    return BadJsonRpc2(text, JSONRPC_CODES["invalid_params"])


def refused(text: str) -> Exception:
    """The error of Buildbot's JSON-RPC for what cannot be done now."""
    return BadJsonRpc2(text, JSONRPC_CODES["invalid_request"])


class OwnEvents:
    """Of a resource type whose events carry entities that are made for them."""

    #: who hears of orders; nobody, unless somebody wants to
    listeners: Sequence[Listener] = ()
    #: asks other masters; None where there is one
    remote: Remote | None = None

    @staticmethod
    def sanitizeMessage(msg: dict[str, Any]) -> dict[str, Any]:
        """The entity as it is: there is nobody else who might change it."""
        return msg


def announced(control: Callable[..., Deferred[Any]]) -> Callable[..., Deferred[Any]]:
    """Of a `control()`: whoever listens hears what was ordered, by whom, of whom (see `orderedOf()`), and what has come of it."""

    @wraps(control)
    def controlling(self: Any, action: str, args: dict[str, Any], kwargs: dict[str, Any]) -> Deferred[Any]:
        listeners = self.rtype.listeners
        done = control(self, action, args, kwargs)
        if not listeners:
            return done
        # nobody may listen
        from presence.master.happenings.orders import tellOrder  # noqa: PLC0415
        from presence.orders.abilities import ABILITIES  # noqa: PLC0415

        what = ABILITIES.get((self.rtype.name, action))
        # (a plan changes nothing)
        if what is not None and what != "plan":
            names = self.orderedOf(args, kwargs)
            done.addBoth(tellOrder, listeners, self.master.reactor.seconds(), (what, args, names))
        return done

    return controlling


class Remote(Protocol):
    """The other masters, where there are any; see `presence.master.farm.remote`."""

    def ask(
        self,
        masterid: int,
        what: str,
        action: str | None,
        params: Mapping[str, Any],
        by: str | None,
        *,
        patience: float = ...,
    ) -> Deferred[Any]:
        """The answer of another master, for which it has so many seconds. Fails with `LookupError` if there is none, and with
        `OrderRefused`.
        """


class OfEachMaster(OwnEvents):
    """Of a resource type about a master as a whole."""

    name: str
    master: Any

    def actions(self) -> Mapping[str, Action]:
        """What may be ordered."""
        # (no property: Buildbot asks all of these when it registers a type, and this is imported by who asks)
        raise NotImplementedError

    def told(self) -> Deferred[Any]:
        """The entity of this master."""
        raise NotImplementedError

    def obey(self, order: Any, by: str | None) -> Deferred[Any]:
        """Follow an order about this master: the answer."""
        raise NotImplementedError

    def serve(self, action: str | None, params: dict[str, Any], by: str | None) -> Deferred[Any]:
        """What another master asks for, which has looked whether `by` may order it."""
        if action is None:
            return self.told()
        order, _ = readApiOrder(self.actions(), action, params, self.master.reactor.seconds())
        return self.obey(order, by)


class MasterEndpoint(base.Endpoint):
    """An endpoint about this master, or about another one of the farm."""

    kind = base.EndpointKind.SINGLE

    @inlineCallbacks
    def get(self, _resultSpec: Any, kwargs: dict[str, Any]) -> Generator[Deferred[Any], Any, Any]:
        """The entity; None for another master where this one is alone."""
        rtype: OfEachMaster = self.rtype
        if self.isHere(kwargs):
            return (yield rtype.told())
        if rtype.remote is None:
            return None
        try:
            return (yield rtype.remote.ask(kwargs["masterid"], rtype.name, None, {}, None))
        except (LookupError, OrderRefused) as problem:
            raise exceptions.InvalidPathError(str(problem)) from None

    @announced
    @inlineCallbacks
    def control(
        self, action: str, args: dict[str, Any], kwargs: dict[str, Any]
    ) -> Generator[Deferred[Any], Any, Any]:
        """Follow an order, or let the other master follow it."""
        rtype: OfEachMaster = self.rtype
        order, by = readApiOrder(rtype.actions(), action, args, self.master.reactor.seconds())
        yield self.checkRules(action)
        if self.isHere(kwargs):
            return (yield rtype.obey(order, by))
        if rtype.remote is None:
            raise exceptions.InvalidPathError(
                f"master {kwargs['masterid']} is not this one: ask that one, at its own URL"
            )
        params = {name: value for name, value in args.items() if name != "owner"}
        try:
            return (yield rtype.remote.ask(kwargs["masterid"], rtype.name, action, params, by))
        except LookupError as problem:
            raise exceptions.InvalidPathError(str(problem)) from None
        except OrderRefused as problem:
            raise refused(str(problem)) from None

    def checkRules(self, _action: str) -> Deferred[None]:
        """Raise what is wrong with the rules of the site, if anything is."""
        return succeed(None)

    def orderedOf(self, _args: dict[str, Any], _kwargs: dict[str, Any]) -> Meant:
        """The workers and builders of which something is ordered: none, for it is about the master."""
        return (), ()

    def isHere(self, kwargs: dict[str, Any]) -> bool:
        """Whether the path is about this master, and not about another one."""
        return bool(kwargs.get("masterid", self.master.masterid) == self.master.masterid)


# --- orders about workers

# How often, and how long after each other (seconds), it is looked whether an order about another master's worker is shown.
_LOOKS, _LOOK = 100, 0.005


class Farm(Protocol):
    """The other masters; see `presence.master.farm`."""

    def check(self, workers: Mapping[str, int], order: Order) -> Check:
        """What looks whether all of `workers` (their ids, by name) can follow `order`; it raises `CannotFollow`."""

    def acknowledge(self, workers: Mapping[str, int], revision: int) -> Deferred[dict[str, Acknowledgement]]:
        """Whether the order with this revision, which has just been stored, is heeded by those who have the workers."""


@inlineCallbacks
def follow(
    rtype: Any, workers: Mapping[str, int], order: Order, by: str | None, nothing: str = ""
) -> Generator[Deferred[Any], Any, dict[str, Acknowledgement]]:
    """Follow an order about `workers` (their ids, by name), all of them or none, with what the resource type has: how it is
    acknowledged. `nothing` is how errors go on.
    """
    from presence.orders.acknowledgement import Acknowledgement  # noqa: PLC0415 (nobody may order anything)

    orders: StoredOrders = rtype.orders
    farm: Farm | None = rtype.farm
    try:
        for name in workers if farm is None else ():
            orders.check(name, order)
    except ValueError as problem:
        raise invalid(f"{problem}{nothing}") from None
    check = None if farm is None else farm.check(workers, order)
    try:
        followed: Followed = yield orders.follow(workers, order, by, check)
    except CannotFollow as problem:
        raise invalid(f"{problem}{nothing}") from None
    except OrderRefused as problem:
        raise refused(f"{problem}{nothing}") from None
    if farm is None:
        return dict.fromkeys(workers, Acknowledgement((rtype.master.name,)))
    acknowledged: dict[str, Acknowledgement] = yield farm.acknowledge(workers, followed.revision)
    # what is answered, and asked for next, shall show it: of other masters' workers that takes a moment
    heeded = [(name, each) for name, each in followed.records.items() if acknowledged[name].isHeeded]
    for _ in range(_LOOKS):
        while heeded and _shows(rtype.entities.worker(heeded[-1][0], breaks=False), heeded[-1][1]):
            heeded.pop()
        if not heeded:
            break
        yield deferLater(rtype.master.reactor, _LOOK, lambda: None)
    return acknowledged


def _shows(entity: PresenceEntity | None, record: AdminRecord) -> bool:
    """Whether it is what is stored that is told of a worker."""
    if entity is None:
        return True
    hold = next((each for each in entity["holds"] if each["source"] == "admin"), None)
    if record.hold is None or hold is None:
        return record.hold is None and hold is None
    return hold["since"] == record.hold.since and (record.drain is None) is (entity["drain"] is None)


@inlineCallbacks
def withInside(master: Any, order: Any, answer: Any) -> Generator[Deferred[Any], Any, Any]:
    """The `answer` to an order, with ``inside``, a list of the ids of the builds from inside of which it was given; as it is where the order
    does not say from where.
    """
    if not getattr(order, "ancestors", ()):
        return answer
    from presence.master.quiesce.inside import insideOf  # noqa: PLC0415 (commands say so, and the page does not)

    return {**answer, "inside": sorted((yield insideOf(master, order.ancestors)))}


def orderedEntity(
    entities: Entities, name: str, workerid: int, acknowledgement: Acknowledgement
) -> OrderedEntity:
    """The answer to an order about one worker."""
    entity: Any = entities.worker(name, breaks=False)
    answer: OrderedEntity = {
        "workerid": workerid,
        "name": name,
        "order": {
            "heeded": acknowledgement.isHeeded,
            "heeded_by": list(acknowledgement.heededBy),
            "not_confirmed": list(acknowledgement.notConfirmed),
            "text": acknowledgement.text,
        },
    }
    return answer if entity is None else {**entity, **answer}


def workerActions() -> Mapping[str, Action]:
    """What may be ordered of workers."""
    from presence.orders.workers import ACTIONS  # noqa: PLC0415 (nobody may order anything)

    return ACTIONS


def unknownWorker(worker: object) -> str:
    """What is said where there is no such worker."""
    return f"there is no worker {shown(worker)} in the configuration: GET presences lists them"


def tooLarge(number: int | None) -> bool:
    """Whether a database would refuse this id."""
    return number is not None and number.bit_length() > 31  # noqa: PLR2004 (the INTEGER of SQL)
