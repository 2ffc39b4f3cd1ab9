import json
from pathlib import Path

from twisted.internet.error import CannotListenError

from presence.wire.localaddress import LocalFile
from presence.worker.local import server as localweb
from presence.worker.local.sessions import FILENAME, LIFE
from tests.worker.local.localcase import LocalTestCase


class SessionsTests(LocalTestCase):
    """A page at an address that stays."""

    def enter(self):
        """Let a page in; the secret of its session."""
        ticket = self.ask("POST", "/api/ticket").json["ticket"]
        page = self.ask("POST", "/enter", token=None, raw=f"ticket={ticket}".encode()).body.decode()
        return page.partition('name="presence-session" content="')[2].partition('"')[0]

    def isIn(self, session):
        return self.ask("GET", "/api/status", token=session).code == 200

    def test_restart(self):
        """A page that was let in stays so after restarts, for a month; on the disk is nothing that would let anybody in."""
        session = self.enter()
        for _ in range(2):
            self.restart()
            self.assertTrue(self.isIn(session))
        kept = Path(self.basedir, FILENAME)
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(session, kept.read_text())
        (digest,) = json.loads(kept.read_text())["sessions"]
        self.assertFalse(self.isIn(digest))
        self.reactor.advance(LIFE)
        self.restart()
        self.assertFalse(self.isIn(session))

    def test_removed(self):
        """Without the file, or with one that makes no sense, pages have to be let in again."""
        session = self.enter()
        for content in ("{", "[]", '{"sessions": 3}', '{"sessions": {"a": "b", "c": 1e999}}'):
            Path(self.basedir, FILENAME).write_text(content)
            self.restart()
            self.assertFalse(self.isIn(session))
            self.assertTrue(self.isIn(self.enter()))

    def test_chance(self):
        """At an address that changes nothing is kept: another program may have it next."""
        self.localPort = 0
        self.restart()
        Path(self.basedir, FILENAME).unlink(missing_ok=True)
        self.assertFalse(Path(self.basedir, FILENAME).exists())
        self.client._local._access.enter(self.client._local._access.makeTicket())
        self.assertFalse(Path(self.basedir, FILENAME).exists())

    def test_taken(self):
        """Where another program has the port the worker is to be spoken with at another one, and says so."""
        listen, said = self.reactor.listenTCP, []

        def listenTCP(port, *args, **keywords):
            if port:
                raise CannotListenError("127.0.0.1", port, OSError("address in use"))
            return listen(4321, *args, **keywords)

        self.patch(self.reactor, "listenTCP", listenTCP)
        self.patch(localweb._log, "warn", lambda text, **given: said.append(text.format(**given)))
        self.restart()
        self.assertEqual(LocalFile(self.basedir).read().port, 4321)
        self.assertIn("8123 of the page cannot be had (address in use)", said[0])
