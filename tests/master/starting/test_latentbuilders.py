"""A latent worker whose builder is removed, or taken away from it, and is there again later (Buildbot's #9135)."""

from types import SimpleNamespace

from buildbot.test.fake.latent import LatentController
from buildbot.worker.latent import States

from tests.master.fakemaster import HOUR, MasterTestCase


class LatentBuildersTests(MasterTestCase):
    def startLatent(self, builders=None):
        self.latent_controller = self.makeLatent()
        self.startMaster([self.latent_controller], builders or {"a": ["cloud"], "b": ["cloud"]})
        return self.latent_controller

    def makeLatent(self):
        return self.latent("cloud")

    def reload(self, builders, *others):
        self.reconfig([self.makeLatent(), *others], builders)

    def assertBuilds(self, builder):
        before = len(self.starts)
        self.request(builder)
        self.assertEqual([start.builder for start in self.starts[before:]], [builder])
        self.finishAll()
        self.pass_(HOUR)
        self.assertEqual(self.worker("cloud").state, States.NOT_SUBSTANTIATED)

    def ready(self, builder):
        (found,) = (
            each
            for each in self.resultOf(self.master.data.get(("builderpresences",)))
            if each["name"] == builder
        )
        return found["ready"], found["total"]

    def test_builderIsRemoved(self):
        """The builder is removed, and added again: the worker builds for it as before."""
        self.startLatent()
        self.reload({"a": ["cloud"]})
        self.reload({"a": ["cloud"], "b": ["cloud"]})
        self.assertBuilds("b")
        self.assertBuilds("a")

    def test_severalTimes(self):
        """So it does when that happens again, and after a build."""
        self.startLatent()
        for _ in range(3):
            self.reload({"a": ["cloud"]})
            self.reload({"a": ["cloud"], "b": ["cloud"]})
            self.assertBuilds("b")
        self.assertEqual(len(self.master.botmaster.builders["b"].workers), 1)
        self.assertEqual(len(self.worker("cloud").workerforbuilders), 2)

    def test_takenAway(self):
        """The worker is taken from the builder, and given back."""
        self.startLatent()
        plain = self.slave("plain")
        self.reload({"a": ["cloud"], "b": ["plain"]}, plain)
        self.reload({"a": ["cloud"], "b": ["cloud"]}, self.slave("plain"))
        self.assertBuilds("b")

    def test_whileItRuns(self):
        """The builder is removed and added again while the machine runs, with nothing to do."""
        self.startLatent()
        self.request("a")
        self.finishAll()
        self.assertEqual(self.worker("cloud").state, States.SUBSTANTIATED)
        self.reload({"a": ["cloud"]})
        self.reload({"a": ["cloud"], "b": ["cloud"]})
        self.assertBuilds("b")

    def test_whileItBuilds(self):
        """The builder is removed and added again while the machine builds for it: it builds for the new one when that is over."""
        self.startLatent()
        self.request("b")
        self.assertEqual(len(self.jobs), 1)
        self.reload({"a": ["cloud"]})
        self.reload({"a": ["cloud"], "b": ["cloud"]})
        self.assertEqual(self.ready("b"), (0, 0))
        brid = self.request("b")
        self.assertEqual(len(self.jobs), 1)
        self.finishAll()
        # Buildbot does not expect the end of a build of a builder that is gone
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.pass_(1)
        self.assertEqual(self.ready("b"), (1, 1))
        self.finishAll()
        self.assertEqual(self.results(brid), [0])
        self.pass_(HOUR)
        self.assertBuilds("b")

    def test_ready(self):
        """A builder has a ready worker exactly when that could start a build for it."""
        self.startLatent()
        self.assertEqual(self.ready("b"), (1, 1))
        self.reload({"a": ["cloud"]})
        self.reload({"a": ["cloud"], "b": ["cloud"]})
        self.assertEqual(self.ready("b"), (1, 1))
        self.assertBuilds("b")


class StockLatentTests(LatentBuildersTests):
    """Stock latent workers beside one of ours are healed as well."""

    def makeLatent(self):
        controller = LatentController(self, "cloud")
        controller.auto_start(True)
        controller.auto_stop(True)
        controller.connect_worker = lambda: type(self.latent("x")).connect_worker(controller)
        return controller

    def startLatent(self, builders=None):
        self.latent_controller = self.makeLatent()
        self.ours = self.slave("ours")
        self.startMaster([self.latent_controller, self.ours], builders or {"a": ["cloud"], "b": ["cloud"]})
        return self.latent_controller

    def reload(self, builders, *others):
        self.reconfig([self.makeLatent(), self.slave("ours"), *others], builders)

    def test_whileItBuilds(self):
        """One that builds for a builder that is gone is not called ready before its next reconfig after that."""
        self.startLatent()
        self.request("b")
        self.reload({"a": ["cloud"]})
        self.reload({"a": ["cloud"], "b": ["cloud"]})
        self.assertEqual(self.ready("b"), (0, 0))
        self.finishAll()
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.pass_(HOUR)
        self.reload({"a": ["cloud"], "b": ["cloud"]})
        self.assertEqual(self.ready("b"), (1, 1))
        self.assertBuilds("b")

    def test_yetToBeMade(self):
        """One that Buildbot makes after the roster has read the configuration is not offline meanwhile."""
        self.startLatent()
        config = self.master.config
        late = LatentController(self, "late").worker
        self.roster._follow(SimpleNamespace(workers=[*config.workers, late], builders=config.builders))
        self.assertEqual(self.sources("late"), [])
        self.roster._follow(config)
