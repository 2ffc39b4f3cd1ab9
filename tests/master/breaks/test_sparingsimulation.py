"""The last hours before a break of a farm that always has something to build. PRESENCE_SEEDS says how many such farms. Months,
of farms by themselves and on a master, are measured by `benchmarks/sparing.py`.
"""

import random

from twisted.trial.unittest import SynchronousTestCase

from presence.master.builds.estimates import LOOK_BACK
from tests.each import seeds
from tests.master.breaks.sparingsimulation import NIGHT, Simulation, likely, night, pastOf, perfect, stateOf
from tests.master.fakemaster import MasterTestCase
from tests.searches import THOROUGH

MONTH = 30
HOURS = 3 if THOROUGH else 2


class MonthTests(SynchronousTestCase):
    def test_month(self):
        """Of a month of three farms 95 % of the breaks begin idle, and 5 % at most is lost of what could have been built."""
        for seed in range(1, 4):
            found = night(random.Random(seed), MONTH, likely)
            best = perfect(random.Random(seed), MONTH)
            self.assertGreaterEqual(found.idleShare, 0.95)
            self.assertGreaterEqual(found.builds, 0.95 * best.builds)
            self.assertGreaterEqual(found.hours, 0.95 * best.hours)


@seeds(
    "PRESENCE_SEEDS",
    1,
    "A master with durations in its database does of farm {} what the forecast says: breaks begin idle, and little is lost.",
    search=4,
)
class SparingTests(MasterTestCase):
    def simulate(self, seed):
        rng = random.Random(seed)
        before = stateOf(pastOf(rng, LOOK_BACK))
        state = rng.getstate()
        found = Simulation(self, rng, 1, before, hours=HOURS).run()
        rng.setstate(state)
        best = perfect(rng, 1, HOURS)
        # one of a hundred builds is a stray
        self.assertGreaterEqual(found.idle, found.breaks - 1)
        # of what the machines build in a whole night 5 % at most
        self.assertGreaterEqual(found.hours, best.hours - 0.05 * NIGHT * found.breaks)
