import json
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs, formatEvent

from presence.breaks.schedule import Break
from presence.master.assembly import Assembly
from presence.master.holding.recordtable import RecordTable
from presence.master.stored.rows import Rows
from presence.orders.record import AdminRecord
from presence.orders.workers import HoldOrder, WorkOrder
from tests.master.apicase import ApiTestCase, user
from tests.master.fakemaster import HOUR, MINUTE

OFFICE = Break("07:00", "19:00", tz="UTC")
ANN = user("ann")


class RestartTests(ApiTestCase):
    """What an admin has ordered is there again after a restart."""

    def setUp(self):
        super().setUp()
        self.database = Path(self.mktemp()).resolve()
        self.start()

    def start(self, connect=True, **more):
        self.startMaster(
            [self.slave("mac-mini", onBreakDuring=OFFICE)],
            connect=connect,
            db_url=f"sqlite:///{self.database}",
            **more,
        )

    def restart(self, connect=True, after=0.0):
        """The master ends without a word of ours, and starts again `after` so many seconds."""
        self.stopMaster()
        self.reactor.rightNow += after
        self.start(connect)

    def test_hold(self):
        """A hold is there with reason, by, since and until, and ends at that."""
        self.post("presences/mac-mini", "hold", ANN, reason="disk", until=self.at(6) + HOUR / 2)
        before = self.presence().heldBy("admin")
        self.restart()
        self.assertEqual(self.presence().heldBy("admin"), before)
        self.assertEqual((before.reason, before.by), ("disk", "ann"))
        self.passUntil(self.at(6) + HOUR / 2 - 1)
        self.assertEqual(self.sources(), ["admin"])
        self.passUntil(self.at(6) + HOUR / 2)
        self.assertEqual(self.sources(), [])

    def test_readAtOnce(self):
        """What is stored of all workers that a configuration brings is read with one question; and anew for the next configuration."""
        asked = []
        many, one = RecordTable.readMany, RecordTable.read
        self.patch(
            RecordTable, "readMany", lambda table, names: (asked.append(sorted(names)), many(table, names))[1]
        )
        self.patch(RecordTable, "read", lambda table, name: (asked.append(name), one(table, name))[1])
        names = ["w1", "w2", "w3"]
        self.stopMaster()
        slaves = [self.slave(name) for name in names]
        self.startMaster(slaves, connect=False, db_url=f"sqlite:///{self.database}")
        self.assertEqual(asked, [names])
        asked.clear()
        record = AdminRecord().after(HoldOrder("disk"), "ann", self.reactor.seconds()).toDict()
        objectid = self.resultOf(RecordTable(self.master).objectId())
        self.resultOf(self.master.db.state.setState(objectid, "w4", record))
        self.reconfig([*slaves, self.slave("w4")], db_url=f"sqlite:///{self.database}")
        self.assertEqual(asked, [[*names, "w4"]])
        self.assertEqual(
            [hold.reason for hold in self.presence("w4").holds if hold.source == "admin"], ["disk"]
        )

    def test_orderedMeanwhile(self):
        """What is ordered while a configuration is taken over is not undone by what had been read before that."""
        self.stopMaster()
        self.startMaster([self.slave("w1"), self.slave("w2")], db_url=f"sqlite:///{self.database}")
        orders = self.resultOf(Assembly.getService(self.master)).storedOrders
        self.resultOf(self.master.initLock.acquire())
        self.resultOf(orders.begin(self.worker("w1")))
        self.post("presences/w2", "hold", ANN, reason="disk")
        self.resultOf(orders.begin(self.worker("w2")))
        self.master.initLock.release()
        self.assertEqual([hold.source for hold in self.presence("w2").holds], ["admin"])

    def test_untilTheBreak(self):
        """A hold until the break begins lets nobody through, whether it was ordered before the break's timer was armed or
        after, and it is known that the worker is back when the break ends.
        """
        for after_a_restart in (False, True):
            entity = self.post("presences/mac-mini", "hold", ANN, until=self.at(7)).result
            self.assertEqual(entity["back_at"], self.at(19))
            if after_a_restart:
                self.restart()
            waiting = self.presence().waitUntilReady()
            self.request()
            self.passUntil(self.at(7) + HOUR)
            self.assertEqual((self.sources(), self.starts), (["break"], []))
            self.assertNoResult(waiting)
            if not after_a_restart:
                waiting.cancel()
                self.failureResultOf(waiting)
                self.setClock(6)
                self.jump(0)
        self.passUntil(self.at(19) + 1)
        self.successResultOf(waiting)

    def test_clockThereAndBack(self):
        """A hold that ended because the clock was set forward comes back with it; one that was released since does not."""
        for released in (False, True):
            self.post("presences/mac-mini", "hold", ANN, reason="disk", until=self.at(6) + HOUR / 2)
            held = self.presence().heldBy("admin")
            self.jump(14 * HOUR)
            self.assertEqual(self.sources(), [])
            if released:
                self.post("presences/mac-mini", "release", ANN)
            self.jump(-14 * HOUR)
            self.assertEqual(self.presence().heldBy("admin"), None if released else held)

    def test_beforeAnybodyCanConnect(self):
        """The hold is there before the worker is registered, so that no build slips through."""
        self.post("presences/mac-mini", "hold", ANN, reason="disk")
        self.stopMaster()
        slow = Deferred()
        read = RecordTable.readMany

        def readLater(table, names):
            return slow.addCallback(lambda _: read(table, names))

        self.patch(RecordTable, "readMany", readLater)
        starting = self.setup_master(
            {
                **self.config([self.slave("mac-mini", onBreakDuring=OFFICE)]),
                "db_url": f"sqlite:///{self.database}",
            }
        )
        self.pass_(1)
        self.assertNoResult(starting)
        self.assertEqual(self.tested_master.master.workers.registrations, {})
        slow.callback(None)
        self.resultOf(starting)
        self.assertEqual(self.sources(), ["offline", "admin"])

    def test_noBuildAfterARestart(self):
        """A worker that connects after the restart gets no build before the hold is released, and then it does."""
        self.post("presences/mac-mini", "hold", ANN)
        self.request()
        self.restart()
        self.pass_(MINUTE)
        self.assertEqual(self.starts, [])
        self.post("presences/mac-mini", "release", ANN)
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()

    def test_endedWhileDown(self):
        """A hold whose end came while the master was down has ended."""
        self.post("presences/mac-mini", "hold", ANN, until=self.at(6) + HOUR / 2)
        self.restart(after=HOUR / 2)
        self.assertEqual(self.sources(), [])

    def test_released(self):
        """What was released stays released."""
        self.post("presences/mac-mini", "hold", ANN)
        self.post("presences/mac-mini", "release", ANN)
        self.restart()
        self.assertEqual(self.sources(), [])

    def test_work(self):
        """Working in spite of the breaks goes on after a restart, until the instant that was said."""
        self.passUntil(self.at(8))
        self.post("presences/mac-mini", "work", ANN, until=self.at(10))
        self.restart()
        self.assertEqual(self.sources(), [])
        self.assertEqual(self.getOne("presences/mac-mini")["work_until"], self.at(10))
        self.passUntil(self.at(10))
        self.assertEqual(self.sources(), ["break"])
        self.restart()
        self.assertEqual(self.sources(), ["break"])

    def test_ownersHoldIsNotOurs(self):
        """Only the admin's hold is stored here."""
        self.presence().hold("worker", reason="rendering")
        self.restart()
        self.assertEqual(self.sources(), [])

    def test_removedAndAddedAgain(self):
        """A worker that is taken out of the configuration and put in again is held as before."""
        self.post("presences/mac-mini", "hold", ANN, reason="disk")
        self.disconnect("mac-mini")
        self.reconfig([self.slave("other")])
        self.assertIsNone(self.roster.findWorker("mac-mini"))
        self.reconfig([self.slave("mac-mini"), self.slave("other")])
        self.assertEqual(self.presence().heldBy("admin").reason, "disk")

    def test_becomesStock(self):
        """A held worker that becomes one of Buildbot's own is not said to be held by us."""
        self.post("presences/mac-mini", "hold", ANN, reason="disk")
        self.disconnect("mac-mini")
        self.reconfig([self.stock("mac-mini"), self.slave("other")])
        self.assertEqual(self.sources(), ["offline"])

    def test_unreadable(self):
        """What cannot be read holds the worker and says so; a release puts things right."""
        self.post("presences/mac-mini", "hold", ANN, reason="disk")
        state = self.master.db.model.object_state
        for garbage in (
            "{",
            '{"version": 1, "hold": {"reason": "disk"}, "work": null}',
            "7",
            '{"version": 2}',
        ):

            def spoil(connection, garbage=garbage):
                connection.execute(state.update().values(value_json=garbage))
                connection.commit()

            self.resultOf(self.master.db.pool.do(spoil))
            self.restart()
            self.assertGreaterEqual(len(self.flushLoggedErrors(TypeError, ValueError)), 1)
            self.assertIn("cannot be read", self.presence().heldBy("admin").reason)
        self.post("presences/mac-mini", "release", ANN)
        self.flushLoggedErrors(TypeError, ValueError)
        self.assertEqual(self.sources(), [])
        self.restart()
        self.assertEqual(self.sources(), [])


