import argparse
import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from email.message import Message
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.zones import zoneFor
from presence.commands import admin, credentials, drain, masterclient, stopmaster
from presence.commands.admintext import AdminText, plain, table

UTC = zoneFor("UTC")
#: 2026-11-23 06:00 UTC, a Monday.
NOW = 1795413600.0
HOUR = 3600


def worker(name, workerid, *, holds=(), holdable=True, builders=(1,), running=0, **more):
    """An entity as the API tells it."""
    untils = [each["until"] for each in holds]
    return {
        "workerid": workerid,
        "name": name,
        "state": "NOT_ACCEPTING_NEW_BUILDS" if holds else "AVAILABLE",
        "holds": list(holds),
        "connected": True,
        "busy": running > 0,
        "running": running,
        "back_at": None if None in untils or not untils else max(untils),
        "next_break": None,
        "breaks": [],
        "work_until": None,
        "builders": list(builders),
        "holdable": holdable,
        "drain": None,
        **more,
    }


def hold(source="admin", reason=None, by=None, since=NOW, until=None):
    return {"source": source, "reason": reason, "by": by, "since": since, "until": until}


class FakeMaster:
    """A Buildbot in memory, with workers, builders, one user (ann, s3cret), and rules."""

    def __init__(self):
        self.workers = {
            each["name"]: each
            for each in (
                worker("mac-mini", 1, running=1),
                worker(
                    "mac-pro", 2, holds=[hold("break", "office hours", until=NOW + HOUR)], builders=(1, 2)
                ),
                worker("plain", 3, holdable=False),
            )
        }
        self.builders = [
            {
                "builderid": number,
                "name": name,
                "state": "AVAILABLE" if ready else "NOT_ACCEPTING_NEW_BUILDS",
                "ready": ready,
                "total": 3,
                "waiting": waiting,
                "reason": None if ready else "mac-pro: on a break",
                "back_at": None if ready else NOW + HOUR,
            }
            for number, name, ready, waiting in ((1, "runtests", 2, 0), (2, "mac only", 0, 4))
        ]
        self.running = []
        self.shutdown = {"masterid": 1, "state": "running", "deadline": None, "on_deadline": None}
        self.needsLogin = False
        self.hasLogin = True
        self.stream = b""
        self.requests = []
        self.sessions = set()
        self.broken = 0

    def answer(self, method, target, body, headers):
        """(status, headers, body) of an answer."""
        parts = urlsplit(target)
        self.requests.append((method, parts.path, body))
        path = parts.path.removeprefix("/bb/")
        if path == "auth/login":
            return self.login(headers)
        if path.startswith("sse/listen/"):
            return 200, {}, self.stream
        if method == "GET":
            return self.get(path.removeprefix("api/v2/"), parse_qs(parts.query))
        return self.post(path.removeprefix("api/v2/"), json.loads(body), headers)

    def login(self, headers):
        if not self.hasLogin:
            return 501, {}, b"not implemented"
        if headers.get("Authorization") != "Basic YW5uOnMzY3JldA==":
            return 401, {"WWW-Authenticate": "Basic"}, b"Unauthorized"
        self.sessions.add("TWISTED_SESSION=secret")
        return (
            302,
            {"Set-Cookie": "TWISTED_SESSION=secret; HttpOnly", "Location": "http://evil.example/"},
            b"",
        )

    def get(self, path, query):
        found = {
            "presences": list(self.workers.values()),
            "builderpresences": self.builders,
            "runningbuilds": self.running,
            "shutdown": [self.shutdown],
        }
        found = found.get(path)
        if found is None:
            return 404, {}, json.dumps({"error": "Invalid path"}).encode()
        for number in query.get("builders__contains", ())[:1]:
            wanted = {int(each) for each in query["builders__contains"]}
            found = [each for each in found if wanted & set(each["builders"])]
            del number
        return 200, {}, json.dumps({path: found, "meta": {}}).encode()

    def post(self, path, call, headers):
        if self.needsLogin and headers.get("Cookie") not in self.sessions:
            return 403, {}, json.dumps({"error": {"message": "you need to have role 'admins'"}}).encode()
        if path == "shutdown":
            stop = call["method"] == "stop"
            self.shutdown = {**self.shutdown, "state": "stopping" if stop else "running", **call["params"]}
            if stop and call["params"]["deadline"] is not None:
                self.shutdown["on_deadline"] = call["params"]["on_deadline"] or "abort"
            return 200, {}, json.dumps({"result": self.shutdown}).encode()
        (found,) = (each for each in self.workers.values() if path == f"presences/{each['workerid']}")
        if not found["holdable"]:
            return 400, {}, json.dumps({"error": {"message": "plain is one of Buildbot's own"}}).encode()
        holds = [each for each in found["holds"] if each["source"] != "admin"]
        if call["method"] == "hold":
            holds.append(hold(by="ann", **call["params"]))
        more = {}
        if call["method"] == "drain":
            params = call["params"]
            holds.append(hold(by="ann", reason=params["reason"]))
            more = {
                "running": found["running"],
                "drain": {
                    "state": "draining" if found["running"] else "drained",
                    "deadline": params["deadline"],
                    "on_deadline": params["on_deadline"] or "interrupt",
                    "group": params["group"],
                },
            }
        after = worker(found["name"], found["workerid"], holds=holds, **more)
        self.workers[found["name"]] = after
        return 200, {}, json.dumps({"result": after}).encode()

    def posted(self):
        """(path, method, params) of each POST."""
        calls = [(path, json.loads(body)) for method, path, body in self.requests if method == "POST"]
        return [(path.rpartition("/")[2], call["method"], call["params"]) for path, call in calls]


