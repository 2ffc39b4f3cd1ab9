"""Sorts builders as Buildbot's distributor does, with one question to the database for all of them together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

_log = Logger()


class Sorting:
    """Stands in for the sorter of a master's distributor, where the site has no `prioritizeBuilders` of its own.

    Buildbot asks of each builder, with four SQL statements, for the highest priority of its unclaimed requests and for the oldest of
    them, and no build starts before it knows that of all builders.
    """

    def __init__(self, master: Any) -> None:
        self._distributor = master.botmaster.brd

    def start(self) -> None:
        """Sort from now on."""
        self._sort_one_by_one = self._distributor._defaultSorter
        self._distributor._defaultSorter = self._sort

    def stop(self) -> None:
        """Sort no longer: the distributor's own method, which is its class's, comes to light again."""
        vars(self._distributor).pop("_defaultSorter", None)

    def _sort(self, master: Any, builders: list[Any]) -> Deferred[list[Any]]:
        return sortTogether(master, builders, self._sort_one_by_one)


@inlineCallbacks
def sortTogether(
    master: Any, builders: list[Any], oneByOne: Callable[[Any, list[Any]], Deferred[list[Any]]]
) -> Generator[Deferred[Any], Any, list[Any]]:
    """`builders`, sorted with one question for all of them; where that cannot be answered, by what Buildbot does."""
    try:
        urgencies = yield requestedUrgencies(master)
    except Exception:  # noqa: BLE001
        _log.failure("while sorting builders; asking of each by itself")
        return (yield oneByOne(master, builders))

    def key(builder: Any) -> tuple[float, float, str]:
        return (*urgencies.get(builder._builderid, (math.inf, math.inf)), builder.name)

    return sorted(builders, key=key)


def requestedUrgencies(master: Any) -> Deferred[dict[int, tuple[float, float]]]:
    """By what Buildbot sorts the builders that have unclaimed requests, by their ids: the negative of the highest
    priority, and the time (seconds since the epoch) of the oldest request. One SQL statement.
    """
    model = master.db.model
    requests, claims, stamps = model.buildrequests, model.buildrequest_claims, model.buildset_sourcestamps
    query = (
        sa.select(
            requests.c.builderid, sa.func.max(requests.c.priority), sa.func.min(requests.c.submitted_at)
        )
        .select_from(
            requests.outerjoin(claims, requests.c.id == claims.c.brid)
            # as Buildbot has it: without a source stamp a request is none
            .join(stamps, requests.c.buildsetid == stamps.c.buildsetid)
        )
        .where(claims.c.claimed_at.is_(None), requests.c.complete == 0)
        .group_by(requests.c.builderid)
    )

    def thd(connection: Any) -> dict[int, tuple[float, float]]:
        return {
            builderid: (-priority, submitted_at)
            for builderid, priority, submitted_at in connection.execute(query)
        }

    return master.db.pool.do(thd)
