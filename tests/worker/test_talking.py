"""What the client tells the master, and when."""

import json

from twisted.internet.error import ConnectionLost

from presence.breaks.forecast import ComingBreak
from presence.breaks.schedule import BreakSchedule
from presence.model.states import Hold
from presence.wire.messages import Refusal
from presence.worker.link.conversation import PATIENCE
from tests.worker.fakewire import HOUR, NOW, ClientTestCase, view

AWAY = "NOT_ACCEPTING_NEW_BUILDS"

BREAK_ENDS = NOW + 11 * HOUR

BREAK = Hold("break", None, None, NOW - HOUR, BREAK_ENDS)


class ConversationTests(ClientTestCase):
    """What the master is told, and what becomes of its answers."""

    def test_greeting(self):
        """A master that connects is told at once."""
        self.client.owner.away("rendering", until=NOW + 60)
        greeting = self.greet()
        self.assertEqual(
            greeting,
            {
                "version": 1,
                "now": NOW,
                "state": AWAY,
                "reason": "rendering",
                "by": "owner",
                "since": NOW,
                "until": NOW + 60,
                "work_until": None,
                "breaks": [],
                "send_back": False,
            },
        )

    def test_breaks(self):
        """The master is told which breaks of this machine come next: when one begins, and when they are others."""
        self.restart(("09:00", "10:00"))
        nine = NOW + HOUR
        self.assertEqual(
            [each["start"] for each in self.connect()["breaks"]],
            [nine + day * 24 * HOUR for day in range(10)],
        )
        self.reactor.advance(HOUR)
        _, message = self.takeMessage()
        self.assertEqual((message["state"], message["breaks"][0]["start"]), (AWAY, nine + 24 * HOUR))
        self.answer()
        self.client.owner.replaceBreaks(BreakSchedule.fromConfig(("09:00", "11:00"), "UTC"))
        self.assertEqual(self.takeMessage()[1]["breaks"][0]["stop"], nine + 26 * HOUR)

    def test_greetedAgain(self):
        """A master that asks again on the same connection, as it has got the plugin since, goes on hearing what is said."""
        self.connect()
        self.client.owner.away("rendering")
        self.takeMessage()
        self.answer()
        self.assertEqual(self.greet()["state"], AWAY)
        self.show(view())
        self.client.owner.back()
        self.assertEqual(self.takeMessage()[1]["state"], "AVAILABLE")

    def test_answered(self):
        """The Deferred fires when the master has answered, with its view."""
        self.connect()
        said = self.client.owner.away("rendering")
        self.assertNoResult(said)
        self.assertEqual(self.takeMessage()[0], "presence")
        self.answer()
        status = self.successResultOf(said)
        self.assertEqual(status["master"]["view"]["holds"][0]["reason"], "rendering")
        self.assertEqual(self.sources(), ["worker"])

    def test_refused(self):
        """A refusal is shown to the owner; the wish is kept, and not told again and again."""
        self.connect()
        said = self.client.owner.away("rendering")
        self.answer(Refusal("not on Sundays"))
        status = self.successResultOf(said)
        self.assertEqual((status["state"], status["master"]["why"]), (AWAY, "not on Sundays"))
        self.assertEqual(self.transport.sent, [])
        self.show(view())
        self.assertEqual(self.client.owner.status()["master"]["why"], "not on Sundays")
        self.client.owner.back()
        self.answer()
        self.assertIsNone(self.client.owner.status()["master"]["why"])

    def test_nonsense(self):
        """A master that answers nonsense is reported, and harms nobody."""
        self.connect()
        said = self.client.owner.away("rendering")
        self.answer({"version": 1, "state": 7})
        self.assertIn("was not understood", self.successResultOf(said)["master"]["why"])

    def test_hostileError(self):
        """What a master fails with is one line that is not long, wherever it is shown."""
        self.connect()
        said = self.client.owner.away("rendering")
        self.transport.sent.pop()[2].errback(RuntimeError("\x1b]0;owned\x07\n" + "x" * 600_000))
        why = self.successResultOf(said)["master"]["why"]
        self.assertLess(len(why), 1100)
        self.assertTrue(why.isprintable())

    def test_connectionFails(self):
        """A connection that fails while the master is told ends the waiting; it is told at the next one."""
        self.connect()
        said = self.client.owner.away("rendering")
        self.disconnect()
        self.transport.sent.pop()[2].errback(ConnectionLost())
        status = self.successResultOf(said)
        self.assertEqual((status["master"]["connected"], status["master"]["view"]), (False, None))
        self.assertEqual(self.connect()["state"], AWAY)
        self.assertEqual(self.transport.sent, [])

    def test_patience(self):
        """A master that does not answer is not waited for longer than some seconds, and is told again until it does:
        the newest that there is to say.
        """
        self.connect()
        said = self.client.owner.away("rendering")
        for _ in range(3):
            self.transport.sent.clear()
            self.reactor.advance(PATIENCE)
            self.assertIn("has not answered", self.client.owner.status()["master"]["why"])
            self.assertFalse(self.client.owner.told)
            self.assertEqual(self.takeMessage()[1]["reason"], "rendering")
        self.successResultOf(said)
        self.client.owner.back()
        self.transport.sent.clear()
        self.reactor.advance(PATIENCE)
        self.assertEqual(self.takeMessage()[1]["state"], "AVAILABLE")
        self.answer()
        self.assertTrue(self.client.owner.told)
        self.assertIsNone(self.client.owner.status()["master"]["why"])
        self.reactor.advance(PATIENCE)
        self.assertEqual(self.transport.sent, [])

    def test_newestOnly(self):
        """While a message is under way what changes is gathered: the newest is told, and nothing in between."""
        self.connect()
        said = [self.client.owner.away(f"reason {number}") for number in range(100)]
        self.assertEqual(self.takeMessage()[1]["reason"], "reason 0")
        self.answer()
        self.assertEqual(self.takeMessage()[1]["reason"], "reason 99")
        for each in said:
            self.assertNoResult(each)
        self.answer()
        for each in said:
            self.successResultOf(each)

    def test_changedBeforeAttached(self):
        """What is said between the greeting and the attaching is told when it can be."""
        self.greet()
        said = self.client.owner.away()
        self.show(view())
        self.assertEqual(self.transport.sent, [])
        self.assertNoResult(said)
        self.transport.listener.attached()
        self.assertEqual(self.takeMessage()[1]["state"], AWAY)
        self.answer()
        self.successResultOf(said)

    def test_stockMaster(self):
        """A master that shows no view before it attaches the worker is sent nothing, and the owner is told."""
        self.greet()
        self.assertIsNone(self.client.owner.status()["master"]["knows_presence"])
        self.transport.listener.attached()
        status = self.successResultOf(self.client.owner.away("rendering"))
        self.assertEqual((status["master"]["connected"], status["master"]["knows_presence"]), (True, False))
        self.assertIn("the master knows no presence", status["master"]["why"])
        self.assertEqual(self.transport.sent, [])

    def test_lateAnswer(self):
        """An answer from a connection that has gone is not taken for one of the new one."""
        self.connect()
        self.client.owner.away("rendering")
        late = self.transport.sent.pop()[2]
        self.disconnect()
        self.connect(BREAK)
        late.callback(view().toDict(NOW))
        self.assertEqual(self.sources(), ["break", "worker"])

    def test_merged(self):
        """The status is the whole truth: this side's holds and breaks, and those of the master, in order."""
        self.client.owner.away("rendering")
        theirs = ComingBreak(NOW + 10, NOW + 20, "benchmarks")
        self.greet()
        pause = Hold("pause", "disk", None, NOW, None)
        self.show(view(BREAK, Hold("worker", "stale", None, NOW, None), pause, breaks=(theirs,)))
        status = self.client.owner.status()
        self.assertEqual(
            [(each["source"], each["reason"]) for each in status["holds"]],
            [("break", None), ("worker", "rendering"), ("pause", "disk")],
        )
        self.assertEqual(status["next_break"], {"start": NOW + 10, "stop": NOW + 20, "reason": "benchmarks"})
        self.assertEqual(status["breaks"], [status["next_break"]])
        json.dumps(status, allow_nan=False)

    def test_running(self):
        """Without a view what runs is what is known here."""
        self.transport.building = ["runtests"]
        self.assertEqual(self.client.owner.status()["running"], [{"builder": "runtests", "since": None}])

    def test_observe(self):
        """Observers are called after every change, until they end it; one's mistake is not the other's."""
        calls = []
        stop = self.client.owner.observe(lambda: calls.append("first"))

        def fail():
            raise RuntimeError

        self.client.owner.observe(fail)
        self.client.owner.observe(lambda: calls.append("last"))
        for change in (self.client.owner.away, self.connect, lambda: self.show(view(BREAK)), self.disconnect):
            calls.clear()
            change()
            self.assertIn("first", calls)
            self.assertEqual(calls.count("first"), calls.count("last"))
        stop()
        calls.clear()
        self.client.owner.back()
        self.assertNotIn("first", calls)
        self.assertIn("last", calls)
        self.assertTrue(self.flushLoggedErrors(RuntimeError))
