"""Which masters have which workers, by Buildbot's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.internet.defer import Deferred

# How many ids are in one SELECT: databases have a bound for parameters.
_AT_ONCE = 500


def mastersOf(master: Any, workerids: Iterable[int]) -> Deferred[dict[int, dict[int, str]]]:
    """The masters that each of these workers is connected to, {id of the worker: {id: name of the master}}.

    One that was killed is among them until Buildbot gives it up, after some minutes; a worker without any is left out.
    """
    model = master.db.model
    connected, masters = model.connected_workers.c, model.masters.c
    wanted = sorted(workerids)

    def thd(connection: Any) -> dict[int, dict[int, str]]:
        found: dict[int, dict[int, str]] = {}
        for first in range(0, len(wanted), _AT_ONCE):
            rows = connection.execute(
                sa.select(connected.workerid, masters.id, masters.name)
                .where(connected.masterid == masters.id, masters.active == 1)
                .where(connected.workerid.in_(wanted[first : first + _AT_ONCE]))
            )
            for row in rows.fetchall():
                found.setdefault(row.workerid, {})[row.id] = row.name
        return found

    return master.db.pool.do(thd)
