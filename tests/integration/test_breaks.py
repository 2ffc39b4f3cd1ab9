"""A break of a real worker of a real master."""

import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.farm import Farm, break_

HOUR = 3600


def macMini(*breaks):
    return f'worker.BuildSlave(name="mac-mini", passwd=PASSWORD, onBreakDuring=[{", ".join(breaks)}])'


def sleepUntil(instant):
    time.sleep(max(0.0, instant - time.time()))


class FarmMixin:
    protocol = None

    def setUp(self):
        self.farm = Farm(self, self.protocol)
        self.farm.configure(macMini())
        self.farm.start()
        self.worker = self.farm.worker("mac-mini").start().waitUntilConnected()


class BreakMixin(FarmMixin):
    def test_break(self):
        """What runs when a break begins finishes; what is requested starts at its end, at once."""
        running = self.farm.force(held=True).waitUntilRuns()
        start = time.time() + 1.5
        end = start + 2.5
        self.farm.reconfigure(macMini(break_(start, end)))
        self.assertLess(time.time(), start, "this machine is too slow for the times of this test")
        sleepUntil(start + 0.05)
        waiting = self.farm.force("mac-mini")
        other = self.farm.force("any")
        running.letFinish().waitUntilBuilt()
        self.assertLess(time.time(), end, "the running build did not finish within the break")
        self.assertEqual([request.builds for request in (waiting, other)], [[], []])
        self.assertTrue(self.worker.connected)
        waiting.assertStartsAtOnce(end)
        other.assertStartsAtOnce(end)

    def test_masterKilledInBreak(self):
        """After kill -9 of the master in mid-break the worker that reconnects builds nothing before its end."""
        start = time.time() - 1
        self.farm.reconfigure(macMini(break_(start, start + HOUR)))
        waiting = self.farm.force()
        self.farm.kill()
        self.farm.start()
        self.worker.waitUntilConnected()
        later = self.farm.force()
        time.sleep(1)
        self.assertEqual([request.builds for request in (waiting, later)], [[], []])
        end = time.time() + 1.5
        self.farm.reconfigure(macMini(break_(start, end)))
        waiting.assertStartsAtOnce(end)
        later.waitUntilBuilt()
        self.assertEqual(self.worker.connections, 2)


class PbTests(BreakMixin, SynchronousTestCase):
    protocol = "pb"


class MsgpackTests(BreakMixin, SynchronousTestCase):
    protocol = "msgpack"


class SparingTests(FarmMixin, SynchronousTestCase):
    """What the master decides by itself is the same over both protocols."""

    protocol = "pb"

    def test_partial(self):
        """In a partial break one builder builds and another waits, and starts at its end, at once."""
        end = time.time() + 3
        self.farm.reconfigure(macMini(break_(time.time() - 1, end, without="a*")))
        refused, admitted = self.farm.force("any"), self.farm.force("mac-mini")
        admitted.waitUntilBuilt()
        self.assertLess(time.time(), end, "this machine is too slow for the times of this test")
        self.assertEqual(refused.builds, [])
        refused.assertStartsAtOnce(end)

    def test_finishBefore(self):
        """Before a break a builder whose builds in the database were short starts, and one of long builds waits until its end;
        why and until when is told.
        """
        for name, seconds in (("mac-mini", 1), ("any", HOUR)):
            self.farm.recordBuild(name, "mac-mini", seconds)
        start = time.time() + 5
        end = start + 2
        self.farm.reconfigure(macMini(break_(start, end, finishBefore=True)))
        long, short = self.farm.force("any"), self.farm.force("mac-mini")
        short.waitUntilBuilt()
        self.assertLess(time.time(), start, "this machine is too slow for the times of this test")
        self.assertEqual(long.builds, [])
        [refused] = self.farm.get("presences/mac-mini")["presences"][0]["refused"]
        self.assertEqual((refused["builder"], round(refused["until"])), ("any", round(end)))
        self.assertIn("a build may take 1 h", refused["reason"])
        long.assertStartsAtOnce(end)

    def test_deadline(self):
        """What still runs at the deadline of a break is interrupted, and built when the break is over."""
        running = self.farm.force(held=True).waitUntilRuns()
        start = time.time() + 1
        end = start + 4
        self.farm.reconfigure(macMini(break_(start, end, deadline=1)))
        sleepUntil(start + 0.5)
        self.assertEqual(len(running.builds), 1)
        sleepUntil(end + 1)
        self.assertEqual(len(running.builds), 2)
        running.letFinish().waitUntilBuilt()
