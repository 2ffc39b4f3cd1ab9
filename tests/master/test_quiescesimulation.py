"""Farms that are reconfigured while they work. A seed that fails is a test of its own: run it by its name.

PRESENCE_QUIESCE_SEEDS says how many there are.
"""

import os
import random

from buildbot.process import botmaster
from buildbot.util import asyncSleep

from presence.master.buildslave import BuildSlave
from tests.master.quiescecase import QuiesceTestCase
from tests.master.quiescesimulation import QuiesceSimulation

SEEDS = int(os.environ.get("PRESENCE_QUIESCE_SEEDS", "24"))


class OtherSlave(BuildSlave):
    """Another class of workers with presences."""


class QuiesceSimulationTests(QuiesceTestCase):
    """Whatever happens: nothing is lost, nothing is built twice, nothing waits in vain, nothing stays held."""

    otherSlave = OtherSlave
    simulation = None

    def setUp(self):
        super().setUp()
        # Buildbot would sleep by the real clock
        self.patch(botmaster.util, "asyncSleep", lambda delay: asyncSleep(delay, self.reactor))

    def started(self, start):
        super().started(start)
        self.simulation.started(start)

    def simulate(self, seed):
        self.simulation = QuiesceSimulation(self, random.Random(seed))
        try:
            self.simulation.run()
        except BaseException as problem:
            history = "\n".join(self.simulation.history)
            raise AssertionError(
                f"seed {seed}: {problem!r}\nWhat has happened until then:\n{history}"
            ) from problem


def _testOf(seed):
    def test(self):
        self.simulate(seed)

    test.__name__ = f"test_seed{seed}"
    test.__doc__ = f"The life that begins with seed {seed} keeps all laws."
    return test


for _seed in range(1, SEEDS + 1):
    setattr(QuiesceSimulationTests, f"test_seed{_seed}", _testOf(_seed))
