"""The database is down for a while: what was to be stored, or read, is so when it is up again."""

from sqlalchemy.exc import OperationalError
from twisted.internet.defer import fail

from presence.master.holding.recordtable import RecordTable
from tests.master.apicase import ApiTestCase
from tests.master.fakemaster import HOUR, MINUTE


def gone(*_, **__):
    return fail(OperationalError("SELECT 1", {}, Exception("the server has gone")))


class DatabaseDownTests(ApiTestCase):
    def begin(self):
        self.startMaster([self.slave("mac-mini")])
        self.patches = []

    def down(self):
        self.patches = [self.patch(RecordTable, name, gone) for name in ("change", "read")]

    def up(self):
        for each in self.patches:
            each.restore()

    def order(self, action, **params):
        """Whether the order was acknowledged."""
        answers = []
        done = self.master.data.control(action, params, ("presences", "mac-mini"))
        done.addCallbacks(lambda _: answers.append(True), lambda _: answers.append(False))
        self.pass_(1)
        self.flushLoggedErrors(OperationalError)
        return answers == [True]

    def test_deadlineOfADrain(self):
        """The deadline of a drain that ends with it comes while it is down: the worker is released when it is up again."""
        self.begin()
        self.request()
        self.assertTrue(self.order("drain", deadline=self.reactor.seconds() + HOUR, on_deadline="release"))
        self.pass_(HOUR - MINUTE)
        self.down()
        self.pass_(2 * MINUTE)
        self.assertEqual(self.sources(), ["admin"])
        self.up()
        self.pass_(30)
        self.assertEqual(self.sources(), [])
        self.finishAll()

    def test_drainedAgainMeanwhile(self):
        """It is not released when an admin has ordered something else by then."""
        self.begin()
        self.request()
        self.order("drain", deadline=self.reactor.seconds() + HOUR, on_deadline="release")
        self.pass_(HOUR - MINUTE)
        self.down()
        self.pass_(2 * MINUTE)
        self.up()
        self.order("hold", reason="for good")
        self.pass_(HOUR)
        self.assertEqual(self.sources(), ["admin"])
        self.finishAll()

    def test_storedAndNotTold(self):
        """It goes down when it has stored an order, and cannot say so: the order is not acknowledged, and is followed."""
        self.begin()
        change = RecordTable.change

        def not_told(*args):
            return change(*args).addCallback(lambda _: gone())

        self.patches = [self.patch(RecordTable, "change", not_told)]
        self.assertFalse(self.order("hold", reason="disk"))
        self.up()
        self.pass_(30)
        self.assertEqual([(hold.source, hold.reason) for hold in self.presence().holds], [("admin", "disk")])
        calls = [str(call) for call in self.reactor.getDelayedCalls() if "Retries" in str(call)]
        self.assertEqual(calls, [])

    def test_removedMeanwhile(self):
        """Of a worker that leaves the configuration meanwhile nobody asks any more."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")])
        self.down()
        self.assertFalse(self.order("hold"))
        self.disconnect("mac-mini")
        self.reconfig([self.controllers["aarch64"]])
        self.up()
        self.pass_(HOUR)
        calls = [str(call) for call in self.reactor.getDelayedCalls() if "Retries" in str(call)]
        self.assertEqual(calls, [])

    def test_clockSetBack(self):
        """The clock is set back while it is down: what is to be read is read when it is up again, and not hours later."""
        self.begin()
        self.down()
        self.assertFalse(self.order("hold"))
        self.pass_(MINUTE)
        reads = []
        self.up()
        read = RecordTable.read
        self.patch(RecordTable, "read", lambda *args: (reads.append(args), read(*args))[1])
        self.jump(-3 * HOUR)
        self.pass_(MINUTE)
        self.assertEqual(len(reads), 1)

    def test_connects(self):
        """A worker connects while it is down: what another master has stored for it is read when it is up again."""
        self.startMaster([self.slave("mac-mini")], multiMaster=True)
        self.disconnect("mac-mini")
        record = {
            "version": 1,
            "hold": {"reason": "elsewhere", "by": None, "since": self.at(6), "until": None},
            "work": None,
            "drain": None,
        }
        objectid = self.resultOf(RecordTable(self.master).objectId())
        self.resultOf(self.master.db.state.setState(objectid, "mac-mini", record))
        self.down()
        self.connect("mac-mini")
        self.pass_(1)
        self.flushLoggedErrors(OperationalError)
        self.assertEqual(self.sources(), [])
        self.up()
        self.pass_(30)
        self.assertEqual(self.sources(), ["admin"])
