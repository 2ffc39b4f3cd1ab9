"""Work that is done a little in each turn of the reactor."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.turns import LONGEST, Turns
from tests.oneturn import oneTurn


class TurnsTests(SynchronousTestCase):
    """Three pieces are done in each turn."""

    def setUp(self):
        self.clock = Clock()
        self.turns = Turns(self.clock, 3)
        self.done = []

    def ask(self, *names):
        self.turns.do(map(self.done.append, names))

    def test_atOnce(self):
        """What one turn has room for waits for nothing; and so it is in the next turn."""
        self.ask("a", "b", "c")
        self.assertEqual(self.done, ["a", "b", "c"])
        oneTurn(self.clock)
        self.ask("d")
        self.assertEqual(self.done, ["a", "b", "c", "d"])

    def test_inOrder(self):
        """The rest is done in the next turns, in the order in which it was asked for, and nobody overtakes."""
        self.ask(*"abcdefgh")
        self.assertEqual(self.done, [*"abc"])
        oneTurn(self.clock)
        self.assertEqual(self.done, [*"abcdef"])
        self.ask("i")
        oneTurn(self.clock)
        self.assertEqual(self.done, [*"abcdefghi"])

    def test_slow(self):
        """A turn that has gone on for long leaves the rest to the next, whoever asks."""

        def slowly(name):
            self.done.append(name)
            self.clock.rightNow += 0.6 * LONGEST

        self.turns.do(map(slowly, "abcd"))
        self.ask("e")
        self.assertEqual(self.done, [*"ab"])
        oneTurn(self.clock)
        self.assertEqual(self.done, [*"abcd"])
        oneTurn(self.clock)
        self.assertEqual(self.done, [*"abcde"])

    def test_notBeforehand(self):
        """What has yet to be done is not made before its turn."""
        made = iter(range(100))
        self.turns.do(self.done.append(each) for each in made)
        oneTurn(self.clock)
        self.assertEqual(self.done, [*range(6)])
        self.assertEqual(next(made), 6)

    def test_moreIsAskedFor(self):
        """What asks while its turn goes on comes after those that have waited."""
        self.ask(*"abc")
        self.turns.do(map(self.ask, ["late"]))
        self.ask("d", "e", "f")
        oneTurn(self.clock)
        oneTurn(self.clock)
        self.assertEqual(self.done, [*"abcdef", "late"])

    def test_nothingIsLeft(self):
        """When all is done no timer is left."""
        self.ask(*"abcd")
        for _ in range(3):
            oneTurn(self.clock)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_clockJumped(self):
        """A clock that is set back does not put off the next turn."""
        self.clock.advance(5000)
        self.ask(*"abcd")
        self.clock.rightNow -= 3600
        self.turns.clockJumped()
        oneTurn(self.clock)
        self.assertEqual(self.done, [*"abcd"])
