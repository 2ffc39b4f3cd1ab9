import io
import json
import os
from pathlib import Path

from presence.commands.master import client as masterclient
from presence.commands.master import credentials
from presence.commands.master.text import AdminText
from tests.commands.master.admincase import NOW, UTC, AdminTestCase, hold


class LoginTests(AdminTestCase):
    def setUp(self):
        super().setUp()
        self.master.needsLogin = True

    def env(self):
        os.environ.update(PRESENCE_USER="ann", PRESENCE_PASSWORD="s3cret")

    def netrc(self, text, mode=0o600):
        path = Path(self.mktemp())
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def test_environment(self):
        """The user and the password may come from the environment."""
        self.env()
        self.done("hold", "mac-mini")

    def test_file(self):
        """They may come from a file with a line for the host."""
        file = self.netrc("machine farm.example login ann password s3cret\n")
        self.done("hold", "mac-mini", "--netrc", file)

    def test_ownFile(self):
        """By default that is ~/.netrc."""
        home = Path(os.environ["HOME"])
        home.mkdir()
        (home / ".netrc").write_text("machine farm.example login ann password s3cret\n")
        (home / ".netrc").chmod(0o600)
        self.done("hold", "mac-mini")

    def test_fileOfEverybody(self):
        """A file with the password that others can read is refused, and how to change that is said."""
        file = self.netrc("machine farm.example login ann password s3cret\n", 0o640)
        status, _, err = self.run_("hold", "mac-mini", "--netrc", file)
        self.assertEqual(status, 1)
        self.assertIn(f"chmod 600 {file}", err)
        self.assertEqual(self.master.posted(), [])

    def test_brokenFile(self):
        """A file that is not there, or cannot be read as one, is a mistake."""
        for file in ("/nonexistent", self.netrc("mashine x")):
            status, _, err = self.run_("hold", "mac-mini", "--netrc", file)
            self.assertEqual(status, 1)
            self.assertIn(file, err)

    def test_prompt(self):
        """Who sits at a terminal is asked when the master refuses, and once."""
        terminal = io.StringIO("\n")
        terminal.isatty = lambda: True
        self.patch(credentials.sys, "stdin", terminal)
        self.patch(credentials.getpass, "getuser", lambda: "ann")
        self.patch(credentials.getpass, "getpass", lambda: "s3cret")
        status, out, err = self.run_("hold", "mac-*")
        self.assertEqual((status, len(out.splitlines())), (0, 2))
        self.assertEqual(err, "farm.example wants to know who you are.\nUser [ann]: ")

    def test_nobodyToAsk(self):
        """Where nobody can be asked the refusal is told, and that nobody has logged in."""
        status, out, err = self.run_("hold", "mac-mini")
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(err, "presence: mac-mini: you need to have role 'admins' (you have not logged in)\n")

    def test_wrongPassword(self):
        """A wrong password is told as that, and nothing is ordered."""
        self.env()
        os.environ["PRESENCE_PASSWORD"] = "x"
        status, _, err = self.run_("hold", "mac-mini")
        self.assertEqual(status, 1)
        self.assertIn("does not know the user ann, or not with this password", err)
        self.assertEqual(self.master.posted(), [])

    def test_halfAnEnvironment(self):
        """A user without a password is a mistake."""
        os.environ["PRESENCE_USER"] = "ann"
        _, _, err = self.run_("hold", "mac-mini")
        self.assertIn("PRESENCE_PASSWORD is not set", err)

    def test_noLogin(self):
        """A master without logins is asked without one, and that is said."""
        self.env()
        self.master.needsLogin = self.master.hasLogin = False
        status, _, err = self.run_("hold", "mac-mini")
        self.assertEqual(status, 0)
        self.assertIn("has no login with a password", err)

    def test_redirect(self):
        """The redirect after the login is not followed."""
        self.env()
        self.done("hold", "mac-mini")
        self.assertEqual(set(self.connections), {"farm.example"})

    def test_plainHttp(self):
        """A password that is about to go over the network unencrypted is warned of; on this machine it is not."""
        self.env()
        _, _, err = self.run_("hold", "mac-mini", url="http://farm.example/bb/")
        self.assertIn("is not https", err)
        for host in ("localhost:8010", "127.0.0.1", "[::1]:8010"):
            self.done("hold", "mac-mini", url=f"http://{host}/bb/")

    def test_readingNeedsNone(self):
        """Reading asks for no password, and reads no file."""
        self.run_("workers", "--netrc", "/nonexistent")
        self.assertNotIn("auth/login", str(self.master.requests))


class ConnectionTests(AdminTestCase):
    def test_url(self):
        """A URL that is none, or has a password in it, is refused with what would be right."""
        for url, said in (
            ("farm.example", "write http://HOST:PORT/"),
            ("ftp://farm.example/", "write http://HOST:PORT/"),
            ("http://farm.example:x/", "is not a URL"),
            ("http://farm.example/#/workers", "write http://HOST:PORT/"),
            ("https://ann:s3cret@farm.example/", "set PRESENCE_USER and PRESENCE_PASSWORD"),
        ):
            status, _, err = self.run_("workers", url=url)
            self.assertEqual(status, 1)
            self.assertIn(said, err)
        self.assertEqual(self.connections, [])

    def test_idleConnection(self):
        """A connection that the master has closed meanwhile is made again."""
        client = masterclient.MasterClient("https://farm.example/bb/", lambda host, *, ask: None)
        client.get("presences")
        self.master.broken = 1
        self.assertEqual(len(client.get("presences")), 3)
        self.assertEqual(len(self.connections), 2)

    def test_noMaster(self):
        """Where nobody answers that is said."""
        self.master.broken = 9
        status, _, err = self.run_("workers")
        self.assertEqual(status, 1)
        self.assertIn("https://farm.example/bb/ does not answer: reset", err)

    def test_notABuildbot(self):
        """A server that is not a Buildbot master is called that."""
        status, _, err = self.run_("workers", url="https://farm.example/other/")
        self.assertEqual(status, 1)
        self.assertIn("presence: ", err)
        for body in (
            b"<html>",
            b"",
            b"[]",
            b"7",
            b"{}",
            b'{"meta": {}}',
            b'{"presences": []}',
            b"[" * 30_000,
        ):
            self.master.get = lambda *_, body=body: (200, {}, body)
            status, _, err = self.run_("workers")
            self.assertEqual(status, 1)
            self.assertIn("is not a Buildbot's: give the URL of its web UI with --url", err)

    def test_hostile(self):
        """What a master says that means no good is one line that is not long, and nothing that a terminal obeys."""
        said = "\x1b]0;owned\x07\n" + "x" * 600_000
        self.master.get = lambda *_: (400, {}, json.dumps({"error": said}).encode())
        status, _, err = self.run_("workers")
        self.assertEqual((status, err.count("\n")), (1, 1))
        self.assertLess(len(err), 3000)
        self.assertNotIn("\x1b", err)

    def test_moment(self):
        """An unknown source of a newer master is called by its name."""
        text = AdminText(NOW, UTC)
        self.assertEqual(text.hold(hold("moon", "full")), "moon (full)")
