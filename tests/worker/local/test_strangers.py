import errno
import re
import resource
from pathlib import Path
from urllib.parse import quote

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from presence import files
from presence.wire.localaddress import FILENAME, OPEN_FILENAME, LocalFile
from presence.worker.local import site as localsite
from presence.worker.local.access import MAX_SESSIONS, TICKET_LIFE
from presence.worker.local.server import AGAIN
from presence.worker.local.site import IDLE, MAX_BODY, MAX_CONNECTIONS
from presence.worker.store import FILENAME as STORE
from tests.worker.local.localcase import HOST, PORT, LocalTestCase, Transport

API = ["status", "events"]
ORDERS = ["away", "back", "work", "stop", "ticket"]


class StrangerTests(LocalTestCase):
    """Nobody else gets in."""

    def assertRefused(self, code, *arguments, **keywords):
        """Every question and every order is refused with this code, and nothing has changed."""
        for method, path in (
            *(("GET", f"/api/{question}") for question in API),
            *(("POST", f"/api/{order}") for order in ORDERS),
        ):
            answer = self.ask(method, path, *arguments, **keywords)
            self.assertEqual(answer.code, code, path)
            self.assertNotIn(b"mac-mini", answer.raw)
        self.assertEqual(self.sources(), [])
        self.assertIsNone(self.client.owner.status()["stopping"])

    def test_token(self):
        """Without the token, or with another, there is no answer."""
        self.say("away")
        self.say("back")
        for token in (None, "", "0" * 64, self.token[:-1], self.token + "0", "é", self.token.upper() + " "):
            self.assertRefused(401, token=token)
        self.assertRefused(401, token=None, headers=[f"Authorization: Basic {self.token}"])
        self.assertRefused(401, token=None, headers=[f"Cookie: presence-{PORT}={self.token}"])

    def test_tokenInTheAddress(self):
        """The token is not taken from an address, where histories would keep it."""
        self.assertEqual(self.ask("GET", f"/api/status?token={self.token}", token=None).code, 401)

    def test_ofAnotherRun(self):
        """The token of a run before this one opens nothing."""
        before = self.token
        self.restart()
        self.assertNotEqual(self.token, before)
        self.assertRefused(401, token=before)

    def test_anotherName(self):
        """A name that was made to point here (DNS rebinding), or none, gets no answer, with the token either."""
        for host in (
            "evil.example",
            f"evil.example:{PORT}",
            "127.0.0.1",
            "127.0.0.1:80",
            f"127.0.0.1.nip.io:{PORT}",
            f"0.0.0.0:{PORT}",
            f"[::1]:{PORT}",
            f"user@127.0.0.1:{PORT}",
            f"{HOST}, evil.example",
            "",
        ):
            self.assertRefused(403, host=host)
            self.assertEqual(self.ask("GET", "/", host=host).code, 403)
        self.assertRefused(403, headers=["Host: evil.example"])

    def test_noName(self):
        """A request of HTTP 1.0, which names no host, gets no answer."""
        transport = self.connect_()
        head = f"GET /api/status HTTP/1.0\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        transport.protocol.dataReceived(head.encode())
        self.assertIn(b" 403 ", transport.value().splitlines()[0])

    def test_otherPages(self):
        """What another page in the owner's browser asks is refused, even if it had the token."""
        for origin in (
            "http://evil.example",
            "null",
            "http://127.0.0.1:9999",
            f"https://{HOST}",
            f"http://localhost:{PORT}",
            "",
        ):
            self.assertRefused(403, headers=[f"Origin: {origin}"])
        self.assertRefused(403, headers=[f"Origin: http://{HOST}", "Origin: http://evil.example"])

    def test_itself(self):
        """The page itself, under both names of this machine, is answered."""
        for host in (HOST, f"localhost:{PORT}"):
            answer = self.ask("GET", "/api/status", host=host, headers=[f"Origin: http://{host}"])
            self.assertEqual(answer.code, 200)

    def test_forms(self):
        """A form that another page posts (CSRF) carries no secret, and is refused."""
        for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
            for headers in (
                [],
                ["Origin: http://evil.example"],
                ["Origin: null"],
                ["Sec-Fetch-Site: cross-site"],
            ):
                answer = self.ask(
                    "POST",
                    "/api/away",
                    raw=b"reason=x",
                    token=None,
                    headers=[f"Content-Type: {kind}", *headers],
                )
                self.assertIn(answer.code, (400, 401, 403))
        self.assertEqual(self.sources(), [])

    def test_noReading(self):
        """No answer may be framed, sniffed, cached, or read by another page; scripts come from here only."""
        for path in ("/", "/api/status", "/static/none", "/enter"):
            headers = self.ask("GET", path).headers
            self.assertNotIn("access-control-allow-origin", headers)
            self.assertEqual(headers["cache-control"], "no-store")
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            policy = headers["content-security-policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)

    def test_loopback(self):
        """The server listens on 127.0.0.1, and nowhere else."""
        ((port, _factory, _backlog, interface),) = self.reactor.tcpServers
        self.assertEqual((port, interface), (PORT, "127.0.0.1"))

    def test_files(self):
        """The files with a secret are for the owner's account only, whatever the umask is."""
        self.assertEqual(self.files()[FILENAME], 0o600)
        self.assertNotIn(self.token, repr(LocalFile(self.basedir).read()))

    def test_ends(self):
        """When the worker ends the file is gone, and what is half said is not done."""
        token, transport = self.token, self.connect_()
        transport.lingers = True
        head = f"POST /api/away HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n"
        transport.protocol.dataReceived(f"{head}{{".encode())
        self.end()
        self.assertNotIn(FILENAME, self.files())
        self.assertTrue(transport.disconnecting)
        transport.protocol.dataReceived(b"}")
        self.assertNotIn(STORE, self.files())
        transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.begin()

    def test_endsLate(self):
        """A worker that ends late leaves the file of the one that was started in the meantime."""
        old, token = self.client, self.token
        self.begin()
        self.assertEqual(LocalFile(self.basedir).read().token, token)
        old.stopService()
        self.reactor.advance(AGAIN)
        self.assertNotEqual(self.token, token)
        self.assertEqual(self.ask("GET", "/api/status").code, 200)

    def test_diskFullAndClockSetBack(self):
        """It is tried again as soon when the clock is set back meanwhile."""
        self.end()
        patched = self.patch(files, "write", self.full)
        self.begin()
        patched.restore()
        self.reactor.rightNow -= 3600
        self.ticker.tick()
        self.reactor.advance(AGAIN)
        self.assertEqual(self.ask("GET", "/api/status").code, 200)

    def test_diskFull(self):
        """While the disk is full at the start nobody can ask; as soon as there is room the owner can."""
        self.end()
        patched = self.patch(files, "write", self.full)
        self.begin()
        patched.restore()
        self.assertIsNone(LocalFile(self.basedir).read())
        self.reactor.advance(AGAIN)
        self.assertEqual(self.ask("GET", "/api/status").code, 200)

    def full(self, *args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    def test_connections(self):
        """Nobody keeps the worker from opening files: what is too many is closed, and idle ones are too."""
        held = [self.connect_() for _ in range(MAX_CONNECTIONS + 3)]
        self.assertEqual([each.disconnecting for each in held], [True] * 3 + [False] * MAX_CONNECTIONS)
        self.reactor.advance(IDLE + 1)
        self.reactor.advance(IDLE + 1)
        self.assertIsNotNone(self.connect_())

    def test_ownerGetsIn(self):
        """Whoever holds all connections does not keep the owner out; those of the owner do not make room for others."""
        stream = self.connect_()
        stream.protocol.dataReceived(
            f"GET /api/events HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode()
        )
        for _ in range(3 * MAX_CONNECTIONS):
            self.connect_()
        self.assertEqual(self.say("away", reason="rendering").code, 200)
        self.assertFalse(stream.disconnecting)

    def test_allAreTheOwners(self):
        """When all connections are the owner's a new one is refused."""
        (factory,) = (server[1] for server in self.reactor.tcpServers)
        for _ in range(MAX_CONNECTIONS):
            self.connect_()
        for each in factory.protocols:
            each.trusted = True
        self.assertIsNone(self.connect_())

    def test_whileTheyGo(self):
        """Connections that make room and have not gone yet are not exceeded without end."""
        (factory,) = (server[1] for server in self.reactor.tcpServers)
        self.patch(Transport, "abortConnection", lambda transport: None)
        accepted = [self.connect_() for _ in range(MAX_CONNECTIONS + 50)]
        self.assertLess(len([each for each in accepted if each is not None]), MAX_CONNECTIONS + 10)
        self.assertEqual(len(factory.protocols), len([each for each in accepted if each is not None]))

    def test_limit(self):
        """There are fewer where the process may open few files."""
        for limit, most in (
            (64, 16),
            (110, 27),
            (1024, MAX_CONNECTIONS),
            (resource.RLIM_INFINITY, MAX_CONNECTIONS),
            (2, 1),
        ):
            self.patch(resource, "getrlimit", lambda kind, limit=limit: (limit, limit))
            self.assertEqual(localsite.maxConnections(), most)

    def test_keptOfABody(self):
        """Of a long body as much is kept as may be said, and one byte."""
        request = localsite._Request.__new__(localsite._Request)
        request.gotLength(None)
        for _ in range(10):
            request.handleContentChunk(b"x" * (MAX_BODY // 3))
        self.assertEqual(len(request.content.getvalue()), MAX_BODY + 1)

    def test_longBody(self):
        """A connection on which a body comes without end is cut."""
        transport = self.connect_()
        transport.protocol.dataReceived(
            f"POST /api/away HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(40):
            if transport.disconnecting:
                break
            transport.protocol.dataReceived(chunk)
        self.assertTrue(transport.disconnecting)


class TicketTests(LocalTestCase):
    """How a browser gets in."""

    def enter(self, ticket, **keywords):
        raw = f"ticket={quote(ticket)}".encode()
        headers = ["Content-Type: application/x-www-form-urlencoded", *keywords.pop("headers", [])]
        return self.ask("POST", "/enter", raw=raw, token=None, headers=headers, **keywords)

    def session(self, answer):
        return re.search(rb'name="presence-session" content="([0-9a-f]{64})"', answer.body)[1].decode()

    def ticket(self):
        return self.say("ticket").json["ticket"]

    def test_enter(self):
        """A ticket opens a session, from a file too, with which the page asks and says everything but a ticket."""
        for headers in ([], ["Origin: null"], [f"Origin: http://{HOST}"]):
            session = self.session(self.enter(self.ticket(), headers=headers))
            self.assertEqual(self.ask("GET", "/api/status", token=session).code, 200)
            self.assertEqual(self.ask("POST", "/api/back", {}, token=session).code, 200)
            self.assertEqual(self.ask("POST", "/api/ticket", {}, token=session).code, 401)

    def test_typed(self):
        """A ticket can be typed: in capitals, with blanks around it."""
        self.assertEqual(self.enter(f" {self.ticket().upper()} ").code, 200)

    def test_once(self):
        """A ticket opens one session."""
        ticket = self.ticket()
        self.enter(ticket)
        answer = self.enter(ticket)
        self.assertEqual(answer.code, 403)
        self.assertIn(b"presence open", answer.body)

    def test_minute(self):
        """A ticket is good for a minute."""
        ticket = self.ticket()
        self.reactor.advance(TICKET_LIFE)
        self.assertEqual(self.enter(ticket).code, 403)

    def test_clockSetBack(self):
        """Nor is it good for an hour more when the clock is set back."""
        ticket = self.ticket()
        self.reactor.rightNow -= 3600
        self.ticker.tick()
        self.assertEqual(self.enter(ticket).code, 403)

    def test_newest(self):
        """A new ticket takes the place of the one before."""
        first, second = self.ticket(), self.ticket()
        self.assertEqual(self.enter(first).code, 403)
        self.assertEqual(self.enter(second).code, 200)

    def test_wrong(self):
        """Another ticket, none, or one in the address, opens nothing."""
        ticket = self.ticket()
        for wrong in ("", "x", ticket[:-1], ticket + "a", "é", "\0"):
            self.assertEqual(self.enter(wrong).code, 403)
        for raw in (b"", b"&" * 5000, b"ticket", b"\xff=\xff"):
            self.assertIn(self.ask("POST", "/enter", raw=raw, token=None).code, (400, 403))
        self.assertEqual(self.ask("POST", f"/enter?ticket={ticket}", raw=b"", token=None).code, 403)
        self.assertEqual(self.enter(ticket, headers=["Origin: http://evil.example"]).code, 403)
        self.assertEqual(self.enter(ticket, host="evil.example").code, 403)
        self.assertEqual(self.enter(ticket).code, 200)

    def test_sessions(self):
        """There is a bounded number of sessions, the newest."""
        sessions = [self.session(self.enter(self.ticket())) for _ in range(MAX_SESSIONS + 1)]
        codes = [self.ask("GET", "/api/status", token=each).code for each in (sessions[0], sessions[1])]
        self.assertEqual(codes, [401, 200])

    def test_door(self):
        """The file with which a browser is let in is gone when its ticket was used, or its time is over; and when
        the worker starts again after it was killed.
        """
        door = Path(self.basedir) / OPEN_FILENAME
        ticket = self.ticket()
        door.touch()
        self.enter(ticket)
        self.assertFalse(door.exists())
        self.ticket()
        door.touch()
        self.reactor.advance(TICKET_LIFE)
        self.assertFalse(door.exists())
        door.touch()
        self.restart()
        self.assertFalse(door.exists())
