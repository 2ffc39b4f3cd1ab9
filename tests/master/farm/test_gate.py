"""At the last moment before a build the database is asked what has been ordered of the worker, at whichever master."""

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from twisted.internet.defer import Deferred, fail

from presence.master.holding import lastmoment
from presence.master.holding.recordtable import RecordTable
from presence.orders.workers import HoldOrder, ReleaseOrder, WorkOrder
from tests.master.farm.farmcase import FarmTestCase


class LastMomentTests(FarmTestCase):
    """No message is heard here: that the queue is cut is the rule."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini")])

    def brokenReads(self, times):
        """The next reads of one worker's orders fail, so many of them."""
        left = [None] * times

        def failing(read):
            def fails(*args):
                if left:
                    left.pop()
                    return fail(OperationalError("SELECT 1", {}, Exception("the server has gone")))
                return read(*args)

            return fails

        for name in ("read", "readWith"):
            self.patch(RecordTable, name, failing(getattr(RecordTable, name)))
        return left

    def test_held(self):
        """What another master has stored is heeded before the build: it goes back to the queue, and nothing is quarantined."""
        self.order(HoldOrder("disk"), told=False)
        brid = self.request()
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        self.assertEqual(self.sources(), ["admin"])
        self.assertIsNone(self.worker("mac-mini").quarantine_timer)
        self.order(ReleaseOrder())
        self.pass_(0.5)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()

    def test_storedWhileAsked(self):
        """An order that is heard while the database is being asked is heeded, too."""
        read, slow = RecordTable.readWith, Deferred()

        def readLater(*args):
            found = read(*args)
            return slow.addCallback(lambda _: found)

        patched = self.patch(RecordTable, "readWith", readLater)
        brid = self.request()
        self.assertEqual(self.starts, [])
        self.order(HoldOrder("disk"))
        self.pass_(0.1)
        patched.restore()
        slow.callback(None)
        self.pass_(0.5)
        self.assertEqual((self.starts, self.unclaimed(), self.sources()), ([], [brid], ["admin"]))

    def test_firstStatementFails(self):
        """A connection that has died costs one more statement, and nothing else."""
        left = self.brokenReads(1)
        self.request()
        self.assertEqual((self.startedOn(), left), (["mac-mini"], []))
        self.finishAll()

    def test_unknown(self):
        """While it cannot be read what was ordered nothing starts; when it can the build starts, and nothing is lost."""
        self.brokenReads(4)
        brid = self.request()
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        self.assertFalse(self.worker("mac-mini").canStartBuild())
        self.assertIsNone(self.worker("mac-mini").quarantine_timer)
        self.pass_(2)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()
        self.assertEqual(self.results(brid)[-1], 0)

    def test_tooLate(self):
        """An answer that has taken long does not count: an order that nobody has confirmed may have been stored since."""
        clock = iter([0.0, lastmoment.GOOD_FOR, 10.0, 10.1])
        heed = self.assembly.lastMoment.heed
        done = heed(self.worker("mac-mini"), "runtests", lambda: next(clock))
        self.assertTrue(self.resultOf(done))
        self.assertEqual(list(clock), [])
        late = heed(self.worker("mac-mini"), "runtests", iter(range(6)).__next__)
        self.assertFalse(self.resultOf(late))
        self.assertFalse(self.worker("mac-mini").canStartBuild())
        self.pass_(1)
        self.assertTrue(self.worker("mac-mini").canStartBuild())

    def test_unreadable(self):
        """What cannot be understood holds the worker, and the next order about it counts."""
        self.order(WorkOrder(self.at(9)), told=False)
        objectid = self.resultOf(RecordTable(self.master).objectId())
        self.resultOf(self.master.db.state.setState(objectid, "mac-mini", "nonsense"))
        self.request()
        self.assertEqual((self.starts, self.sources()), ([], ["admin"]))
        self.flushLoggedErrors(ValueError)
        self.order(ReleaseOrder())
        self.pass_(0.5)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.flushLoggedErrors(ValueError)
        self.finishAll()

    def test_cost(self):
        """It is one statement, with an index, for each build, also where builders are held."""
        asked = []

        def executed(connection, cursor, statement, *rest):
            if "object_state" in statement:
                asked.append(statement)

        engine = self.master.db.pool.engine
        self.pass_(2)
        sa.event.listen(engine, "before_cursor_execute", executed)
        self.request()
        sa.event.remove(engine, "before_cursor_execute", executed)
        self.assertEqual((len(self.starts), len(asked)), (1, 1), asked)
        plan = self.query(sa.text("EXPLAIN QUERY PLAN " + asked[0].replace("?", "1")))
        self.assertIn("USING INDEX", str(plan))
        self.assertNotIn("SCAN", str(plan))
        self.finishAll()
