import json
from pathlib import Path

from presence.model.gathering import PAUSE
from presence.wire.localaddress import FILENAME, LocalFile, LocalFileError
from presence.words.pages import pageModules
from presence.worker.local import server as localweb
from presence.worker.local import site as localsite
from presence.worker.local.events import KEEP_ALIVE, MAX_STREAMS
from presence.worker.local.site import MAX_BODY
from presence.worker.store import FILENAME as STORE
from tests.worker.fakewire import HOUR, NOW
from tests.worker.local.localcase import LocalTestCase

AWAY = "NOT_ACCEPTING_NEW_BUILDS"
API = ["status", "events"]
ORDERS = ["away", "back", "work", "stop", "ticket"]


class OrderTests(LocalTestCase):
    """What the owner can ask and say."""

    def test_status(self):
        """The status is that of the client, with the time, and whether the master has heard."""
        answer = self.ask("GET", "/api/status")
        self.assertEqual(answer.code, 200)
        self.assertEqual(answer.json, {**self.client.owner.status(), "now": NOW, "told": False})
        self.connect()
        self.assertTrue(self.ask("GET", "/api/status").json["told"])

    def test_away(self):
        """Away, with a reason and an end, is answered with the status when it is kept."""
        status = self.say("away", reason="rendering", until=NOW + HOUR).json
        self.assertEqual((status["state"], status["back_at"]), (AWAY, NOW + HOUR))
        self.assertEqual(status["holds"][0]["reason"], "rendering")
        self.assertIn(STORE, self.files())

    def test_back(self):
        """Back ends it."""
        self.say("away")
        self.assertEqual(self.say("back").json["state"], "AVAILABLE")

    def test_work(self):
        """Work suspends the breaks until then; without an end it ends the suspension."""
        self.restart(("07:00", "19:00"))
        status = self.say("work", until=NOW + HOUR).json
        self.assertEqual((status["state"], status["work_until"]), ("AVAILABLE", NOW + HOUR))
        self.assertEqual(self.say("work").json["state"], AWAY)

    def test_stop(self):
        """Stop begins a graceful stop, with its deadline; without a connection the process ends at once."""
        status = self.say("stop", deadline=NOW + HOUR).json
        self.assertEqual(status["stopping"], {"deadline": NOW + HOUR})
        self.reactor.advance(1)
        self.assertEqual(self.reactor.stopped, 1)

    def test_waitsForTheMaster(self):
        """An order is answered when the master has heard of it."""
        self.connect()
        answer = self.say("away")
        self.assertEqual(answer.raw, b"")
        self.answer()
        self.assertTrue(answer.json["told"])

    def test_impatient(self):
        """Who does not wait for the answer has ordered it all the same, and nothing is logged."""
        self.connect()
        answer = self.say("away")
        answer.transport.loseConnection()
        self.answer()
        self.assertEqual(self.sources(), ["worker"])

    def test_refused(self):
        """What is not right is refused with a reason, and changes nothing."""
        for order, arguments, said in (
            ("away", {"until": NOW - 1}, "past"),
            ("away", {"until": "noon"}, "not an instant"),
            ("away", {"until": 10**400}, "not an instant"),
            ("away", {"until": True}, "not an instant"),
            ("away", {"reason": "x" * 513}, "at most 512"),
            ("away", {"reason": "two\nlines"}, "one line"),
            ("away", {"reason": "\ud800"}, "one line"),
            ("away", {"reason": ["because"]}, "not text"),
            ("away", {"untli": 1}, "the keys are reason, until"),
            ("back", {"reason": "x"}, "the keys are none"),
            ("work", {"until": NOW}, "past"),
            ("stop", {"deadline": -1}, "not an instant"),
            ("stop", {"deadline": {}}, "not an instant"),
        ):
            answer = self.say(order, **arguments)
            self.assertEqual(answer.code, 400, (order, arguments))
            self.assertIn(said, answer.json["error"])
        self.assertEqual(self.sources(), [])
        self.assertNotIn(STORE, self.files())

    def test_badBody(self):
        """A body that is not a JSON object, is too long, or nests too deep, is refused."""
        for raw, code in (
            (b"[]", 400),
            (b"null", 400),
            (b"{", 400),
            (b"\xff\xfe", 400),
            (b"[" * 10000, 400),
            (b'{"until": NaN}', 400),
            (b'{"until": 1e999}', 400),
            (b'{"reason": "' + b"x" * MAX_BODY + b'"}', 413),
            (b'{"reason": "' + b"x" * 10 * MAX_BODY + b'"}', 413),
        ):
            self.assertEqual(self.ask("POST", "/api/away", raw=raw).code, code, raw[:20])
        self.assertEqual(self.sources(), [])

    def test_cannotKeep(self):
        """What cannot be kept on disk is refused, with the reason."""
        (Path(self.basedir) / (STORE + ".new")).mkdir()
        answer = self.say("away")
        self.assertEqual(answer.code, 507)
        self.assertIn("cannot be written", answer.json["error"])
        self.assertEqual(self.sources(), [])

    def test_noStop(self):
        """A stop that is not possible is a conflict."""
        self.greet()
        self.transport.listener.attached()
        answer = self.say("stop")
        self.assertEqual(answer.code, 409)
        self.assertIn("knows no presence", answer.json["error"])

    def test_methods(self):
        """A question is no order, and an order no question: links and images order nothing."""
        for method, path in (
            *(("GET", f"/api/{order}") for order in ORDERS),
            *(("POST", f"/api/{question}") for question in API),
            ("POST", "/"),
            ("GET", "/enter"),
            ("OPTIONS", "/api/away"),
            ("DELETE", "/api/status"),
        ):
            answer = self.ask(method, path)
            self.assertEqual(answer.code, 405, (method, path))
            self.assertNotIn("access-control-allow-origin", answer.headers)
        self.assertEqual(self.sources(), [])

    def test_words(self):
        """The page is given the words for holds, which it shares with the page in Buildbot's UI."""
        for name, content in pageModules().items():
            answer = self.ask("GET", f"/static/{name}")
            self.assertEqual((answer.code, answer.body), (200, content))

    def test_nothing(self):
        """There is nothing but what there is; no path leads out of the page's files."""
        for path in ("/api/", "/api/none", "/favicon.ico", "/static/", "/static/none.js"):
            self.assertEqual(self.ask("GET", path).code, 404, path)
        for path in (
            "/static/../localweb.py",
            "/static/%2e%2e/localweb.py",
            "/static//etc/passwd",
            "//",
        ):
            self.assertEqual(self.ask("GET", path).code, 404, path)


