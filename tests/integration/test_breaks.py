"""A break of a real worker of a real master."""

import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.farm import Farm, break_

HOUR = 3600


def macMini(*breaks):
    return f'worker.BuildSlave(name="mac-mini", passwd=PASSWORD, onBreakDuring=[{", ".join(breaks)}])'


def sleepUntil(instant):
    time.sleep(max(0.0, instant - time.time()))


class BreakMixin:
    protocol = None

    def setUp(self):
        self.farm = Farm(self, self.protocol)
        self.farm.configure(macMini())
        self.farm.start()
        self.worker = self.farm.worker("mac-mini").start().waitUntilConnected()

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
