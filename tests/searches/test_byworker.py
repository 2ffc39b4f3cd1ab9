"""The builders of a worker are found as by Buildbot, whatever a configuration changes."""

from types import SimpleNamespace

from buildbot.process.botmaster import BotMaster
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.master.builds.byworker import BuildersByWorker
from tests.searches.cases import examples

NAMES = ("w1", "w2", "w3")
# of each builder, by name: its workers, or that it has no configuration yet
CONFIGURATIONS = st.dictionaries(
    st.sampled_from("abcd"), st.none() | st.lists(st.sampled_from(NAMES), max_size=4), max_size=4
)


class ByWorkerTests(SynchronousTestCase):
    @examples(60)
    @given(st.lists(CONFIGURATIONS, max_size=4), st.data())
    def test_asStock(self, configurations, data):
        """The same builders in the same order, whatever comes and goes: builders, and configurations of those that stay."""
        botmaster = SimpleNamespace(builders={})
        BuildersByWorker(SimpleNamespace(botmaster=botmaster)).start()
        for configuration in configurations:
            before, botmaster.builders = botmaster.builders, {}
            for name, names in configuration.items():
                builder = before.get(name)
                if builder is None or data.draw(st.booleans()):
                    builder = SimpleNamespace(name=name)
                builder.config = None if names is None else SimpleNamespace(workernames=names)
                botmaster.builders[name] = builder
            for name in (*NAMES, "stranger"):
                stock = BotMaster.getBuildersForWorker(botmaster, name)
                self.assertEqual(botmaster.getBuildersForWorker(name), stock)
