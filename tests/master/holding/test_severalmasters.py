"""An order that another master of the farm has stored."""

from twisted.internet.defer import fail

from presence.master.holding.recordtable import RecordTable
from presence.orders.record import AdminRecord
from presence.orders.workers import HoldOrder
from tests.master.apicase import ApiTestCase, user

ANN = user("ann")


class SeveralMastersTests(ApiTestCase):
    """Another master has followed an order: it has stored it, and says so."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini")])
        self.told = []
        self.resultOf(
            self.master.mq.startConsuming(
                lambda key, message: self.told.append((key, message)), ("control", "presences", None, None)
            )
        )

    def storeElsewhere(self, order, by="bob"):
        now = self.reactor.seconds()
        self.resultOf(
            RecordTable(self.master).change(["mac-mini"], lambda _: AdminRecord().after(order, by, now))
        )

    def test_weSay(self):
        """What is ordered here is told to the others, after it was stored."""
        self.post("presences/mac-mini", "hold", ANN)
        self.assertEqual(
            self.told,
            [
                (
                    ("control", "presences", str(self.workerid()), "hold"),
                    {"masterid": self.master.masterid, "name": "mac-mini"},
                )
            ],
        )

    def test_theySay(self):
        """What another master says leads to a look into the database."""
        self.storeElsewhere(HoldOrder("disk", None))
        self.assertEqual(self.sources(), [])
        self.master.mq.produce(
            ("control", "presences", str(self.workerid()), "hold"), {"masterid": 99, "name": "mac-mini"}
        )
        self.pass_(1)
        self.assertEqual(
            (self.presence().heldBy("admin").reason, self.presence().heldBy("admin").by), ("disk", "bob")
        )

    def test_theMessageIsLost(self):
        """A message that is lost is made up for when the worker connects, before it can get a build."""
        self.disconnect("mac-mini")
        self.storeElsewhere(HoldOrder("disk", None))
        self.request()
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.sources(), ["admin"])
        self.assertEqual(self.starts, [])

    def test_heldByAnotherPart(self):
        """A hold that a service in master.cfg has placed itself is not stored, and not undone when the worker connects."""
        self.post("presences/mac-mini", "hold", ANN)
        self.post("presences/mac-mini", "release", ANN)
        self.presence().hold("admin", reason="a service of ours")
        self.disconnect("mac-mini")
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.sources(), ["admin"])
        self.post("presences/mac-mini", "release", ANN)
        self.assertEqual(self.sources(), [])

    def test_databaseGoneWhenItConnects(self):
        """A worker connects even when the database cannot be asked about it; what is known stays."""
        self.post("presences/mac-mini", "hold", ANN)
        self.disconnect("mac-mini")
        self.patch(RecordTable, "read", lambda *_: fail(RuntimeError("no database")))
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.sources(), ["admin"])

    def test_workerOfAnotherMaster(self):
        """An order for a worker of another master is stored and told; that one does it."""
        workerid = self.resultOf(self.master.data.updates.findWorkerId("theirs"))
        self.assertEqual(self.post("presences/theirs", "hold", ANN).status, 404)
        builderid = self.resultOf(self.master.data.updates.findBuilderId("runtests"))
        self.resultOf(self.master.db.workers.workerConfigured(workerid, 1, [builderid]))
        answer = self.post("workers/theirs/presence", "hold", ANN, reason="disk")
        self.assertIsNone(answer.result)
        self.assertEqual([key[2] for key, _ in self.told], [str(workerid)])
        record = self.resultOf(RecordTable(self.master).read("theirs"))
        self.assertEqual((record.hold.reason, record.hold.by), ("disk", "ann"))

    def test_nobodyWeKnow(self):
        """A message about a worker that we do not have changes nothing."""
        self.master.mq.produce(("control", "presences", "99", "hold"), {"masterid": 99, "name": "theirs"})
        self.pass_(1)
        self.assertEqual(self.sources(), [])
