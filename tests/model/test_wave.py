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
            self.wave.moved("w0")

    def test_counts(self):
        """Each that moves is counted, until none has for a second; the next one begins another wave."""
        self.assertEqual(self.wave.size, 0)
        self.move(3)
        self.assertEqual(self.wave.size, 3)
        self.clock.advance(CALM - 0.01)
        self.assertEqual(self.wave.size, 3)
        self.clock.advance(0.01)
        self.assertEqual(self.wave.size, 0)
        self.wave.moved("w0")
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
        self.wave.moved("w0")
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

    def test_whoConnectsKeepsItUp(self):
        """It is not over while a connection has yet to be taken; when it is, that counts as well, however late."""
        for name in ("w0", "w1", "w2"):
            self.wave.moved(name, connecting=True)
        self.clock.advance(3 * CALM)
        self.assertEqual(self.wave.size, 3)
        for size, name in enumerate(("w0", "w1", "w2"), 4):
            self.wave.settled(name)
            self.assertEqual(self.wave.size, size)
        self.clock.advance(CALM)
        self.assertEqual(self.wave.size, 0)

    def test_whoConnectsAndGoes(self):
        """Nobody waits for one that is gone."""
        self.wave.moved("w0", connecting=True)
        self.wave.moved("w0")
        self.clock.advance(CALM)
        self.assertEqual(self.wave.size, 0)

    def test_takenAfterItsEnd(self):
        """Those whose connections are taken when it is over, as it took too long, make another one."""
        for name in ("w0", "w1"):
            self.wave.moved(name, connecting=True)
        self.clock.advance(LONGEST)
        self.assertEqual(self.wave.size, 0)
        for size, name in enumerate(("w0", "w1"), 1):
            self.wave.settled(name)
            self.assertEqual(self.wave.size, size)

    def test_alone(self):
        """One that connects alone is one, also when its connection has been taken."""
        self.wave.moved("w0", connecting=True)
        self.clock.advance(5 * CALM)
        self.wave.settled("w0")
        self.wave.settled("w0")
        self.assertEqual(self.wave.size, 1)
