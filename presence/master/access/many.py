"""Who may order something of many workers at once: whoever may order it of each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.data.exceptions import InvalidPathError
from buildbot.www.authz import Forbidden
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import deferLater

from presence.master.api.endpoints import unknownWorker, workerActions
from presence.master.api.presences import PresencesEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

# About so many workers it is asked in one turn of the reactor.
_SLICE = 20


def isForMany(master: Any, ep: Any, action: str) -> bool:
    """Whether a request is an order for several workers: `action`, posted to `ep`, the path of all of them."""
    if action not in workerActions():
        return False
    try:
        endpoint, _ = master.data.getEndpoint(ep)
    except InvalidPathError:
        return False
    return isinstance(endpoint, PresencesEndpoint)


@inlineCallbacks
def assertEach(
    master: Any, ep: Any, options: dict[str, Any], ask: Callable[[Any, dict[str, Any]], Any]
) -> Generator[Deferred[Any], Any, None]:
    """Ask about each worker that `options` of such a request name, as if it was ordered of that one alone: `ask` is called
    with its path, and the options without the names. A Deferred that fails, as that of `ask` does, with the name.

    What names no workers is asked about as it is, and is refused later.
    """
    from presence.orders.workers import WORKERS, readNames  # noqa: PLC0415 (nobody may order anything)

    names = readNames(options.get(WORKERS))
    if names is None:
        yield ask(ep, options)
        return
    alone = {name: value for name, value in options.items() if name != WORKERS}
    for number, name in enumerate(names, 1):
        path = (*ep, name)
        _, found = master.data.getEndpoint(path)
        if found.get("name") != name:
            # (a number is an id)
            raise InvalidPathError(f"{unknownWorker(name)}; nothing was ordered")
        try:
            yield ask(path, alone)
        except Forbidden as problem:
            said = bytes(problem.message or b"").decode("utf-8", "replace")
            raise Forbidden(f"{name}: {said}; nothing was ordered".encode()) from None
        if number % _SLICE == 0:
            yield deferLater(master.reactor, 0, lambda: None)
