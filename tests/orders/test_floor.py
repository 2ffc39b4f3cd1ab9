"""How many workers stay ready, whatever admins order."""

from twisted.trial.unittest import SynchronousTestCase

from presence.orders.floor import Floor, FloorDecision, concerns
from presence.orders.record import AdminRecord
from presence.orders.refusals import OrderRefused
from presence.orders.workers import DrainOrder, HoldOrder, PushOrder, ReleaseOrder, WorkOrder

FOUR = ("w1", "w2", "w3", "w4")


def decision(*workers, least=2, away=(), members=FOUR):
    floor = Floor.read("runtests", least)
    return FloorDecision(frozenset(workers), ((floor, members),), dict(away), lambda: 100.0)


def held(order, by="ann", at=50.0):
    return AdminRecord().after(order, by, at)


class FloorTests(SynchronousTestCase):
    def refusal(self, asked, records=None):
        return str(self.assertRaises(OrderRefused, asked.check, records or {}))

    def test_read(self):
        """A number, or a percentage, which is rounded up: half of three is two."""
        self.assertEqual([Floor.read("x", 2).of(9), Floor.read("x", "50%").of(3)], [2, 2])
        self.assertEqual([Floor.read("x", "100%").of(3), Floor.read("x", "1 %").of(3)], [3, 1])
        for wrong in (0, -1, True, 1.5, "2", "0%", "101%", "%", "x%", "-1%", "²%", None, "1" * 5000 + "%"):
            self.assertIn('such as "50%"', str(self.assertRaises(ValueError, Floor.read, "x", wrong)))

    def test_concerns(self):
        """Only what holds workers, and is not forced."""
        self.assertTrue(concerns(HoldOrder()) and concerns(DrainOrder()))
        for order in (
            HoldOrder(force=True),
            DrainOrder(force=True),
            ReleaseOrder(),
            WorkOrder(),
            PushOrder("z", 9),
        ):
            self.assertFalse(concerns(order))

    def test_refused(self):
        """An order that leaves fewer is refused, and it is said who is away already, and why."""
        decision("w1", "w2").check({})
        records = {"w4": held(HoldOrder("disk"))}
        said = self.refusal(decision("w1", away={"w3": "on a break"}), records)
        self.assertEqual(
            said,
            "2 of 4 workers of runtests are to stay ready (keepReady), and it would leave 1; away already: w3 (on a break), w4 "
            "(held by ann (disk)): wait for those, order less at once, or force it",
        )
        self.assertIn("would leave 1:", self.refusal(decision("w1", "w2", "w3")))
        self.assertIn("w2 (drain by ann)", self.refusal(decision("w1", "w3"), {"w2": held(DrainOrder())}))

    def test_notFewer(self):
        """What does not make it fewer is not refused: who is away already may be held, also below the floor."""
        away = {"w1": "not connected", "w2": "on a break", "w3": "on a break"}
        decision("w1", "w2", away=away).check({})
        self.assertIn("would leave 0", self.refusal(decision("w1", "w4", away=away)))
        # and to hold again who is held is something else than to hold
        records = {name: held(HoldOrder()) for name in ("w1", "w2")}
        decision("w1", "w2").check(records)

    def test_over(self):
        """A hold that is over holds nobody."""
        decision("w1", "w2").check({"w3": held(HoldOrder(until=100.0))})
        self.refusal(decision("w1", "w2"), {"w3": held(HoldOrder(until=100.5))})

    def test_many(self):
        """Of many who are away five are named."""
        members = tuple(f"w{number}" for number in range(10))
        away = dict.fromkeys(members[1:], "on a break")
        self.assertIn(
            "w5 (on a break) and 4 more: wait", self.refusal(decision("w0", away=away, members=members))
        )
