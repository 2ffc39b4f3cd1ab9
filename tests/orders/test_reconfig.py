from twisted.trial.unittest import SynchronousTestCase

from presence.orders.reading import readOrder
from presence.orders.reconfig import ACTIONS, CancelOrder, PlanOrder, ReconfigOrder
from presence.orders.refusals import UnknownAction

NOW = 1_795_000_000


class OrderTests(SynchronousTestCase):
    def read(self, action, **parameters):
        return readOrder(ACTIONS, action, parameters, NOW)

    def refused(self, action, **parameters):
        return str(self.assertRaises(ValueError, self.read, action, **parameters))

    def test_good(self):
        """Each order with what it takes; null is as good as missing."""
        self.assertEqual(self.read("reconfig"), ReconfigOrder())
        self.assertEqual(
            self.read("reconfig", all=True, deadline=NOW + 60, on_deadline="interrupt"),
            ReconfigOrder(True, NOW + 60, "interrupt"),
        )
        self.assertEqual(self.read("reconfig", all=None, deadline=None, on_deadline=None), ReconfigOrder())
        self.assertEqual(self.read("plan", all=True), PlanOrder(True))
        self.assertEqual(self.read("cancel"), CancelOrder())

    def test_bad(self):
        """What is wrong is refused, and the text says what would be right."""
        for action, parameters, said in (
            ("reconfig", {"al": True}, "did you mean all?"),
            ("reconfig", {"ondeadline": "abort"}, "did you mean on_deadline?"),
            ("reconfig", {"all": 1}, "all: 1 is neither true nor false"),
            ("reconfig", {"deadline": "1h"}, "seconds since the epoch"),
            ("reconfig", {"deadline": NOW - 1}, "is past"),
            ("reconfig", {"deadline": NOW + 60, "on_deadline": "stop"}, "abort, interrupt, reconfig"),
            ("reconfig", {"deadline": NOW + 60, "on_deadline": ["abort"]}, "abort, interrupt, reconfig"),
            ("reconfig", {"on_deadline": "abort"}, "give deadline as well"),
            ("plan", {"deadline": NOW + 60}, "there is all"),
            ("cancel", {"all": True}, "there are none"),
        ):
            self.assertIn(said, self.refused(action, **parameters))

    def test_unknown(self):
        """An action that is not there is refused, with those that are."""
        for action in ("Reconfig", "reload", ""):
            problem = self.assertRaises(UnknownAction, self.read, action)
            self.assertIn("reconfig, plan, cancel", str(problem))
