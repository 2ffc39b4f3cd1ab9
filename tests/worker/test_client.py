import os
from pathlib import Path

from presence.worker.client import PresenceClient
from presence.worker.store import FILENAME, StoreError
from tests.worker.fakewire import HOUR, NOW, ClientTestCase, FakeWorker

AWAY = "NOT_ACCEPTING_NEW_BUILDS"

WORKING_HOURS = ("07:00", "19:00")  # it is 08:00

BREAK_ENDS = NOW + 11 * HOUR


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
