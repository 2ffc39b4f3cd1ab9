"""Builds that wait for what they have triggered, and have not heard that it has ended, as the message was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

_log = Logger()


@inlineCallbacks
def endWaiting(master: Any) -> Generator[Deferred[Any], Any, None]:
    """Tell the schedulers of this master that wait for the end of a buildset of those that have ended. One statement, if any."""
    waiting = {
        bsid: each
        for each in list(master.scheduler_manager)
        for bsid in tuple(getattr(each, "_waiters", None) or ())
    }
    if not waiting:
        return
    sets = master.db.model.buildsets
    query = sa.select(sets.c.id, sets.c.results).where(sets.c.id.in_(sorted(waiting)), sets.c.complete == 1)
    try:
        ended = yield master.db.pool.do(lambda connection: connection.execute(query).fetchall())
    except Exception:  # noqa: BLE001
        _log.failure("it is not known which of the builds have ended that others wait for")
        return
    for row in ended:
        # (as Buildbot's own consumer does; it may have heard of it meanwhile)
        message = {"bsid": row.id, "results": row.results, "complete": True}
        waiting[row.id]._buildset_complete_cb(("buildsets", str(row.id), "complete"), message)
