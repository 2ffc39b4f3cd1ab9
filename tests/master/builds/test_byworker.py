"""Which builders a worker builds for: what Buildbot says, without looking through all of them."""

from types import SimpleNamespace

from buildbot.process.botmaster import BotMaster
from twisted.trial.unittest import SynchronousTestCase

from presence.master.builds.byworker import BuildersByWorker
from tests.master.fakemaster import MasterTestCase

NAMES = ("w1", "w2", "w3")


class _Config:
    """A builder's configuration, which counts how often somebody looks at it."""

    def __init__(self, names):
        self._names = names
        self.looks = 0

    @property
    def workernames(self):
        self.looks += 1
        return self._names


def _builders(configuration):
    return {
        name: SimpleNamespace(name=name, config=None if names is None else _Config(names))
        for name, names in configuration.items()
    }


class ByWorkerTests(SynchronousTestCase):
    def setUp(self):
        self.botmaster = SimpleNamespace(builders={})
        self.parts = BuildersByWorker(SimpleNamespace(botmaster=self.botmaster))
        self.parts.start()

    def assertAlike(self):
        for name in (*NAMES, "stranger"):
            stock = BotMaster.getBuildersForWorker(self.botmaster, name)
            self.assertEqual(self.botmaster.getBuildersForWorker(name), stock)

    def test_anotherConfiguration(self):
        """A builder that stays, and is given another configuration, or its first one, is for the workers that are named there."""
        self.botmaster.builders = builders = _builders({"a": ["w1"], "b": None})
        self.assertAlike()
        for name in builders:
            builders[name].config = _Config(["w2"])
            self.assertAlike()

    def test_anotherBuilder(self):
        """A builder that takes the place of another one, and its configuration, is found instead."""
        builders = _builders({"a": ["w1"]})
        self.botmaster.builders = builders
        self.assertAlike()
        self.botmaster.builders = {"a": SimpleNamespace(name="a", config=builders["a"].config)}
        self.assertIs(self.botmaster.getBuildersForWorker("w1")[0], self.botmaster.builders["a"])

    def test_once(self):
        """As long as nothing has changed each builder is looked at once, for all workers."""
        self.botmaster.builders = _builders({"a": ["w1", "w2"], "b": ["w2"]})
        found = {name: [each.name for each in self.botmaster.getBuildersForWorker(name)] for name in NAMES}
        self.assertEqual(found, {"w1": ["a"], "w2": ["a", "b"], "w3": []})
        self.assertEqual([each.config.looks for each in self.botmaster.builders.values()], [1, 1])

    def test_ownList(self):
        """Who changes the list that was given changes nobody else's."""
        self.botmaster.builders = _builders({"a": ["w1"]})
        self.botmaster.getBuildersForWorker("w1").clear()
        self.assertAlike()

    def test_anothersAnswer(self):
        """Where somebody else has an answer already that one is left there."""
        self.parts.stop()
        self.assertEqual(list(vars(self.botmaster)), ["builders"])
        self.botmaster.getBuildersForWorker = answer = object()
        self.parts.start()
        self.parts.stop()
        self.assertIs(self.botmaster.getBuildersForWorker, answer)


class ReconfigTests(MasterTestCase):
    def test_reconfig(self):
        """A worker that a configuration gives other builders is told these."""
        slaves = [self.slave("w1"), self.slave("w2")]
        self.startMaster(slaves, {"a": ["w1"], "b": ["w1", "w2"]})
        self.assertIn("getBuildersForWorker", vars(self.master.botmaster))
        self.reconfig(slaves, {"b": ["w2"], "c": ["w1"]})
        self.pass_(1)
        told = {name: [each for each, _ in self.worker(name)._old_builder_list] for name in ("w1", "w2")}
        self.assertEqual(told, {"w1": ["c"], "w2": ["b"]})
