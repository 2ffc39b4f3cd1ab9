"""Whole masters live for weeks. A seed that fails is a test of its own: run it by its name.

PRESENCE_SEEDS says how many there are.
"""

import os
import random

from tests.master.fakemaster import MasterTestCase
from tests.master.simulation import Simulation

SEEDS = int(os.environ.get("PRESENCE_SEEDS", "240"))


class SimulationTests(MasterTestCase):
    """Whatever happens: no build starts on a held worker, nothing is lost, and nothing waits in vain."""

    simulation = None

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
            self.simulation.run()
        except Exception as problem:
            history = "\n".join(self.simulation.history)
            raise AssertionError(
                f"seed {seed}: {problem}\nWhat has happened until then:\n{history}"
            ) from problem
        finally:
            self.simulation.turned = lambda: None


def _testOf(seed):
    def test(self):
        self.simulate(seed)

    test.__name__ = f"test_seed{seed}"
    test.__doc__ = f"The life that begins with seed {seed} keeps all laws."
    return test


for _seed in range(1, SEEDS + 1):
    setattr(SimulationTests, f"test_seed{_seed}", _testOf(_seed))
