"""Many workers that connect at the same time leave the reactor its turn.

PostgreSQL and MySQL are asked in fifteen threads of Buildbot's. When each of them has something to do, the reactor waits for
all of them to use the interpreter wherever it lets that go, which is at each line of the log: for a tenth of a second
and more in one turn. Three threads get as much done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

#: So many threads ask the database in a crowd, which is when more workers than that connect at the same time.
THREADS = 3

#: A crowd is over when no worker has connected, and none has joined all its builders, for so long, in seconds.
CALM = 3.0


class Crowd:
    """Sees to it on one master; tell it of each worker that `comes`."""

    def __init__(self, master: Any) -> None:
        self._master = master
        self._connecting = 0
        self._threads: Any = None
        # while there is a crowd: its end, and how many threads there are at other times
        self._end: IDelayedCall | None = None
        self._usual = 0

    def comes(self, done: Deferred[Any]) -> None:
        """A worker connects, and has when `done` fires, with whatever."""
        self._connecting += 1
        if self._end is not None:
            self._end.reset(CALM)
        elif self._connecting > THREADS:
            self._begin()
        done.addBoth(self._has_come)

    def clockJumped(self) -> None:
        """The clock has been set, perhaps back: do not wait for the end."""
        if self._end is not None:
            self._end.reset(0)

    def stop(self) -> None:
        """It is over, and no timer is left."""
        if self._end is not None:
            self._end.cancel()
            self._is_over()

    def _has_come(self, result: Any) -> Any:
        self._connecting -= 1
        if self._end is not None:
            self._end.reset(CALM)
        return result

    def _begin(self) -> None:
        threads = self._threads = self._master.db.pool._pool
        # (SQLite has one; and in Buildbot's own tests there are none)
        if getattr(threads, "max", 1) > THREADS:
            self._usual = threads.max
            threads.adjustPoolsize(maxthreads=THREADS)
            self._end = self._master.reactor.callLater(CALM, self._is_over)

    def _is_over(self) -> None:
        self._end = None
        self._threads.adjustPoolsize(maxthreads=self._usual)
