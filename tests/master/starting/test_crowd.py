"""How many threads ask the database while many workers connect."""

from types import SimpleNamespace

from buildbot.db.pool import DBThreadPool
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.starting.crowd import CALM, THREADS, Crowd


class CrowdTests(SynchronousTestCase):
    """There are fifteen at other times."""

    def setUp(self):
        self.clock = Clock()
        # Buildbot's own, of which none runs
        engine = SimpleNamespace(optimal_thread_pool_size=15, dialect=SimpleNamespace(name="postgresql"))
        pool = DBThreadPool(engine, self.clock)
        self.threads = pool._pool
        self.crowd = Crowd(SimpleNamespace(reactor=self.clock, db=SimpleNamespace(pool=pool)))

    def come(self, number):
        coming = [Deferred() for _ in range(number)]
        for each in coming:
            self.crowd.comes(each)
        return coming

    def test_few(self):
        """A few workers at a time leave them as they are, however many have come before."""
        for _ in range(2 * THREADS):
            for each in self.come(THREADS):
                each.callback(None)
        self.assertEqual(self.threads.max, 15)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self):
        """More are a crowd until for a while none comes and none is through, however that ended."""
        coming = self.come(THREADS + 1)
        self.assertEqual(self.threads.max, THREADS)
        for each in coming:
            self.clock.advance(0.9 * CALM)
            each.errback(ConnectionError("it has gone again"))
            self.failureResultOf(each, ConnectionError)
        coming = self.come(1)
        self.clock.advance(0.9 * CALM)
        self.assertEqual(self.threads.max, THREADS)
        self.clock.advance(0.2 * CALM)
        self.assertEqual(self.threads.max, 15)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_deaf(self):
        """Workers that never answer make no crowd for ever."""
        self.come(2 * THREADS)
        self.clock.advance(CALM)
        self.assertEqual(self.threads.max, 15)

    def test_again(self):
        """The next crowd is one as well."""
        for each in self.come(THREADS + 1):
            each.callback(None)
        self.clock.advance(CALM)
        self.come(THREADS + 1)
        self.assertEqual(self.threads.max, THREADS)
        self.clock.advance(CALM)
        self.assertEqual(self.threads.max, 15)

    def test_stop(self):
        """When it is stopped all threads are there again, and no timer is."""
        self.crowd.stop()
        self.come(THREADS + 1)
        self.crowd.stop()
        self.assertEqual(self.threads.max, 15)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one(self):
        """Where there is but one thread, as with SQLite, there is nothing to do."""
        self.threads.max = 1
        self.come(THREADS + 1)
        self.assertEqual(self.threads.max, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_clockJumped(self):
        """A clock that is set back does not make it last."""
        self.clock.advance(5000)
        self.come(THREADS + 1)
        self.clock.rightNow -= 3600
        self.crowd.clockJumped()
        self.clock.advance(0)
        self.assertEqual(self.threads.max, 15)
