"""Whole masters live for weeks. A seed that fails is a test of its own: run it by its name.

PRESENCE_SEEDS says how many there are.
"""

import random

from buildbot.warnings import ConfigWarning

from tests.each import seeds
from tests.master.fakemaster import MasterTestCase
from tests.master.simulation import Simulation


@seeds("PRESENCE_SEEDS", 5, "The life that begins with seed {} keeps all laws.", search=80)
class SimulationTests(MasterTestCase):
    """Whatever happens: no build starts on a held worker, nothing is lost, and nothing waits in vain."""

    simulation = None
    # breaks at random are not what anybody would write
    suppress = [(["ignore"], {"category": ConfigWarning})]  # noqa: RUF012

    def started(self, start):
        super().started(start)
        self.simulation.started(start)

    def turned(self):
        self.simulation.turned()

    def simulate(self, seed):
        rng = random.Random(seed)
        size, events = (12, 60) if seed % 50 == 0 else (rng.randint(2, 4), 18)
        self.simulation = Simulation(self, rng, size, events)
        try:
            with self.simulation.toldOf(seed):
                self.simulation.run()
        finally:
            self.simulation.turned = lambda: None
