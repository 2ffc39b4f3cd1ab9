"""How a worker that has connected joins its builders."""

from itertools import pairwise

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from presence.master import roster
from presence.master.slave.sameness import Sameness
from presence.master.starting.crowd import CALM, THREADS
from tests.master.fakemaster import MasterTestCase
from tests.oneturn import oneTurn


class JoiningTests(MasterTestCase):
    """Each once, compared with nobody, and a few in each turn of the reactor."""

    NAMES = ("w1", "w2", "w3")

    def joined(self):
        """The workers of each builder."""
        return {
            name: tuple(sorted(wfb.worker.name for wfb in builder.workers))
            for name, builder in self.master.botmaster.builders.items()
        }

    def test_notCompared(self):
        """Who connects joins all builders, each once, also when it comes again; and nobody is compared with it."""
        compared = []
        stock = Sameness.__eq__
        self.patch(Sameness, "__eq__", lambda one, other: (compared.append(other), stock(one, other))[1])
        slaves = [self.slave(name) for name in self.NAMES]
        self.startMaster(slaves, dict.fromkeys(("b1", "b2"), self.NAMES), connect=False)
        compared.clear()
        for name in self.NAMES:
            self.connect(name)
        self.pass_(1)
        self.assertEqual(compared, [])
        self.disconnect("w2")
        self.pass_(1)
        self.assertEqual(self.joined(), dict.fromkeys(("b1", "b2"), ("w1", "w3")))
        # (Buildbot looks for the one that has gone)
        compared.clear()
        self.connect("w2")
        self.pass_(1)
        self.assertEqual(self.joined(), dict.fromkeys(("b1", "b2"), self.NAMES))
        self.assertEqual(compared, [])

    def test_there(self):
        """Who is told again what it builds joins no builder twice, and is there for one that is new."""
        slaves = [self.slave(name) for name in self.NAMES]
        self.startMaster(slaves, {"b1": self.NAMES})
        self.reconfig(slaves, dict.fromkeys(("b1", "b2"), self.NAMES))
        self.pass_(1)
        self.assertEqual(self.joined(), dict.fromkeys(("b1", "b2"), self.NAMES))
        attaching = [builder.attaching_workers for builder in self.master.botmaster.builders.values()]
        self.assertEqual(attaching, [[], []])

    def test_onceEach(self):
        """A worker that tells its builders again is with each of them once."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")], {"one": ["mac-mini", "aarch64"]})
        builder, worker = self.master.botmaster.builders["one"], self.worker("mac-mini")
        there = list(builder.workers)
        self.assertEqual(sorted(each.worker.name for each in there), ["aarch64", "mac-mini"])
        self.resultOf(worker.attachBuilder(builder))
        self.assertEqual(builder.workers, there)
        self.assertEqual(builder.attaching_workers, [])

    def test_leftBehind(self):
        """A worker that a builder has dropped in a reconfig joins it again."""
        self.startMaster([self.slave("mac-mini")], {"one": ["mac-mini"]})
        builder, worker = self.master.botmaster.builders["one"], self.worker("mac-mini")
        builder.workers.clear()
        self.resultOf(worker.attachBuilder(builder))
        self.assertEqual([each.worker for each in builder.workers], [worker])

    def start_with_many(self):
        """Two workers with nine builders each, of which three are joined in a turn; both have just connected."""
        self.patch(roster, "_JOIN", 3)
        slaves = [self.slave("w1"), self.slave("w2")]
        self.startMaster(slaves, {f"b{number}": ("w1", "w2") for number in range(9)}, connect=False)
        self.controllers["w1"].connect_worker()
        self.controllers["w2"].connect_worker()

    def turns(self, count):
        """So many turns of the reactor; how many builders w1 and w2 have then."""
        for _ in range(count):
            oneTurn(self.reactor)
        return [len(self.worker(name).workerforbuilders) for name in ("w1", "w2")]

    def test_turns(self):
        """No turn of the reactor has more than its number, of all workers together, and who came first has all of its own first."""
        self.start_with_many()
        found = [self.turns(each) for each in [0] + [1] * 10]
        sums = [*map(sum, found)]
        self.assertEqual(sums[0], 3)
        self.assertEqual(sums[-1], 18)
        self.assertLessEqual(max(after - before for before, after in pairwise(sums)), 3)
        self.assertIn([9, 0], found)

    def test_waitedFor(self):
        """Who tells a worker its builders waits until it has joined them, however slowly it answers, and is told of no failure."""
        self.start_with_many()
        worker, answers = self.worker("w2"), [Deferred() for _ in range(9)]
        self.assertEqual(self.turns(2), [9, 0])
        slow = iter(answers)
        worker.conn.remotePrint = lambda message: next(slow)
        worker._old_builder_list = None
        told = worker.sendBuilderList()
        self.assertEqual(self.turns(9), [9, 9])
        for each in answers[:8]:
            each.callback(None)
        self.assertNoResult(told)
        answers[8].errback(Failure(ConnectionError("it is gone")))
        self.assertEqual([each.type for each in self.flushLoggedErrors()], [ConnectionError])
        self.successResultOf(told)

    def test_keptWhileItWaits(self):
        """A builder that has to wait for its turn is kept in a list, and nothing more of it: a farm has half a million of them."""
        self.start_with_many()
        worker = self.worker("w2")
        self.assertEqual(len(worker._queue.builders), 9)
        self.turns(6)
        self.assertNotIn("_queue", vars(worker))

    def test_gone(self):
        """A worker that is gone before its turn comes joins nothing more, and joins all when it is back."""
        self.start_with_many()
        self.assertEqual(self.turns(0), [3, 0])
        self.disconnect("w1")
        self.pass_(1)
        self.assertEqual(self.turns(0), [0, 9])
        self.assertEqual(self.joined(), {f"b{number}": ("w2",) for number in range(9)})
        self.connect("w1")
        self.pass_(1)
        self.assertEqual(self.joined(), {f"b{number}": ("w1", "w2") for number in range(9)})

    def test_builderIsGone(self):
        """A builder that a new configuration does without is not joined."""
        self.startMaster([self.slave("w1")], {"b1": ("w1",), "b2": ("w1",)})
        worker, gone = self.worker("w1"), self.master.botmaster.builders["b2"]
        del self.master.botmaster.builders["b2"]
        gone.workers.clear()
        worker.workerforbuilders.pop("b2")
        self.resultOf(worker.attachBuilder(gone))
        self.assertEqual(gone.workers, [])

    def test_crowd(self):
        """Workers that connect at the same time are a crowd until they have joined their builders, also where the clock is set back."""
        self.patch(roster, "_JOIN", 1)
        names = [f"w{number}" for number in range(THREADS + 1)]
        self.startMaster([self.slave(name) for name in names], {"b1": names}, connect=False)
        threads, found = self.master.db.pool._pool, []
        threads.max = 15
        threads.adjustPoolsize = lambda maxthreads: found.append(maxthreads)
        for name in names:
            self.controllers[name].connect_worker()
        self.assertEqual(found, [THREADS])
        self.pass_(CALM)
        self.assertEqual(found, [THREADS, 15])
        for name in names:
            self.disconnect(name)
            self.controllers[name].connect_worker()
        self.pass_(1)
        self.assertEqual(found, [THREADS, 15, THREADS])
        self.setClock(0)
        self.worker("w0").clockJumped(0)
        self.pass_(0)
        self.assertEqual(found[3:], [15])
