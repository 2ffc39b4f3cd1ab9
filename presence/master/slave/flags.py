"""What Buildbot stores of a worker beside its connection: whether it is paused, and why, and whether it is to end gracefully.

Buildbot stores and tells of one after the other when a worker has connected, with three statements each, of ten in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.slave.part import SlavePart

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from twisted.internet.defer import Deferred

_log = Logger()


class FlagsTogether(SlavePart):
    """Stores all of it with one statement, tells of it once, and one after the other: what it is last is stored last."""

    # of Buildbot's workers
    _deferwaiter: Any

    # what is being stored, if anything is
    _storing: Mapping[str, Any] | None = None

    def _update_paused(self) -> None:
        self._update_flags()

    def _update_graceful(self) -> None:
        self._update_flags()

    def _update_flags(self) -> None:
        if self._storing is None:
            self._deferwaiter.add(self._store_flags())

    @inlineCallbacks
    def _store_flags(self) -> Generator[Deferred[Any], Any, None]:
        storing = None
        # it may become another one meanwhile; and the worker may be a stock one again, which has nothing of this class
        while (flags := _flags(self)) != storing:
            storing = self._storing = flags
            try:
                table = self.master.db.model.workers
                yield self.master.db.pool.do_with_transaction(_write, table, self.workerid, flags)
                stored = yield self.master.data.get(("workers", self.workerid))
                self.master.data.getResourceType("worker").produceEvent(stored, "state_updated")
            except Exception:  # noqa: BLE001 (whatever fails: it is stored again with what comes next)
                _log.failure("while storing whether {name} is paused", name=self.workername)
        vars(self).pop("_storing", None)


def _flags(worker: Any) -> dict[str, Any]:
    paused, graceful = int(worker._paused), int(worker._graceful)
    return {"paused": paused, "pause_reason": worker._pause_reason, "graceful": graceful}


def _write(connection: Any, table: Any, workerid: int, flags: Mapping[str, Any]) -> None:
    connection.execute(sa.update(table).where(table.c.id == workerid).values(**flags))
