import json
import os
from pathlib import Path

from twisted.internet.error import ConnectionLost

from presence.breaks.forecast import ComingBreak
from presence.breaks.schedule import BreakSchedule
from presence.model.states import Hold
from presence.wire.messages import Refusal
from presence.worker.client import PresenceClient
from presence.worker.link.conversation import PATIENCE
from presence.worker.store import FILENAME, StoreError
from tests.worker.fakewire import HOUR, NOW, ClientTestCase, FakeWorker, view

AWAY = "NOT_ACCEPTING_NEW_BUILDS"
WORKING_HOURS = ("07:00", "19:00")  # it is 08:00
BREAK_ENDS = NOW + 11 * HOUR
BREAK = Hold("break", None, None, NOW - HOUR, BREAK_ENDS)


class WishTests(ClientTestCase):
    """What the owner says is kept, and is true at once on this side."""

    def test_away(self):
        """Away holds the worker, with all that was said of it."""
        status = self.successResultOf(self.client.owner.away(" rendering ", until=NOW + 60))
        self.assertEqual(status["state"], AWAY)
        self.assertEqual(
            status["holds"],
            [{"source": "worker", "reason": "rendering", "by": "owner", "since": NOW, "until": NOW + 60}],
        )
        self.assertEqual(status["back_at"], NOW + 60)

    def test_endsByItself(self):
        """An away with an end ends at that instant, not earlier."""
        self.client.owner.away(until=NOW + 60)
        self.reactor.advance(59.9)
        self.assertEqual(self.sources(), ["worker"])
        self.reactor.advance(0.1)
        self.assertEqual(self.sources(), [])

    def test_back(self):
        """Back ends it."""
        self.client.owner.away()
        self.assertEqual(self.successResultOf(self.client.owner.back())["state"], "AVAILABLE")

    def test_saidAgain(self):
        """Away that is said again replaces reason and end; it began when it was said first."""
        self.client.owner.away("lunch", until=NOW + 60)
        self.reactor.advance(10)
        (hold,) = self.successResultOf(self.client.owner.away("rendering"))["holds"]
        self.assertEqual((hold["reason"], hold["since"], hold["until"]), ("rendering", NOW, None))

    def test_restart(self):
        """What was said is true again when the process starts again, its beginning and end too."""
        self.client.owner.away("rendering", until=NOW + 60)
        self.reactor.advance(10)
        self.restart()
        (hold,) = self.client.owner.status()["holds"]
        self.assertEqual((hold["reason"], hold["since"], hold["until"]), ("rendering", NOW, NOW + 60))
        self.reactor.advance(50)
        self.assertEqual(self.sources(), [])

    def test_endedWhileOff(self):
        """An away that has ended while the machine was off is over."""
        self.client.owner.away(until=NOW + 60)
        self.end()
        self.reactor.advance(60)
        self.begin()
        self.assertEqual(self.sources(), [])
        self.assertEqual(self.greet()["state"], "AVAILABLE")

    def test_storedFirst(self):
        """What cannot be kept is not done: neither here, nor told to the master."""
        self.connect()
        self.patch(os, "fsync", self.fail_to_write)
        for say in (self.client.owner.away, lambda: self.client.owner.workAnyway(NOW + 60)):
            error = self.failureResultOf(say(), StoreError).value
            self.assertIn("cannot be written (disk full)", str(error))
        self.assertEqual((self.sources(), self.transport.sent), ([], []))
        self.assertEqual(self.client.owner.status()["work_until"], None)

    def fail_to_write(self, descriptor):
        raise OSError("disk full")

    def test_wrong(self):
        """Wrong input is a ValueError that says what is right; nothing has changed, also on disk."""
        self.connect()
        for say, pattern in (
            (lambda: self.client.owner.away("x" * 513), "at most 512"),
            (lambda: self.client.owner.away(3), "reason: 3 is not text"),
            (lambda: self.client.owner.away("a\nb"), "one line"),
            (lambda: self.client.owner.away(until=NOW), "past"),
            (lambda: self.client.owner.away(until="noon"), "not an instant"),
            (lambda: self.client.owner.away(until=float("nan")), "not an instant"),
            (lambda: self.client.owner.workAnyway(NOW - 1), "past"),
            (lambda: self.client.owner.stopWhenIdle(NOW - 1), "deadline .* is past"),
        ):
            self.assertRegex(str(self.failureResultOf(say(), ValueError).value), pattern)
        self.assertEqual((self.sources(), self.transport.sent), ([], []))
        self.assertFalse(Path(self.basedir, FILENAME).exists())

    def test_unreadable(self):
        """Where the last word of the owner cannot be read the worker stays away, until he says otherwise."""
        path = Path(self.basedir, FILENAME)
        path.write_text("{")
        self.restart()
        (hold,) = self.client.owner.status()["holds"]
        self.assertRegex(hold["reason"], "cannot be read .*: say")
        self.assertEqual(self.greet()["state"], AWAY)
        self.assertEqual(len(self.flushLoggedErrors()), 0)
        self.client.owner.workAnyway(NOW + 60)  # says nothing of it
        self.restart()
        self.assertEqual(self.sources(), ["worker"])
        self.client.owner.back()
        self.assertEqual(self.sources(), [])
        self.restart()
        self.assertEqual(self.sources(), [])

    def test_stopService(self):
        """When the process ends nobody waits for the master any longer, and that is told nothing more."""
        self.client.owner.away()
        self.connect()
        waits = self.client.owner.back()
        self.end()
        self.successResultOf(waits)
        self.assertEqual(len(self.transport.sent), 1)
        self.transport.sent.clear()
        self.begin()

    def test_configuration(self):
        """A mistake in a break is a ValueError where it is written."""
        error = self.assertRaises(ValueError, PresenceClient, FakeWorker("."), ("19:00", "25:00"))
        self.assertIn("25:00", str(error))