class FakeSocket:
    def settimeout(self, seconds):
        pass


class FakeResponse(io.BytesIO):
    def __init__(self, status, headers, body):
        super().__init__(body)
        self.status = status
        self.reason = "Reason"
        self.headers = Message()
        for name, value in headers.items():
            self.headers[name] = value


class AdminTestCase(SynchronousTestCase):
    def setUp(self):
        self.master = master = FakeMaster()
        self.connections = connections = []
        self.patch(os, "environ", {"HOME": self.mktemp()})
        self.patch(admin.time, "time", lambda: NOW)
        self.patch(admin, "localZone", lambda: "UTC")
        self.patch(credentials.sys, "stdin", io.StringIO())

        class FakeConnection:
            sock = FakeSocket()

            def __init__(self, address, timeout):
                connections.append(address)

            def request(self, method, target, body, headers):
                self.pending = master.answer(method, target, body, headers)

            def getresponse(self):
                if master.broken:
                    master.broken -= 1
                    raise ConnectionResetError("reset")
                return FakeResponse(*self.pending)

            def close(self):
                pass

        class FakeSecureConnection(FakeConnection):
            pass

        self.patch(masterclient, "HTTPConnection", FakeConnection)
        self.patch(masterclient, "HTTPSConnection", FakeSecureConnection)

    def run_(self, *arguments, url="https://farm.example/bb/"):
        """(exit status, standard output, standard error) of the command."""
        parser = argparse.ArgumentParser(prog="presence")
        subparsers = parser.add_subparsers(required=True)
        admin.addParser(subparsers)
        drain.addParser(subparsers)
        stopmaster.addParser(subparsers)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                options = parser.parse_args([arguments[0], "--url", url, *arguments[1:]])
                status = options.run(options)
            except SystemExit as end:
                status = end.code
            except KeyboardInterrupt:  # as `main` does
                status = 130
        return status, out.getvalue(), err.getvalue()

    def done(self, *arguments, **keywords):
        """The lines that a command prints which succeeds."""
        status, out, err = self.run_(*arguments, **keywords)
        self.assertEqual((status, err), (0, ""))
        return out.splitlines()


