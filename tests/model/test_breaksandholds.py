from datetime import datetime, timedelta, timezone

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import BreakSchedule
from presence.model.breaktimer import BreakTimer
from presence.model.builderpresence import BuilderPresence
from presence.model.states import SOURCES
from presence.model.workerpresence import WorkerPresence

MONDAY = datetime(2026, 11, 23, tzinfo=timezone.utc)
HOUR = 3600.0


def at(hour):
    """The instant of this hour of Monday, in seconds."""
    return (MONDAY + timedelta(hours=hour)).timestamp()


def schedule(*breaks):
    return BreakSchedule.fromConfig(list(breaks), timezone="UTC")


class BreaksAndHoldsTestCase(SynchronousTestCase):
    """A worker with a break from 07:00 to 19:00, at 06:00."""

    def setUp(self):
        self.clock = Clock()
        self.clock.rightNow = at(6)
        self.presence = WorkerPresence("mac-mini", self.clock)
        self.timer = BreakTimer(schedule(("07:00", "19:00")), self.presence, self.clock)
        self.flips = []
        self.presence.observe(lambda presence: self.flips.append(presence.ready))


class BlinkTests(BreaksAndHoldsTestCase):
    """A hold that ends at the instant at which a break begins."""

    def assertNoBlink(self):
        self.assertEqual([hold.source for hold in self.presence.holds], ["break"])
        self.assertNotIn(True, self.flips)

    def test_whicheverIsArmedFirst(self):
        """It lets nobody through and fires no waiter, whichever timer was armed first."""
        for source in ("admin", "worker"):
            for break_first in (True, False):
                self.setUp()
                if break_first:
                    self.timer.start()
                self.presence.hold(source, until=at(7))
                self.timer.start()
                waiting = self.presence.waitUntilReady()
                builder = BuilderPresence("runtests", [self.presence]).waitUntilReady()
                self.clock.advance(HOUR)
                self.assertNoBlink()
                self.assertNoResult(waiting)
                self.assertNoResult(builder)
                self.clock.advance(12 * HOUR)
                self.assertIs(self.successResultOf(waiting), self.presence)

    def test_lateTimer(self):
        """The break's timer may be as late as it likes."""
        self.timer.start()
        (call,) = self.clock.getDelayedCalls()
        call.delay(0.5)
        self.presence.hold("admin", until=at(7))
        self.clock.advance(HOUR)
        self.assertNoBlink()
        self.clock.advance(0.5)
        self.assertNoBlink()

    def test_released(self):
        """Nor does a hold that somebody releases at that instant."""
        for source in set(SOURCES) - {"break"}:
            self.setUp()
            self.presence.hold(source)
            self.timer.start()
            self.clock.rightNow = at(7)  # before any timer has been seen to
            self.presence.release(source)
            self.assertNoBlink()

    def test_endOfASuspension(self):
        """Nor one that ends when a suspension does."""
        self.clock.rightNow = at(8)
        self.presence.hold("worker", until=at(9))
        self.timer.start()
        self.timer.suspend(at(9))
        self.flips.clear()
        self.clock.advance(HOUR)
        self.assertNoBlink()

    def test_early(self):
        """A hold that ends before the break begins lets through until then."""
        self.presence.hold("admin", until=at(6.5))
        self.timer.start()
        self.clock.advance(HOUR / 2)
        self.assertTrue(self.presence.ready)

    def test_nobodyIsAskedEarly(self):
        """A hold that ends while no break is due asks no schedule: hundreds of workers connect in one moment."""
        self.presence.hold("offline")
        self.timer.start()
        self.patch(BreakTimer, "reconsider", lambda timer: self.fail("asked"))
        self.presence.release("offline")
        self.assertTrue(self.presence.ready)

    def test_releasedByAnObserver(self):
        """An observer that is told of the break may release the hold by itself."""
        self.presence.hold("admin", until=at(7))
        self.timer.start()
        self.presence.observe(lambda presence: presence.release("admin"))
        self.clock.advance(HOUR)
        self.assertNoBlink()

    def test_stopped(self):
        """After stop() the timer is not asked any more, and places nothing."""
        self.presence.hold("admin", until=at(7))
        self.timer.start()
        self.timer.stop()
        self.assertEqual(self.presence.backAt, at(7))
        self.clock.advance(HOUR)
        self.assertTrue(self.presence.ready)

    def test_successor(self):
        """A timer that is stopped when another one has started leaves that in charge."""
        self.timer.start()
        successor = BreakTimer(schedule(("07:00", "19:00")), self.presence, self.clock)
        successor.start()
        self.timer.stop()
        self.assertIs(self.presence.breaks, successor)

    def test_oneTimer(self):
        """On its break a worker has one timer for the end, not two."""
        self.timer.start()
        self.clock.advance(HOUR)
        self.assertEqual([call.getTime() for call in self.clock.getDelayedCalls()], [at(19)])


