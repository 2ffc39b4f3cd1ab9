"""Which masters have which workers, by Buildbot's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from presence.master.stored.rows import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twisted.internet.defer import Deferred


def mastersOf(master: Any, workerids: Iterable[int]) -> Deferred[dict[int, dict[int, str]]]:
    """The masters that each of these workers is connected to, {id of the worker: {id: name of the master}}.

    One that was killed is among them until Buildbot gives it up, after some minutes; a worker without any is left out.
    """
    return master.db.pool.do(mastersIn, master.db.model, sorted(workerids))


def mastersIn(connection: Any, model: Any, workerids: Sequence[int]) -> dict[int, dict[int, str]]:
    """Likewise, in a thread of the database's."""
    connected, masters = model.connected_workers.c, model.masters.c
    found: dict[int, dict[int, str]] = {}
    for some in pieces(workerids):
        rows = connection.execute(
            sa.select(connected.workerid, masters.id, masters.name)
            .where(connected.masterid == masters.id, masters.active == 1)
            .where(connected.workerid.in_(some))
        )
        for row in rows.fetchall():
            found.setdefault(row.workerid, {})[row.id] = row.name
    return found
