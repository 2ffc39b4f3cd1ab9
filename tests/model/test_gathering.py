from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.gathering import PAUSE, Gathering

HOUR = 3600


class GatheringTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.rightNow = 1_000_000.0
        self.acts = []
        self.begin()

    def begin(self, **how):
        self.gathering = Gathering(self.clock, self.act, **how)
        self.acts.clear()

    def act(self):
        self.acts.append(self.clock.seconds())

    def test_oneTurn(self):
        """What is asked for in one turn of the reactor is done once, in the next one."""
        for _ in range(3):
            self.gathering.ask()
        self.assertEqual(self.acts, [])
        self.clock.advance(0)
        self.assertEqual(len(self.acts), 1)

    def test_immediately(self):
        """Where it is wanted it is done before ask() returns."""
        self.begin(immediately=True)
        self.gathering.ask()
        self.gathering.ask()
        self.assertEqual(len(self.acts), 1)

    def test_tenTimesASecond(self):
        """However often it is asked, it acts ten times a second, and not again when it is not asked again."""
        for how in ({}, {"immediately": True}):
            self.begin(**how)
            start = self.clock.seconds()
            for _ in range(1000):
                self.gathering.ask()
                self.clock.advance(0.001)
            self.clock.advance(PAUSE)
            self.clock.advance(PAUSE)
            self.assertIn(len(self.acts), (10, 11))
            self.assertTrue(
                all(b - a >= PAUSE - 1e-6 for a, b in zip(self.acts, self.acts[1:], strict=False))
            )
            self.assertLess(self.acts[-1], start + 1.2)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothingIsLost(self):
        """What is asked for in a pause is done at its end, also what is asked for while it acts."""
        self.gathering.ask()
        self.clock.advance(0)
        self.gathering.ask()
        self.gathering.ask()
        self.clock.advance(PAUSE - 0.001)
        self.assertEqual(len(self.acts), 1)
        self.gathering._act = lambda: (self.act(), self.gathering.ask() if len(self.acts) == 2 else None)
        self.clock.advance(0.001)
        self.assertEqual(len(self.acts), 2)
        self.clock.advance(PAUSE)
        self.assertEqual(len(self.acts), 3)

    def test_pause(self):
        """A pause can be begun from outside, and begun anew; it says when it ends."""
        self.assertIsNone(self.gathering.pauseEnds)
        self.gathering.pause()
        self.clock.advance(PAUSE / 2)
        self.gathering.pause()
        self.assertEqual(self.gathering.pauseEnds, self.clock.seconds() + PAUSE)
        self.gathering.ask()
        self.clock.advance(PAUSE - 0.001)
        self.assertEqual(self.acts, [])
        self.clock.advance(0.001)
        self.assertEqual(len(self.acts), 1)

    def test_clockSetBackBeforeItIsAsked(self):
        """When the clock was set back in a pause, what is asked for then is done at once, without anybody saying so."""
        for how in ({}, {"immediately": True}):
            self.begin(**how)
            self.gathering.ask()
            self.clock.advance(0)
            self.clock.rightNow -= HOUR
            self.assertIsNone(self.gathering.pauseEnds)
            self.gathering.ask()
            self.clock.advance(0)
            self.assertEqual(len(self.acts), 2)
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
            self.gathering.stop()

    def test_clockSetBackAfterwards(self):
        """When it is set back after something was asked for, that is done when the jump is noticed."""
        for how in ({}, {"immediately": True}):
            self.begin(**how)
            self.gathering.ask()
            self.clock.advance(0)
            self.gathering.ask()
            self.clock.rightNow -= HOUR
            self.gathering.clockJumped()
            self.clock.advance(0)
            self.assertEqual(len(self.acts), 2)

    def test_clockJumpedForNothing(self):
        """A jump when nothing was asked for does nothing."""
        self.gathering.clockJumped()
        self.gathering.pause()
        self.gathering.clockJumped()
        self.clock.advance(1)
        self.assertEqual(self.acts, [])

    def test_stop(self):
        """stop() forgets what was asked for, and leaves no timer; it may be asked again."""
        for before in (lambda: None, self.gathering.ask, self.gathering.pause):
            before()
            self.gathering.stop()
            self.assertEqual(self.clock.getDelayedCalls(), [])
        self.gathering.pause()
        self.clock.advance(1)
        self.assertEqual(self.acts, [])
        self.gathering.ask()
        self.clock.advance(0)
        self.assertEqual(len(self.acts), 1)