class ListTests(AdminTestCase):
    def test_workers(self):
        """`workers` shows the state of each, why, until when, how many builds run, and the next break."""
        self.master.workers["mac-mini"]["next_break"] = {"start": NOW + HOUR, "stop": None, "reason": None}
        self.assertEqual(
            self.done("workers"),
            [
                "WORKER    STATE          WHY                        UNTIL  RUNNING  NEXT BREAK",
                "mac-mini  available                                        1        07:00",
                "mac-pro   not accepting  on a break (office hours)  07:00  0",
                "plain     available                                        0",
            ],
        )

    def test_state(self):
        """`--state` keeps those in this state."""
        for state, names in (
            ("available", ["mac-mini", "plain"]),
            ("away", ["mac-pro"]),
            ("NOT_ACCEPTING_NEW_BUILDS", ["mac-pro"]),
        ):
            lines = self.done("workers", "--state", state)
            self.assertEqual([line.split()[0] for line in lines[1:]], names)
        status, _, err = self.run_("workers", "--state", "busy")
        self.assertEqual(status, 2)
        self.assertIn("'busy' is no state: write available or away", err)

    def test_selection(self):
        """Names, patterns and --builder choose; the latter two at once mean those that are both."""
        for arguments, names in (
            (["mac-mini"], ["mac-mini"]),
            (["mac-*"], ["mac-mini", "mac-pro"]),
            (["plain", "*-pro"], ["mac-pro", "plain"]),
            (["--builder", "mac only"], ["mac-pro"]),
            (["--builder", "*"], ["mac-mini", "mac-pro", "plain"]),
            (["--builder", "runtests", "p*"], ["plain"]),
        ):
            found = json.loads("\n".join(self.done("workers", "--json", *arguments)))
            self.assertEqual([each["name"] for each in found], names)

    def test_nobody(self):
        """A name or a pattern of nobody is a mistake, and says who there is."""
        for arguments, said in (
            (["nobody"], "there is no worker nobody: there are mac-mini, mac-pro, plain"),
            (["mac-*", "x*"], "there is no worker x*"),
            (["--builder", "x"], "there is no builder x: there are runtests, mac only"),
        ):
            status, out, err = self.run_("workers", *arguments)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(said, err)

    def test_json(self):
        """`--json` prints what the API says."""
        self.assertEqual(
            json.loads("\n".join(self.done("workers", "--json"))), list(self.master.workers.values())
        )
        self.assertEqual(json.loads("\n".join(self.done("builders", "--json"))), self.master.builders)

    def test_builders(self):
        """`builders` shows how many are ready of all, how many requests wait, and why none is ready."""
        self.assertEqual(
            self.done("builders"),
            [
                "BUILDER   STATE          READY   WAITING  WHY                  UNTIL",
                "runtests  available      2 of 3  0",
                "mac only  not accepting  0 of 3  4        mac-pro: on a break  07:00",
            ],
        )
        self.assertEqual(len(self.done("builders", "mac*")), 2)

    def test_terminal(self):
        """What people have written cannot command the terminal."""
        self.master.workers["mac-pro"]["holds"][0]["reason"] = "a\x1b]0;b\x07\u202ec"
        text = "\n".join(self.done("workers"))
        self.assertIn("(a\ufffd]0;b\ufffd\ufffdc)", text)

    def test_columns(self):
        """Columns are as wide as they need to be; one in which nothing is, is left out."""
        self.assertEqual(
            table(("A", "B", "C"), [("xxx", "", "y"), ("x", "", "yy")]), "A    C\nxxx  y\nx    yy"
        )
        self.assertEqual(table(("A", "B"), []), "A  B")
        self.assertEqual(plain("ä é 漢"), "ä é 漢")


