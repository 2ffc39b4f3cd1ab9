"""Orders that were given over Buildbot's API as happenings: what was ordered, and what has come of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

from buildbot.data.exceptions import InvalidPathError
from buildbot.www.rest import BadJsonRpc2
from twisted.python.failure import Failure

from presence.master.happenings.happening import Happening
from presence.orders.abilities import ABILITIES
from presence.text import MAX_NAME, cut, plain, readReason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from presence.master.happenings.happening import Listener

_Result = TypeVar("_Result")

#: The names of the workers and of the builders of which something is ordered.
Meant = tuple[tuple[str, ...], tuple[str, ...]]

#: What is said of an order that was forced.
FORCED = "whatever is to be kept ready"

# What is renewed all the time by something that measures; of the hold that comes of it the watch tells.
_PUSHED = frozenset({"push", "withdraw"})


def tellOrder(
    result: _Result,
    listeners: Iterable[Listener],
    at: float,
    order: tuple[str, dict[str, Any], Meant],
) -> _Result:
    """Tell the `listeners` of an order that was given `at` this instant, and has come to this `result`, or failure. It is the word for
    it, what came with it, and of which workers and builders it was ordered.
    """
    what, args, (workers, builders) = order
    outcome, problem = _outcome(result)
    # one about a worker that there is not is a mistake in typing
    mistyped = isinstance(result, Failure) and isinstance(result.value, InvalidPathError)
    if not mistyped and not (outcome == "done" and what in _PUSHED):
        by = args.get("owner")
        happening = Happening(
            at,
            "order",
            what,
            workers,
            None if by is None else cut(plain(str(by)), MAX_NAME),
            _reason(args),
            until=_instant(args, "until") or _instant(args, "deadline"),
            outcome=outcome,
            problem=FORCED if outcome == "done" and args.get("force") is True else problem,
            builders=builders,
        )
        for listener in tuple(listeners):
            listener(happening)
    return result


def tellForbidden(
    master: Any, listeners: Iterable[Listener], user: dict[str, Any], asked: tuple[Any, str, dict[str, Any]]
) -> None:
    """Tell the `listeners` that `user`, as Buildbot's web server describes him, was forbidden an order: the path, the action and what
    came with it, if it is one.

    Of what he has written nothing is told: he may be anybody.
    """
    ep, action, options = asked
    endpoint, kwargs = master.data.getEndpoint(ep)
    what = ABILITIES.get((getattr(endpoint.rtype, "name", ""), action))
    if what is None or not hasattr(endpoint, "orderedOf"):
        return
    here = master.workers.workers
    workers, builders = endpoint.orderedOf(options, kwargs)
    by = None if user.get("anonymous") else user.get("email") or user.get("username")
    happening = Happening(
        master.reactor.seconds(),
        "order",
        what,
        tuple(each for each in workers if each in here),
        None if by is None else cut(plain(str(by)), MAX_NAME),
        outcome="forbidden",
        builders=builders,
    )
    for listener in tuple(listeners):
        listener(happening)


def _outcome(result: object) -> tuple[str, str | None]:
    if not isinstance(result, Failure):
        # a reconfiguration with mistakes is answered with them
        mistakes = result.get("mistakes") if isinstance(result, dict) else None
        return ("refused", str(mistakes[0])) if mistakes else ("done", None)
    if isinstance(result.value, BadJsonRpc2):
        return "refused", str(result.value.message)
    # what it is in the words of a database is not for everybody
    return "failed", "the log of the master says why"


def _reason(args: dict[str, Any]) -> str | None:
    try:
        return readReason(args.get("reason") or "")
    except ValueError:
        return None


def _instant(args: dict[str, Any], name: str) -> float | None:
    value = args.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
