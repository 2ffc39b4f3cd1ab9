from twisted.internet.defer import Deferred, succeed

from presence.model.gathering import PAUSE
from tests.master.starting.wakeupcase import WakeupTestCase


class WakeupTests(WakeupTestCase):
    """What waits starts at once when a worker becomes ready, for as little work as can be."""

    def test_oneCall(self):
        """All workers that become ready in one reactor turn make one call, for the builders with requests."""
        names = self.startFarm()
        self.request("a")
        self.request("c")
        self.calls.clear()
        self.release(*names)
        self.assertEqual(self.calls, [])
        self.reactor.advance(0)
        self.assertEqual(self.calls, [["a", "c"]])
        self.assertEqual(sorted(start.builder for start in self.starts), ["a", "c"])

    def test_onlyItsBuilders(self):
        """A builder that does not use the worker is not woken, even if it has requests."""
        self.startFarm(2, {"a": ["w0"], "b": ["w1"]})
        self.request("a")
        self.request("b")
        self.calls.clear()
        self.release("w0")
        self.reactor.advance(0)
        self.assertEqual(self.calls, [["a"]])

    def test_nothingWaits(self):
        """When nothing waits, a thousand flips make no call, and a wake-up is three SQL statements at most."""
        names = self.startFarm(5)
        statements = self.countStatements()
        self.release(*names)
        self.reactor.advance(0)
        self.assertEqual(self.calls, [])
        self.assertTrue(1 <= len(statements) <= 3, statements)

    def test_whatIsClaimedDoesNotWait(self):
        """Requests whose builds run, or have finished, wake nobody."""
        self.startFarm(2)
        self.release("w0")
        self.pass_(1)
        self.request("a")
        self.request("b")
        self.jobs[0].finish()
        self.pass_(1)
        self.calls.clear()
        self.release("w1")
        self.pass_(1)
        self.assertEqual(self.calls, [])

    def test_flapping(self):
        """A worker that flaps a thousand times a second costs one wake-up in each `PAUSE`."""
        self.startFarm(1)
        statements = self.countStatements()
        for _ in range(1000):
            self.release("w0")
            self.presence("w0").hold("admin")
            self.pass_(0.001)
        self.assertLessEqual(len(statements), 3 * (1 / PAUSE + 2))
        self.assertGreaterEqual(len(statements), 1)

    def test_theLastFlipCounts(self):
        """A worker that becomes ready within the pause after a wake-up is heard at its end."""
        self.startFarm(2)
        self.release("w0")
        self.reactor.advance(0)
        self.pass_(PAUSE / 2)
        self.request("a")
        self.finishAll()
        self.presence("w0").hold("admin")
        brid = self.request("a")
        self.release("w1")
        self.pass_(PAUSE)
        self.assertEqual(self.results(brid), [None])

    def test_atTheEndOfABreak(self):
        """Two hundred requests for four builders begin to be built at the instant at which the break ends."""
        names = ["w0", "w1"]
        controllers = [self.slave(name, onBreakDuring=("06:30", "08:00"), timezone="UTC") for name in names]
        self.startMaster(controllers, dict.fromkeys("abcd", names))
        self.passUntil(self.at(7))
        for letter in "abcd" * 2:
            self.request(letter)
        self.passUntil(self.at(8))
        self.assertEqual({start.at for start in self.starts}, {self.at(8)})
        self.assertEqual(len(self.starts), 8)

    def test_theDatabaseFails(self):
        """When the question which builders have requests fails, all builders of the worker are woken."""
        self.startFarm(2, {"a": ["w0"], "b": ["w0"], "c": ["w1"]})
        self.request("a")

        def fail(connection):
            raise RuntimeError("the database is gone")

        real = self.master.db.pool.do
        self.patch(self.master.db.pool, "do", lambda thd, *args, **kwargs: real(fail))
        self.calls.clear()
        self.release("w0")
        self.patch(
            self.master.botmaster.brd, "maybeStartBuildsOn", lambda names: self.calls.append(sorted(names))
        )
        self.reactor.advance(0)
        self.patch(self.master.db.pool, "do", real)
        self.assertEqual(self.calls, [["a", "b"]])
        self.flushLoggedErrors(RuntimeError)

    def test_unclaimedLater(self):
        """A request that goes back to the queue after the question wakes its builder by itself."""
        self.startFarm(2)
        self.release("w0")
        self.pass_(1)
        brid = self.request("a")
        self.release("w1")
        self.reactor.advance(0)
        self.disconnect("w0")
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["w0", "w1"])
        self.finishAll()
        self.assertEqual(self.results(brid)[-1], 0)

    def test_theDistributorIsBusy(self):
        """While the distributor works on a wake-up the next one waits, for a second at most."""
        self.startFarm(3)
        brd = self.master.botmaster.brd
        self.request("a")
        self.calls.clear()
        self.patch(brd, "maybeStartBuildsOn", self.calls.append)
        brd.active = True
        self.release("w0")
        self.pass_(0)
        self.assertEqual(self.calls, [["a"]])  # the first one does not wait
        self.release("w1")
        self.pass_(3 * PAUSE)
        self.assertEqual(len(self.calls), 1)
        brd.active = False
        self.pass_(1.1 * PAUSE)
        self.assertEqual(len(self.calls), 2)
        brd.active = True
        self.release("w2")
        self.pass_(0.8)
        self.assertEqual(len(self.calls), 2)
        self.pass_(0.25)
        self.assertEqual(len(self.calls), 3)
        brd.active = False

    # --- the distributor is on its way

    def hesitateAt(self, name):
        """Whether `name` may build on a worker is not known before the test says so, by the workers' names."""
        questions = {}

        def canStartBuild(builder, wfb, request):
            return questions.setdefault(wfb.worker.workername, Deferred())

        self.master.botmaster.builders[name].config.canStartBuild = canStartBuild
        return questions

    def startBusyFarm(self):
        """The distributor is on its way to `a`, `b` and `c`, and hesitates at `a` with `w0`."""
        self.startFarm(2)
        for name in "abc":
            self.request(name)
        questions = self.hesitateAt("a")
        self.calls.clear()
        self.release("w0")
        self.pass_(0)
        self.assertEqual(self.calls, [["a", "b", "c"]])
        self.assertEqual(list(questions), ["w0"])
        return questions

    def test_notYetReached(self):
        """The distributor is not told of a builder that it has yet to reach: it will see the worker then."""
        questions = self.startBusyFarm()
        self.release("w1")
        self.pass_(3)
        self.worker("w0").max_builds = 1
        questions["w0"].callback(True)
        self.pass_(2)
        self.assertEqual(self.calls, [["a", "b", "c"]])
        self.assertEqual(self.startedOn(), ["w0", "w1", "w1"])

    def test_justNow(self):
        """A builder that it is busy with is asked for when it is through with that, for it does not see the worker."""
        questions = self.startBusyFarm()
        self.release("w1")
        self.pass_(3)
        self.assertEqual(len(self.calls), 1)
        questions["w0"].callback(False)
        self.pass_(2 * PAUSE)
        self.assertEqual(self.calls[1:], [["a"]])
        questions["w1"].callback(True)
        self.pass_(0)
        self.assertEqual((self.starts[-1].builder, self.starts[-1].worker), ("a", "w1"))

    def test_passed(self):
        """A builder that it has passed is told of within a second, though it is still busy with others."""
        questions = self.startBusyFarm()
        others = self.hesitateAt("b")
        questions["w0"].callback(False)
        self.pass_(0)
        self.assertEqual(list(others), ["w0"])
        self.release("w1")
        self.pass_(1 + PAUSE)
        self.assertEqual(self.calls[1:], [["a"]])
        others["w0"].callback(True)
        self.pass_(0)
        questions["w1"].callback(True)
        self.pass_(0)
        self.assertEqual({start.builder for start in self.starts}, {"a", "b", "c"})

    def test_stoppedOnItsWay(self):
        """What it did not reach because it was stopped, or where it waited for an answer, it is told of again."""
        questions = self.startBusyFarm()
        self.pass_(5 * PAUSE)
        brd = self.master.botmaster.brd
        stopped = brd.disownServiceParent()
        self.resultOf(stopped)
        self.assertFalse(brd.active)
        self.assertEqual(self.starts, [])
        self.resultOf(brd.setServiceParent(self.master.botmaster))
        questions.clear()
        self.pass_(2 * PAUSE)
        self.assertEqual(self.calls[1:], [["a", "b", "c"]])
        questions["w0"].callback(True)
        self.pass_(0)
        self.assertEqual({start.builder for start in self.starts}, {"a", "b", "c"})

    def test_keptWhileStopped(self):
        """What Buildbot told a distributor before it was stopped does not keep a part of it from being heard afterwards."""
        self.startFarm(2)
        self.request("a")
        questions = self.hesitateAt("a")
        self.release("w0")
        self.pass_(0)
        brd = self.master.botmaster.brd
        brd.maybeStartBuildsOn(["a", "b"])
        stopped = brd.disownServiceParent()
        questions["w0"].callback(False)
        self.resultOf(stopped)
        self.resultOf(brd.setServiceParent(self.master.botmaster))
        questions["w1"] = succeed(True)
        self.release("w1")
        self.pass_(2 * PAUSE)
        self.assertEqual(self.startedOn(), ["w1"])

    def test_doesNotDistribute(self):
        """One that does not distribute is not told again and again."""
        self.startFarm(1)
        self.request("a")
        self.resultOf(self.master.botmaster.brd.disownServiceParent())
        self.calls.clear()
        self.release("w0")
        self.pass_(3)
        self.assertEqual(self.calls, [["a"]])
        self.resultOf(self.master.botmaster.brd.setServiceParent(self.master.botmaster))

    def test_buildbotsKicks(self):
        """What Buildbot asks of the distributor for each worker of ours, is one call for all, where requests wait."""
        names = self.startFarm()
        for name in names:
            self.worker(name).pause("lunch")
        self.release(*names)
        self.pass_(1)
        self.request("b")
        self.calls.clear()
        for name in names:
            self.worker(name).unpause()
        self.pass_(1)
        self.assertEqual(self.calls, [["b"]])
        self.assertEqual(len(self.starts), 1)

    def test_aBuildEnds(self):
        """When a build ends its worker takes the next one, and the builders without requests are left alone."""
        self.startMaster([self.slave("w0", max_builds=1)], {name: ["w0"] for name in ("a", "b", "c")})
        self.request("a")
        self.request("c")
        self.jobs[0].finish()
        self.pass_(0)
        self.assertEqual([start.builder for start in self.starts], ["a", "c"])

    def test_heldWorkersAreGatheredToo(self):
        """Buildbot's kick for a worker that is held is gathered, and starts nothing."""
        self.startFarm(1)
        self.request("a")
        self.calls.clear()
        self.master.botmaster.maybeStartBuildsForWorker("w0")
        self.pass_(1)
        self.assertEqual(self.calls, [["a"]])
        self.assertEqual(self.starts, [])

    def test_stockWorkersKickAsEver(self):
        """A stock worker beside ours kicks all its builders at once, as in stock Buildbot."""
        self.startMaster([self.slave("ours"), self.stock("stock")], {"a": ["ours", "stock"], "b": ["stock"]})
        calls = []
        self.patch(self.master.botmaster.brd, "maybeStartBuildsOn", lambda names: calls.append(sorted(names)))
        self.worker("stock").unpause()
        self.assertEqual(calls, [["a", "b"]])

    def test_stopped(self):
        """After the master has stopped nobody is woken, and nothing is left behind."""
        self.startFarm(2)
        self.request("a")
        assembly = self.assembly
        self.release("w0")
        self.calls.clear()
        heard = [each.callback for each in self.master.mq.impl.qrefs]
        self.assertIn(assembly.wakeup._request_arrived, heard)
        self.stopMaster()
        assembly.wakeup.workerReady("w1")
        self.assertEqual(self.calls, [])
        heard = [each.callback for each in self.master.mq.impl.qrefs]
        self.assertNotIn(assembly.wakeup._request_arrived, heard)
        botmaster = self.master.botmaster
        self.assertNotIn("maybeStartBuildsForWorker", vars(botmaster))
        self.assertNotIn("_maybeStartBuildsOnBuilder", vars(botmaster.brd))
