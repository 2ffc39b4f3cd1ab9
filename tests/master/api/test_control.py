from buildbot.process.results import SUCCESS

from presence.breaks.schedule import Break
from presence.text import MAX_NAME
from tests.master.apicase import INVALID_PARAMS, METHOD_NOT_FOUND, ApiTestCase, user
from tests.master.fakemaster import DAY, HOUR

WORKING_HOURS = Break("07:00", "19:00", tz="UTC", reason="office hours")


class ControlTests(ApiTestCase):
    """hold, release and work, over POST."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS), self.stock("plain")])

    def test_hold(self):
        """`hold` holds the worker as admin, with reason and until, and by the user of the session."""
        answer = self.post("presences/mac-mini", "hold", user("ann"), reason=" disk ", until=self.at(9))
        hold = self.presence().heldBy("admin")
        self.assertEqual((hold.reason, hold.by, hold.until), ("disk", "ann", self.at(9)))
        self.assertEqual(answer.result["holds"][0]["by"], "ann")
        self.assertEqual(answer.result["state"], "NOT_ACCEPTING_NEW_BUILDS")
        self.passUntil(self.at(9))
        self.assertEqual(self.sources(), ["break"])

    def test_by(self):
        """`by` is the user of the session, whatever the caller says; anonymous is anonymous."""
        self.post("presences/mac-mini", "hold", user("ann"), owner="the pope")
        self.assertEqual(self.presence().heldBy("admin").by, "ann")
        self.post("presences/mac-mini", "hold", owner="the pope")
        self.assertEqual(self.presence().heldBy("admin").by, "anonymous")
        status, code, text = self.post("presences/mac-mini", "hold", user("ann"), by="the pope").error
        self.assertEqual((status, code), (400, INVALID_PARAMS))
        self.assertEqual(text, "hold has no parameter 'by': there are reason, until, force")
        self.assertEqual(self.presence().heldBy("admin").by, "anonymous")

    def test_byWhoever(self):
        """A name that a provider of logins has let pass is shown, and logged, as one readable line that is not too long."""
        self.post("presences/mac-mini", "hold", user("e\u202eve\n\x1b[2J" + 200 * "x"))
        by = self.presence().heldBy("admin").by
        self.assertTrue(by.startswith("e\ufffdve\ufffd\ufffd[2J") and by.isprintable(), by)
        self.assertEqual(len(by), MAX_NAME)

    def test_release(self):
        """`release` ends the admin's hold and no other; releasing again does nothing."""
        self.post("presences/mac-mini", "hold")
        self.presence().hold("worker")
        self.post("presences/mac-mini", "release").result  # noqa: B018 (it fails when it is an error)
        self.assertEqual(self.sources(), ["worker"])
        self.post("presences/mac-mini", "release").result  # noqa: B018
        self.assertEqual(self.sources(), ["worker"])

    def test_work(self):
        """`work` lets it build in spite of its breaks until then, and null ends that."""
        self.passUntil(self.at(8))
        answer = self.post("presences/mac-mini", "work", until=self.at(10))
        self.assertEqual((answer.result["state"], answer.result["work_until"]), ("AVAILABLE", self.at(10)))
        self.post("presences/mac-mini", "work", until=None)
        self.assertEqual(self.sources(), ["break"])
        self.post("presences/mac-mini", "work", until=self.at(10))
        self.passUntil(self.at(10))
        self.assertEqual(self.sources(), ["break"])
        self.assertIsNone(self.getOne("presences/mac-mini")["work_until"])

    def test_workUndoesNoHold(self):
        """`work` is about breaks: what a person holds, stays held."""
        self.passUntil(self.at(8))
        self.presence().hold("worker")
        self.post("presences/mac-mini", "work", until=self.at(10))
        self.assertEqual(self.sources(), ["worker"])

    def test_workIsAnnounced(self):
        """`work` is announced outside of a break too."""
        self.post("presences/mac-mini", "work", until=self.at(10))
        self.pass_(1)
        self.assertEqual([each["work_until"] for each in self.changes()], [self.at(10)])

    def test_stock(self):
        """A stock worker cannot be held: the error says what can be done."""
        status, code, text = self.post("presences/plain", "hold").error
        self.assertEqual((status, code), (400, INVALID_PARAMS))
        self.assertIn("declare it as a BuildSlave", text)
        self.assertEqual(self.sources("plain"), [])

    def test_unknownWorker(self):
        """An unknown worker is not found."""
        for path in ("presences/999", "presences/nobody", f"workers/{10**30}/presence", "presences/-5"):
            status, _, text = self.post(path, "hold").error
            self.assertEqual(status, 404)
            self.assertIn("there is no worker", text)

    def test_unknownAction(self):
        """An unknown action is refused, and so is a known one in other letters, which no rule may know."""
        for action in ("stop", "Hold", "HOLD", "hold ", "get", "GET", "", "__init__", "x" * 1000):
            status, code, text = self.post("presences/mac-mini", action).error
            self.assertEqual((status, code), (501, METHOD_NOT_FOUND))
            self.assertIn("there are hold, drain, release, work", text)
            self.assertLess(len(text), 200)
        self.assertEqual(self.sources(), [])

    def test_collections(self):
        """All builders at once take no orders, and it is said who does."""
        status, code, text = self.post("builderpresences", "hold").error
        self.assertEqual((status, code), (501, METHOD_NOT_FOUND))
        self.assertIn("as in builderpresences/ID; or hold, drain", text)

    def test_mistakes(self):
        """Each mistake is refused, changes nothing, and says what would be right."""
        now = int(self.reactor.seconds())
        for params, said in (
            ({"until": now - 1}, f"until: {now - 1} is past: now it is {now}"),
            ({"until": self.reactor.seconds()}, "is past"),
            (
                {"until": "18:00"},
                "until: '18:00' is not an instant: give seconds since the epoch, a number such as",
            ),
            ({"until": True}, "is not an instant"),
            ({"until": [now]}, "is not an instant"),
            ({"until": now * 1000}, "seconds (not milliseconds) since the epoch"),
            ({"until": 10**400}, "beyond the year 9999"),
            ({"until": float("nan")}, "beyond the year 9999"),
            ({"until": float("inf")}, "beyond the year 9999"),
            ({"reason": "x" * 513}, "reason: it has 513 characters, and at most 512 are allowed"),
            ({"reason": 7}, "reason: 7 is not text: write a string"),
            ({"reason": {"a": "b"}}, "is not text"),
            ({"reason": "a\x1b[31mb"}, "it contains '\\x1b': write plain text on one line"),
            ({"reason": "a\nb"}, "write plain text on one line"),
            ({"reason": "\ud800"}, "write plain text on one line"),
            ({"Reason": "x"}, "hold has no parameter 'Reason': did you mean reason?"),
        ):
            status, code, text = self.post("presences/mac-mini", "hold", **params).error
            self.assertEqual((status, code), (400, INVALID_PARAMS), params)
            self.assertIn(said, text)
        self.assertIn("work needs until", self.post("presences/mac-mini", "work").error[2])
        self.assertIn(
            "release has no parameter 'until'", self.post("presences/mac-mini", "release", until=1).error[2]
        )
        self.assertEqual(self.sources(), [])
        self.assertEqual(self.changes(), [])

    def test_workWithoutBreaks(self):
        """`work` for a worker without breaks is refused."""
        self.reconfig([self.slave("mac-mini")])
        _, code, text = self.post("presences/mac-mini", "work", until=self.at(9)).error
        self.assertEqual(code, INVALID_PARAMS)
        self.assertIn("has no breaks in master.cfg", text)

    def test_pauseBeside(self):
        """Buildbot's pause and our hold are two things: neither button undoes the other."""
        path = f"workers/{self.workerid()}"
        self.post("presences/mac-mini", "hold", reason="ours")
        self.post(path, "pause", reason="theirs").result  # noqa: B018
        self.pass_(1)
        self.assertEqual(self.sources(), ["admin", "pause"])
        self.assertTrue(self.getOne(path)["paused"])
        self.post("presences/mac-mini", "release")
        self.pass_(1)
        self.assertEqual(self.sources(), ["pause"])
        self.assertTrue(self.getOne(path)["paused"])
        self.post("presences/mac-mini", "hold", reason="ours")
        self.post(path, "unpause")
        self.pass_(1)
        self.assertEqual(self.sources(), ["admin"])
        self.assertFalse(self.getOne(path)["paused"])

    def test_buildRunsOn(self):
        """A build that runs is not touched by a hold, and the next one waits for its end."""
        self.reconfig([self.slave("mac-mini")])
        first = self.request()
        self.post("presences/mac-mini", "hold", until=self.at(6) + HOUR / 2)
        waiting = self.request()
        self.finishAll()
        self.assertEqual(self.results(first), [SUCCESS])
        self.assertEqual(self.unclaimed(), [waiting])
        self.passUntil(self.at(6) + HOUR / 2)
        self.assertEqual(len(self.starts), 2)
        self.finishAll()
        self.assertLess(self.reactor.seconds(), self.at(6) + DAY)
