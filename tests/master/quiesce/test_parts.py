from typing import ClassVar

from buildbot.process import botmaster
from buildbot.process.results import CANCELLED, RETRY, SUCCESS
from buildbot.util import asyncSleep
from twisted.internet.defer import Deferred

from presence.master.builds.requeue import GRACE
from presence.master.builds.running import newestBuild
from tests.master.fakemaster import HOUR, Job
from tests.master.quiescecase import QuiesceTestCase


class DeadlineTests(QuiesceTestCase):
    """A build that never ends, and each way to go on from there."""

    def never(self, onDeadline):
        builders, triggers = {"m": ["mac"], "leaf": ["mac"], "top": ["mac"]}, {"top": ["leaf"]}
        self.farm(self.stock("mac"), builders=builders, triggers=triggers)
        self.write(self.slave("mac"), builders=builders, triggers=triggers)
        self.brids = [self.request("m"), self.request("top")]
        self.end = self.reactor.seconds() + HOUR
        run = self.order(deadline=self.end, onDeadline=onDeadline)
        self.waiting = self.request("m")
        self.passUntil(self.end - 0.1)
        self.assertIsNone(run.outcome)
        self.assertEqual(self.running(), ["m", "leaf"])
        return run

    def test_abort(self):
        """It is given up: everything goes on as before."""
        run = self.never("abort")
        self.passUntil(self.end)
        self.pass_(1)
        self.assertEnded(run, "deadline")
        self.assertEqual(type(self.worker("mac")).__name__, "Worker")
        while self.jobs:
            self.finishAll()
        self.assertEqual([self.results(each) for each in (*self.brids, self.waiting)], [[SUCCESS]] * 3)

    def test_interrupt(self):
        """The builds are ended, and built again on the new configuration; a child only because its parent is."""
        run = self.never("interrupt")
        self.passUntil(self.end)
        self.pass_(1)
        self.assertEnded(run, "reconfigured")
        self.connectNew()
        while self.jobs:
            self.finishAll()
        self.assertEqual([self.results(each) for each in self.brids], [[RETRY, SUCCESS]] * 2)
        self.assertEqual(self.results(self.waiting), [SUCCESS])
        self.assertEqual(self.unclaimed(), [])
        leaf = self.resultOf(self.master.data.updates.findBuilderId("leaf"))
        builds = self.master.db.model.builds
        found = self.query(builds.select().where(builds.c.builderid == leaf))
        self.assertEqual([row.results for row in found], [CANCELLED, SUCCESS])

    def test_interruptLater(self):
        """So is a build that had been chosen before the deadline, and begins after it."""
        builders = {"m": ["mac"], "n": ["mac"]}
        self.farm(self.stock("mac"), builders=builders)
        self.write(self.slave("mac"), builders=builders)
        updates, gate = self.master.data.updates, Deferred()
        claim = updates.claimBuildRequests
        brids = [self.request("m")]
        updates.claimBuildRequests = lambda *a, **k: gate.addCallback(lambda _: claim(*a, **k))
        brids.append(self.request("n"))
        run = self.order(deadline=self.reactor.seconds() + 10, onDeadline="interrupt")
        self.pass_(20)
        self.assertEqual((self.running(), run.outcome), ([], None))
        updates.claimBuildRequests = claim
        gate.callback(None)
        self.pass_(5)
        self.assertEnded(run, "reconfigured")
        self.connectNew()
        self.finishAll()
        self.assertEqual([self.results(each) for each in brids], [[RETRY, SUCCESS]] * 2)

    def test_interruptStubborn(self):
        """A build that does not even end then loses the connection of its worker."""
        self.patch(Job, "interrupt", lambda job, reason: None)
        run = self.never("interrupt")
        lost = []
        conn = self.worker("mac").conn
        lose = conn.loseConnection

        def loseConnection():
            # a machine that does not even notice; Buildbot cuts the connection once more when it reconfigures
            lost.append(self.reactor.seconds())
            if len(lost) > 1:
                lose()

        conn.loseConnection = loseConnection
        self.passUntil(self.end + GRACE - 1)
        self.assertEqual(lost, [])
        self.passUntil(self.end + GRACE + 2)
        self.assertEqual(len(lost), 1)
        self.passUntil(self.end + 2 * GRACE - 1)
        self.assertIsNone(run.outcome)
        self.passUntil(self.end + 2 * GRACE + 3)
        self.assertEnded(run, "reconfigured")

    def test_reconfig(self):
        """It is reconfigured all the same."""
        run = self.never("reconfig")
        self.passUntil(self.end)
        self.pass_(1)
        self.assertEnded(run, "reconfigured")
        self.assertEqual(type(self.worker("mac")).__name__, "BuildSlave")


