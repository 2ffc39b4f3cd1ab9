"""HTTP on the local server's port, bounded: every user of the machine can connect, and send what he likes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from twisted.protocols.policies import WrappingFactory
from twisted.web.server import Request, Site

#: How long a body may be, in bytes.
MAX_BODY = 16 * 1024

#: How many connections there may be at a time: the worker is to have files left to open.
MAX_CONNECTIONS = 100

#: After so many seconds without a byte a connection is closed.
IDLE = 60


class Connections(WrappingFactory):
    """The connections to the site. Those that are too many are closed at once."""

    noisy = False

    def __init__(self, root: Any, reactor: Any) -> None:
        super().__init__(_Site(root, requestFactory=_Request, timeout=IDLE, reactor=reactor))  # type: ignore[no-untyped-call]

    def buildProtocol(self, addr: Any) -> Any:
        """Answer a new connection, or None."""
        if len(self.protocols) >= MAX_CONNECTIONS:
            return None
        return super().buildProtocol(addr)

    def close(self) -> None:
        """Close all of them, when they have sent what they had to send."""
        for protocol in tuple(self.protocols):
            protocol.loseConnection()


class _Site(Site):
    """Tells no log who asks what, and shows nobody a traceback."""

    displayTracebacks = False
    noisy = False

    def startFactory(self) -> None:
        """Have no clock for a log, which would wake the process every second."""

    def stopFactory(self) -> None:
        """There is none to be stopped."""

    def log(self, request: Any) -> None:
        """Say nothing."""


class _Request(Request):
    """A request of whose body no more is kept than may be said, and one byte."""

    # so much is thrown away before the connection is cut
    _PATIENCE = 64 * MAX_BODY

    def gotLength(self, length: int | None) -> None:  # noqa: ARG002 (as Twisted calls it)
        # Twisted would make a file of a long body, before anybody has asked who sends it
        self.content: BytesIO = BytesIO()
        self._seen = 0

    def handleContentChunk(self, data: bytes) -> None:
        room = MAX_BODY + 1 - self._seen
        self._seen += len(data)
        if room > 0:
            self.content.write(data[:room])
        if self._seen > self._PATIENCE:
            self.channel.loseConnection()  # type: ignore[no-untyped-call]