class StoringTests(ApiTestCase):
    """Stored first, done second, acknowledged third."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini", onBreakDuring=OFFICE), self.slave("aarch64")])

    def rows(self):
        """What is stored, by the name of the worker."""
        objects, state = self.master.db.model.objects, self.master.db.model.object_state
        rows = self.query(
            state.select().where(
                state.c.objectid == objects.c.id,
                objects.c.name == "presence",
                objects.c.class_name == "presence.AdminHolds",
            )
        )
        return {row.name: json.loads(row.value_json) for row in rows}

    def follow(self, order, name="mac-mini", by="ann"):
        """Follow an order; a Deferred."""
        return self.assembly.storedOrders.follow((name,), order, by)

    def test_oneValuePerWorker(self):
        """Each worker has one row, which is a whole record."""
        self.post("presences/mac-mini", "hold", ANN, reason="disk", until=self.at(9))
        self.post("presences/mac-mini", "work", ANN, until=self.at(8))
        self.post("presences/aarch64", "hold", ANN)
        rows = self.rows()
        self.assertEqual(sorted(rows), ["aarch64", "mac-mini"])
        record = AdminRecord.fromDict(rows["mac-mini"])
        self.assertEqual((record.hold, record.workUntil), (self.presence().heldBy("admin"), self.at(8)))

    def test_storedFirst(self):
        """Nothing is done, and nothing acknowledged, before it is stored."""
        stored = Deferred()
        change = RecordTable.change
        self.patch(RecordTable, "change", lambda *args: stored.addCallback(lambda _: change(*args)))
        answer = self.follow(HoldOrder("disk", None))
        self.pass_(1)
        self.assertNoResult(answer)
        self.assertEqual(self.sources(), [])
        stored.callback(None)
        self.resultOf(answer)
        self.assertEqual(self.sources(), ["admin"])

    def test_stops(self):
        """Who stops waits for what is being stored."""
        stored = Deferred()
        change = RecordTable.change
        self.patch(RecordTable, "change", lambda *args: stored.addCallback(lambda _: change(*args)))
        self.follow(HoldOrder("disk", None))
        self.pass_(1)
        stopped = self.assembly.storedOrders.stop()
        self.pass_(1)
        self.assertNoResult(stopped)
        stored.callback(None)
        self.resultOf(stopped)
        self.assertEqual(self.sources(), ["admin"])

    def test_logged(self):
        """What changes something is logged; to order the same again is not."""
        with capturedLogs() as captured:
            for _ in range(2):
                self.post("presences/mac-mini", "hold", ANN, reason="disk")
        lines = [formatEvent(each) for each in captured if "has ordered of" in (each["log_format"] or "")]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("ann has ordered of mac-mini: HoldOrder(reason='disk'", lines[0])

    def test_notStored(self):
        """When it cannot be stored the caller is told, and nothing has changed; the next order is followed."""
        broken = self.patch(RecordTable, "change", lambda *_: fail(RuntimeError("disk full")))
        answer = self.post("presences/mac-mini", "hold", ANN)
        self.assertEqual(answer.status, 500)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.sources(), [])
        self.assertEqual(self.rows(), {})
        broken.restore()
        self.post("presences/mac-mini", "hold", ANN)
        self.assertEqual(self.sources(), ["admin"])

    def test_lostRace(self):
        """Another master stores the first value of a worker at the same time: then this is ordered after what that has."""
        write, lost = Rows.write, []

        def other_first(rows, connection, values, known):
            if not lost:
                lost.append(values)
                theirs = AdminRecord().after(WorkOrder(self.at(8)), "bob", self.at(6))
                write(rows, connection, {"mac-mini": json.dumps(theirs.toDict())}, ())
                connection.commit()
            write(rows, connection, values, known)

        self.patch(Rows, "write", other_first)
        self.resultOf(self.follow(HoldOrder("disk", None)))
        record = AdminRecord.fromDict(self.rows()["mac-mini"])
        self.assertEqual((record.hold.reason, record.workUntil, record.workBy), ("disk", self.at(8), "bob"))

    def test_neverStored(self):
        """A database that refuses what it is given is asked some times; then that is an error, and nothing has changed."""
        asked = []

        def refuse(*_):
            asked.append(None)
            raise IntegrityError("INSERT", {}, Exception("no"))

        self.patch(Rows, "write", refuse)
        self.failureResultOf(self.settled(self.follow(HoldOrder("disk", None))), IntegrityError)
        self.flushLoggedErrors(IntegrityError)
        self.assertEqual((len(asked), self.sources()), (3, []))

    def settled(self, deferred):
        for _ in range(100):
            self.reactor.advance(0)
        return deferred

    def test_oneAfterTheOther(self):
        """Orders that come at once are followed one after the other: none undoes half of another."""
        slow = []
        change = RecordTable.change

        def change_later(*args):
            slow.append(Deferred())
            return slow[-1].addCallback(lambda _: change(*args))

        self.patch(RecordTable, "change", change_later)
        answers = [
            self.follow(HoldOrder("first", None)),
            self.follow(WorkOrder(self.at(8))),
            self.follow(HoldOrder("second", None)),
        ]
        for number, answer in enumerate(answers, 1):
            self.pass_(1)
            self.assertEqual(len(slow), number)
            slow[-1].callback(None)
            self.resultOf(answer)
        record = AdminRecord.fromDict(self.rows()["mac-mini"])
        self.assertEqual((record.hold.reason, record.workUntil), ("second", self.at(8)))
        self.assertEqual(self.presence().heldBy("admin"), record.hold)

    def test_sameAgain(self):
        """To hold again replaces the hold: reason, by, since and until are those of the last."""
        self.post("presences/mac-mini", "hold", ANN, reason="disk", until=self.at(8))
        self.pass_(MINUTE)
        self.post("presences/mac-mini", "hold", user("bob"))
        hold = self.presence().heldBy("admin")
        self.assertEqual((hold.reason, hold.by, hold.until), (None, "bob", None))
        self.assertEqual(AdminRecord.fromDict(self.rows()["mac-mini"]).hold, hold)
