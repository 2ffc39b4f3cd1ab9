import contextlib
import time
from threading import Event

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.clockguard import INTERVAL, OVERSLEPT, TOLERANCE, ClockGuard, ThreadTicker


class FakeTicker:
    """Looks when told to."""

    def __init__(self, reactor, interval, look, jumped):
        self.interval, self.look, self.jumped, self.running = interval, look, jumped, False
        self.passed = 0.0

    def hasJumped(self):
        passed, self.passed = self.passed, 0.0
        return self.look(passed)

    def tell(self):
        self.jumped()

    def start(self):
        self.running = True

    def stop(self):
        self.running = False


class ClockGuardTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.rightNow = 1_000_000.0
        self.jumps = []
        self.guard = ClockGuard(self.clock, self.makeTicker)
        self.clock.rightNow += 1_000
        self.told = []
        self.guard.start(self.jumped)

    def jumped(self, seconds):
        self.jumps.append(self.clock.seconds())
        self.told.append(seconds)

    def makeTicker(self, *args):
        self.ticker = FakeTicker(*args)
        return self.ticker

    def hasJumped(self, shown, passed=INTERVAL):
        """Whether it is a jump when the clock shows that so much has passed, and `passed` seconds have."""
        self.clock.rightNow += shown
        return self.ticker.look(passed)

    def test_oneTicker(self):
        """One ticker serves everybody, twice in the two seconds in which a jump is to be noticed; it runs from start to stop."""
        self.assertLessEqual(2 * self.ticker.interval, 2)
        self.assertTrue(self.ticker.running)
        self.guard.stop()
        self.assertFalse(self.ticker.running)

    def test_aClockThatGoesRight(self):
        """A clock that shows what has passed, give or take a second, has not jumped, however late the look is."""
        for passed in (INTERVAL, 0.0, OVERSLEPT):
            for off in (0, TOLERANCE, -TOLERANCE):
                self.assertFalse(self.hasJumped(passed + off, passed))

    def test_setForward(self):
        """A clock that was set forward has jumped, once."""
        self.assertTrue(self.hasJumped(INTERVAL + TOLERANCE + 0.01))
        self.assertTrue(self.hasJumped(7200))
        self.assertFalse(self.hasJumped(INTERVAL))

    def test_setBack(self):
        """A clock that was set back has jumped, and again when it is set right."""
        self.assertTrue(self.hasJumped(INTERVAL - TOLERANCE - 0.01))
        self.assertTrue(self.hasJumped(-3600))
        self.assertTrue(self.hasJumped(3600))
        self.assertFalse(self.hasJumped(INTERVAL))

    def test_byHowMuch(self):
        """It is told by how much it was set, what was not told yet included."""
        for shown in (7200 + INTERVAL, INTERVAL, INTERVAL - 60):
            self.hasJumped(shown)
        self.ticker.tell()
        self.clock.rightNow += 30
        self.guard.look()
        self.guard.look()
        self.assertEqual(self.told, [7200 - 60, 30])

    def test_seenAndNotToldYet(self):
        """What a tick has seen, and will tell in the reactor's next turn, is told before anybody goes on: once."""
        self.assertTrue(self.hasJumped(-3600, 0.0))
        self.guard.look()
        self.assertEqual(self.told, [-3600])
        self.ticker.tell()
        self.guard.look()
        self.assertEqual(self.told, [-3600, 0.0])

    def test_suspended(self):
        """A machine that was suspended has jumped, also where both clocks have counted that."""
        self.assertTrue(self.hasJumped(OVERSLEPT + 0.01, OVERSLEPT + 0.01))

    def test_timers(self):
        """Who acts by a clock that is wrong for less than the interval is heard of: as it is set, and as it is set back."""
        called = []
        self.guard.callLater(7200, lambda *args: called.append((args, self.jumps[:])), "at nine")
        self.clock.rightNow += 7200
        self.clock.advance(0)
        self.assertEqual(called, [(("at nine",), [])])
        self.assertEqual(self.jumps, [self.clock.seconds()])
        self.clock.rightNow -= 7200
        self.assertTrue(self.ticker.look(0.1))

    def test_setBackMeanwhile(self):
        """It is heard of also when the clock has been set back as soon as the timer had acted."""

        def act():
            self.clock.rightNow -= 7200

        self.guard.callLater(7200, act)
        self.clock.rightNow += 7200
        self.clock.advance(0)
        self.assertEqual(self.jumps, [self.clock.seconds()])

    def test_timersThatAreRight(self):
        """A timer that goes off when it should is no jump, also when what it calls fails."""
        for function in (lambda: None, lambda: 1 / 0):
            self.guard.callLater(5, function)
            self.ticker.passed = 5
            with contextlib.suppress(ZeroDivisionError):
                self.clock.advance(5)
        self.assertEqual(self.jumps, [])
        self.assertTrue(self.hasJumped(TOLERANCE + 1, 0))

    def test_aClockLikeAnyOther(self):
        """Before it is started, and after it is stopped, nobody looks, and the timers go off."""
        self.assertEqual(self.guard.seconds(), self.clock.seconds())
        called = []
        ClockGuard(self.clock, FakeTicker).callLater(1, called.append, 0)
        self.clock.advance(1)
        self.assertEqual(called.pop(), 0)
        call = self.guard.callLater(3600, called.append, 1)
        self.assertEqual(list(self.guard.getDelayedCalls()), [call])
        self.guard.stop()
        self.clock.advance(3600)
        self.assertEqual((called, self.jumps), ([1], []))


class ThreadTickerTests(SynchronousTestCase):
    def test_jumpsInTheReactorsThread(self):
        """The thread looks, and leaves the reactor alone until there was a jump, which it hears of in its own thread."""
        handed, jumps, passed = [], [], []
        second = Event()

        class Reactor:
            def callFromThread(self, function):
                handed.append(function)
                if len(handed) == 2:
                    second.set()

        def look(seconds):
            passed.append(seconds)
            return len(passed) > 3

        began = time.monotonic()
        ticker = ThreadTicker(Reactor(), 0.001, look, lambda: jumps.append(1))
        ticker.start()
        self.assertTrue(second.wait(10))
        took = time.monotonic() - began
        self.assertGreaterEqual(len(passed), 5)
        self.assertTrue(all(seconds >= 0.0009 for seconds in passed))
        self.assertLessEqual(sum(passed[:5]), took)
        self.assertEqual(jumps, [])
        handed[0]()
        self.assertEqual(jumps, [1])
        ticker.tell()
        self.assertEqual(jumps, [1, 1])
        ticker.stop()
        handed[1]()
        ticker.tell()
        self.assertEqual(jumps, [1, 1])
