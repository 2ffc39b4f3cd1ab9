import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.model.states import Hold
from presence.orders.record import AdminRecord, Drain
from presence.orders.workers import ON_DEADLINE, DrainOrder, HoldOrder, ReleaseOrder, WorkOrder
from tests.orders.test_workers import JSON
from tests.searches import examples

INSTANTS = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**40)
TEXTS = st.none() | st.text()
DRAINS = st.builds(DrainOrder, TEXTS, INSTANTS, st.none() | st.sampled_from(ON_DEADLINE), TEXTS)
ORDERS = (
    st.builds(HoldOrder, TEXTS, INSTANTS) | DRAINS | st.just(ReleaseOrder()) | st.builds(WorkOrder, INSTANTS)
)


class AdminRecordTests(SynchronousTestCase):
    @examples(10)
    @given(st.lists(st.tuples(ORDERS, TEXTS, INSTANTS.filter(lambda at: at is not None))))
    def test_roundTrip(self, orders):
        """Whatever was ordered, the record comes back from the database as it went there."""
        record = AdminRecord()
        for order, by, now in orders:
            record = record.after(order, by, now)
        self.assertEqual(AdminRecord.fromDict(json.loads(json.dumps(record.toDict()))), record)

    def test_after(self):
        """Holding and working are two things: an order about one leaves the other."""
        record = AdminRecord().after(HoldOrder("disk", 9), "ann", 1).after(WorkOrder(7), "bob", 2)
        self.assertEqual(record, AdminRecord(Hold("admin", "disk", "ann", 1, 9), 7, "bob"))
        self.assertEqual(record.after(ReleaseOrder(), "eve", 3), AdminRecord(None, 7, "bob"))
        self.assertEqual(
            record.after(WorkOrder(None), "eve", 3), AdminRecord(Hold("admin", "disk", "ann", 1, 9))
        )

    def test_drain(self):
        """A drain is a hold without an end; to hold afterwards, or to release, ends the drain."""
        record = AdminRecord().after(DrainOrder("update", 9, None, "g"), "ann", 1)
        self.assertEqual(record.hold, Hold("admin", "update", "ann", 1, None))
        self.assertEqual(record.drain, Drain(9, "interrupt", "g"))
        self.assertEqual(record.after(WorkOrder(7), "bob", 2).drain, record.drain)
        for order in (HoldOrder("disk", 9), ReleaseOrder()):
            self.assertIsNone(record.after(order, "ann", 2).drain)

    def test_beforeThereWereDrains(self):
        """What was stored before there were drains is read."""
        stored = AdminRecord().after(HoldOrder("disk", 9), "ann", 1).toDict()
        del stored["drain"]
        self.assertEqual(AdminRecord.fromDict(stored).hold, Hold("admin", "disk", "ann", 1, 9))

    @examples(10)
    @given(JSON)
    def test_strangers(self, value):
        """What is not a record is a ValueError."""
        self.assertRaises(ValueError, AdminRecord.fromDict, value)

    def test_writtenAtFirst(self):
        """A drain that was stored with the key of the first days is read."""
        record = AdminRecord().after(DrainOrder("disk", 9, None, None), "ann", 1)
        stored = record.toDict()
        stored["drain"]["onDeadline"] = stored["drain"].pop("on_deadline")
        self.assertEqual(AdminRecord.fromDict(stored), record)

    def test_halves(self):
        """Half a record is a ValueError, never half a hold."""
        drained = AdminRecord().after(DrainOrder("disk", 9, None, None), "ann", 1)
        whole = drained.after(WorkOrder(7), "bob", 2).toDict()
        for keys in (
            ("version",),
            ("hold",),
            ("work",),
            ("hold", "since"),
            ("hold", "by"),
            ("work", "until"),
            ("drain", "deadline"),
            ("drain", "on_deadline"),
            ("drain", "group"),
        ):
            half = json.loads(json.dumps(whole))
            inner = half if len(keys) == 1 else half[keys[0]]
            for broken in ("missing", "of another type"):
                if broken == "missing":
                    del inner[keys[-1]]
                else:
                    inner[keys[-1]] = [7]
                self.assertRaises(ValueError, AdminRecord.fromDict, half)
