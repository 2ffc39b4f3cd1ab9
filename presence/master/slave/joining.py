"""A worker that has connected joins its builders."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred, succeed
from twisted.python.failure import Failure

from presence.master import mirror
from presence.master.slave.part import SlavePart

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


class _Queue:
    """The builders that a worker has yet to join over one connection: nothing more of each, as of a farm they are half a million."""

    __slots__ = ("_joining", "_waiters", "builders", "conn")

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self.builders: deque[Any] = deque()
        # what is not through yet, or has failed
        self._joining: list[Deferred[Any]] = []
        self._waiters: list[Deferred[None]] = []

    def each(self, worker: Joining) -> Iterator[None]:
        """Let `worker` join them, one after the other."""
        while self.builders:
            joining = maybeDeferred(worker._join, self.conn, self.builders[0])
            if not joining.called or joining.paused or isinstance(joining.result, Failure):
                self._joining.append(joining)
            yield
            self.builders.popleft()
        self._look()

    def whenJoined(self) -> Deferred[None]:
        """A Deferred that fires when all of them are joined."""
        waiter: Deferred[None] = Deferred()
        self._waiters.append(waiter)
        self._look()
        return waiter

    def _look(self) -> None:
        if self._waiters and not self.builders:
            waiters, self._waiters = self._waiters, []
            joining, self._joining = self._joining, []
            DeferredList(joining, consumeErrors=True).addCallback(lambda _: _fire(waiters))


def _fire(waiters: list[Deferred[None]]) -> None:
    for each in waiters:
        each.callback(None)


class Joining(SlavePart):
    """Joins them without being compared with the workers that are there, and a few of them in each turn of the reactor."""

    # while there are any that it has yet to join
    _queue: _Queue | None = None

    @inlineCallbacks
    def sendBuilderList(self) -> Generator[Deferred[Any], Any, None]:
        """Tell the worker its builders, and join those that it has."""
        yield super().sendBuilderList()  # type: ignore[misc]
        queue = self._queue
        if queue is not None:
            yield queue.whenJoined()
            if self._queue is queue and not queue.builders:
                del self._queue

    def attachBuilder(self, builder: Any) -> Deferred[Any]:
        """Let the worker join a builder. Of one that has a thousand of them most wait for their turn, and `sendBuilderList`, which
        calls this, for them.
        """
        if self._assembly is None or mirror.isLatent(self):
            joining: Deferred[Any] = super().attachBuilder(builder)  # type: ignore[misc]
            return joining
        queue = self._queue
        if queue is None or queue.conn is not self.conn:
            queue = self._queue = _Queue(self.conn)
        queue.builders.append(builder)
        if len(queue.builders) == 1:
            self._assembly.roster.joining.do(queue.each(self))
        return succeed(builder)

    def clockJumped(self, seconds: float) -> None:
        """See `SlavePart`."""
        super().clockJumped(seconds)
        if self._assembly is not None:
            self._assembly.roster.joining.clockJumped()
            self._assembly.roster.crowd.clockJumped()

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
