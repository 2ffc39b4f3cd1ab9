from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.wave import CALM, LONGEST, Wave


class WaveTests(SynchronousTestCase):
    """Workers that connect, or go, one after the other."""

    def setUp(self):
        self.clock = Clock()
        self.wave = Wave(self.clock)

    def move(self, times, pause=CALM / 2):
        for _ in range(times):
            self.clock.advance(pause)
            self.wave.moved()

    def test_counts(self):
        """Each that moves is counted, until none has for a second; the next one begins another wave."""
        self.assertEqual(self.wave.size, 0)
        self.move(3)
        self.assertEqual(self.wave.size, 3)
        self.clock.advance(CALM - 0.01)
        self.assertEqual(self.wave.size, 3)
        self.clock.advance(0.01)
        self.assertEqual(self.wave.size, 0)
        self.wave.moved()
        self.assertEqual(self.wave.size, 1)

    def test_atOnce(self):
        """Those that move in one moment are a wave from that moment on, also when the clock shows 0."""
        self.move(2, pause=0)
        self.assertEqual(self.wave.size, 2)

    def test_longest(self):
        """However long it goes on, somebody gets to see numbers: after half a minute another one begins."""
        self.move(round(LONGEST / (CALM / 2)))
        self.assertEqual(self.wave.size, 60)
        self.clock.advance(CALM / 2)
        self.assertEqual(self.wave.size, 0)
        self.wave.moved()
        self.assertEqual(self.wave.size, 1)
        self.move(3)
        self.assertEqual(self.wave.size, 4)

    def test_goesOn(self):
        """What began with a connection keeps the wave going, counts for nothing, and begins none."""
        self.wave.goesOn()
        self.assertEqual(self.wave.size, 0)
        self.move(1)
        for _ in range(4):
            self.clock.advance(CALM / 2)
            self.wave.goesOn()
        self.assertEqual(self.wave.size, 1)
        self.clock.advance(CALM)
        self.wave.goesOn()
        self.assertEqual(self.wave.size, 0)

    def test_clockSetBack(self):
        """A clock that is set back ends it: it would go on for as long otherwise."""
        for back in (CALM / 2, LONGEST / 2, 2 * LONGEST):
            self.move(5)
            self.clock.rightNow -= back + 1
            self.assertEqual(self.wave.size, 0)
            self.clock.rightNow += back + 100
