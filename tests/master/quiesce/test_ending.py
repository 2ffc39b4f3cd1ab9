from types import SimpleNamespace

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.builds.requeue import GRACE
from presence.master.quiesce.ending import LOST, Ending


class FakeWorker:
    """A worker that counts how often its connection was cut."""

    workername = "w0"
    cuts = 0

    @property
    def conn(self):
        return self

    def loseConnection(self):
        self.cuts += 1


class FakeBuild:
    """A build that runs on a worker, until it is interrupted."""

    def __init__(self):
        self.finished = self.stopped = False
        self.results = None
        self.requests = []
        self.worker = FakeWorker()
        self.workerforbuilder = SimpleNamespace(worker=self.worker, abortPingIfAny=lambda: None)
        self.interrupted = 0

    def buildFinished(self, *_):
        return succeed(None)

    def stopBuild(self, *_):
        self.interrupted += 1
        return succeed(None)

    def loseWorker(self):
        self.workerforbuilder.worker = None


class EndingTests(SynchronousTestCase):
    """The end of builds is waited for, but not of those that never end."""

    def setUp(self):
        self.clock = Clock()
        self.ending = Ending(self.clock)
        self.a, self.b = self.builds = [FakeBuild(), FakeBuild()]

    def test_runs(self):
        """What runs is waited for, however long it runs."""
        for _ in range(3):
            self.assertEqual(self.ending.waitedFor(iter(self.builds)), self.builds)
            self.clock.advance(LOST)

    def test_lost(self):
        """A build that has lost its worker, or has ended and is still there, is waited for no longer than `LOST` seconds."""
        self.ending.waitedFor(self.builds)
        self.clock.advance(LOST)
        self.a.loseWorker()
        self.b.finished = True
        self.assertEqual(self.ending.waitedFor(self.builds), self.builds)
        self.clock.advance(LOST - 1)
        self.assertEqual(self.ending.waitedFor(self.builds), self.builds)
        self.clock.advance(1)
        self.assertEqual(self.ending.waitedFor(self.builds), [])

    def test_interruptedOnce(self):
        """Each build is interrupted once; one that has begun later, too."""
        self.ending.interrupt([self.a], "reason")
        self.ending.interrupt(self.builds, "reason")
        self.ending.interrupt(self.builds, "reason")
        self.assertEqual([each.interrupted for each in self.builds], [1, 1])
        self.ending.stop()

    def test_overdue(self):
        """From the first interrupt on the builds have twice the time after which connections are cut."""
        self.assertFalse(self.ending.isOverdue)
        self.clock.advance(3 * GRACE)
        self.assertFalse(self.ending.isOverdue)
        self.ending.interrupt([self.a], "reason")
        self.clock.advance(2 * GRACE - 1)
        self.ending.interrupt([self.b], "reason")
        self.assertEqual((self.ending.isOverdue, self.a.worker.cuts), (False, 1))
        self.clock.advance(1)
        self.assertTrue(self.ending.isOverdue)
        self.ending.stop()

    def test_stop(self):
        """When it is stopped no connection is cut any more, and no timer is left."""
        self.ending.interrupt([self.a], "reason")
        self.ending.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
