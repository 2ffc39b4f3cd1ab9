"""Farms that are reconfigured while they work. A seed that fails is a test of its own: run it by its name.

PRESENCE_QUIESCE_SEEDS says how many there are.
"""

import random

from buildbot.process import botmaster
from buildbot.util import asyncSleep

from presence.master.buildslave import BuildSlave
from tests.each import seeds
from tests.master.quiescecase import QuiesceTestCase
from tests.master.quiescesimulation import QuiesceSimulation


class OtherSlave(BuildSlave):
    """Another class of workers with presences."""


@seeds("PRESENCE_QUIESCE_SEEDS", 2, "The life that begins with seed {} keeps all laws.", search=32)
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
        with self.simulation.toldOf(seed):
            self.simulation.run()
