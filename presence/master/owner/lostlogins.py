"""A worker that goes while its login is still under way.

Perspective Broker tells of a connection that has gone only from when the login has ended. Where it goes before, and a master waits for
its database in between, Buildbot takes the worker for connected for ever: when it comes again, it is let in and "cannot
attach", and builds nothing until the master is started anew (Buildbot's issues 4678, 6324 and 6455). Here it is told.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from buildbot.worker.protocols.pb import Connection
from twisted.internet.defer import inlineCallbacks

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred


class LostLogins:
    """Lets `master` hear of connections that go while a worker logs in, from `start()` to `stop()`."""

    def __init__(self, master: Any) -> None:
        self._workers = master.workers
        self._clock = master.reactor
        self._accept: Any = None

    def start(self) -> None:
        """From now on it hears of them."""
        self._accept, self._workers.newConnection = self._workers.newConnection, self._new_connection

    def stop(self) -> None:
        """As Buildbot does it."""
        if self._accept is not None:
            self._workers.newConnection = self._accept
            self._accept = None

    @inlineCallbacks
    def _new_connection(self, conn: Any, name: str) -> Generator[Deferred[Any], Any, bool]:
        # (one that comes while this is taken back is Buildbot's)
        accepted: bool = yield self._accept(conn, name)
        # the other protocols tell at any time
        if accepted and isinstance(conn, Connection):
            # the login has not ended yet: whoever it tells then is told first
            conn.mind.broker.notifyOnDisconnect(partial(self._clock.callLater, 0, _detach, conn))
        return accepted


def _detach(conn: Any) -> None:
    # whoever was told has no mind any more
    if conn.mind is not None:
        conn.detached(conn.mind)
