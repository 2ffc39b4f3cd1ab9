"""What endpoints have in common: orders as they come over Buildbot's API, and its errors for those that cannot be followed."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from buildbot.data import base, exceptions
from buildbot.www.rest import JSONRPC_CODES, BadJsonRpc2
from twisted.internet.defer import inlineCallbacks

from presence.orders.abilities import ABILITIES
from presence.orders.acknowledgement import Acknowledgement
from presence.orders.reading import OrderRefused, UnknownAction, readOrder
from presence.text import MAX_NAME, cut, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from twisted.internet.defer import Deferred

    from presence.master.api.entities import Entities
    from presence.master.api.shapes import OrderedEntity
    from presence.master.happenings.happening import Listener
    from presence.master.happenings.orders import Meant
    from presence.master.holding.storedorders import StoredOrders
    from presence.orders.reading import Action
    from presence.orders.workers import Order


def readApiOrder(
    actions: Mapping[str, Action], action: str, args: dict[str, Any], now: float
) -> tuple[Any, str | None]:
    """The order that `action` of `actions` is, and who has given it. Raises the API's errors.

    The action is taken by its exact name: Buildbot's authorization has looked at that.
    """
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
        what = ABILITIES.get((self.rtype.name, action)) if listeners else None
        # (a plan changes nothing)
        if what is not None and what != "plan":
            from presence.master.happenings.orders import tellOrder  # noqa: PLC0415 (nobody may listen)

            names = self.orderedOf(args, kwargs)
            done.addBoth(tellOrder, listeners, self.master.reactor.seconds(), (what, args, names))
        return done

    return controlling


class MasterEndpoint(base.Endpoint):
    """An endpoint about this master."""

    kind = base.EndpointKind.SINGLE

    def orderedOf(self, _args: dict[str, Any], _kwargs: dict[str, Any]) -> Meant:
        """The workers and builders of which something is ordered: none, for it is about the master."""
        return (), ()

    def isHere(self, kwargs: dict[str, Any]) -> bool:
        """Whether the path is about this master, and not about another one."""
        return bool(kwargs.get("masterid", self.master.masterid) == self.master.masterid)

    def readOrder(
        self, actions: Mapping[str, Action], action: str, args: dict[str, Any], kwargs: dict[str, Any]
    ) -> tuple[Any, str | None]:
        """See `readApiOrder()`. It has to be for this master."""
        order = readApiOrder(actions, action, args, self.master.reactor.seconds())
        if not self.isHere(kwargs):
            raise exceptions.InvalidPathError(
                f"master {kwargs['masterid']} is not this one: ask that one, at its own URL"
            )
        return order


# --- orders about workers


class Farm(Protocol):
    """The other masters; see `presence.master.farm`."""

    def check(self, workers: Mapping[str, int], order: Order) -> Deferred[None]:
        """Whether all of `workers` (their ids, by name) can follow `order`. Fails with a `ValueError` that says why not."""

    def acknowledge(self, workers: Mapping[str, int], revision: int) -> Deferred[dict[str, Acknowledgement]]:
        """Whether the order with this revision, which has just been stored, is heeded by those who have the workers."""


@inlineCallbacks
def follow(
    rtype: Any, workers: Mapping[str, int], order: Order, by: str | None, nothing: str = ""
) -> Generator[Deferred[Any], Any, dict[str, Acknowledgement]]:
    """Follow an order about `workers` (their ids, by name), all of them or none, with what the resource type has: how it is
    acknowledged. `nothing` is how errors go on.
    """
    orders: StoredOrders = rtype.orders
    farm: Farm | None = rtype.farm
    try:
        if farm is not None:
            yield farm.check(workers, order)
        else:
            for name in workers:
                orders.check(name, order)
    except ValueError as problem:
        raise invalid(f"{problem}{nothing}") from None
    try:
        revision = yield orders.follow(workers, order, by)
    except OrderRefused as problem:
        raise refused(f"{problem}{nothing}") from None
    if farm is None:
        return dict.fromkeys(workers, Acknowledgement((rtype.master.name,)))
    acknowledged: dict[str, Acknowledgement] = yield farm.acknowledge(workers, revision)
    return acknowledged


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
