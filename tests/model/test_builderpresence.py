from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.partial import Limit
from presence.errors import PresenceStopped
from presence.model.builderpresence import BuilderPresence
from presence.model.states import PresenceState, TimedLimit
from presence.model.workerpresence import WorkerPresence


class BuilderPresenceTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.a, self.b = (WorkerPresence(name, self.clock) for name in "ab")
        self.builder = BuilderPresence("runtests", [self.a, self.b])

    def holdAll(self):
        self.a.hold("worker")
        self.b.hold("worker")

    def observers(self):
        return len(self.a._observers) + len(self.b._observers)

    def test_state(self):
        """A builder is AVAILABLE when one of its workers is."""
        self.assertIs(self.builder.state, PresenceState.AVAILABLE)
        self.a.hold("worker")
        self.assertIs(self.builder.state, PresenceState.AVAILABLE)
        self.assertEqual(self.builder.readyWorkers, (self.b,))
        self.b.hold("break")
        self.assertIs(self.builder.state, PresenceState.NOT_ACCEPTING_NEW_BUILDS)

    def test_withoutWorkers(self):
        """A builder without workers is not available."""
        self.assertIs(BuilderPresence("lonely").state, PresenceState.NOT_ACCEPTING_NEW_BUILDS)

    def test_readyAtOnce(self):
        """Who asks while a worker is ready gets that worker."""
        self.a.hold("worker")
        self.assertIs(self.successResultOf(self.builder.waitUntilReady()), self.b)

    def test_readyOnTheFlip(self):
        """Who asks while none is gets the first that becomes ready."""
        self.holdAll()
        deferred = self.builder.waitUntilReady()
        self.assertNoResult(deferred)
        self.b.release("worker")
        self.assertIs(self.successResultOf(deferred), self.b)

    def test_onlyWhileTrue(self):
        """A waiter that holds the worker it got keeps those after it waiting for another."""
        self.holdAll()
        first = self.builder.waitUntilReady().addCallback(lambda worker: worker.hold("admin"))
        second = self.builder.waitUntilReady()
        self.a.release("worker")
        self.successResultOf(first)
        self.assertNoResult(second)
        self.b.release("worker")
        self.assertIs(self.successResultOf(second), self.b)

    def test_workersOwnWaitersFirst(self):
        """A worker's own waiter that holds it again leaves the builder's waiter waiting."""
        self.holdAll()
        deferred = self.builder.waitUntilReady()
        self.b.waitUntilReady().addCallback(lambda worker: worker.hold("admin"))
        self.a.waitUntilReady()
        self.a.release("worker")
        self.assertIs(self.successResultOf(deferred), self.a)

    def test_addWorker(self):
        """A ready worker that is added fires those who wait; one that becomes ready later does then."""
        self.holdAll()
        first = self.builder.waitUntilReady()
        late, ready = WorkerPresence("late", self.clock), WorkerPresence("ready", self.clock)
        late.hold("offline")
        self.builder.addWorker(late)
        self.assertNoResult(first)
        late.release("offline")
        self.assertIs(self.successResultOf(first), late)
        late.hold("offline")
        second = self.builder.waitUntilReady()
        self.builder.addWorker(ready)
        self.assertIs(self.successResultOf(second), ready)

    def test_removeWorker(self):
        """A worker that was removed does not count, and what it does later is nobody's business here."""
        self.holdAll()
        deferred = self.builder.waitUntilReady()
        self.builder.removeWorker(self.a)
        self.builder.removeWorker(self.a)
        self.a.release("worker")
        self.assertNoResult(deferred)
        self.assertEqual(self.builder.workers, (self.b,))

    def test_removedIsLeftAlone(self):
        """A worker that is removed is observed no longer by those who wait."""
        self.holdAll()
        self.builder.waitUntilReady()
        self.builder.removeWorker(self.a)
        self.assertEqual((len(self.a._observers), len(self.b._observers)), (0, 1))

    def test_partialBreak(self):
        """A worker in a partial break that refuses this builder is not ready for it, and is for others."""
        other = BuilderPresence("other", [self.a, self.b])
        for worker in (self.a, self.b):
            worker.limit([TimedLimit(Limit(without=("run*",)), 5.0)])
        self.assertEqual((self.builder.readyWorkers, other.readyWorkers), ((), (self.a, self.b)))
        self.assertEqual((self.builder.backAt, other.backAt), (5.0, None))

    def test_cancel(self):
        """A cancelled waiter is gone, and with the last one goes the interest in the workers."""
        self.holdAll()
        one, two = self.builder.waitUntilReady(), self.builder.waitUntilReady()
        one.cancel()
        self.failureResultOf(one, CancelledError)
        self.assertEqual(self.observers(), 2)
        two.cancel()
        self.failureResultOf(two, CancelledError)
        self.assertEqual(self.observers(), 0)

    def test_flipWithoutWaitersCostsNothing(self):
        """A builder that nobody waits for does not watch its workers, before a wait and after it."""
        self.assertEqual(self.observers(), 0)
        self.holdAll()
        deferred = self.builder.waitUntilReady()
        self.a.release("worker")
        self.successResultOf(deferred)
        self.assertEqual(self.observers(), 0)

    def test_waitingAgainInsideACallback(self):
        """A waiter that holds its worker and waits again is fired for the next one."""
        self.holdAll()
        got = []

        def again(worker):
            got.append(worker.name)
            worker.hold("admin")
            self.builder.waitUntilReady().addCallback(again)

        self.builder.waitUntilReady().addCallback(again)
        self.a.release("worker")
        self.b.release("worker")
        self.assertEqual(got, ["a", "b"])

    def test_stop(self):
        """stop() fails all waiters with PresenceStopped and watches no worker any more."""
        self.holdAll()
        deferred = self.builder.waitUntilReady()
        self.builder.stop()
        self.failureResultOf(deferred, PresenceStopped)
        self.failureResultOf(self.builder.waitUntilReady(), PresenceStopped)
        self.assertEqual(self.observers(), 0)

    def test_backAt(self):
        """A builder is back with the first of its workers that has said when it is."""
        self.assertIsNone(self.builder.backAt)
        self.a.hold("worker", until=60)
        self.b.hold("worker")
        self.assertEqual(self.builder.backAt, 60)
        self.b.hold("worker", until=30)
        self.assertEqual(self.builder.backAt, 30)
