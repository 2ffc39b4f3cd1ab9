"""Builders that are held, by themselves: with a table that is none of a database's, and no master."""

from types import SimpleNamespace

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from presence.master.holding import builderholds
from presence.master.holding.builderholds import BuilderHolds
from presence.master.holding.recordtable import Changed
from presence.model.retries import FIRST
from presence.model.states import Hold
from presence.orders.record import AdminRecord
from presence.orders.workers import HoldOrder, ReleaseOrder

HOUR = 3600
LINT, TESTS = {"lint": 1}, {"runtests": 2}


class Table:
    """`records` is what is stored; it is `broken`, or answers when `late` fires. `reads` counts."""

    def __init__(self):
        self.records, self.broken, self.late, self.reads = {}, False, None, 0

    def change(self, rows, after):
        if self.broken:
            return fail(OSError("gone"))
        changed = {row: Changed(after(self.records.get(row, AdminRecord())), True) for row in rows}
        self.records.update({row: each.record for row, each in changed.items()})
        return succeed(changed) if self.late is None else self.late.addCallback(lambda _: changed)

    def readAll(self):
        self.reads += 1
        if self.broken:
            return fail(OSError("gone"))
        found = dict(self.records)
        return succeed(found) if self.late is None else self.late.addCallback(lambda _: found)


