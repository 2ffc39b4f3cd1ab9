"""A `PresenceClient` with its local server on a fake reactor; the test is whoever connects."""

import json
from email.parser import BytesParser
from pathlib import Path

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from presence.wire.localaddress import LocalFile
from tests.worker.fakewire import ClientTestCase

PORT = 8123
HOST = f"127.0.0.1:{PORT}"


class LocalReactor(MemoryReactorClock):
    stopped = 0

    def stop(self):
        self.stopped += 1


class Transport(StringTransport):
    """A connection as it is seen by the server. One that `lingers` has something left to send when it is closed."""

    lingers = False

    def loseConnection(self):
        if not self.disconnecting:
            super().loseConnection()
            if self.lingers:
                return
            self.protocol.connectionLost(Failure(ConnectionDone()))

    abortConnection = loseConnection

    def resumeProducing(self):
        # a real one reads on while it has something left to send
        if not self.disconnecting:
            super().resumeProducing()


class Answer:
    """What has come back on a connection: `code`, `headers`, `body`."""

    def __init__(self, transport):
        self.transport = transport

    @property
    def raw(self):
        return self.transport.value()

    @property
    def code(self):
        return int(self.raw.split(b" ", 2)[1])

    @property
    def headers(self):
        head = self.raw.partition(b"\r\n\r\n")[0].partition(b"\r\n")[2]
        return BytesParser().parsebytes(head)

    @property
    def body(self):
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def events(self):
        """The statuses of a stream, in their chunks."""
        return [
            json.loads(line[len(b"data: ") :])
            for line in self.body.split(b"\r\n")
            for line in [line.strip()]
            if line.startswith(b"data: ")
        ]


class LocalTestCase(ClientTestCase):
    localPort = PORT
    reactorFactory = LocalReactor

    @property
    def token(self):
        return LocalFile(self.basedir).read().token

    def connect_(self):
        """A new connection, or None when it was closed at once."""
        factory = self.reactor.tcpServers[-1][1]
        protocol = factory.buildProtocol(None)
        if protocol is None:
            return None
        transport = Transport()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return transport

    def ask(self, method, path, body=None, *, token=True, host=HOST, headers=(), raw=None):
        """Send a request over a connection of its own. `token`: True for the right one, None for none, or another."""
        lines = [f"{method} {path} HTTP/1.1"]
        if host is not None:
            lines.append(f"Host: {host}")
        if token is not None:
            lines.append(f"Authorization: Bearer {self.token if token is True else token}")
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        if content or method == "POST":
            lines.append(f"Content-Length: {len(content)}")
        lines += headers
        transport = self.connect_()
        transport.protocol.dataReceived("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content)
        return Answer(transport)

    def say(self, order, **arguments):
        return self.ask("POST", f"/api/{order}", arguments)

    def files(self):
        """The files of the base directory, and their modes."""
        return {each.name: each.stat().st_mode & 0o777 for each in Path(self.basedir).iterdir()}
