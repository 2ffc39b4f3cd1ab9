"""A master is killed after it has stored something and before it has told it."""

from presence.master.farm.reconciliation import PERIOD
from presence.master.farm.seen.unheard import GRACE
from tests.master.farm.viewcase import FarmTestCase

READY, AWAY = "AVAILABLE", "NOT_ACCEPTING_NEW_BUILDS"


class UnheardTests(FarmTestCase):
    def setUp(self):
        super().setUp()
        self.reads = []
        for each in self.members:
            self.count(each)

    def count(self, member):
        read = member.snapshots._table.read
        member.snapshots._table.read = lambda: self.reads.append(member) or read()

    def running(self, member):
        return member.snapshots.known.get("w1").entity["running"]

    def test_killed(self):
        """The others see it after two looks at most, long before they know that it is gone."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.a.killed()
        self.a.tell("w1", running=1)
        self.look(PERIOD)
        self.pass_(GRACE)
        self.assertEqual([self.running(each) for each in (self.b, self.ui)], [1, 1])
        self.assertEqual(self.b.sees("w1"), (101, READY))

    def test_forgotten(self):
        """So they do that it tells of a worker no more."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.a.killed()
        self.a.snapshots.forget("w1")
        self.look(PERIOD)
        self.pass_(GRACE)
        self.assertEqual([each.sees("w1") for each in (self.b, self.ui)], [None, None])

    def test_heard(self):
        """What has been heard is not read again, however many masters tell, and from whenever one listens."""
        self.a.connect("w1")
        self.b.connect("w2")
        self.look(2 * PERIOD)
        self.reads.clear()
        for number in range(1, 5):
            self.a.tell("w1", running=number)
            self.look(PERIOD)
        self.assertEqual(self.reads, [])
        late = self.join()
        self.pass_(PERIOD)
        self.count(late)
        self.reads.clear()
        self.look(2 * PERIOD)
        self.assertEqual(self.reads, [])

    def test_underWay(self):
        """What is just on its way is given a moment to come."""
        self.a.connect("w1")
        self.pass_(0.2)
        # (a pulse would say that something has not come)
        for each in self.members:
            each.snapshots.pulse._heard = lambda *_: None
        self.reads.clear()
        produce, said = self.a.queue.produce, []
        self.a.queue.produce = lambda *message: said.append(message)
        self.a.tell("w1", running=1)
        self.look(PERIOD)
        self.pass_(GRACE / 2)
        self.a.queue.produce = produce
        for each in said:
            produce(*each)
        self.pass_(GRACE)
        self.assertEqual((self.running(self.ui), self.reads), (1, []))

    def test_once(self):
        """What was missed is read once, and not at each look that follows; the next that is missed is read again."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.a.killed()
        self.a.tell("w1", running=1)
        self.look(2 * PERIOD)
        self.assertEqual(sorted(map(id, self.reads)), sorted(map(id, (self.b, self.ui))))

    def test_startedAnew(self):
        """One that was killed and is started again begins to count anew, and is heard as before."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.a.killed()
        self.members.remove(self.a)
        again = type(self.a)(self, 101, ["w1", "w2"])
        self.addCleanup(lambda: self.resultOf(again.snapshots.stop()))
        self.resultOf(again.snapshots.start())
        self.members.append(again)
        self.pass_(PERIOD)
        again.connect("w1")
        self.pass_(0.2)
        self.reads.clear()
        self.look(2 * PERIOD)
        self.assertAllSee("w1", 101, READY)
        self.assertEqual(self.reads, [])
