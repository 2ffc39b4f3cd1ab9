"""HTTP on the local server's port, bounded: every user of the machine can connect, and send what he likes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.server import Request, Site

#: How long a body may be, in bytes.
MAX_BODY = 16 * 1024

#: How many connections there may be at a time where the system sets no narrow limit.
MAX_CONNECTIONS = 100

# No more than one of so many files that the process may open is a connection: a build opens some, and a worker has some
# twenty of its own.
_SHARE = 4

# So many more there may be for a moment, until those have gone which make room.
_GOING = 4

#: After so many seconds without a byte a connection is closed.
IDLE = 60


def maxConnections() -> int:
    """How many connections there may be in this process: the worker is to have files left to open."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit  # noqa: PLC0415 (Unix alone has it)
    except ImportError:
        return MAX_CONNECTIONS
    limit, _ = getrlimit(RLIMIT_NOFILE)
    return MAX_CONNECTIONS if limit == RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, limit // _SHARE))


class _Connection(ProtocolWrapper):
    """One connection. It is `trusted` from the first request on which carries a secret."""

    trusted = False
    going = False


def trust(request: Any) -> None:
    """The request was allowed: its connection does not make room for those of strangers."""
    request.channel.transport.trusted = True


class Connections(WrappingFactory):
    """The connections to the site. When they are too many the oldest that nobody has shown a secret on makes room, so
    that whoever keeps connections busy does not keep the owner out.
    """

    noisy = False
    protocol = _Connection

    def __init__(self, root: Any, reactor: Any) -> None:
        super().__init__(_Site(root, requestFactory=_Request, timeout=IDLE, reactor=reactor))  # type: ignore[no-untyped-call]
        self._most = maxConnections()

    def buildProtocol(self, addr: Any) -> Any:
        """Answer a new connection, or None."""
        if len(self.protocols) >= self._most and not self._make_room():
            return None
        return super().buildProtocol(addr)

    def _make_room(self) -> bool:
        if len(self.protocols) >= self._most + _GOING:
            return False
        for oldest in self.protocols:
            if not (oldest.trusted or oldest.going):
                oldest.going = True
                oldest.abortConnection()
                return True
        return False

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
