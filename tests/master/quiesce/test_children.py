from buildbot.config import BuilderConfig
from buildbot.plugins import steps, util
from buildbot.process.buildstep import BuildStep, get_factory_from_step_or_factory
from buildbot.process.factory import BuildFactory
from buildbot.process.results import SUCCESS
from twisted.internet.defer import Deferred, succeed

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
            if run.outcome is not None:
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
        self.assertIsNone(run.outcome)
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
        self.assertIsNone(run.outcome)
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
        self.assertIsNone(run.outcome)
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
        # before Buildbot kicks the builder, when it has got its new factory
        self.master.botmaster.builders["top"].config.canStartBuild = lambda *_: False
        top = self.request("top")
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
        self.master.botmaster.builders["a"].config.canStartBuild = lambda *_: False
        brid = self.request("a")
        for builders in ({"m": ["mac"]}, {"m": ["mac"], "a": ["mac"]}):
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
        self.assertIsNone(run.outcome)
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
        self.assertIsNone(run.outcome)
        self.assertEqual(self.master.botmaster.builders["m"].building, [])
        gate.callback(None)
        self.pass_(1)
        self.assertEqual(self.running(), ["m"])
        self.finish("m")
        self.assertEnded(run, "reconfigured")
        self.assertEqual(self.results(brid), [SUCCESS])
