from typing import ClassVar

from buildbot.config import BuilderConfig
from buildbot.plugins import steps, util
from buildbot.process import botmaster
from buildbot.process.buildstep import BuildStep, get_factory_from_step_or_factory
from buildbot.process.factory import BuildFactory
from buildbot.process.results import CANCELLED, RETRY, SUCCESS
from buildbot.util import asyncSleep
from twisted.internet.defer import Deferred, succeed

from presence.master.affected import newestBuild
from presence.master.sendback import GRACE
from tests.master.fakemaster import HOUR, Job
from tests.master.quiescecase import QuiesceTestCase

#: Who triggers whom, two levels deep.
LEVELS = {"top": ["mid"], "mid": ["leaf"]}
BUILDERS = {"top": ["mac"], "mid": ["mac"], "leaf": ["mac"], "other": ["arm"]}


class ChildrenTests(QuiesceTestCase):
    """What a running build waits for starts, so that it can end; nothing else does."""

    def levels(self, builders=BUILDERS, triggers=LEVELS):
        self.farm(self.stock("mac"), self.stock("arm"), builders=builders, triggers=triggers)
        self.write(self.slave("mac"), self.stock("arm"), builders=builders, triggers=triggers)
        self.pass_(1)

    def buildAll(self, run):
        """Let everything end, after the reload too; how the builds ended."""
        for _ in range(20):
            if run.result is not None:
                break
            self.assertTrue(self.jobs, "nothing runs, and it waits all the same")
            self.finish(self.jobs[0].buildername)
        self.assertEnded(run, "reconfigured")
        self.connectNew()
        while self.jobs:
            self.finish(self.jobs[0].buildername)
        self.assertEqual(self.unclaimed(), [])
        return [row.results for row in self.query(self.master.db.model.builds.select())]

    def test_twoLevels(self):
        """Children of children start on the worker that is to be idle, and then it is."""
        for everything in (False, True):
            with self.subTest(everything=everything):
                self.levels()
                top = self.request("top")
                # the first child waits for nothing but the gate: it was requested before
                run = self.order(everything=everything)
                ordinary = self.request("leaf")
                self.pass_(1)
                self.assertEqual(self.running(), ["leaf"])
                self.assertEqual(set(self.buildAll(run)), {SUCCESS})
                self.assertEqual([self.results(each) for each in (top, ordinary)], [[SUCCESS]] * 2)
                self.stopMaster()

    def test_requestedBefore(self):
        """A child that found no worker before it was held is built when there is one."""
        builders = {"top": ["mac"], "leaf": ["mac"]}
        triggers = {"top": ["leaf"]}
        self.farm(self.stock("mac", max_builds=2), builders=builders, triggers=triggers)
        self.write(self.slave("mac"), builders=builders, triggers=triggers)
        ordinary = self.request("leaf")
        top = self.request("top")
        run = self.order()
        self.pass_(1)
        self.assertEqual(self.running(), ["leaf"])
        self.assertIsNone(run.result)
        self.assertEqual(set(self.buildAll(run)), {SUCCESS})
        self.assertEqual([self.results(each) for each in (top, ordinary)], [[SUCCESS]] * 2)

    def test_ofBefore(self):
        """A build of before that is not hurt itself gets its children on the worker that is held."""
        builders = {"top": ["arm"], "mid": ["arm"], "leaf": ["mac"]}
        self.levels(builders)
        self.request("leaf")  # the worker is busy, so that there is something to wait for
        top = self.request("top")
        run = self.order()
        self.pass_(1)
        self.finish("leaf")
        self.assertEqual(self.running(), ["leaf"])
        self.assertEqual(set(self.buildAll(run)), {SUCCESS})
        self.assertEqual(self.results(top), [SUCCESS])

    def test_ofBeforeDeep(self):
        """So it is when only the grandparent is of before."""
        builders = {"top": ["arm"], "mid": ["vm"], "leaf": ["mac"]}
        workers = [self.stock("arm"), self.stock("vm")]
        self.farm(self.stock("mac"), *workers, builders=builders, triggers=LEVELS)
        self.write(self.slave("mac"), self.stock("arm"), self.stock("vm"), builders=builders, triggers=LEVELS)
        self.worker("vm").pause("mid is to start later")
        self.request("leaf")
        top = self.request("top")
        run = self.order()
        self.worker("vm").unpause()
        self.pass_(1)
        self.finish("leaf")
        self.assertIsNone(run.result)
        self.assertEqual(self.running(), ["leaf"])
        self.assertEqual(set(self.buildAll(run)), {SUCCESS})
        self.assertEqual(self.results(top), [SUCCESS])

    def test_ofLater(self):
        """The children of later builds wait for the reload, which comes soon for that reason."""
        builders = {"top": ["arm"], "leaf": ["mac"]}
        self.levels(builders, {"top": ["leaf"]})
        self.request("leaf")
        run = self.order()
        top = self.request("top")
        self.finish("leaf")
        self.assertEnded(run, "reconfigured")
        self.assertEqual(self.running(), [])
        self.connectNew()
        self.assertEqual(self.running(), ["leaf"])
        self.finish("leaf")
        self.finish("top")
        self.assertEqual(self.results(top), [SUCCESS])

    def test_removedBuilder(self):
        """Before a builder is removed whoever waits for its builds gets them."""
        builders = {"top": ["arm"], "leaf": ["mac"]}
        self.farm(self.stock("mac"), self.stock("arm"), builders=builders, triggers={"top": ["leaf"]})
        self.write(self.stock("mac"), self.stock("arm"), builders={"top": ["arm"]})
        self.request("leaf")
        top = self.request("top")
        run = self.order()
        later = self.request("top")
        self.pass_(1)
        self.finish("leaf")
        self.finish("leaf")
        self.finish("top")
        self.assertEnded(run, "reconfigured")
        self.assertEqual(self.running(), ["top"])
        self.finish("top")
        self.assertEqual([self.results(each) for each in (top, later)], [[SUCCESS]] * 2)

    def test_removedBuilderUnforeseen(self):
        """Even what a step waits for of which nobody could know, and of a later build, is built before."""

        class Adds(BuildStep):
            def run(self):
                trigger = steps.Trigger(schedulerNames=["trigger-other"], waitForFinish=True)
                self.build.addStepsAfterCurrentStep([get_factory_from_step_or_factory(trigger)])
                return succeed(SUCCESS)

        builders = {"other": ["arm"], "leaf": ["mac"], "top": ["arm"]}
        workers = self.stock("mac"), self.stock("arm")
        self.farm(*workers, builders=builders, triggers={"other": ["leaf"]})
        top = self.master.botmaster.builders["top"]
        top.config.factory = BuildFactory([Adds(), Job(self)])
        self.write(*workers, builders={"other": ["arm"], "top": ["arm"]}, triggers={"other": ["top"]})
        self.request("leaf")
        run = self.order()
        brid = self.request("top")
        self.finish("leaf")
        self.assertEqual(self.running(), ["leaf"])
        self.finish("leaf")
        self.assertEnded(run, "reconfigured")
        self.finish("top")
        self.assertEqual(self.results(brid), [SUCCESS])

    def test_everybodyElse(self):
        """Who is not covered by the plan does not notice anything."""
        self.levels()
        self.request("leaf")
        run = self.order()
        brids = []
        for _ in range(3):
            brids.append(self.request("other"))
            self.finish("other")
        self.assertIsNone(run.result)
        self.assertEqual([self.results(each) for each in brids], [[SUCCESS]] * 3)
        self.finish("leaf")
        self.assertEnded(run, "reconfigured")

    def test_unassigned(self):
        """Of a worker that is taken from one builder the others go on."""
        builders = {"one": ["mac", "arm"], "two": ["mac"]}
        self.farm(self.stock("mac"), self.stock("arm"), builders=builders)
        self.write(self.stock("mac"), self.stock("arm"), builders={**builders, "one": ["arm"]})
        self.worker("arm").pause("mac is to be chosen")
        self.request("one")
        self.worker("arm").unpause()
        run = self.order()
        self.request("one")
        self.request("two")
        self.request("one")
        workers = [(start.builder, start.worker) for start in self.starts]
        self.assertEqual(workers, [("one", "mac"), ("one", "arm"), ("two", "mac")])
        (first,) = [job for job in self.jobs if (job.buildername, job.workername) == ("one", "mac")]
        first.finish()
        self.pass_(1)
        self.assertEnded(run, "reconfigured")
        self.finishAll()
        self.assertEqual(self.startedOn()[3:], ["arm"])

    def test_newScheduler(self):
        """No build starts in the middle of the reload, when its builder is new and the scheduler it triggers is not."""
        builders = {"top": ["mac"], "leaf": ["arm"]}
        self.farm(self.stock("mac"), self.stock("arm"), builders=builders)
        self.worker("mac").pause("not yet")
        top = self.request("top")
        # Buildbot kicks the builder when it has got its new factory
        self.worker("mac")._paused = False
        self.write(self.stock("mac"), self.stock("arm"), builders=builders, triggers={"top": ["leaf"]})
        run = self.order()
        self.pass_(1)
        self.assertEnded(run, "reconfigured")
        self.assertEqual(self.running(), ["leaf"])
        self.finish("leaf")
        self.finish("top")
        self.assertEqual(self.results(top), [SUCCESS])

    def test_builderIsBack(self):
        """What waits for a builder that is there again is built at once."""
        self.farm(self.stock("mac"), builders={"m": ["mac"], "a": ["mac"]})
        self.worker("mac").pause("not yet")
        brid = self.request("a")
        for builders in ({"m": ["mac"]}, {"m": ["mac"], "a": ["mac"]}):
            self.worker("mac")._paused = False
            self.write(self.stock("mac"), builders=builders)
            self.order()
            self.pass_(1)
        self.assertEqual(self.running(), ["a"])
        self.finish("a")
        self.assertEqual(self.results(brid), [SUCCESS])

    def test_lock(self):
        """A build that has begun and waits for a lock gets it, and is waited for."""
        lock = util.MasterLock("database")
        builders = {"m": ["mac"], "a": ["arm"]}

        def config(*workers):
            made = self.configOf(workers, builders)
            made["builders"] = [
                BuilderConfig(
                    each.name,
                    workernames=each.workernames,
                    factory=BuildFactory([Job(self, locks=[lock.access("exclusive")])]),
                )
                for each in made["builders"]
            ]
            return made

        self.farm(self.stock("mac"), self.stock("arm"), builders=builders)
        self.master.config_loader.config_dict = config(self.stock("mac"), self.stock("arm"))
        self.resultOf(self.master.doReconfig())
        self.request("a")
        waiting = self.request("m")
        self.assertEqual(self.running(), ["a"])
        self.coming = {"mac": self.slave("mac"), "arm": self.stock("arm")}
        self.master.config_loader.config_dict = config(*self.coming.values())
        run = self.order()
        self.pass_(HOUR)
        self.assertIsNone(run.result)
        self.finish("a")
        self.assertEqual(self.running(), ["m"])
        self.finish("m")
        self.assertEnded(run, "reconfigured")
        self.assertEqual(self.results(waiting), [SUCCESS])

    def test_chosenBefore(self):
        """A build that was chosen before the hold, and has not begun, is waited for."""
        builders = {"m": ["mac"]}
        self.farm(self.stock("mac"), builders=builders)
        self.write(self.slave("mac"), builders=builders)
        updates, gate = self.master.data.updates, Deferred()
        claim = updates.claimBuildRequests
        self.patch(updates, "claimBuildRequests", lambda *a, **k: gate.addCallback(lambda _: claim(*a, **k)))
        brid = self.request("m")
        run = self.order()
        self.pass_(10)
        self.assertIsNone(run.result)
        self.assertEqual(self.master.botmaster.builders["m"].building, [])
        gate.callback(None)
        self.pass_(1)
        self.assertEqual(self.running(), ["m"])
        self.finish("m")
        self.assertEnded(run, "reconfigured")
        self.assertEqual(self.results(brid), [SUCCESS])


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
        self.assertIsNone(run.result)
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
        self.assertEqual((self.running(), run.result), ([], None))
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
        self.assertIsNone(run.result)
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
        self.assertIsNone(run.result)
        self.assertEqual(self.unclaimed(), [])
        self.stopMaster()
        self.assertEqual(run.result.result, "stopped")

    def test_shutdownFirst(self):
        """A reconfig that comes second does not keep the master from its end."""
        self.levels()
        self.request("top")
        self.master.botmaster.cleanShutdown()
        run = self.order()
        self.pass_(2)
        self.endAll()
        self.assertEqual(len(self.stopped), 1)
        self.assertIsNone(run.result)

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
        self.assertIsNone(run.result)

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
        self.assertEqual(run.result.result, "stopped")


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