class BackAtTests(BreaksAndHoldsTestCase):
    def assertBackAt(self, hour):
        self.assertEqual(self.presence.backAt, None if hour is None else at(hour))
        self.assertEqual(BuilderPresence("runtests", [self.presence]).backAt, self.presence.backAt)

    def test_breakAlone(self):
        """Of a worker that its break alone holds longest no schedule is asked: on a farm all are asked at 07:00."""
        self.timer.start()
        self.clock.advance(HOUR)
        self.presence.hold("admin", until=at(8))
        self.patch(BreakTimer, "freeFrom", lambda *asked: self.fail("asked"))
        self.assertEqual(self.presence.backAt, at(19))

    def test_holdIntoABreak(self):
        """A hold that ends in a break, or as it begins, is followed by the break."""
        self.timer.start()
        for until, back in ((6.5, 6.5), (7, 19), (12.5, 19), (19, 19), (20, 20), (31, 43)):
            self.presence.hold("admin", until=at(until))
            self.assertBackAt(back)

    def test_tomorrow(self):
        """A hold until tomorrow 12:30 before a break from 12:00 to 15:43 comes to 15:43."""
        self.timer.replace(schedule(("12:00", "15:43")))
        self.timer.start()
        self.presence.hold("admin", until=at(24 + 12.5))
        self.assertBackAt(24 + 15 + 43 / 60)

    def test_inTheBreak(self):
        """In a break from 19:00 to 22:00 an owner's away until 20:00 comes to 22:00."""
        self.timer.replace(schedule(("19:00", "22:00")))
        self.timer.start()
        self.clock.advance(13.5 * HOUR)
        self.presence.hold("worker", until=at(20))
        self.assertBackAt(22)
        self.presence.hold("worker", until=at(43))
        self.assertBackAt(46)

    def test_suspended(self):
        """A break that is suspended does not count; of one that is suspended in part the rest does."""
        self.timer.start()
        self.presence.hold("admin", until=at(8))
        self.timer.suspend(at(9))
        self.assertBackAt(8)
        self.presence.hold("admin", until=at(9))
        self.assertBackAt(19)

    def test_suspensionIsTold(self):
        """Observers hear of a suspension that changes when the worker is back, though no hold changes; and of no other."""
        self.timer.start()
        self.presence.hold("admin", until=at(8))
        for until, told in ((at(9), [False]), (at(9), []), (at(10), []), (None, [False])):
            self.flips.clear()
            self.timer.suspend(until)
            self.assertEqual(self.flips, told)

    def test_unknown(self):
        """It is unknown when a hold has no end, or is followed by breaks without an end."""
        self.timer.replace(schedule(("2026-11-23T07:00", "2030-01-01T00:00")))
        self.timer.start()
        self.presence.hold("admin", until=at(8))
        self.assertBackAt(None)
        self.presence.hold("admin")
        self.assertBackAt(None)

    def test_ready(self):
        """There is no such instant while it is ready."""
        self.timer.start()
        self.assertBackAt(None)


class ClockJumpTests(BreaksAndHoldsTestCase):
    def jumpTo(self, hour):
        self.clock.rightNow = at(hour)
        self.clock.advance(0)
        self.presence.clockJumped()
        self.timer.reconsider()

    def test_thereAndBack(self):
        """A hold that ended because the clock was set forward comes back with it, as it was."""
        self.presence.hold("admin", "disk", "ann", at(8))
        before = self.presence.holds
        self.jumpTo(12)
        self.assertTrue(self.presence.ready)
        self.jumpTo(6)
        self.assertEqual(self.presence.holds, before)
        self.clock.advance(2 * HOUR)
        self.assertTrue(self.presence.ready)

    def test_saidOtherwise(self):
        """It stays away when its source has said otherwise in between, or when its end is still past."""
        for act in (
            lambda: self.presence.release("admin"),
            lambda: (self.presence.hold("admin"), self.presence.release("admin")),
            lambda: self.jumpTo(8),
        ):
            self.setUp()
            self.presence.hold("admin", until=at(8))
            self.jumpTo(12)
            act()
            self.jumpTo(8 if self.clock.seconds() == at(8) else 6)
            self.assertTrue(self.presence.ready)

    def test_placedMeanwhile(self):
        """So is one that was placed (read from the database, say) while the clock was past its end."""
        self.jumpTo(12)
        self.presence.hold("admin", "disk", until=at(8))
        self.assertTrue(self.presence.ready)
        self.jumpTo(6)
        self.assertEqual(self.presence.heldBy("admin").reason, "disk")
        self.clock.advance(2 * HOUR)
        self.assertTrue(self.presence.ready)

    def test_otherSources(self):
        """What one source says changes nothing of the others' holds."""
        for source in ("worker", "admin"):
            self.presence.hold(source, until=at(8))
        self.jumpTo(12)
        self.presence.release("worker")
        self.jumpTo(6)
        self.assertEqual([hold.source for hold in self.presence.holds], ["admin"])

    def test_suspension(self):
        """So does a suspension of the breaks."""
        self.clock.rightNow = at(8)
        self.timer.start()
        self.timer.suspend(at(10))
        self.jumpTo(12)
        self.assertFalse(self.presence.ready)
        self.assertIsNone(self.timer.suspensionBy("admin"))
        self.jumpTo(9)
        self.assertTrue(self.presence.ready)
        self.assertEqual(self.timer.suspensionBy("admin"), at(10))
