"""One of several masters goes back to stock workers: what is ordered is the farm's, and forgotten by the last one."""

from types import SimpleNamespace

import sqlalchemy as sa
from twisted.internet.defer import fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.farm import goingback
from presence.master.farm.connections import EXPIRED
from presence.master.farm.member import Member
from presence.master.farm.seen.pulse import GONE, PERIOD
from presence.master.holding.recordtable import RecordTable
from presence.master.service import PresenceService
from presence.master.stored.objects import BUILDERS, WORKERS
from presence.orders.workers import HoldOrder, WorkOrder
from tests.master.farm import viewcase
from tests.master.farm.farmcase import OTHER, FarmTestCase


class GoingBackTests(FarmTestCase):
    def setUp(self):
        super().setUp()
        self.workers = [self.stock("mac-mini"), self.stock("aarch64")]
        self.startMaster(self.workers)
        for key in (("presences", "mac-mini"), ("builders", "runtests", "presence")):
            self.resultOf(self.master.data.control("hold", {"owner": "ann"}, key))

    def config(self, *args, service=True, **more):
        return super().config(*args, **more, services=[PresenceService()] if service else [])

    def other(self, *, seen):
        """There is another master, seen so many seconds ago."""
        masters = self.master.db.model.masters
        row = {
            "id": OTHER,
            "name": "b",
            "name_hash": "b",
            "active": 1,
            "last_active": int(self.reactor.seconds() - seen),
        }
        self.query_(sa.insert(masters).values(row))

    def query_(self, statement):
        def thd(connection):
            connection.execute(statement)
            connection.commit()

        self.resultOf(self.master.db.pool.do(thd))

    def stored(self):
        """How many workers, and how many builders, are held by what is stored."""
        found = [self.resultOf(RecordTable(self.master, kind).readAll()) for kind in (WORKERS, BUILDERS)]
        return [sum(each.hold is not None for each in records.values()) for records in found]

    def test_last(self):
        """When no other master lives all is forgotten."""
        self.other(seen=EXPIRED + 60)
        self.reconfig(self.workers, service=False)
        self.assertEqual(self.stored(), [0, 0])

    def test_lastOfOthers(self):
        """What is ordered of workers that only another master had, which went back before, is forgotten, too."""
        self.order(HoldOrder("disks"), "s390x")
        self.order(WorkOrder(self.reactor.seconds() + 60), "aarch64")
        self.other(seen=EXPIRED + 60)
        self.reconfig(self.workers, service=False)
        records = self.resultOf(RecordTable(self.master).readAll())
        self.assertEqual(
            {(each.hold, each.drain, each.workUntil) for each in records.values()}, {(None, None, None)}
        )

    def test_others(self):
        """While another one does nothing is; but here nothing of it is heeded any more."""
        self.other(seen=60)
        self.request()
        self.reconfig(self.workers, service=False)
        self.pass_(1)
        self.assertEqual(self.stored(), [1, 1])
        self.assertEqual(self.unclaimed(), [])

    def test_adoptedAgain(self):
        """Who comes back heeds it."""
        self.other(seen=60)
        self.reconfig(self.workers, service=False)
        self.reconfig(self.workers)
        brid = self.request()
        self.pass_(1)
        self.assertEqual(self.unclaimed(), [brid])
        self.assertIsNotNone(self.presence().heldBy("admin"))

    def test_notKnown(self):
        """When it is not known nothing is forgotten either."""
        self.patch(goingback, "othersOf", lambda _: fail(OSError("it is away")))
        self.reconfig(self.workers, service=False)
        self.assertEqual(self.stored(), [1, 1])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_said(self):
        """The other masters are told at once whether there are presences here."""

        class Farm:
            snapshots = None
            adopts = False

        Farm.snapshots = Farm
        Farm.pulse = Farm
        said = []
        Farm.say = lambda: said.append(Farm.adopts)
        Farm.mayHavePresences = lambda _: False
        self.other(seen=60)
        self.assembly.farm = Farm
        self.addCleanup(setattr, self.assembly, "farm", None)
        self.reconfig(self.workers, service=False)
        self.assertEqual((said, self.stored()), ([False], [0, 0]))
        self.reconfig(self.workers)
        self.assertTrue(Farm.adopts)


class WhoHasPresencesTests(viewcase.FarmTestCase):
    """Masters say in their messages whether their workers have presences."""

    def may(self, member=None):
        return (member or self.a).snapshots.pulse.mayHavePresences(102)

    def test_heard(self):
        """One that has none says so, and when it has some again."""
        self.assertTrue(self.may())
        self.b.snapshots.pulse.hasPresences = lambda: False
        self.b.snapshots.pulse.say()
        self.assertFalse(self.may())
        self.b.snapshots.pulse.hasPresences = lambda: True
        self.pass_(PERIOD)
        self.assertTrue(self.may())

    def test_silent(self):
        """One that is not heard any more may have some, and so may any for the first moments; one that never was has none."""
        self.b.killed()
        self.pass_(GONE + PERIOD)
        self.assertTrue(self.may())
        late = self.join()
        self.assertTrue(self.may(late))
        self.pass_(GONE + PERIOD)
        self.assertFalse(self.may(late))
        self.assertTrue(late.snapshots.pulse.mayHavePresences(101))

    def test_deaf(self):
        """Whoever hears nothing does not know of any that it has none."""
        late = self.join()
        late.queue.cut = True
        self.pass_(GONE + PERIOD)
        self.assertTrue(late.snapshots.pulse.mayHavePresences(77))
        self.pass_(0)


class StartingTests(SynchronousTestCase):
    """A master that starts does not know yet whether it adopts its workers."""

    def setUp(self):
        self.clock = Clock()
        roster = SimpleNamespace(
            enrolledWorkers=[],
            master=SimpleNamespace(
                reactor=self.clock, masterid=1, wamp=None, workers=SimpleNamespace(workers={})
            ),
            findWorker=lambda name: None,
            observeConfiguration=lambda follow: None,
        )
        events = SimpleNamespace(toldHere=None, toldElsewhere=None, toldLate=None, tellAgain=None)
        reconciliation = SimpleNamespace(lookSoon=None, looked=None)
        self.member = Member(roster, events, reconciliation, lambda: None)
        self.workers = roster.enrolledWorkers

    def says(self):
        return self.member.snapshots.pulse.hasPresences()

    def test_notKnown(self):
        """Until that is known it says that it may: another one that goes back would forget what is ordered."""
        self.assertTrue(self.says())
        self.member.adopts = False
        self.assertFalse(self.says())
        self.workers.append("a worker")
        self.assertTrue(self.says())

    def test_neverSaid(self):
        """Where nobody says so, as there is no service that adopts, it is known after two minutes by the workers there are."""
        self.clock.advance(119)
        self.assertTrue(self.says())
        self.clock.advance(2)
        self.assertFalse(self.says())
        self.member.adopts = True
        self.assertTrue(self.says())
