"""Connecting a master to its router once more, and what is wrong where that fails, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autobahn.twisted.wamp import Service
from autobahn.twisted.websocket import WampWebSocketClientFactory, WampWebSocketClientProtocol
from buildbot.wamp.connector import make

if TYPE_CHECKING:
    from collections.abc import Callable


def connect(connector: Any, failed: Callable[[str], object]) -> Any:
    """Begin to connect, as `buildbot.wamp.connector.WampConnector` does: the service that does it, which is among those of
    `connector`. `failed` is called with a text when it cannot be, once or more often.
    """

    class Protocol(WampWebSocketClientProtocol):
        def onClose(self, wasClean: bool, code: int, reason: str | None) -> None:
            super().onClose(wasClean, code, reason)
            failed(_what(str(reason)))

    class Factory(WampWebSocketClientFactory):
        protocol = Protocol

        def clientConnectionFailed(self, connector_: Any, reason: Any) -> None:
            super().clientConnectionFailed(connector_, reason)
            failed(reason.getErrorMessage())

    class Connection(Service):
        factory = Factory

    def makeSession(config: Any) -> Any:
        session = make(config)
        # (Buildbot's own stops the master)
        session.onLeave = lambda details: failed(str(details.message or details.reason))
        return session

    made = Connection(
        url=connector.router_url,
        extra={"master": connector.master, "parent": connector},
        realm=connector.realm,
        make=makeSession,
    )
    made.setServiceParent(connector)
    return made


def _what(reason: str) -> str:
    if "upgrade failed" in reason:
        return (
            f"a web server answers there, and not a WebSocket ({reason}). Is the path right? Crossbar with a page of the type "
            '"nodeinfo" at "/" answers like this at every path'
        )
    return reason
