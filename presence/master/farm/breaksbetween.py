"""The breaks of workers of other masters: what one tells is those of the coming days, and of other days it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredList, inlineCallbacks
from twisted.logger import Logger

from presence.calendar.instants import checkFinite
from presence.master.stored.rows import pieces
from presence.orders.refusals import OrderRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from twisted.internet.defer import Deferred

    from presence.master.farm.remote import Remote

_log = Logger()

# Of how many workers a master is asked at a time: a message has a size.
_AT_ONCE = 100

# How long it may take to answer, in seconds: then what is known is told.
_PATIENCE = 5.0

_FIELDS = ("breaks", "partial_breaks")


def answer(breaksOf: Callable[[str, tuple[float, float]], Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """What another master asks for, of which `breaksOf` knows: the breaks between ``first`` and ``last`` of each of ``workers`` (names). Many have the same, which
    are said once.
    """
    try:
        span = checkFinite("first", params["first"]), checkFinite("last", params["last"])
        names = [str(name) for name in params["workers"]]
    except (KeyError, TypeError, ValueError) as problem:
        raise OrderRefused(f"it cannot be understood which breaks are asked for: {problem!r}") from None
    same: list[Any] = []
    which: dict[str, int] = {}
    for name in names:
        found = breaksOf(name, span)
        if found not in same:
            same.append(found)
        which[name] = same.index(found)
    return {"breaks": same, "workers": which}


@inlineCallbacks
def askOthers(
    remote: Remote, here: int, found: Iterable[Any], span: tuple[float, float]
) -> Generator[Deferred[Any], Any, None]:
    """Put into those of the entities `found` of which other masters than this one (by its id) tell the breaks that those say there are.

    Of a master that is gone, or does not answer, those stay that are known.
    """
    others: dict[int, dict[str, Any]] = {}
    for each in found:
        masterid = each["masterid"]
        if masterid is not None and masterid != here and each["stale_since"] is None:
            others.setdefault(masterid, {})[each["name"]] = each
    asked = []
    for masterid, entities in others.items():
        names = list(entities)
        for some in pieces(names, _AT_ONCE):
            params = {"first": span[0], "last": span[1], "workers": some}
            asked.append(
                remote.ask(masterid, "presence", None, params, None, patience=_PATIENCE).addCallback(
                    _put, entities
                )
            )
    for success, failure in (yield DeferredList(asked, consumeErrors=True)):
        if not success:
            _log.warn(
                "another master does not say which breaks there are: {problem}",
                problem=failure.getErrorMessage(),
            )


def _put(answered: Mapping[str, Any], entities: Mapping[str, dict[str, Any]]) -> None:
    for name, number in answered["workers"].items():
        if name in entities:
            entities[name].update({field: answered["breaks"][number][field] for field in _FIELDS})
