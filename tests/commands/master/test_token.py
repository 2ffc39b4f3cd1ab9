import io
import json
import os
import stat
import threading
from base64 import urlsafe_b64encode
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.commands import terminal
from presence.commands.main import main
from presence.commands.master import token as module
from presence.wire import tokens
from presence.wire.secrets import OPERATOR, TOKEN, digestOf, newSecret
from presence.wire.tokens import FILENAME, Token, TokensError, changeTokens, readTokens
from tests.commands.master.admincase import HOUR, NOW, AdminTestCase


class TokenTests(SynchronousTestCase):
    """`presence token`, in a directory of a master that need not run."""

    def setUp(self):
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        (self.directory / "buildbot.tac").touch()
        self.now = NOW
        self.patch(module.time, "time", lambda: self.now)
        self.patch(terminal, "localZone", lambda: "UTC")

    def run_(self, command, *arguments):
        """(exit status, standard output, standard error)."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                status = main(["token", command, str(self.directory), *arguments])
            except SystemExit as end:
                status = end.code
        return status, out.getvalue(), err.getvalue()

    def make(self, name="nightly", *more):
        status, out, err = self.run_("make", name, "--user", "ann", "--may", "hold", "release", *more)
        self.assertEqual(status, 0, err)
        return out.strip()

    def only(self):
        (token,) = readTokens(self.directory)
        return token

    def test_make(self):
        """The secret is printed alone on stdout, once, and nowhere kept; without an end it is good for 90 days."""
        secret = self.make()
        self.assertTrue(secret.startswith(TOKEN))
        self.assertEqual(
            self.only(),
            Token("nightly", "ann", ("hold", "release"), NOW, NOW + 90 * 24 * HOUR, digestOf(secret)),
        )
        path = self.directory / FILENAME
        self.assertNotIn(secret, path.read_text())
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual([each.name for each in self.directory.iterdir() if each != path], ["buildbot.tac"])

    def test_json(self):
        """For programs: what is kept but the digest, with the secret where it is made; and the names that are revoked."""
        made = json.loads(self.make("nightly", "--json"))
        self.assertEqual(digestOf(made["secret"]), self.only().digest)
        self.assertEqual((made["name"], made["user"], "digest" in made), ("nightly", "ann", False))
        status, out, _ = self.run_("revoke", "nightly", "--json")
        self.assertEqual((status, json.loads(out)), (0, {"revoked": ["nightly"]}))

    def test_ends(self):
        """It ends when it was said, or never."""
        for name, arguments, end in (
            ("a", ["--for", "2h"], NOW + 2 * HOUR),
            ("b", ["--until", "18:00"], NOW + 12 * HOUR),
            ("c", ["--forever"], None),
        ):
            self.make(name, *arguments)
            self.assertEqual(readTokens(self.directory)[-1].expires, end)

    def test_people(self):
        """The user may have an address and groups, and orders may be parted by commas."""
        status, _, err = self.run_(
            "make", "ci", "--user", "bea", "--email", "bea@example.org", "--group", "x", "--group", "y",
            "--may", "drain,hold", "--may", "stop-master",
        )  # fmt: skip
        self.assertEqual(status, 0)
        self.assertIn("ci, for bea: hold, drain, stop-master; until", err)
        token = self.only()
        self.assertEqual((token.email, token.groups), ("bea@example.org", ("x", "y")))

    def test_list(self):
        """The list says who may what until when; nothing in it is a secret, nor a digest."""
        self.make("nightly", "--for", "2h")
        self.make("forever", "--forever")
        self.now += 3 * HOUR
        self.assertEqual(
            self.run_("list")[1].splitlines(),
            [
                "TOKEN    USER  MAY            MADE   EXPIRES",
                "nightly  ann   hold, release  06:00  expired 08:00",
                "forever  ann   hold, release  06:00  never",
            ],
        )
        listed = json.loads(self.run_("list", "--json")[1])
        self.assertEqual([each["name"] for each in listed], ["nightly", "forever"])
        self.assertNotIn("digest", listed[0])

    def test_revoke(self):
        """All that are named are revoked, or none: a name that there is not is a mistake."""
        self.make("nightly")
        self.make("weekly")
        status, _, err = self.run_("revoke", "weekly", "nihgtly")
        self.assertEqual(status, 2)
        self.assertIn("there is no token nihgtly: did you mean nightly?", err)
        self.assertEqual(len(readTokens(self.directory)), 2)
        self.assertEqual(self.run_("revoke", "weekly", "nightly")[0], 0)
        self.assertEqual(readTokens(self.directory), ())

    def test_mistakes(self):
        """Each mistake is said, with what would be right, and makes no token."""
        self.make()
        right = ["--user", "ann", "--may", "hold"]
        for arguments, said in (
            (["nightly", *right], "there is a token nightly already"),
            (["a b", *right], "is not a name for a token"),
            (["../x", *right], "is not a name for a token"),
            (["x", "--user", "a\nb", "--may", "hold"], "write plain text on one line"),
            (["x", "--user", " ", "--may", "hold"], "it is empty"),
            (["x", "--user", "ann", "--may", "fly"], "there is no order 'fly': there are hold,"),
            (["x", "--user", "ann", "--may", ","], "good for nothing"),
            (["x", *right, "--forever", "--for", "1h"], "--forever is for a token without an end"),
            (["x", "--may", "hold"], "--user"),
        ):
            status, out, err = self.run_("make", *arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertIn(said, err)
        (self.directory / "buildbot.tac").write_text("from buildbot_worker.bot import Worker\n")
        self.assertIn("is a worker's directory: name the master's", self.run_("list")[2])
        (self.directory / "buildbot.tac").unlink()
        self.assertIn("is not a master's directory", self.run_("list")[2])
        self.assertEqual(self.only().name, "nightly")

    def test_most(self):
        """There is a most, so that nobody makes one for every order."""
        self.patch(module, "MOST", 1)
        self.make()
        self.assertIn(
            "revoke those that nobody uses", self.run_("make", "x", "--user", "a", "--may", "hold")[2]
        )

    def test_notOurFile(self):
        """A file that others can read or write, or that is a link, is not taken, and not written over."""
        self.make()
        path = self.directory / FILENAME
        before = path.read_bytes()
        path.chmod(0o604)
        for command in (["list"], ["make", "x", "--user", "a", "--may", "hold"], ["revoke", "nightly"]):
            status, _, err = self.run_(*command)
            self.assertEqual(status, 1)
            self.assertIn(f"chmod 600 {path}", err)
        self.assertEqual(path.read_bytes(), before)
        path.chmod(0o600)
        path.rename(self.directory / "elsewhere")
        path.symlink_to(self.directory / "elsewhere")
        self.assertIn("cannot be read", self.run_("list")[2])

    def test_otherAccount(self):
        """A file that another account has put there is not taken."""
        self.make()
        fstat = os.fstat

        def others(descriptor):
            found = list(fstat(descriptor))
            found[stat.ST_UID] = 4321
            return os.stat_result(found)

        self.patch(tokens.files.os, "fstat", others)
        self.assertRaisesRegex(TokensError, "belongs to another account", readTokens, self.directory)

    def test_root(self):
        """What root makes belongs to the account of the master, for it has to read it."""
        given = []
        self.patch(
            tokens.files.os,
            "fchown",
            lambda _, *owner: given.append(owner),
        )
        self.patch(tokens.os, "geteuid", lambda: 0)
        self.make()
        found = self.directory.stat()
        self.assertEqual(given, [(found.st_uid, found.st_gid)])

    def test_sideBySide(self):
        """Processes that change them at once lose none."""
        first, second = threading.Event(), threading.Event()
        self.patch(tokens.time, "sleep", lambda _: (second.set(), first.wait(5)))

        def slow(known):
            changer.start()
            second.wait(5)
            return (*known, Token("a", "u", ("hold",), 0, None, digestOf("a")))

        changer = threading.Thread(
            target=changeTokens,
            args=(self.directory, lambda known: (*known, Token("b", "u", ("hold",), 0, None, digestOf("b")))),
        )
        changeTokens(self.directory, slow)
        first.set()
        changer.join(10)
        self.assertEqual([each.name for each in readTokens(self.directory)], ["a", "b"])


class WhoTests(AdminTestCase):
    """Who the commands are for the master when nobody logs in."""

    def setUp(self):
        super().setUp()
        self.master.needsLogin = True
        self.master.hasLogin = False
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        (self.directory / "buildbot.tac").touch()
        self.note("https://farm.example/bb/")

    def note(self, url):
        note = {"url": url, "pid": os.getpid()}
        (self.directory / "presence-master.json").write_text(json.dumps(note))

    def operator(self):
        secret = newSecret(OPERATOR)
        path = self.directory / "presence-operator.token"
        path.write_text(secret + "\n")
        self.master.tokens.add(f"Bearer {secret}")
        return path

    def test_operator(self):
        """With the master's directory, and its file, no login is needed, or asked for."""
        self.operator()
        self.done("hold", "mac-mini", "--master", str(self.directory), url=None)
        self.done("drain", "mac-mini", "--master", str(self.directory), url=None)
        self.done("stop-master", "--detach", str(self.directory), url=None)
        self.assertNotIn("auth/login", str(self.master.requests))

    def test_order(self):
        """What somebody has said himself comes before it, and it before ~/.netrc."""
        self.operator()
        home = Path(os.environ["HOME"])
        home.mkdir()
        (home / ".netrc").write_text("machine farm.example login ann password s3cret\n")
        (home / ".netrc").chmod(0o600)
        where = ("release", "mac-mini", "--master", str(self.directory))
        self.done(*where, url=None)
        self.assertIn(OPERATOR, self.master.authorizations[-1])
        self.run_(*where, "--netrc", str(home / ".netrc"), url=None)
        self.assertIn("Basic", self.master.authorizations[-1])
        os.environ["PRESENCE_TOKEN"] = secret = newSecret(TOKEN)
        self.run_(*where, url=None)
        self.assertEqual(self.master.authorizations[-1], f"Bearer {secret}")
        del os.environ["PRESENCE_TOKEN"]
        os.environ.update(PRESENCE_USER="ann", PRESENCE_PASSWORD="s3cret")
        self.run_(*where, url=None)
        self.assertIn("Basic", self.master.authorizations[-1])

    def test_notReadable(self):
        """Without the file, or with what is not one, one is nobody, as before."""
        where = ("hold", "mac-mini", "--master", str(self.directory))
        self.assertIn("(you have not logged in)", self.run_(*where, url=None)[2])
        path = self.operator()
        for content in ("", "x" * 5000, OPERATOR + "x" * 5000, "\xff", "Basic x"):
            path.write_text(content)
            self.assertIn("(you have not logged in)", self.run_(*where, url=None)[2])
        path.unlink()
        os.mkfifo(path)
        self.assertIn("(you have not logged in)", self.run_(*where, url=None)[2])

    def test_otherMachine(self):
        """The operator's secret is not sent unencrypted to another machine, whatever the note says."""
        self.operator()
        self.note("http://elsewhere.example/bb/")
        status, _, err = self.run_("hold", "mac-mini", "--master", str(self.directory), url=None)
        self.assertEqual(status, 1)
        self.assertIn("what is in the master's directory is not sent there", err)
        self.assertEqual({each for each in self.master.authorizations if each}, set())

    def test_token(self):
        """PRESENCE_TOKEN is sent as a bearer, and warned of where it can be read on its way."""
        os.environ["PRESENCE_TOKEN"] = secret = newSecret(TOKEN)
        self.master.tokens.add(f"Bearer {secret}")
        self.done("hold", "mac-mini")
        status, _, err = self.run_("hold", "mac-mini", url="http://farm.example/bb/")
        self.assertEqual(status, 0)
        self.assertIn("the token can be read on its way", err)
        self.assertNotIn(secret, err)

    def test_refused(self):
        """A token that is refused is told by the master; nobody is said to be logged in, or not."""
        os.environ["PRESENCE_TOKEN"] = newSecret(TOKEN)
        status, _, err = self.run_("hold", "mac-mini")
        self.assertEqual((status, err), (1, "presence: mac-mini: you need to have role 'admins'\n"))

    def test_halfSaid(self):
        """Both a user and a token, or a token that is none, is a mistake."""
        os.environ.update(PRESENCE_TOKEN="x", PRESENCE_USER="ann")
        self.assertIn("unset one of them", self.run_("hold", "mac-mini")[2])
        del os.environ["PRESENCE_USER"]
        for wrong in ("two words", "x\ny", "é"):
            os.environ["PRESENCE_TOKEN"] = wrong
            self.assertIn("PRESENCE_TOKEN is not a token", self.run_("hold", "mac-mini")[2])
        self.assertEqual(self.master.posted(), [])

    def test_nobodyHasLoggedIn(self):
        """Where the master has no login with a password, nobody is told that he is somebody."""
        os.environ.update(PRESENCE_USER="ann", PRESENCE_PASSWORD="s3cret")
        status, _, err = self.run_("hold", "mac-mini")
        self.assertEqual(status, 1)
        self.assertIn("(nobody has logged in: the master has no login with a password.", err)
        self.assertNotIn("you are ann", err)

    def test_anonymousSession(self):
        """Nor where the master gives a session to everybody, as Buildbot with OAuth does."""
        os.environ.update(PRESENCE_USER="ann", PRESENCE_PASSWORD="s3cret")
        self.master.hasLogin = True
        for info, said in (
            ({"anonymous": True}, "(nobody has logged in"),
            ({"email": "ann@example.org", "username": "ann"}, "(you are ann@example.org)"),
        ):
            payload = json.dumps({"user_info": info}).encode()
            cookie = f"TWISTED_SESSION=e30.{urlsafe_b64encode(payload).decode().rstrip('=')}.sig"
            self.master.login = lambda _, cookie=cookie: (302, {"Set-Cookie": cookie, "Location": "/"}, b"")
            self.assertIn(said, self.run_("hold", "mac-mini")[2])
