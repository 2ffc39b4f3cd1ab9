from buildbot.config import BuilderConfig
from buildbot.plugins import steps, util
from buildbot.schedulers.triggerable import Triggerable
from buildbot.worker.base import Worker

from presence.master.quiesce.configdiff import coming, planFor, running
from presence.master.quiesce.plan import Triggers
from tests.master.fakemaster import MasterTestCase


class Mine(Triggerable):
    """Another class of schedulers."""


class Choosing(steps.Trigger):
    def getSchedulersAndProperties(self):
        return []


class Renewed(Worker):
    """A worker that says itself whether it can be reconfigured."""

    def canReconfigWithSibling(self, sibling):
        return isinstance(sibling, Worker) and sibling.max_builds == self.max_builds


class DiffTests(MasterTestCase):
    """Descriptions are made from Buildbot's own objects."""

    def loaded(self, **config):
        """A `MasterConfig` of this content."""
        loader = type(self.master.config_loader)(config)
        return loader.loadConfig()

    def start(self, *controllers, **more):
        self.startMaster(controllers, connect=False, **more)

    def conflicts(self, *controllers, builders=None, **more):
        config = self.loaded(**self.config(controllers, builders, **more))
        return [(each.builder, each.worker) for each in planFor(self.master, config).conflicts]

    def test_same(self):
        """The same again, with other keywords and in another order, hurts nobody."""
        self.start(self.slave("mac"), self.stock("plain"))
        self.assertEqual(
            self.conflicts(
                self.stock("plain", max_builds=2),
                self.slave("mac", worker_class=type(self.slave("x").worker), max_builds=3),
            ),
            [],
        )

    def test_adoption(self):
        """A stock worker that becomes a `BuildSlave` is hurt, and so is one that is removed."""
        self.start(self.stock("mac"), self.stock("plain"))
        self.assertEqual(self.conflicts(self.slave("mac")), [(None, "mac"), (None, "plain")])

    def test_ownWord(self):
        """A worker's own word on whether it can be reconfigured decides, in either direction."""
        self.start(self.slave("mac", worker_class=Renewed, max_builds=1))
        self.assertEqual(self.conflicts(self.stock("mac", max_builds=1)), [])
        self.assertEqual(
            self.conflicts(self.slave("mac", worker_class=Renewed, max_builds=2)), [(None, "mac")]
        )

    def test_triggers(self):
        """What a step triggers is known from its arguments, or else it may be anything."""

        def builder(*wanted):
            return BuilderConfig("b", workernames=["mac"], factory=util.BuildFactory(list(wanted)))

        self.start(self.stock("mac"))
        for step, expected in (
            (steps.Trigger(schedulerNames=["t"], waitForFinish=True), Triggers(frozenset({"t"}), True)),
            (steps.Trigger(["t"]), Triggers(frozenset({"t"}), False)),
            (steps.Trigger(["t"], None, None, None, True, True), Triggers(frozenset({"t"}), True)),
            (steps.Trigger(schedulerNames=[util.Property("t")]), Triggers(None, False)),
            (Choosing(schedulerNames=["t"]), Triggers(None, True)),
        ):
            config = self.config([self.stock("mac")])
            config["builders"] = [builder(steps.ShellCommand(command="true"), step)]
            config["schedulers"] = [Triggerable("t", builderNames=["b"])]
            found = coming(self.master, self.loaded(**config))
            self.assertEqual(found.builders["b"].triggers, (expected,))
            self.assertEqual(found.triggerables["t"].builders, {"b"})

    def test_schedulers(self):
        """A triggered scheduler that is replaced is found."""
        trigger = steps.Trigger(schedulerNames=["t"], waitForFinish=True)
        config = self.config([self.stock("mac")])
        factory = util.BuildFactory([trigger])
        config["builders"].append(BuilderConfig("top", workernames=["mac"], factory=factory))
        config["schedulers"] = [Triggerable("t", builderNames=["runtests"])]
        self.resultOf(self.setup_master(config))
        self.assertEqual(set(running(self.master).triggerables), {"t"})
        for replaced, expected in (
            ([Triggerable("t", builderNames=["runtests"], reason="x")], []),
            ([Mine("t", builderNames=["runtests"])], [("top", None)]),
            ([], [("top", None)]),
        ):
            after = self.config([self.stock("mac")])
            after["builders"].append(BuilderConfig("top", workernames=["mac"], factory=util.BuildFactory()))
            after["schedulers"] = replaced
            plan = planFor(self.master, self.loaded(**after))
            self.assertEqual([(each.builder, each.worker) for each in plan.conflicts], expected)
