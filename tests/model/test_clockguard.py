from threading import Event

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.clockguard import INTERVAL, ClockGuard, ThreadTicker


class FakeTicker:
    """Ticks when told to, as after INTERVAL seconds of a clock that does not jump."""

    def __init__(self, reactor, interval, tick):
        self.interval, self.tick, self.running = interval, tick, False

    def start(self):
        self.running = True

    def stop(self):
        self.running = False


class ClockGuardTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.rightNow = 1_000_000.0
        self.jumps = 0
        self.tickers = []
        self.guard = ClockGuard(self.clock, self.jumped, self.makeTicker)
        self.guard.start()

    def makeTicker(self, *args):
        self.tickers.append(FakeTicker(*args))
        return self.tickers[-1]

    def jumped(self):
        self.jumps += 1

    def tickAfter(self, seconds):
        self.clock.rightNow += seconds
        self.tickers[0].tick()

    def test_atMostOnceAMinute(self):
        """One ticker of a minute serves everybody, and runs from start to stop."""
        (ticker,) = self.tickers
        self.assertEqual((ticker.interval, ticker.running), (60.0, True))
        self.guard.stop()
        self.assertFalse(ticker.running)

    def test_aClockThatGoesRight(self):
        """A minute that takes a minute, give or take a second, is no jump."""
        for seconds in (INTERVAL, INTERVAL + 0.9, INTERVAL - 0.9):
            self.tickAfter(seconds)
        self.assertEqual(self.jumps, 0)

    def test_suspendedOrSetForward(self):
        """A minute that takes hours is a jump, and the next one is not."""
        self.tickAfter(7200)
        self.assertEqual(self.jumps, 1)
        self.tickAfter(INTERVAL)
        self.assertEqual(self.jumps, 1)

    def test_setBack(self):
        """A clock that was set back has jumped."""
        self.tickAfter(INTERVAL - 3600)
        self.assertEqual(self.jumps, 1)


class ThreadTickerTests(SynchronousTestCase):
    def test_ticksInTheReactorsThread(self):
        """The ticker's thread does nothing but to hand the tick to the reactor, until it is stopped."""
        handed, ticks = [], []
        second = Event()

        class Reactor:
            def callFromThread(self, function):
                handed.append(function)
                if len(handed) == 2:
                    second.set()

        ticker = ThreadTicker(Reactor(), 0.001, lambda: ticks.append(1))
        ticker.start()
        self.assertTrue(second.wait(10))
        self.assertEqual(ticks, [])
        handed[0]()
        self.assertEqual(ticks, [1])
        ticker.stop()
        handed[1]()
        self.assertEqual(ticks, [1])
