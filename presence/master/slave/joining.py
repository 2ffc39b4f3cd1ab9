"""A worker that has connected joins its builders."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from presence.master import mirror
from presence.master.slave.part import SlavePart


class Joining(SlavePart):
    """Joins them without being compared with the workers that are there, and a few of them in each turn of the reactor."""

    def attachBuilder(self, builder: Any) -> Deferred[Any]:
        """Let the worker join a builder. Of one that has a thousand of them most wait for their turn."""
        if self._assembly is None or mirror.isLatent(self):
            joining: Deferred[Any] = super().attachBuilder(builder)  # type: ignore[misc]
            return joining
        joined: Deferred[Any] = Deferred()
        joined.addCallback(lambda conn: self._join(conn, builder))
        self._assembly.roster.joining.do(partial(joined.callback, self.conn))
        return joined

    def clockJumped(self, seconds: float) -> None:
        """See `SlavePart`."""
        super().clockJumped(seconds)
        if self._assembly is not None:
            self._assembly.roster.joining.clockJumped()

    def _join(self, conn: Any, builder: Any) -> Deferred[Any] | None:
        # (as Buildbot looks when it has waited for the worker: a configuration may have come, or the connection gone)
        if self.conn is not conn or self.botmaster.builders.get(builder.name) is not builder:
            return None
        joining: Deferred[Any]
        if builder.name in self.workerforbuilders:
            joining = super().attachBuilder(builder)  # type: ignore[misc]
            return joining
        # it need not be compared with those that are there where it is known to be none of them
        there = builder.attaching_workers, builder.workers
        builder.attaching_workers, builder.workers = [], []
        try:
            joining = super().attachBuilder(builder)  # type: ignore[misc]
        finally:
            # (where the connection answers at once it has joined)
            for before, joined in zip(there, (builder.attaching_workers, builder.workers), strict=True):
                before.extend(joined)
            builder.attaching_workers, builder.workers = there
        return joining
