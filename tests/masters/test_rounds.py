"""A few random rounds in which something breaks while one master orders a worker of the other held: `python -m tests.masters.rounds` plays
hundreds of them.
"""

from twisted.trial.unittest import SynchronousTestCase

from tests.masters.rounds import AGREE, BUSY, Rounds

# one after which Buildbot itself may stand still is the last
FAULTS = ("none", "router", "a killed", "a dies before it tells", "database killed")


class RoundTests(SynchronousTestCase):
    def test_rounds(self):
        """No build starts on a worker after a hold of it was acknowledged, whatever breaks; and then both masters say the same."""
        rounds = Rounds(self, seed=21, patience=AGREE * BUSY)
        rounds.play(len(FAULTS), FAULTS)
        self.assertEqual(rounds.wrong, [], rounds.summary())
        self.assertTrue(any(each.heeded for each in rounds.orders), rounds.summary())
