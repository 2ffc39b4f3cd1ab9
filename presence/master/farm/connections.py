"""Which masters live, and which have which workers, by Buildbot's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from presence.master.stored.rows import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twisted.internet.defer import Deferred

#: A master that has not told Buildbot's database for so long (seconds) that it lives does not; it does so every minute.
EXPIRED = 180.0


def lives(row: Any, now: float) -> bool:
    """Whether a master lives, of which this is the row in Buildbot's table."""
    return bool(row.active) and row.last_active >= now - EXPIRED


def othersOf(master: Any) -> Deferred[dict[int, str]]:
    """The other masters that live, and their names."""
    table, now = master.db.model.masters, master.reactor.seconds()
    query = sa.select(table.c.id, table.c.name, table.c.active, table.c.last_active)

    def thd(connection: Any) -> dict[int, str]:
        known = connection.execute(query.order_by(table.c.id)).fetchall()
        return {row.id: row.name for row in known if row.id != master.masterid and lives(row, now)}

    return master.db.pool.do(thd)


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