class ShutdownTests(QuiesceTestCase):
    """Buildbot's clean shutdown and a reconfig that waits do not hinder each other."""

    def setUp(self):
        super().setUp()
        self.stopped = []
        # Buildbot would sleep by the real clock
        self.patch(botmaster.util, "asyncSleep", lambda delay: asyncSleep(delay, self.reactor))

    def levels(self):
        builders = {"top": ["arm"], "leaf": ["mac"]}
        self.farm(self.stock("mac"), self.stock("arm"), builders=builders, triggers={"top": ["leaf"]})
        self.write(self.slave("mac"), self.stock("arm"), builders=builders, triggers={"top": ["leaf"]})
        self.patch(self.reactor, "stop", lambda: self.stopped.append(self.reactor.seconds()))

    def endAll(self):
        while self.jobs:
            self.finish(self.jobs[0].buildername)
        self.pass_(2)

    def test_shutdownSecond(self):
        """A clean shutdown that comes second ends the master; what it waits for is not held from starting."""
        self.levels()
        self.request("leaf")
        run = self.order()
        self.request("top")  # a later one: its child is held for the reload
        self.master.botmaster.cleanShutdown()
        self.pass_(2)
        self.endAll()
        self.assertEqual(len(self.stopped), 1)
        self.assertIsNone(run.outcome)
        self.assertEqual(self.unclaimed(), [])
        self.stopMaster()
        self.assertEqual(run.outcome.result, "stopped")

    def test_shutdownFirst(self):
        """A reconfig that comes second does not keep the master from its end."""
        self.levels()
        self.request("top")
        self.master.botmaster.cleanShutdown()
        run = self.order()
        self.pass_(2)
        self.endAll()
        self.assertEqual(len(self.stopped), 1)
        self.assertIsNone(run.outcome)

    def test_deadlineInShutdown(self):
        """A deadline that comes while the master is being shut down is none: it waits, and does not spin."""
        self.levels()
        self.request("leaf")
        run = self.order(deadline=self.reactor.seconds() + 10, onDeadline="interrupt")
        self.master.botmaster.cleanShutdown()
        turns = []
        self.turned = lambda: turns.append(1)
        self.pass_(100)
        self.assertLess(len(turns), 1000)
        self.assertEqual(self.running(), ["leaf"])
        self.endAll()
        self.assertEqual(len(self.stopped), 1)
        self.assertIsNone(run.outcome)

    def test_shutdownCancelled(self):
        """When the shutdown is cancelled, in whichever order, the reconfig is made."""
        self.levels()
        self.request("leaf")
        run = self.order()
        self.master.botmaster.cleanShutdown()
        self.pass_(2)
        self.master.botmaster.cancelCleanShutdown()
        self.endAll()
        self.assertEqual(self.stopped, [])
        self.assertEnded(run, "reconfigured")
        self.assertFalse(self.master.botmaster.brd.distribute_only_waited_childs)
        self.connectNew()
        self.request("leaf")
        self.assertEqual(self.running(), ["leaf"])

    def test_reconfigCancelled(self):
        """When the reconfig is cancelled the shutdown goes on, and nothing new starts."""
        self.levels()
        self.request("leaf")
        self.order()
        self.master.botmaster.cleanShutdown()
        self.request("top")
        self.quiesce.cancel("ann")
        self.pass_(2)
        self.assertEqual(self.running(), ["leaf"])
        self.endAll()
        self.assertEqual(len(self.stopped), 1)

    def test_quick(self):
        """A quick shutdown ends the master at once."""
        self.levels()
        self.request("leaf")
        run = self.order()
        self.resultOf(self.master.botmaster.cleanShutdown(quickMode=True))
        self.assertEqual(len(self.stopped), 1)
        self.stopMaster()
        self.assertEqual(run.outcome.result, "stopped")


class ServiceTests(QuiesceTestCase):
    """`PresenceService(reconfigWhenIdle=True)`: whatever asks Buildbot for a reconfig waits."""

    builders: ClassVar = {"m": ["mac"]}

    def farmWith(self, **service):
        self.farm(self.stock("mac"), builders=self.builders, service=service)
        self.write(self.slave("mac"), builders=self.builders, service=service)
        self.request("m")

    def test_waits(self):
        """`master.reconfig()` waits, and fires when it is done."""
        self.farmWith(reconfigWhenIdle=True)
        done = self.master.reconfig()
        self.pass_(HOUR)
        self.assertNoResult(done)
        self.assertEqual(self.sources("mac"), ["reconfig"])
        self.finish("m")
        self.successResultOf(done)
        self.assertNothingHeld()
        self.assertEqual(type(self.worker("mac")).__name__, "BuildSlave")

    def test_default(self):
        """Without it Buildbot does as it always has."""
        self.farmWith()
        self.jobs.clear()
        self.resultOf(self.master.reconfig())
        self.assertEqual(type(self.worker("mac")).__name__, "BuildSlave")

    def test_deadline(self):
        """It waits no longer than it says."""
        self.farmWith(reconfigWhenIdle=True, deadline="1h", onDeadline="reconfig")
        self.jobs.clear()
        done = self.master.reconfig()
        self.pass_(HOUR - 1)
        self.assertNoResult(done)
        self.pass_(2)
        self.successResultOf(done)
        self.assertEqual(type(self.worker("mac")).__name__, "BuildSlave")

    def test_switchedOff(self):
        """When the new configuration says so, reconfigurations are Buildbot's own again."""
        self.farmWith(reconfigWhenIdle=True)
        self.assertIn("reconfig", vars(self.master))
        self.finish("m")
        self.write(self.stock("mac"), builders=self.builders, service={"reconfigWhenIdle": False})
        self.resultOf(self.master.reconfig())
        self.pass_(1)
        self.assertEqual(self.master.reconfig.__func__, type(self.master).reconfig)

    def test_removed(self):
        """So are they when it is removed."""
        self.farmWith(reconfigWhenIdle=True)
        self.finish("m")
        self.write(self.stock("mac"), builders=self.builders)
        self.master.config_loader.config_dict["services"] = []
        self.resultOf(self.master.reconfig())
        self.pass_(1)
        self.assertEqual(self.master.reconfig.__func__, type(self.master).reconfig)

    def test_mistakes(self):
        """With mistakes in the file it fires at once; they are in the log, and in the words of Buildbot."""
        self.farmWith(reconfigWhenIdle=True)
        self.write(self.slave("mac"), builders={"m": ["nobody"]})
        self.resultOf(self.master.reconfig())
        self.assertNothingHeld()
        self.finishAll()

    def test_newest(self):
        """`newestBuild` is the largest id there is."""
        self.farmWith()
        self.assertEqual(self.resultOf(newestBuild(self.master)), 1)
        self.finishAll()
