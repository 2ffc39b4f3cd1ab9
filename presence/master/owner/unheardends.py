"""Connections over Perspective Broker whose end Buildbot does not hear of.

It tells of the end only from when the login has ended. Where a connection goes before, and the master waits for its database in
between, Buildbot takes the worker for connected for ever: when it comes again, it is let in and "cannot attach", and builds
nothing until the master is started anew (Buildbot's issues 4678, 6324 and 6455). Here it is told.

So it is over TLS when the old connection of a worker that comes again does not answer: it is given up, and does not end
before the other side has agreed. Here it ends at once, as without TLS.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from buildbot.worker.protocols.pb import Connection
from twisted.internet.defer import inlineCallbacks
from twisted.internet.interfaces import ISSLTransport

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred


class UnheardEnds:
    """Lets `master` hear of the end of each connection that begins from `start()` to `stop()`."""

    def __init__(self, master: Any) -> None:
        self._workers = master.workers
        self._clock = master.reactor
        self._accept: Any = None

    def start(self) -> None:
        """From now on it hears of it."""
        self._accept, self._workers.newConnection = self._workers.newConnection, self._new_connection

    def stop(self) -> None:
        """As Buildbot does it."""
        if self._accept is not None:
            self._workers.newConnection = self._accept
            self._accept = None

    @inlineCallbacks
    def _new_connection(self, conn: Any, name: str) -> Generator[Deferred[Any], Any, bool]:
        accepted: bool = yield self._accept(conn, name)
        # the other protocols tell at any time
        if accepted and isinstance(conn, Connection):
            broker = conn.mind.broker
            # the login has not ended yet: whoever it tells then is told first
            broker.notifyOnDisconnect(partial(self._clock.callLater, 0, _detach, conn))
            if ISSLTransport.providedBy(broker.transport):
                _end_at_once(conn, broker.transport)
        return accepted


def _detach(conn: Any) -> None:
    # whoever was told has no mind any more
    if conn.mind is not None:
        conn.detached(conn.mind)


def _end_at_once(conn: Any, transport: Any) -> None:
    """Let `conn` end when Buildbot gives it up."""
    lose = conn.loseConnection

    def loseConnection() -> None:
        lose()
        transport.abortConnection()

    conn.loseConnection = loseConnection
