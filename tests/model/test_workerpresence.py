import gc
import sys
import weakref

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.errors import PresenceStopped
from presence.model.states import SOURCES, PresenceState
from presence.model.workerpresence import WorkerPresence

AVAILABLE = PresenceState.AVAILABLE
HELD = PresenceState.NOT_ACCEPTING_NEW_BUILDS


class PresenceTestCase(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.rightNow = 1_000_000.0
        self.presence = WorkerPresence("mac-mini", self.clock)

    def sources(self):
        return [hold.source for hold in self.presence.holds]


class HoldingTests(PresenceTestCase):
    def test_availableAtFirst(self):
        """Nothing holds a new presence."""
        self.assertIs(self.presence.state, AVAILABLE)
        self.assertTrue(self.presence.ready)
        self.assertEqual(self.presence.holds, ())

    def test_repr(self):
        """It says who it is, and what holds it."""
        self.assertEqual(repr(self.presence), "<WorkerPresence 'mac-mini' AVAILABLE>")
        self.presence.hold("worker")
        self.presence.hold("break")
        self.assertEqual(
            repr(self.presence), "<WorkerPresence 'mac-mini' NOT_ACCEPTING_NEW_BUILDS (break, worker)>"
        )

    def test_room(self):
        """Once nothing holds it any more it takes no more room than before; a hold takes that of itself."""
        before = sys.getsizeof(self.presence._holds)
        self.presence.hold("break")
        self.assertLessEqual(sys.getsizeof(self.presence._holds), before + 8)
        for source in SOURCES:
            self.presence.hold(source)
        for source in SOURCES:
            self.presence.release(source)
        self.assertEqual(sys.getsizeof(self.presence._holds), before)

    def test_holdAndRelease(self):
        """A hold makes it not accept builds; its release makes it available."""
        self.presence.hold("worker", reason="rendering", by="owner")
        self.assertIs(self.presence.state, HELD)
        (hold,) = self.presence.holds
        self.assertEqual(
            (hold.source, hold.reason, hold.by, hold.since, hold.until),
            ("worker", "rendering", "owner", 1_000_000.0, None),
        )
        self.presence.release("worker")
        self.assertIs(self.presence.state, AVAILABLE)

    def test_allAreEqual(self):
        """It is available only when the last of the sources has released its hold."""
        for source in SOURCES:
            self.presence.hold(source)
        for source in SOURCES:
            self.assertIs(self.presence.state, HELD)
            self.presence.release(source)
        self.assertIs(self.presence.state, AVAILABLE)

    def test_byName(self):
        """A source that holds by name may hold several times at once; each is released, and ends, by itself."""
        self.presence.hold("sensor", "disk", name="disk")
        self.presence.hold("sensor", "film", name="running", until=self.clock.seconds() + 5)
        self.assertEqual([hold.name for hold in self.presence.holds], ["disk", "running"])
        self.clock.advance(5)
        self.assertEqual([hold.name for hold in self.presence.holds], ["disk"])
        self.assertIsNone(self.presence.heldBy("sensor"))
        self.presence.release("sensor")
        self.assertIs(self.presence.state, HELD)
        self.presence.release("sensor", "disk")
        self.assertIs(self.presence.state, AVAILABLE)

    def test_onlyTheSourceReleases(self):
        """The end of one source's hold leaves another's in force."""
        self.presence.hold("break")
        self.presence.hold("worker", reason="away")
        self.presence.release("break")
        self.assertEqual(self.sources(), ["worker"])

    def test_replaced(self):
        """A hold placed twice by one source replaces the first, and its end."""
        self.presence.hold("admin", reason="first", until=1_000_010.0)
        self.presence.hold("admin", reason="second")
        self.clock.advance(20)
        self.assertEqual([hold.reason for hold in self.presence.holds], ["second"])

    def test_releaseOfNothing(self):
        """Releasing what is not held does nothing, and tells nobody."""
        told = []
        self.presence.observe(told.append)
        self.presence.release("admin")
        self.assertEqual(told, [])

    def test_unknownSource(self):
        """An unknown source is a ValueError, and changes nothing."""
        for call in (self.presence.hold, self.presence.release, self.presence.heldBy):
            self.assertRaises(ValueError, call, "lunch")
        self.assertIs(self.presence.state, AVAILABLE)

    def test_refusedInputChangesNothing(self):
        """A hold with an impossible end leaves the hold that is there."""
        self.presence.hold("admin", reason="first", until=1_000_010.0)
        self.assertRaises(ValueError, self.presence.hold, "admin", until=float("nan"))
        self.assertEqual([hold.reason for hold in self.presence.holds], ["first"])
        self.clock.advance(10)
        self.assertIs(self.presence.state, AVAILABLE)

    def test_sinceIsKept(self):
        """A hold that is restored keeps the instant at which it began."""
        self.presence.hold("admin", since=5.0)
        self.assertEqual(self.presence.heldBy("admin").since, 5.0)

    def test_backAt(self):
        """It is back at the latest end, which is unknown when one hold has none."""
        self.presence.hold("break", until=1_000_010.0)
        self.presence.hold("admin", until=1_000_020.0)
        self.assertEqual(self.presence.backAt, 1_000_020.0)
        self.presence.hold("worker")
        self.assertIsNone(self.presence.backAt)


class UntilTests(PresenceTestCase):
    def test_endsByItself(self):
        """A hold with an end is released at that instant, not before, and leaves no timer."""
        self.presence.hold("worker", until=1_000_060.0)
        self.clock.advance(59.999)
        self.assertIs(self.presence.state, HELD)
        self.clock.advance(0.001)
        self.assertIs(self.presence.state, AVAILABLE)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_late(self):
        """A wake-up that comes hours late ends the hold all the same."""
        self.presence.hold("worker", until=1_000_060.0)
        self.clock.advance(7200)
        self.assertIs(self.presence.state, AVAILABLE)

    def test_neverEarly(self):
        """A timer that wakes before the end, as rounding makes it, waits for the rest."""
        self.presence.hold("worker", until=1_000_060.0)
        self.clock.rightNow = 1_000_059.0
        self.clock.getDelayedCalls()[0].reset(0)
        self.clock.advance(0)
        self.assertIs(self.presence.state, HELD)
        self.clock.advance(1)
        self.assertIs(self.presence.state, AVAILABLE)

    def test_pastEnd(self):
        """A hold that has ended already is not placed, and replaces what the source had placed."""
        self.presence.hold("admin", until=1_000_000.0)
        self.assertIs(self.presence.state, AVAILABLE)
        self.presence.hold("admin")
        self.presence.hold("admin", until=999_999.0)
        self.assertIs(self.presence.state, AVAILABLE)

    def test_saidOtherwiseSince(self):
        """A hold that has ended does not come back with the time when its source has placed another one, or released it."""
        for then in (self.presence.hold, self.presence.release):
            self.presence.hold("worker", until=self.clock.seconds() + 10)
            self.clock.advance(10)
            then("worker")
            holds = self.presence.holds
            self.clock.rightNow -= 10
            self.presence.clockJumped()
            self.assertEqual(self.presence.holds, holds)
            self.presence.release("worker")

    def test_releasedBefore(self):
        """Releasing a hold before its end leaves no timer."""
        self.presence.hold("worker", until=1_000_060.0)
        self.presence.release("worker")
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WaitingTests(PresenceTestCase):
    def test_readyAtOnce(self):
        """waitUntilReady() of a ready worker has fired, with the presence."""
        self.assertIs(self.successResultOf(self.presence.waitUntilReady()), self.presence)

    def test_readyOnTheFlip(self):
        """waitUntilReady() of a held worker fires when the last hold is released."""
        self.presence.hold("worker")
        self.presence.hold("break", until=1_000_060.0)
        deferred = self.presence.waitUntilReady()
        self.presence.release("worker")
        self.assertNoResult(deferred)
        self.clock.advance(60)
        self.assertIs(self.successResultOf(deferred), self.presence)

    def test_aWaiterMayHold(self):
        """A waiter that holds the worker keeps those after it waiting."""
        self.presence.hold("worker")
        first = self.presence.waitUntilReady().addCallback(lambda presence: presence.hold("admin"))
        second = self.presence.waitUntilReady()
        self.presence.release("worker")
        self.successResultOf(first)
        self.assertNoResult(second)
        self.presence.release("admin")
        self.successResultOf(second)

    def test_cancel(self):
        """A cancelled waiter is gone, and the worker flips as if it had never been."""
        self.presence.hold("worker")
        deferred = self.presence.waitUntilReady()
        deferred.cancel()
        self.failureResultOf(deferred, CancelledError)
        self.presence.release("worker")

    def test_stop(self):
        """stop() fails all waiters with PresenceStopped and leaves no timer."""
        self.presence.hold("worker", until=1_000_060.0)
        self.presence.buildStarted()
        ready, idle = self.presence.waitUntilReady(), self.presence.waitUntilIdle()
        self.presence.stop()
        self.failureResultOf(ready, PresenceStopped)
        self.failureResultOf(idle, PresenceStopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_afterStop(self):
        """After stop() nothing is held, released or waited for any more."""
        self.presence.hold("admin")
        self.presence.stop()
        self.presence.hold("worker", until=1_000_060.0)
        self.presence.release("admin")
        self.assertEqual(self.sources(), ["admin"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.failureResultOf(self.presence.waitUntilReady(), PresenceStopped)
        self.failureResultOf(self.presence.waitUntilIdle(), PresenceStopped)


class BusyTests(PresenceTestCase):
    def test_idleAtOnce(self):
        """waitUntilIdle() has fired when no build runs, held or not."""
        self.presence.hold("worker")
        self.assertIs(self.successResultOf(self.presence.waitUntilIdle()), self.presence)

    def test_idleWhenTheLastFinishes(self):
        """waitUntilIdle() fires when the last of the builds finishes."""
        self.presence.buildStarted()
        self.presence.buildStarted()
        self.assertEqual((self.presence.running, self.presence.busy), (2, True))
        deferred = self.presence.waitUntilIdle()
        self.presence.buildFinished()
        self.assertNoResult(deferred)
        self.presence.buildFinished()
        self.assertIs(self.successResultOf(deferred), self.presence)
        self.assertFalse(self.presence.busy)

    def test_separateAxis(self):
        """A build that runs does not make a worker unready, and a hold does not finish a build."""
        self.presence.buildStarted()
        self.assertIs(self.presence.state, AVAILABLE)
        self.presence.hold("worker")
        self.assertTrue(self.presence.busy)

    def test_finishedWithoutStarted(self):
        """A build that never started cannot finish."""
        self.assertRaises(ValueError, self.presence.buildFinished)
        self.assertEqual(self.presence.running, 0)


class ObservingTests(PresenceTestCase):
    def test_everyChange(self):
        """An observer is called after every change of the holds, also one that does not flip the state."""
        seen = []
        self.presence.observe(lambda presence: seen.append([hold.source for hold in presence.holds]))
        self.presence.hold("worker")
        self.presence.hold("admin")
        self.presence.release("worker")
        self.presence.release("admin")
        self.assertEqual(seen, [["worker"], ["worker", "admin"], ["admin"], []])

    def test_stopObserving(self):
        """A stopped observer is not called again; the same callable that observes twice stops once."""
        seen = []
        stop = self.presence.observe(seen.append)
        self.presence.observe(seen.append)
        stop()
        stop()
        self.presence.hold("worker")
        self.assertEqual(seen, [self.presence])

    def test_stopEndsObservations(self):
        """When it is stopped it keeps none of its observers alive."""

        def observer(_):
            pass

        alive = weakref.ref(observer)
        self.presence.observe(observer)
        self.presence.stop()
        del observer
        gc.collect()
        self.assertIsNone(alive())

    def test_stopAnotherObserver(self):
        """An observer that is stopped by one before it is not called for that change."""
        seen, stops = [], []
        self.presence.observe(lambda _: stops[0]())
        stops.append(self.presence.observe(seen.append))
        self.presence.hold("worker")
        self.assertEqual(seen, [])

    def test_aBrokenObserver(self):
        """An observer that raises is logged, and the others and the waiters are served."""
        self.presence.hold("worker")
        seen = []
        self.presence.observe(lambda _: 1 / 0)
        self.presence.observe(seen.append)
        deferred = self.presence.waitUntilReady()
        self.presence.release("worker")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(seen, [self.presence])
        self.successResultOf(deferred)

    def test_anObserverMayHold(self):
        """An observer that holds a worker that just became ready keeps its waiters waiting."""
        self.presence.hold("worker")
        deferred = self.presence.waitUntilReady()
        stop = self.presence.observe(lambda presence: presence.ready and presence.hold("admin"))
        self.presence.release("worker")
        self.assertNoResult(deferred)
        stop()
        self.presence.release("admin")
        self.successResultOf(deferred)
