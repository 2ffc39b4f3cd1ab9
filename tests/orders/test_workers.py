from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.instants import LATEST
from presence.orders.reading import readOrder
from presence.orders.refusals import UnknownAction
from presence.orders.workers import ACTIONS, DrainOrder, HoldOrder, ReleaseOrder, WorkOrder
from presence.text import MAX_REASON

NOW = 1_800_000_000.25


class OrderTests(SynchronousTestCase):
    def test_read(self):
        """An order is read from its action and parameters; what may be missing is None."""
        self.assertEqual(readOrder(ACTIONS, "hold", {}, NOW), HoldOrder(None, None))
        self.assertEqual(
            readOrder(ACTIONS, "hold", {"reason": " x ", "until": NOW + 1}, NOW), HoldOrder("x", NOW + 1)
        )
        self.assertEqual(
            readOrder(ACTIONS, "hold", {"reason": "  ", "until": None}, NOW), HoldOrder(None, None)
        )
        self.assertEqual(readOrder(ACTIONS, "drain", {}, NOW), DrainOrder(None, None, None, None))
        self.assertEqual(
            readOrder(ACTIONS, "drain", {"deadline": NOW + 1, "on_deadline": "release", "group": "g"}, NOW),
            DrainOrder(None, NOW + 1, "release", "g"),
        )
        self.assertEqual(readOrder(ACTIONS, "release", {}, NOW), ReleaseOrder())
        self.assertEqual(readOrder(ACTIONS, "work", {"until": LATEST}, NOW), WorkOrder(LATEST))
        self.assertEqual(readOrder(ACTIONS, "work", {"until": None}, NOW), WorkOrder(None))

    def test_mistakes(self):
        """A parameter that is not good, or that there is not, and an action that there is not, are refused and named."""
        for action, parameters, said in (
            ("hold", {"until": NOW}, "until: "),
            ("hold", {"until": True}, "until: "),
            ("hold", {"reason": 7}, "reason: "),
            ("hold", {"reason": "x" * (MAX_REASON + 1)}, "reason: "),
            ("drain", {"on_deadline": "wait"}, "on_deadline: "),
            ("hold", {"Reason": "x"}, "hold has no parameter"),
            ("HOLD", {}, "there are hold, drain, release, work"),
        ):
            error = self.assertRaises(ValueError, readOrder, ACTIONS, action, parameters, NOW)
            self.assertIn(said, str(error))
            self.assertEqual(isinstance(error, UnknownAction), action == "HOLD")

    def test_required(self):
        """A parameter that is missing is named, with what it means."""
        error = self.assertRaises(ValueError, readOrder, ACTIONS, "work", {}, NOW)
        self.assertIn("work needs until: until when breaks are disregarded", str(error))

    def test_monsters(self):
        """Numbers of thousands of digits and deep nests are refused in a short sentence."""
        nest = []
        for _ in range(5000):
            nest = [nest]
        for value in (10**5000, -(10**5000), nest):
            for name in ("until", "reason"):
                error = self.assertRaises(ValueError, readOrder, ACTIONS, "hold", {name: value}, NOW)
                self.assertLess(len(str(error)), 200)
        while nest:  # or else its end would recurse
            nest = nest.pop()