class StreamTests(LocalTestCase):
    """The stream of the status."""

    def listen(self):
        return self.ask("GET", "/api/events")

    def test_changes(self):
        """The status is told at once, and after every change."""
        stream = self.listen()
        self.assertEqual([each["state"] for each in stream.events], ["AVAILABLE"])
        self.client.owner.away("rendering")
        self.reactor.advance(PAUSE)
        self.assertEqual([each["state"] for each in stream.events], ["AVAILABLE", AWAY])
        stream.transport.loseConnection()

    def test_bounded(self):
        """Ten changes in a moment are told once, with the newest status."""
        stream = self.listen()
        for _ in range(10):
            self.client.owner.away()
            self.client.owner.back()
        self.client.owner.away("last")
        self.reactor.advance(PAUSE)
        self.assertEqual(len(stream.events), 2)
        self.assertEqual(stream.events[-1]["holds"][0]["reason"], "last")
        stream.transport.loseConnection()

    def test_clockSetBackAndNoticed(self):
        """When the clock is set back an hour, changes are told at once, and the stream says that it is alive."""
        stream = self.listen()
        self.client.owner.away("rendering")
        self.reactor.rightNow -= HOUR
        self.ticker.tick()
        self.reactor.advance(0)
        self.assertEqual(len(stream.events), 2)
        self.reactor.advance(KEEP_ALIVE)
        self.assertIn(b": still here", stream.body)
        stream.transport.loseConnection()

    def test_slow(self):
        """For a reader that reads nothing nothing is heaped up; when it reads again it is told the newest."""
        stream = self.listen()
        stream.transport.producer.pauseProducing()
        for number in range(100):
            self.client.owner.away(str(number))
            self.reactor.advance(1)
        self.assertEqual(len(stream.events), 1)
        stream.transport.producer.resumeProducing()
        self.reactor.advance(0)
        self.assertEqual([each["holds"] and each["holds"][0]["reason"] for each in stream.events], [[], "99"])
        stream.transport.loseConnection()

    def test_alive(self):
        """A stream in which nothing happens says that it is alive, and is not closed as idle."""
        stream = self.listen()
        for _ in range(10):
            self.reactor.advance(KEEP_ALIVE)
        self.assertEqual(stream.body.count(b": still here"), 10)
        self.assertFalse(stream.transport.disconnecting)
        stream.transport.loseConnection()

    def test_clockSetBack(self):
        """A clock that was set back by a day keeps no change back for a day."""
        stream = self.listen()
        self.reactor.rightNow -= 24 * HOUR
        self.client.owner.away()
        self.reactor.advance(KEEP_ALIVE)
        self.assertEqual(stream.events[-1]["state"], AWAY)
        stream.transport.loseConnection()

    def test_gone(self):
        """A reader that has gone leaves nothing behind, and makes room for another."""
        streams = [self.listen() for _ in range(MAX_STREAMS)]
        self.assertEqual(self.listen().code, 503)
        streams[0].transport.loseConnection()
        self.assertEqual(self.listen().code, 200)

    def test_ends(self):
        """When the worker ends the streams do."""
        stream = self.listen()
        self.end()
        self.assertTrue(stream.raw.endswith(b"0\r\n\r\n"))
        self.begin()


class BeginTests(LocalTestCase):
    """The file, and a server that cannot begin."""

    def test_occupied(self):
        """A worker whose port is taken works on without the server, and says so in its log."""

        def listenTCP(*args, **keywords):
            raise OSError("address in use")

        self.patch(self.reactor, "listenTCP", listenTCP)
        said = []
        self.patch(localweb._log, "error", lambda text, problem: said.append(text.format(problem=problem)))
        self.restart()
        self.assertEqual(len(said), 1)
        self.assertIn("address in use", said[0])
        self.assertEqual(self.client.owner.status()["state"], "AVAILABLE")
        self.assertNotIn(FILENAME, self.files())

    def test_unreadable(self):
        """A file that makes no sense is an error that says what to do."""
        path = Path(self.basedir) / FILENAME
        right = json.loads(path.read_text())
        for wrong in (
            b"",
            b"[]",
            b"{",
            b"[" * 4000,
            *(
                json.dumps({**right, **change}).encode()
                for change in (
                    {"version": 2},
                    {"pid": 0},
                    {"pid": -1},
                    {"pid": True},
                    {"port": 0},
                    {"port": 65536},
                    {"port": "80"},
                    {"token": ""},
                    {"token": "a\r\nX: y"},
                    {"token": None},
                )
            ),
        ):
            path.write_bytes(wrong)
            error = self.assertRaises(LocalFileError, LocalFile(self.basedir).read)
            self.assertIn("restart the worker", str(error))

    def test_idle(self):
        """While nobody asks anything the server wakes nobody."""
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertFalse(localsite._Site.noisy)