class BreakTests(ClientTestCase):
    """A break in `buildbot.tac`."""

    def setUp(self):
        super().setUp()
        self.restart(WORKING_HOURS)

    def test_break(self):
        """It holds the worker from its start to its end."""
        self.assertEqual(self.sources(), ["break"])
        self.assertEqual(self.client.owner.status()["back_at"], BREAK_ENDS)
        self.reactor.advance(11 * HOUR)
        self.assertEqual(self.sources(), [])
        self.assertEqual(self.client.owner.status()["next_break"]["start"], NOW + 23 * HOUR)

    def test_backLeavesIt(self):
        """Back does not end it, and the status says so."""
        self.assertEqual(self.successResultOf(self.client.owner.back())["holds"][0]["source"], "break")

    def test_awaySurvivesIt(self):
        """Away that is said during a break is not ended by its end."""
        self.client.owner.away("rendering")
        self.reactor.advance(12 * HOUR)
        self.assertEqual(self.sources(), ["worker"])

    def test_workAnyway(self):
        """While breaks are suspended it accepts builds, and not a moment longer; also after a restart."""
        status = self.successResultOf(self.client.owner.workAnyway(NOW + HOUR))
        self.assertEqual((status["state"], status["work_until"]), ("AVAILABLE", NOW + HOUR))
        self.restart(WORKING_HOURS)
        self.assertEqual(self.sources(), [])
        self.reactor.advance(HOUR)
        self.assertEqual((self.sources(), self.client.owner.status()["work_until"]), (["break"], None))

    def test_workAnywayEnds(self):
        """None ends the suspension."""
        self.client.owner.workAnyway(NOW + HOUR)
        self.assertEqual(
            self.successResultOf(self.client.owner.workAnyway(None))["holds"][0]["source"], "break"
        )

    def test_announced(self):
        """The break is announced as any other hold, and its end."""
        greeting = self.connect()
        self.assertEqual((greeting["state"], greeting["until"]), (AWAY, BREAK_ENDS))
        self.reactor.advance(11 * HOUR)
        self.assertEqual(self.takeMessage()[1]["state"], "AVAILABLE")
        self.answer()

    def test_untilAll(self):
        """Announced is the end of the last hold, and one without an end has none."""
        self.client.owner.away("rendering", until=NOW + 12 * HOUR)
        self.assertEqual(self.greet()["until"], NOW + 12 * HOUR)
        self.client.owner.away("rendering")
        self.assertIsNone(self.greet()["until"])

    def test_noBlink(self):
        """A break that begins when an away ends is known before: the announced end is that of the break."""
        self.reactor.advance(11 * HOUR)  # 19:00
        self.connect()
        self.client.owner.away(until=NOW + 23 * HOUR)
        self.assertEqual(self.takeMessage()[1]["until"], NOW + 35 * HOUR)
        self.answer()
        # after this the timer of the away comes before that of the break
        self.restart(WORKING_HOURS)
        self.connect()
        states = []
        self.client.presence.observe(lambda presence: states.append(presence.ready))
        self.reactor.advance(12 * HOUR)
        self.assertEqual(self.sources(), ["break"])
        for _name, message, _ in self.transport.sent:
            self.assertEqual(message["state"], AWAY)
        self.assertNotIn(True, states)
        while self.transport.sent:
            self.answer()

    def test_clockJump(self):
        """A clock that jumps over the beginning of a break, or the end of an away, is noticed."""
        self.reactor.advance(11 * HOUR)
        self.reactor.rightNow += 13 * HOUR
        self.ticker.tick()
        self.assertEqual(self.sources(), ["break"])
        self.reactor.rightNow += 11 * HOUR
        self.ticker.tick()
        self.assertEqual(self.sources(), [])
        self.reactor.advance(0)

    def test_clockSetIsSaid(self):
        """When the clock is set what was said is said again, with what the clock shows now: the master reckons by that."""
        self.connect()
        self.client.owner.away("rendering")
        self.answer()
        self.reactor.rightNow += HOUR
        self.ticker.tick()
        ((_, message, _),) = self.transport.sent
        self.assertEqual((message["now"], message["reason"]), (self.reactor.seconds(), "rendering"))
        self.answer()
        self.assertTrue(self.client.owner.told)

    def test_clockSetBack(self):
        """When the clock is set back an hour while an answer is waited for, it is said again at once."""
        self.connect()
        self.client.owner.away("rendering")
        (lost,) = self.transport.sent
        self.reactor.rightNow -= HOUR
        self.ticker.tick()
        self.assertEqual(self.transport.sent[1:][0][1]["state"], AWAY)
        self.transport.sent.remove(lost)
        self.answer()
        self.assertTrue(self.client.owner.told)

    def test_thereAndBack(self):
        """An away that ended because the clock was set forward is in force again when it is set back."""
        self.client.owner.away("rendering", until=NOW + HOUR)
        for hours in (3, -3):
            self.reactor.rightNow += hours * HOUR
            self.ticker.tick()
            self.reactor.advance(0)
        self.assertIn("worker", self.sources())

    def test_lateTimers(self):
        """A master that asks before the timers of a machine that slept have run hears what is true now."""
        self.reactor.advance(11 * HOUR)
        self.reactor.rightNow += 13 * HOUR
        self.assertEqual(self.greet()["state"], AWAY)
        self.reactor.advance(0)


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