class OrderTests(AdminTestCase):
    def test_hold(self):
        """`hold` holds each worker that is meant, with the reason and the end, and says what is so then."""
        lines = self.done("hold", "mac-*", "--reason", "disk", "--for", "2h")
        self.assertEqual(
            self.master.posted(),
            [
                ("1", "hold", {"reason": "disk", "until": NOW + 2 * HOUR}),
                ("2", "hold", {"reason": "disk", "until": NOW + 2 * HOUR}),
            ],
        )
        self.assertEqual(
            lines,
            [
                "06:00:00 mac-mini: not accepting, held by ann (disk), until 08:00",
                "06:00:00 mac-pro: not accepting, on a break (office hours); held by ann (disk), until 08:00",
            ],
        )

    def test_withoutEnd(self):
        """Without --for and --until there is no end."""
        self.done("hold", "mac-mini")
        self.assertEqual(self.master.posted(), [("1", "hold", {"reason": None, "until": None})])

    def test_release(self):
        """`release` releases; what else holds the worker is shown."""
        self.done("hold", "mac-*")
        lines = self.done("release", "mac-*")
        self.assertEqual(lines[0], "06:00:00 mac-mini: available")
        self.assertIn("on a break (office hours)", lines[1])

    def test_builder(self):
        """--builder chooses the workers of a builder; stock workers are left out, and that is said."""
        status, out, err = self.run_("hold", "--builder", "runtests")
        self.assertEqual(status, 0)
        self.assertEqual(len(out.splitlines()), 2)
        self.assertEqual(err, "presence: plain is left out: it is one of Buildbot's own workers\n")

    def test_stockByName(self):
        """A stock worker that is named is refused by the master, in its words; the others are held."""
        status, out, err = self.run_("hold", "plain", "mac-mini")
        self.assertEqual(status, 1)
        self.assertEqual(err, "presence: plain: plain is one of Buildbot's own\n")
        self.assertEqual(len(out.splitlines()), 1)

    def test_nobodyIsMeant(self):
        """Who names nobody does not mean everybody."""
        for command in ("hold", "release"):
            status, _, err = self.run_(command)
            self.assertEqual(status, 2)
            self.assertIn("name the workers", err)
        self.assertEqual(self.master.posted(), [])

    def test_oneUnknown(self):
        """When one of the names is unknown none of the others is held."""
        status, _, _ = self.run_("hold", "mac-mini", "nobody")
        self.assertEqual(status, 2)
        self.assertEqual(self.master.posted(), [])

    def test_mistakes(self):
        """A reason that is too long, and a time that is none, are refused before the master is asked."""
        for arguments, said in (
            (["--reason", "x" * 513], "it has 513 characters, and at most 512"),
            (["--reason", "a\nb"], "write plain text on one line"),
            (["--for", "soon"], "no duration"),
            (["--until", "soon"], "no time"),
            (["--for", "1h", "--until", "18:00"], "not allowed with"),
        ):
            status, _, err = self.run_("hold", "mac-mini", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(said, err)
        self.assertEqual(self.master.requests, [])


class WatchTests(AdminTestCase):
    def stream(self, *events):
        lines = ["event: handshake\ndata: 4711\n\n"]
        for name, entity in events:
            data = {"key": ["presences", str(entity["workerid"]), name], "message": entity}
            lines.append(f"event: event\ndata: {json.dumps(data)}\n\n")
        self.master.stream = "".join(lines).encode()

    def test_watch(self):
        """`watch` prints a line for each change; when the master ends it, it says so."""
        self.stream(
            ("changed", worker("mac-mini", 1, holds=[hold(reason="disk", by="ann", until=NOW + 60)])),
            ("changed", worker("mac-mini", 1, running=2)),
            ("removed", worker("mac-pro", 2)),
        )
        status, out, err = self.run_("watch")
        self.assertEqual(
            out.splitlines(),
            [
                "following all workers",
                "06:00:00 mac-mini: not accepting, held by ann (disk), until 06:01",
                "06:00:00 mac-mini: available, 2 running",
                "06:00:00 mac-pro: available, removed from the configuration",
            ],
        )
        self.assertEqual(status, 1)
        self.assertIn("has ended the connection", err)

    def test_some(self):
        """It follows only those that are meant."""
        self.stream(("changed", worker("mac-mini", 1)), ("changed", worker("mac-pro", 2)))
        _, out, _ = self.run_("watch", "--builder", "mac only")
        self.assertEqual(out.splitlines(), ["following mac-pro", "06:00:00 mac-pro: available"])

    def test_json(self):
        """`--json` prints each entity on a line."""
        self.stream(("changed", worker("mac-mini", 1)))
        _, out, _ = self.run_("watch", "--json")
        self.assertEqual([json.loads(line)["name"] for line in out.splitlines()], ["mac-mini"])


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
            ("http://farm.example:x/", "is no URL"),
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
        """A server that is no Buildbot is called that."""
        status, _, err = self.run_("workers", url="https://farm.example/other/")
        self.assertEqual(status, 1)
        self.assertIn("presence: ", err)
        self.master.get = lambda *_: (200, {}, b"<html>")
        _, _, err = self.run_("workers")
        self.assertIn("is no Buildbot: give the URL of its web UI with --url", err)

    def test_moment(self):
        """An unknown source of a newer master is called by its name."""
        text = AdminText(NOW, UTC)
        self.assertEqual(text.hold(hold("moon", "full")), "moon (full)")
