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

    def assertWaits(self, *requests):
        self.assertEqual([request.builds for request in requests], [[] for _ in requests])


class BreakMixin(FarmMixin):
    def test_break(self):
        """What runs when a break begins finishes; what is requested starts at its end, at once."""
        running = self.farm.force(held=True).waitUntilRuns()
        start = self.farm.soon()
        self.farm.reconfigure(macMini(break_(start, start + HOUR)))
        sleepUntil(start + 0.05)
        waiting = self.farm.force("mac-mini")
        other = self.farm.force("any")
        running.letFinish().waitUntilBuilt()
        self.assertWaits(waiting, other)
        self.assertTrue(self.worker.connected)
        end = self.farm.soon()
        self.farm.reconfigure(macMini(break_(start, end)))
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
        self.assertWaits(waiting, later)
        end = self.farm.soon()
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
        start = time.time() - 1
        self.farm.reconfigure(macMini(break_(start, start + HOUR, without="a*")))
        refused, admitted = self.farm.force("any"), self.farm.force("mac-mini")
        admitted.waitUntilBuilt()
        self.assertWaits(refused)
        end = self.farm.soon()
        self.farm.reconfigure(macMini(break_(start, end, without="a*")))
        refused.assertStartsAtOnce(end)

    def test_finishBefore(self):
        """Before a break a builder whose builds in the database were short starts, and one of long builds waits until its end;
        why and until when is told.
        """
        for name, seconds in (("mac-mini", 1), ("any", HOUR)):
            self.farm.recordBuild(name, "mac-mini", seconds)
        start = time.time() + HOUR / 2
        end = start + HOUR
        self.farm.reconfigure(macMini(break_(start, end, finishBefore=True)))
        long, short = self.farm.force("any"), self.farm.force("mac-mini")
        short.waitUntilBuilt()
        self.assertWaits(long)
        [refused] = self.farm.get("presences/mac-mini")["presences"][0]["refused"]
        self.assertEqual((refused["builder"], round(refused["until"])), ("any", round(end)))
        self.assertIn("a build may take 1 h", refused["reason"])
        start = self.farm.soon()
        end = start + 1
        self.farm.reconfigure(macMini(break_(start, end, finishBefore=True)))
        long.assertStartsAtOnce(end)

    def test_deadline(self):
        """What still runs at the deadline of a break is interrupted, and built when the break is over."""
        running = self.farm.force(held=True).waitUntilRuns()
        start = self.farm.soon()
        end = start + 4
        self.farm.reconfigure(macMini(break_(start, end, deadline=1)))
        self.farm.waitFor(
            "it is built again", lambda: len(running.builds) == 2 and running.builds[1]["started"]
        )
        interrupted, again = running.builds
        self.assertGreaterEqual(interrupted["complete_at"], int(start + 1))
        self.assertLess(interrupted["complete_at"], end)
        self.assertGreaterEqual(again["started"], end)
        running.letFinish().waitUntilBuilt()
