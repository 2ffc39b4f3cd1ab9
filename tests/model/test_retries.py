from itertools import pairwise

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.retries import FIRST, LAST, Retries


class RetriesTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.tried = []
        self.succeeds = set()
        self.retries = Retries(self.clock, self.again)

    def again(self, what):
        self.tried.append((self.clock.seconds(), what))
        if what in self.succeeds:
            self.retries.succeeded(what)
        else:
            self.retries.failed(what)

    def passTime(self, seconds):
        end = self.clock.seconds() + seconds
        while self.clock.getDelayedCalls() and self.clock.getDelayedCalls()[0].getTime() <= end:
            self.clock.advance(self.clock.getDelayedCalls()[0].getTime() - self.clock.seconds())
        self.clock.advance(end - self.clock.seconds())

    def test_everLonger(self):
        """It is tried again after half a second, then after twice as long each time, and in the end every half minute."""
        self.assertEqual(self.retries.failed("a"), FIRST)
        self.passTime(153)
        instants = [0, *(at for at, _ in self.tried)]
        gaps = [after - before for before, after in pairwise(instants)]
        self.assertEqual(gaps, [0.5, 1, 2, 4, 8, 16, LAST, LAST, LAST, LAST])

    def test_untilItSucceeds(self):
        """When it has succeeded no timer is left, and the next failure begins anew."""
        self.retries.failed("a")
        self.passTime(10)
        self.succeeds.add("a")
        self.passTime(60)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.retries.failed("a"), FIRST)

    def test_eachForItself(self):
        """One that fails always does not put off another one."""
        self.retries.failed("a")
        self.passTime(100)
        self.assertEqual(self.retries.failed("b"), FIRST)

    def test_failsTwice(self):
        """One that fails again before it is tried again has one timer."""
        self.retries.failed("a")
        self.retries.failed("a")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_clockJumps(self):
        """After a jump of the clock it is tried at once."""
        self.retries.failed("a")
        self.clock.rightNow -= 3600
        self.retries.clockJumped()
        self.clock.advance(0)
        self.assertEqual(len(self.tried), 1)

    def test_stop(self):
        """Once it is stopped no timer is left, and none is made."""
        self.retries.failed("a")
        self.retries.stop()
        self.retries.failed("b")
        self.assertEqual(self.clock.getDelayedCalls(), [])
