import time
from threading import Event

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.clockguard import INTERVAL, OVERSLEPT, TOLERANCE, ClockGuard, ThreadTicker


class FakeTicker:
    """Looks when told to."""

    def __init__(self, reactor, interval, look, jumped):
        self.interval, self.look, self.jumped, self.running = interval, look, jumped, False

    def start(self):
        self.running = True

    def stop(self):
        self.running = False


class ClockGuardTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.rightNow = 1_000_000.0
        self.guard = ClockGuard(self.clock, lambda: None, self.makeTicker)
        self.clock.rightNow += 1_000
        self.guard.start()

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

    def test_suspended(self):
        """A machine that was suspended has jumped, also where both clocks have counted that."""
        self.assertTrue(self.hasJumped(OVERSLEPT + 0.01, OVERSLEPT + 0.01))


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
        ticker.stop()
        handed[1]()
        self.assertEqual(jumps, [1])
