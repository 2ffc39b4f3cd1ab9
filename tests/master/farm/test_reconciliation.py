"""An order that another master of the farm has stored."""

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from twisted.internet.defer import fail
from twisted.logger import capturedLogs, formatEvent

from presence.master.farm.reconciliation import ORDERED, PERIOD
from presence.master.holding.recordtable import RecordTable
from presence.master.stored.objects import FARM
from presence.orders.record import AdminRecord
from presence.orders.workers import DrainOrder, HoldOrder, ReleaseOrder, WorkOrder
from tests.master.apicase import user
from tests.master.fakemaster import HOUR
from tests.master.farm.farmcase import FarmTestCase

ANN = user("ann")


def gone(*_):
    return fail(OperationalError("SELECT 1", {}, Exception("the server has gone")))


class ReconciliationTests(FarmTestCase):
    """Another master has followed an order: it has stored it, and perhaps we hear of that."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")])
        self.told = []
        self.resultOf(self.master.mq.startConsuming(lambda _, message: self.told.append(message), ORDERED))

    def reason(self, name="mac-mini"):
        hold = self.presence(name).heldBy("admin")
        return None if hold is None else hold.reason

    def test_weSay(self):
        """What is ordered here is told to the others with its number, after it was stored."""
        self.post("presences/mac-mini", "hold", ANN)
        self.post("presences", "hold", ANN, workers=["mac-mini", "aarch64"], reason="disk")
        here = self.master.masterid
        records = [message.pop("records") for message in self.told]
        self.assertEqual(
            [
                [(name, each["revision"], each["hold"]["by"]) for name, each in told.items()]
                for told in records
            ],
            [[("mac-mini", 1, "ann")], [("aarch64", 2, "ann"), ("mac-mini", 2, "ann")]],
        )
        self.assertEqual(
            self.told,
            [
                {"masterid": here, "revision": 1, "workers": ["mac-mini"]},
                {"masterid": here, "revision": 2, "workers": ["aarch64", "mac-mini"]},
            ],
        )

    def test_theySay(self):
        """What another master says leads to a look into the database, at once, where it does not say what is stored."""
        self.order(HoldOrder("disk"))
        self.pass_(0.01)
        hold = self.presence().heldBy("admin")
        self.assertEqual((hold.reason, hold.by), ("disk", "bob"))

    def say(self, revision, **records):
        """Another master says what it has stored."""
        told = {"masterid": 99, "revision": revision, "workers": list(records), "records": records}
        self.master.mq.produce(ORDERED, told)

    def record(self, order, revision):
        return {**AdminRecord().after(order, "bob", self.reactor.seconds()).toDict(), "revision": revision}

    def test_theySayWhat(self):
        """Where it says what is stored that is heeded without a statement; what is older than what is known changes nothing."""
        reading = self.patch(RecordTable, "readMany", lambda *_: self.fail("the database is asked"))
        self.say(
            1, **{"mac-mini": self.record(HoldOrder("disk"), 1), "theirs": self.record(HoldOrder("x"), 1)}
        )
        self.assertEqual((self.reason(), self.assembly.farmOrders.reconciliation.revision), ("disk", 1))
        reading.restore()
        self.order(HoldOrder("key"), told=False)
        self.pass_(PERIOD)
        self.assertEqual(self.reason(), "disk")
        self.order(ReleaseOrder(), told=False)
        self.pass_(PERIOD)
        self.say(1, **{"mac-mini": self.record(HoldOrder("disk"), 1)})
        self.assertIsNone(self.reason())

    def test_oneBeforeIsLost(self):
        """What it says is heeded, and it is looked for the orders before it."""
        self.order(HoldOrder("lost"), "aarch64", told=False)
        revision = self.order(HoldOrder("heard"), told=False)
        self.say(revision, **{"mac-mini": self.record(HoldOrder("heard"), revision)})
        self.assertEqual((self.reason("aarch64"), self.reason()), (None, "heard"))
        self.pass_(0.01)
        self.assertEqual(self.reason("aarch64"), "lost")

    def test_notUnderstood(self):
        """What cannot be understood, as from another version, is read."""
        self.order(HoldOrder("disk"), told=False)
        self.say(1, **{"mac-mini": {"version": 99}})
        self.pass_(0.01)
        self.assertEqual(self.reason(), "disk")

    def test_theMessageIsLost(self):
        """A message that is lost is made up for within two seconds."""
        self.order(HoldOrder("disk"), told=False)
        self.pass_(PERIOD)
        self.assertEqual(self.reason(), "disk")
        self.order(DrainOrder("disk"), told=False)
        self.order(HoldOrder("update"), "aarch64", told=False)
        self.pass_(PERIOD)
        self.assertEqual((self.reason(), self.reason("aarch64")), ("disk", "update"))

    def test_marks(self):
        """With the same statement it is seen how much each master has told (`presence.master.farm.seen.unheard`)."""
        self.resultOf(RecordTable(self.master).setFarmState("told 99", ["boot", 3]))
        looked, asked, do = [], [], self.master.db.pool.do
        self.assembly.farmOrders.reconciliation.looked = looked.append
        self.patch(self.master.db.pool, "do", lambda *args: asked.append(args) or do(*args))
        self.pass_(PERIOD)
        self.assertEqual((looked, len(asked)), ([{99: ("boot", 3)}], 1))

    def test_oneIsLost(self):
        """Who hears of an order that is not the next one looks for those before it, at once."""
        self.order(HoldOrder("lost"), "aarch64", told=False)
        self.order(HoldOrder("heard"), "mac-mini")
        self.pass_(0.01)
        self.assertEqual((self.reason("aarch64"), self.reason()), ("lost", "heard"))

    def test_manyAtOnce(self):
        """Of many workers at once the names are not said, and everything is read."""
        self.order(HoldOrder("disk"), told=False)
        self.master.mq.produce(ORDERED, {"masterid": 99, "revision": 1, "workers": None})
        self.pass_(0.01)
        self.assertEqual(self.reason(), "disk")

    def test_lostWhileItIsAway(self):
        """A message that is lost is made up for when the worker connects, before it can get a build."""
        self.disconnect("aarch64")
        self.disconnect("mac-mini")
        self.order(HoldOrder("disk"), told=False)
        self.request()
        self.connect("mac-mini")
        self.assertEqual((self.reason(), self.starts), ("disk", []))

    def test_databaseAway(self):
        """The message is heard while the database cannot be asked: it is asked again, until it answers; one line tells of it."""
        broken = [self.patch(RecordTable, name, gone) for name in ("readMany", "farmStates")]
        with capturedLogs() as captured:
            self.master.mq.produce(ORDERED, {"masterid": 99, "revision": 1, "workers": ["mac-mini"]})
            self.pass_(HOUR / 60)
        for each in broken:
            each.restore()
        self.order(HoldOrder("disk"), told=False)
        self.pass_(PERIOD)
        self.assertEqual(self.reason(), "disk")
        lines = [formatEvent(each) for each in captured if "at other masters" in (each["log_format"] or "")]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("the server has gone", lines[0])

    def test_oneFailure(self):
        """After the first failure it is asked again within half a second."""
        broken = self.patch(RecordTable, "readMany", gone)
        self.order(HoldOrder("disk"))
        self.pass_(0.1)
        self.assertIsNone(self.reason())
        broken.restore()
        self.pass_(0.5)
        self.assertEqual(self.reason(), "disk")

    def test_both(self):
        """Two masters order two things of one worker: none undoes what the other has ordered."""
        self.order(WorkOrder(self.at(9)), told=False)
        self.post("presences/mac-mini", "hold", ANN, reason="disk")
        record = self.worker("mac-mini").adminRecord
        self.assertEqual((record.hold.by, record.workUntil, record.workBy), ("ann", self.at(9), "bob"))

    def test_readBefore(self):
        """What was read before an order, and comes after it, does not undo that."""
        orders = self.assembly.storedOrders
        before = self.worker("mac-mini").adminRecord
        self.post("presences/mac-mini", "hold", ANN, reason="disk")
        orders.take(self.worker("mac-mini"), before)
        self.assertEqual(self.reason(), "disk")

    def test_heldByAnotherPart(self):
        """A hold that a service in master.cfg has placed itself is not stored, and not undone when the worker connects."""
        self.post("presences/mac-mini", "hold", ANN)
        self.post("presences/mac-mini", "release", ANN)
        self.presence().hold("admin", reason="a service of ours")
        self.order(HoldOrder("disk"), "aarch64", told=False)
        self.disconnect("mac-mini")
        self.connect("mac-mini")
        self.pass_(PERIOD)
        self.assertEqual(self.sources(), ["admin"])
        self.post("presences/mac-mini", "release", ANN)
        self.assertEqual(self.sources(), [])

    def test_databaseGoneWhenItConnects(self):
        """A worker connects even when the database cannot be asked about it; what is known stays."""
        self.post("presences/mac-mini", "hold", ANN)
        self.disconnect("mac-mini")
        self.patch(RecordTable, "read", lambda *_: fail(RuntimeError("no database")))
        self.connect("mac-mini")
        self.pass_(0.1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.sources(), ["admin"])

    def test_workerOfAnotherMaster(self):
        """An order for a worker of another master is stored and told; that one does it."""
        workerid = self.resultOf(self.master.data.updates.findWorkerId("theirs"))
        self.assertEqual(self.post("presences/theirs", "hold", ANN).status, 404)
        builderid = self.resultOf(self.master.data.updates.findBuilderId("runtests"))
        self.resultOf(self.master.db.workers.workerConfigured(workerid, 1, [builderid]))
        self.assertEqual(self.post("workers/theirs/presence", "hold", ANN, reason="disk").status, 200)
        self.assertEqual([each["workers"] for each in self.told], [["theirs"]])
        record = self.resultOf(RecordTable(self.master).read("theirs"))
        self.assertEqual((record.hold.reason, record.hold.by), ("disk", "ann"))

    def test_nobodyWeKnow(self):
        """A message about a worker that we do not have changes nothing, and is counted."""
        self.tell(self.order(HoldOrder("disk"), "theirs"), "theirs")
        self.pass_(0.1)
        self.assertEqual((self.sources(), self.assembly.farmOrders.reconciliation.revision), ([], 1))

    def test_storedBefore(self):
        """What was stored by a master that was alone has no number, and is heeded."""
        record = AdminRecord().after(HoldOrder("disk"), "ann", self.at(5)).toDict()
        del record["revision"]
        objectid = self.resultOf(RecordTable(self.master).objectId())
        self.resultOf(self.master.db.state.setState(objectid, "mac-mini", record))
        self.disconnect("mac-mini")
        self.connect("mac-mini")
        self.assertEqual(self.reason(), "disk")
        self.order(ReleaseOrder())
        self.pass_(0.1)
        self.assertIsNone(self.reason())

    def test_cost(self):
        """When nothing happens a master asks one thing every two seconds."""
        asked = []

        def executed(connection, cursor, statement, *rest):
            asked.append(statement)

        engine = self.master.db.pool.engine
        self.pass_(PERIOD)
        sa.event.listen(engine, "before_cursor_execute", executed)
        self.pass_(10 * PERIOD)
        sa.event.remove(engine, "before_cursor_execute", executed)
        self.assertEqual(len(asked), 10, asked)
        self.assertTrue(all(each.startswith("SELECT object_state") for each in asked))


class AloneTests(FarmTestCase):
    def test_alone(self):
        """A master that is alone counts no orders, tells nobody of them, and asks nothing by itself."""
        super(FarmTestCase, self).startMaster([self.slave("mac-mini")])
        self.assertIsNone(self.assembly.farmOrders)
        told = []
        self.resultOf(self.master.mq.startConsuming(lambda *args: told.append(args), ORDERED))
        self.post("presences/mac-mini", "hold", ANN)
        self.assertEqual(told, [])
        objects = self.master.db.model.objects
        self.assertEqual(self.query(sa.select(objects).where(objects.c.class_name == FARM[1])), [])
        self.pass_(10)
        self.assertEqual([str(call) for call in self.reactor.getDelayedCalls() if "farm" in str(call)], [])
