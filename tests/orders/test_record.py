import json

from twisted.trial.unittest import SynchronousTestCase

from presence.model.states import Hold
from presence.orders.placed import Drain, Pushed
from presence.orders.record import AdminRecord
from presence.orders.refusals import OrderRefused
from presence.orders.workers import (
    LONGEST_PUSH,
    DrainOrder,
    HoldOrder,
    PushOrder,
    ReleaseOrder,
    WithdrawOrder,
    WorkOrder,
)


class AdminRecordTests(SynchronousTestCase):
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

    def test_pushed(self):
        """Several sources hold beside an admin; each renews its own, and one that is over is forgotten."""
        record = (
            AdminRecord()
            .after(HoldOrder("disk"), "ann", 1)
            .after(PushOrder("zabbix", 300, "load 63"), "z", 1)
        )
        record = record.after(PushOrder("nagios", 100), None, 2)
        self.assertEqual(record.hold.reason, "disk")
        self.assertEqual([each.source for each in record.pushed], ["nagios", "zabbix"])
        record = record.after(PushOrder("zabbix", 600, "load 70"), "z", 200)
        self.assertEqual(record.pushed, (Pushed("zabbix", "load 70", "z", 1, 600),))
        self.assertEqual(record.after(ReleaseOrder(), "ann", 201).pushed, record.pushed)
        self.assertEqual(record.after(WithdrawOrder("nagios"), None, 201).pushed, record.pushed)
        self.assertEqual(record.after(WithdrawOrder("zabbix"), "z", 201).pushed, ())
        self.assertEqual(AdminRecord.fromDict(json.loads(json.dumps(record.toDict()))), record)

    def test_pushedByOthers(self):
        """Nobody renews or ends what another user has pushed; when it is over anybody may push."""
        record = AdminRecord().after(PushOrder("zabbix", 300), "z", 1)
        for order in (PushOrder("zabbix", 400), WithdrawOrder("zabbix")):
            error = self.assertRaises(OrderRefused, record.after, order, "eve", 60)
            self.assertIn(
                "was pushed by z, who alone renews and ends it: it ends by itself in 4 min", str(error)
            )
        self.assertEqual(record.after(PushOrder("zabbix", 400), "eve", 300).pushed[0].by, "eve")

    def test_tooMuchPushed(self):
        """A hold is pushed for a day at most, and by so many sources."""
        self.assertRaises(OrderRefused, AdminRecord().after, PushOrder("zabbix", 1 + LONGEST_PUSH), None, 0)
        record = AdminRecord()
        for number in range(20):
            record = record.after(PushOrder(f"s{number}", 300), None, 1)
        self.assertRaises(OrderRefused, record.after, PushOrder("more", 300), None, 1)
        self.assertEqual(len(record.after(PushOrder("s7", 400), None, 1).pushed), 20)

    def test_writtenAtFirst(self):
        """A drain that was stored with the key of the first days is read."""
        record = AdminRecord().after(DrainOrder("disk", 9, None, None), "ann", 1)
        stored = record.toDict()
        stored["drain"]["onDeadline"] = stored["drain"].pop("on_deadline")
        self.assertEqual(AdminRecord.fromDict(stored), record)

    def test_halves(self):
        """Half a record is a ValueError, never half a hold."""
        drained = AdminRecord().after(DrainOrder("disk", 9, None, None), "ann", 1)
        whole = drained.after(WorkOrder(7), "bob", 2).after(PushOrder("zabbix", 9), "z", 1).toDict()
        for wrong in (7, [7], [{}], [{"source": "a b", "reason": None, "by": None, "since": 1, "until": 2}]):
            self.assertRaises(ValueError, AdminRecord.fromDict, {**whole, "pushed": wrong})
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