class BuilderHoldsTests(SynchronousTestCase):
    def setUp(self):
        self.clock, self.table = Clock(), Table()
        self.changed, self.produced, self.said, self.consumers = [], [], [], []
        builders = {
            name: SimpleNamespace(name=name, _builderid=n) for n, name in enumerate(("lint", "runtests"), 1)
        }
        by_id = {each._builderid: each for each in builders.values()}
        self.master = SimpleNamespace(
            reactor=self.clock,
            masterid=7,
            botmaster=SimpleNamespace(builders=builders, getBuilderById=by_id.get),
            mq=SimpleNamespace(
                produce=lambda key, message: self.produced.append((key, message)), startConsuming=self.consume
            ),
        )
        self.roster = SimpleNamespace(
            master=self.master, clock=self.clock, builders=dict.fromkeys(builders), enrolledWorkers=[]
        )
        self.holds = BuilderHolds(self.roster, self.changed.append)
        self.holds.table = self.table
        self.patch(builderholds._log, "observer", lambda event: self.said.append(formatEvent(event)))

    def consume(self, heard, key):
        self.heard = heard
        self.consumers.append(key)
        return succeed(SimpleNamespace(stopConsuming=lambda: self.consumers.remove(key)))

    def start(self):
        self.successResultOf(self.holds.start())
        self.changed.clear()
        self.table.reads = 0

    def order(self, builders, order, by="ann"):
        return self.successResultOf(self.holds.follow(builders, order, by))

    def store(self, row, until=None):
        self.table.records[row] = AdminRecord(Hold("admin", "disk", "bob", 0.0, until))

    def test_notRead(self):
        """Until it has been read all are held; when it cannot be read that is said of each, once, and read again."""
        self.assertEqual(
            (self.holds.isGuarding, self.holds.isHeld("lint"), self.holds.hold("lint")), (True, True, None)
        )
        self.table.broken = True
        self.successResultOf(self.holds.start())
        self.clock.advance(9)
        self.clock.advance(0)
        self.assertEqual(self.changed, ["lint", "runtests"])
        hold = self.holds.hold("lint")
        self.assertEqual((hold.source, hold.since, hold.until), ("admin", 0.0, None))
        self.assertIn("cannot be read", hold.reason)
        self.assertIn(
            "it cannot be read which builders are held (gone); that is tried again in 0.5 s", self.said
        )
        self.assertIs(self.holds.mayStart("lint", None, None), False)
        self.table.broken = False
        self.changed.clear()
        self.clock.pump([HOUR])
        self.assertEqual(self.changed, ["lint", "runtests"])
        self.assertEqual(
            (self.holds.isGuarding, self.holds.isHeld("lint"), self.holds.hold("lint")), (False, False, None)
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])
        # what is known stays known, and it is tried again as soon as the first time
        self.table.broken = True
        self.changed.clear()
        self.said.clear()
        self.heard((), {"masterid": 8})
        self.assertEqual((self.changed, self.holds.hold("lint"), self.holds.isGuarding), ([], None, False))
        self.assertIn("again in 0.5 s", self.said[0])

    def test_ordered(self):
        """An order holds its builders, and no other; that is told, in the log and to other masters, too. A release ends it."""
        self.start()
        self.clock.advance(5)
        self.order(LINT, HoldOrder("disk"))
        hold = Hold("admin", "disk", "ann", 5.0, None)
        self.assertEqual((self.holds.hold("lint"), self.holds.holdOf(1)), (hold, hold))
        self.assertEqual(
            [self.holds.isHeld(each) for each in ("lint", "runtests", "nobody")], [True, False, False]
        )
        self.assertEqual(
            [self.holds.onlyChildren(each, None) for each in ("lint", "runtests")], [True, False]
        )
        self.assertEqual(
            [self.holds.mayStart(each, None, None) for each in ("lint", "runtests")], [False, True]
        )
        self.assertEqual(self.changed, ["lint"])
        self.assertEqual(self.produced, [(("control", "builderpresences", "1", "changed"), {"masterid": 7})])
        self.assertTrue(
            self.said[-1].startswith("ann has ordered of the builders lint: HoldOrder("), self.said
        )
        self.order({**LINT, **TESTS}, ReleaseOrder())
        self.assertEqual((self.holds.isGuarding, self.changed), (False, ["lint", "lint"]))

    def test_until(self):
        """It ends then, never early, also when the clock was set back meanwhile; and that is told once."""
        self.start()
        self.clock.advance(5)
        self.order(LINT, HoldOrder(until=10.0))
        (call,) = self.clock.getDelayedCalls()
        self.clock.rightNow = 4
        call.reset(0)
        self.clock.advance(0)
        self.clock.advance(5.9)
        self.assertTrue(self.holds.isHeld("lint"))
        self.clock.advance(0.1)
        self.assertEqual((self.holds.isHeld("lint"), self.changed), (False, ["lint", "lint"]))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_another(self):
        """Another order takes the place of the one before, and of its end; the same once more is told to nobody here."""
        self.start()
        self.order(LINT, HoldOrder(until=10.0))
        self.order(LINT, HoldOrder(until=20.0))
        self.order(LINT, HoldOrder(until=20.0))
        self.assertEqual(self.changed, ["lint", "lint"])
        self.clock.advance(10)
        self.assertTrue(self.holds.isHeld("lint"))
        self.order(LINT, HoldOrder())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stored(self):
        """What is stored holds, when it is read, but for what is over; what is stored no longer does not."""
        self.store("1")
        self.store("2", until=5.0)
        self.clock.advance(5)
        self.start()
        self.assertEqual([self.holds.isHeld(each) for each in ("lint", "runtests")], [True, False])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.table.records.clear()
        self.successResultOf(self.holds.read())
        self.assertEqual((self.holds.isHeld("lint"), self.changed), (False, ["lint"]))

    def test_otherMasters(self):
        """What another master has changed is read; what this one has changed is not. A builder of another one is told to nobody."""
        self.start()
        self.store("1")
        self.heard((), {"masterid": 7})
        self.assertEqual(self.table.reads, 0)
        self.heard((), {"masterid": 8})
        self.assertEqual((self.table.reads, self.changed), (1, ["lint"]))
        self.store("9")
        self.heard((), {"masterid": 8})
        self.assertIsNotNone(self.holds.holdOf(9))
        self.assertEqual(self.changed, ["lint"])

    def test_take(self):
        """What was read of one builder is done, where it is known of the others."""
        record = AdminRecord(Hold("admin", None, "bob", 0.0, None))
        self.holds.take(1, record)
        self.assertIsNone(self.holds.hold("lint"))
        self.assertTrue(self.holds.isHeld("runtests"))
        self.start()
        self.holds.take(1, record)
        self.assertEqual((self.holds.isHeld("lint"), self.holds.isHeld("runtests")), (True, False))

    def test_notStored(self):
        """An order that cannot be stored fails, changes nothing, and what is stored is read again."""
        self.start()
        self.table.broken = True
        self.failureResultOf(self.holds.follow(LINT, HoldOrder(), "ann"), OSError)
        self.assertEqual((self.holds.isHeld("lint"), self.produced, self.table.reads), (False, [], 0))
        self.table.broken = False
        self.store("1")
        self.clock.advance(FIRST)
        self.assertEqual((self.holds.isHeld("lint"), self.table.reads), (True, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_clockJumps(self):
        """When the clock has been set what is stored is read again, where any builder has ever been held."""
        self.start()
        self.holds.clockJumped()
        self.assertEqual(self.table.reads, 0)
        self.order(LINT, HoldOrder(until=10.0))
        self.clock.advance(10)
        self.clock.rightNow = 1.0
        self.holds.clockJumped()
        self.assertEqual((self.table.reads, self.holds.isHeld("lint")), (1, True))

    def test_retryAtOnce(self):
        """What is to be read again does not wait for a clock that was set back."""
        self.table.broken = True
        self.successResultOf(self.holds.start())
        self.table.broken = False
        self.clock.rightNow -= HOUR
        self.holds.clockJumped()
        self.clock.advance(0)
        self.assertIs(self.holds.isGuarding, False)

    def test_forget(self):
        """Going back to Buildbot alone releases all of them; where none is held nothing is stored."""
        self.successResultOf(self.holds.forget())
        self.start()
        self.successResultOf(self.holds.forget())
        self.assertEqual(self.produced, [])
        self.order({**LINT, **TESTS}, HoldOrder())
        self.successResultOf(self.holds.forget())
        self.assertIs(self.holds.isGuarding, False)
        self.assertEqual([each.hold for each in self.table.records.values()], [None, None])

    def test_rests(self):
        """One of several masters heeds none of them while no worker of it has a presence."""
        self.start()
        self.order(LINT, HoldOrder())
        self.holds.rests = True
        self.assertEqual((self.holds.isGuarding, self.holds.isHeld("lint")), (False, False))
        self.roster.enrolledWorkers.append(object())
        self.assertEqual((self.holds.isGuarding, self.holds.isHeld("lint")), (True, True))

    def test_stop(self):
        """It has stopped when what is being stored is stored; no timer is left, and nobody is listened to."""
        self.start()
        self.order(LINT, HoldOrder(until=10.0))
        self.table.late = Deferred()
        followed = self.holds.follow(TESTS, HoldOrder(), "ann")
        stopped = self.holds.stop()
        self.assertNoResult(stopped)
        self.assertEqual((self.consumers, self.clock.getDelayedCalls()), ([], []))
        self.table.late.callback(None)
        self.successResultOf(followed)
        self.successResultOf(stopped)

    def test_stopWhileReading(self):
        """What is read after that is not done any more, and what cannot be read is not read again."""
        self.start()
        self.store("1")
        self.table.late = Deferred()
        self.heard((), {"masterid": 8})
        stopped = self.holds.stop()
        self.table.late.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.changed, [])
        self.table.broken = True
        self.heard((), {"masterid": 8})
        self.assertEqual(self.clock.getDelayedCalls(), [])
        # and one that was never started stops, too
        self.successResultOf(BuilderHolds(self.roster, self.changed.append).stop())
