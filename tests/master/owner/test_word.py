from dataclasses import replace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.forecast import ComingBreak
from presence.breaks.schedule import Break, BreakSchedule
from presence.master.owner.word import OwnersWord
from presence.model.breaktimer import BreakTimer
from presence.model.gathering import PAUSE
from presence.model.states import PresenceState
from presence.model.workerpresence import WorkerPresence
from presence.wire.messages import AVAILABLE, Announcement, Stop

NOW = 1_800_000_000.0  # 08:00 UTC
HOUR = 3600.0
WORKING_HOURS = BreakSchedule([Break("07:00", "19:00")], "UTC")
NO_BREAKS = BreakSchedule()


def away(reason=None, until=None, workUntil=None):
    return Announcement(PresenceState.NOT_ACCEPTING_NEW_BUILDS, reason, "owner", NOW, until, workUntil)


def available(workUntil=None):
    return Announcement(PresenceState.AVAILABLE, None, None, None, None, workUntil)


class OwnersWordTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.advance(NOW)
        self.presence = WorkerPresence("mac-mini", self.clock)
        self.changes = []
        self.presence.observe(lambda presence: self.changes.append(presence.ready))
        self.follow(NO_BREAKS)

    def follow(self, schedule):
        self.timer = BreakTimer(schedule, self.presence, self.clock)
        self.timer.start()
        self.word = OwnersWord(self.presence, self.timer, self.clock)
        self.changes.clear()

    def assertHeld(self, reason, until=None):
        hold = self.presence.heldBy("worker")
        self.assertEqual((hold.reason, hold.until), (reason, until))

    # --- what it does

    def test_away(self):
        """Away becomes the hold `worker`, and available releases it."""
        self.word.say(away("rendering", NOW + 60))
        self.assertHeld("rendering", NOW + 60)
        self.clock.advance(1)
        self.word.say(AVAILABLE)
        self.assertTrue(self.presence.ready)

    def test_onlyItsOwn(self):
        """Nothing that a worker says releases what others hold."""
        for source in ("admin", "pause", "reconfig"):
            self.presence.hold(source)
        self.word.begin(AVAILABLE)
        self.word.say(AVAILABLE)
        self.word.forget()
        self.assertEqual(len(self.presence.holds), 3)

    def test_same(self):
        """What was said already changes nothing when it is said again, and has no observers called."""
        self.word.say(away("rendering"))
        self.changes.clear()
        for _ in range(5):
            self.clock.advance(1)
            self.word.say(away("rendering"))
        self.assertEqual(self.changes, [])

    def test_alreadyEnded(self):
        """An away that has ended when it arrives holds nothing, and ends the one of before."""
        self.word.say(away())
        self.clock.advance(1)
        self.word.say(away(until=NOW + 0.5))
        self.assertTrue(self.presence.ready)

    def test_stop(self):
        """A stop is away, and is in force until something else is said."""
        self.word.say(Stop(away("stopping"), NOW + 60))
        self.assertHeld("stopping")
        self.assertEqual(self.word.stop.deadline, NOW + 60)
        self.word.say(AVAILABLE)
        self.assertIsNone(self.word.stop)

    # --- connections

    def test_begin(self):
        """What a worker says when it connects is done at once, also within a pause."""
        self.word.say(AVAILABLE)
        self.word.begin(away())
        self.assertFalse(self.presence.ready)
        self.word.begin(AVAILABLE)
        self.assertTrue(self.presence.ready)

    def test_end(self):
        """What was said last stands when the connection has gone; no timer is left."""
        self.word.say(AVAILABLE)
        self.word.say(away("first"))
        self.word.say(away("last"))
        self.word.end()
        self.assertHeld("last")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_forget(self):
        """A worker that says nothing any more is held no longer by what it said before."""
        self.word.begin(away())
        self.word.forget()
        self.assertTrue(self.presence.ready)

    def test_forgetsItsOwnOnly(self):
        """A hold that somebody has placed for a worker that never said anything is left alone."""
        self.presence.hold("worker")
        self.word.forget()
        self.assertFalse(self.presence.ready)

    # --- breaks

    def test_workUntil(self):
        """The breaks of master.cfg are suspended until then, and not longer."""
        self.follow(WORKING_HOURS)
        self.word.say(available(NOW + HOUR))
        self.assertTrue(self.presence.ready)
        self.clock.advance(HOUR)
        self.assertFalse(self.presence.ready)

    def test_workUntilEnds(self):
        """A suspension that is announced no more is over."""
        self.follow(WORKING_HOURS)
        self.word.say(available(NOW + HOUR))
        self.clock.advance(1)
        self.word.say(available())
        self.assertFalse(self.presence.ready)

    def test_suspensionOfAnAdmin(self):
        """A suspension by an admin is not ended, nor shortened, by what the owner says."""
        self.follow(WORKING_HOURS)
        self.timer.suspend(NOW + 2 * HOUR)
        for message in (available(), available(NOW + HOUR), available()):
            self.word.say(message)
            self.clock.advance(1)
            self.assertEqual(self.timer.suspendedUntil, NOW + 2 * HOUR)

    def test_bothSuspend(self):
        """The longer of two suspensions counts; when the owner ends his the admin's goes on."""
        self.follow(WORKING_HOURS)
        self.timer.suspend(NOW + HOUR)
        self.word.say(available(NOW + 2 * HOUR))
        self.assertEqual(self.timer.suspendedUntil, NOW + 2 * HOUR)
        self.clock.advance(1)
        self.word.say(available())
        self.assertEqual(self.timer.suspendedUntil, NOW + HOUR)

    def test_adminEndsHisOwn(self):
        """An admin who ends his suspension does not end the owner's, who alone can end that."""
        self.follow(WORKING_HOURS)
        self.word.say(available(NOW + HOUR))
        self.timer.suspend(None)
        self.assertTrue(self.presence.ready)
        self.clock.advance(1)
        self.word.say(available())
        self.assertFalse(self.presence.ready)

    # --- breaks of the worker's own

    def announce(self, *breaks, **fields):
        self.word.say(
            replace(available(), breaks=tuple(ComingBreak(*each, "office") for each in breaks), **fields)
        )
        self.clock.advance(1)

    def test_ownBreaks(self):
        """A hold that ends as an announced break begins, or in it, lets nobody through, and `backAt` is the break's end."""
        for until in (1, 1.5):
            self.announce((NOW + HOUR, NOW + 2 * HOUR))
            self.presence.hold("admin", until=NOW + until * HOUR)
            self.assertEqual(self.presence.backAt, NOW + 2 * HOUR)
            self.changes.clear()
            self.clock.advance(1.6 * HOUR)
            self.assertHeld("office", NOW + 2 * HOUR)
            self.assertEqual(self.presence.heldBy("worker").since, NOW + HOUR)
            self.assertNotIn(True, self.changes)
            self.clock.advance(HOUR)
            self.assertTrue(self.presence.ready)
            self.clock.rightNow = NOW

    def test_afterABreakOfTheMasters(self):
        """So does a break of master.cfg; and breaks of both sides that follow one another come to the end of the last."""
        self.follow(BreakSchedule([Break("07:00", "09:00"), Break("10:00", "11:00")], "UTC"))
        self.announce((NOW + HOUR, NOW + 2 * HOUR), (NOW + 3 * HOUR, NOW + 4 * HOUR))
        self.assertEqual(self.presence.backAt, NOW + 4 * HOUR)
        self.changes.clear()
        self.clock.advance(HOUR)
        self.assertHeld("office", NOW + 2 * HOUR)
        self.assertNotIn(True, self.changes)

    def test_ownBreakWithoutAnEnd(self):
        """After one that has no end in sight nobody knows when the worker is back."""
        self.announce((NOW + HOUR, None))
        self.presence.hold("admin", until=NOW + HOUR)
        self.assertIsNone(self.presence.backAt)
        self.clock.advance(HOUR)
        self.assertHeld("office")

    def test_ownBreaksAreTheNewest(self):
        """Breaks that are announced no more, by whatever is said, count no more; who looks at `backAt` is told."""
        for end in (lambda: self.announce(), lambda: self.word.close("?"), self.word.forget):
            self.word.begin(AVAILABLE)
            self.presence.hold("admin", until=NOW + HOUR)
            self.changes.clear()
            self.announce((NOW + HOUR, NOW + 2 * HOUR))
            self.assertEqual(self.changes, [False])
            end()
            self.presence.release("worker")
            self.assertEqual(self.presence.backAt, NOW + HOUR)
            self.assertEqual(self.changes[1:2], [False])
            self.clock.rightNow = NOW

    # --- a worker that flaps

    def flood(self, messages, seconds=1.0, step=0.001):
        """Say one after the other of `messages`, again and again, for a while; how many changes there were."""
        self.changes.clear()
        for number in range(int(seconds / step)):
            self.word.say(messages[number % len(messages)])
            self.clock.advance(step)
        return len(self.changes)

    def test_flapping(self):
        """A worker that flaps a thousand times a second changes its presence some twenty times."""
        self.assertLess(self.flood([away(), AVAILABLE]), 25)

    def test_otherFloods(self):
        """So does one that changes nothing but reasons, or ends, or its suspension."""
        self.follow(WORKING_HOURS)
        for messages in (
            [away(str(number)) for number in range(1000)],
            [away(until=NOW + 100 + number) for number in range(1000)],
            [away(until=NOW + 100 - number * 0.05) for number in range(1000)],
            [available(NOW + 100 + number) for number in range(1000)],
            [available(NOW + 100 - number * 0.05) for number in range(1000)],
            [available(NOW + 100), available()],
            [away(workUntil=NOW + 100), available()],
        ):
            self.assertLess(self.flood(messages), 45)

    def test_awayAtOnce(self):
        """Away is done at once, however often the worker has flapped, and what follows too."""
        for _ in range(10):
            self.word.say(AVAILABLE)
            self.word.say(away())
            self.assertFalse(self.presence.ready)

    def test_availableAfterThePause(self):
        """Available is done when the pause is over, and stays so."""
        self.word.say(away())
        self.word.say(AVAILABLE)
        self.assertFalse(self.presence.ready)
        self.clock.advance(PAUSE)
        self.assertTrue(self.presence.ready)
        self.clock.advance(PAUSE)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_noGapInThePause(self):
        """An away that replaces one which ends within the pause leaves no gap."""
        for until in (NOW + 100, None, NOW + PAUSE + 0.01):
            self.word.begin(AVAILABLE)
            start = self.clock.seconds()
            self.word.say(away(until=start + 0.05))
            self.word.say(away(until=until))
            self.changes.clear()
            while self.clock.seconds() < start + 2 * PAUSE:
                if until is None or self.clock.seconds() < until:
                    self.assertFalse(self.presence.ready, until)
                self.clock.advance(0.01)

    def test_suspensionEndsAtOnce(self):
        """A suspension that is taken back is over at once, also within the pause."""
        self.follow(WORKING_HOURS)
        self.word.say(available(NOW + HOUR))
        self.word.say(available())
        self.assertFalse(self.presence.ready)

    def test_theNewestWins(self):
        """Whatever is said in a row, at its end the last of it is true."""
        messages = [
            away("a"),
            AVAILABLE,
            away("b", NOW + 60),
            available(NOW + 9),
            away("c", workUntil=NOW + 9),
        ]
        for last in messages:
            for message in (*messages, last):
                self.word.say(message)
            self.clock.advance(PAUSE)
            hold = self.presence.heldBy("worker")
            self.assertEqual((hold is not None, hold and hold.reason), (last.away, last.reason))
            self.assertEqual(self.timer.suspendedUntil, last.workUntil)

    def test_clockSetBack(self):
        """The clock is set back an hour within the pause after an away, then the owner says back: that is heeded at once."""
        self.word.say(away("rendering"))
        self.clock.advance(PAUSE / 2)
        self.clock.rightNow -= HOUR
        self.word.say(AVAILABLE)
        self.assertTrue(self.presence.ready)

    def test_clockSetBackAfterwards(self):
        """When it is set back after he has said so, it is heeded when the jump is noticed."""
        self.word.say(away("rendering"))
        self.word.say(AVAILABLE)
        self.clock.rightNow -= HOUR
        self.word.clockJumped(-HOUR)
        self.clock.advance(0)
        self.assertTrue(self.presence.ready)

    def jump(self, seconds):
        self.clock.rightNow += seconds
        self.clock.advance(0)
        self.word.clockJumped(seconds)

    def test_endsAreAsFarAway(self):
        """The master's clock is set, and the owner's is not: what he has said ends as long from now as before, also when it had ended."""
        for jump in (30, 2 * HOUR, -2 * HOUR):
            said = away("rendering", self.clock.seconds() + HOUR, self.clock.seconds() + 60)
            self.word.begin(Stop(said, None).announcement)
            self.word.stop = Stop(said, self.clock.seconds() + 60)
            self.jump(jump)
            self.assertHeld("rendering", self.clock.seconds() + HOUR)
            self.assertEqual(self.timer.suspendedUntil, self.clock.seconds() + 60)
            self.assertEqual(self.word.stop.deadline, self.clock.seconds() + 60)
            self.clock.advance(HOUR)
            self.assertTrue(self.presence.ready)

    def test_breaksAreAsFarAway(self):
        """So do the breaks of his own that he has announced; and what holds for one of which he has yet to tell goes on."""
        now = self.clock.seconds()
        coming = ComingBreak(now + 600, now + 1200, "lunch")
        self.word.begin(replace(AVAILABLE, breaks=(coming,)))
        self.jump(900)
        self.assertEqual(self.presence.ownersBreaks.freeFrom(now + 1500), now + 2100)
        self.presence.hold("admin", until=now + 1600)
        self.clock.advance(700)
        self.assertHeld("lunch", now + 2100)
        self.jump(60)
        self.assertHeld("lunch", now + 2100)
        self.jump(-60)

    def test_saidWhatCannotBeUnderstood(self):
        """What was said before that does not come back."""
        self.word.begin(away("rendering", NOW + HOUR))
        self.word.close("what?")
        self.jump(60)
        self.assertEqual(self.presence.heldBy("worker").reason, "what?")
        self.assertIsNone(self.presence.heldBy("worker").until)
