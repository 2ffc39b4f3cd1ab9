"""Of each worker one master tells, and all know what it says."""

from twisted.internet.defer import Deferred, fail

from presence.master.farm.seen.pulse import DEAF, GONE, PERIOD
from presence.master.farm.seen.snapshots import RENEWED
from tests.master.farm.viewcase import FarmTestCase

READY, AWAY = "AVAILABLE", "NOT_ACCEPTING_NEW_BUILDS"


class SnapshotsTests(FarmTestCase):
    def test_told(self):
        """What the master says that has the connection is known everywhere, within a tenth of a second."""
        self.a.connect("w1")
        self.pass_(0.1)
        self.assertAllSee("w1", 101, READY)
        self.assertEqual(self.a.stored, ["w1"])
        self.assertIn("w1", self.ui.changed)
        self.assertIsNone(self.a.snapshots.elsewhere("w1"))
        self.assertEqual(self.b.snapshots.elsewhere("w1")["state"], READY)

    def test_withoutConnection(self):
        """A master without the connection says nothing of a worker of which another one tells."""
        self.a.connect("w1")
        self.pass_(0.1)
        self.assertFalse(self.b.snapshots.isOurs("w1"))
        self.b.tell("w1")
        self.pass_(0.2)
        self.assertAllSee("w1", 101, READY)

    def test_nobodyHasIt(self):
        """Of a worker that is nowhere connected the first tells that says something; the others leave it at that."""
        for each in (self.a, self.b):
            each.tell("w1")
        self.pass_(0.2)
        self.assertAllSee("w1", 101, AWAY)

    def test_moves(self):
        """A worker that connects to another master is that one's; that it has left the one of before is no news then."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.b.connect("w1")
        self.pass_(0.2)
        self.assertAllSee("w1", 102, READY)
        self.assertFalse(self.a.snapshots.isOurs("w1"), "its connection is an old one")
        self.a.tell("w1", running=1)
        self.a.connections["w1"] = None
        self.a.tell("w1")
        self.pass_(0.2)
        self.assertAllSee("w1", 102, READY)

    def test_movesBack(self):
        """And when it connects to that one anew it is that one's again."""
        for each in (self.a, self.b, self.a):
            each.connect("w1")
            self.pass_(0.2)
        self.assertAllSee("w1", 101, READY)

    def test_batched(self):
        """However often something changes, it is stored ten times a second at most, and in one transaction."""
        written = []
        table = self.a.snapshots._table
        write = table.write
        table.write = lambda offers: written.append(sorted(offers)) or write(offers)
        for number in range(100):
            for name in ("w1", "w2"):
                self.a.tell(name, running=number)
            self.pass_(0.01)
        self.assertLessEqual(len(written), 11)
        self.assertEqual(written[1:], [["w1", "w2"]] * (len(written) - 1))

    def test_busy(self):
        """What a worker builds does not matter to its builders: a thousand of them are not looked at for each build."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.assertEqual([each.snapshots.concernsBuilders("w1") for each in self.members], [True] * 3)
        self.a.tell("w1", running=1)
        self.pass_(0.2)
        self.assertEqual([each.snapshots.concernsBuilders("w1") for each in self.members], [False] * 3)
        self.a.tell("w1", state="NOT_ACCEPTING_NEW_BUILDS")
        self.pass_(0.2)
        self.assertEqual([each.snapshots.concernsBuilders("w1") for each in self.members], [True] * 3)

    def test_nothingNew(self):
        """What has been told already is not stored again."""
        self.a.tell("w1")
        self.pass_(0.2)
        self.a.tell("w1")
        self.pass_(0.2)
        self.assertEqual(self.a.stored, ["w1"])

    def test_backAndForth(self):
        """What is as it was told last, but for what is being stored just now, is told once more."""
        self.a.connect("w1")
        self.pass_(0.2)
        slow, write = Deferred(), self.a.snapshots._table.write
        self.a.snapshots._table.write = lambda offers: slow.addCallback(lambda _: write(offers))
        self.a.tell("w1", running=1)
        self.pass_(0.2)
        self.a.tell("w1", running=0)
        self.a.snapshots._table.write = write
        slow.callback(None)
        self.pass_(0.3)
        self.assertEqual(self.ui.snapshots.known.get("w1").entity["running"], 0)

    def test_idle(self):
        """While nothing happens the database is asked nothing."""
        self.a.connect("w1")
        self.pass_(5)
        asked = []
        do = self.master.db.pool.do
        self.patch(self.master.db.pool, "do", lambda *args: asked.append(args) or do(*args))
        self.pass_(60)
        self.assertEqual(asked, [])

    def test_messageLost(self):
        """A message that is lost is noticed by the next pulse, and made up for from the database."""
        self.ui.queue.cut = True
        self.a.connect("w1")
        self.pass_(0.2)
        self.assertIsNone(self.ui.sees("w1"))
        self.ui.queue.cut = False
        self.pass_(PERIOD)
        self.assertAllSee("w1", 101, READY)
        self.assertEqual(self.b.missed, [])

    def test_saidLate(self):
        """Of a change that is read, as its message was lost, an event is due here, too."""
        self.a.connect("w1")
        self.pass_(5)
        self.ui.queue.cut = True
        self.a.tell("w1", running=1)
        self.pass_(0.2)
        self.ui.queue.cut = False
        self.pass_(PERIOD)
        self.assertEqual((self.ui.missed, self.b.missed), (["w1"], []))

    def test_queueAway(self):
        """While nothing comes through the queue the database is read every two seconds, and nobody is taken for dead whom that
        knows to live.
        """
        self.a.connect("w1")
        self.pass_(0.2)
        says = self.ui.snapshots.pulse.databaseSays
        self.patch(self.ui.snapshots.pulse, "databaseSays", lambda _: says(frozenset({101})))
        for each in self.members:
            each.queue.cut = True
        self.pass_(DEAF + PERIOD)
        self.assertTrue(self.ui.snapshots.pulse.deaf)
        self.assertEqual(self.ui.sees("w1"), (101, READY))
        self.a.tell("w1", running=1)
        self.pass_(PERIOD + 0.2)
        self.assertEqual(self.ui.snapshots.known.get("w1").entity["running"], 1)

    def test_queueAwayAndMasterGone(self):
        """Then it is the database that knows who is gone."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.ui.queue.cut = True
        self.pass_(DEAF + 2 * PERIOD)
        # (there are no masters of these numbers)
        self.assertEqual(self.ui.sees("w1"), (101, AWAY))

    def test_masterGone(self):
        """A master that is not heard of is gone: what it told is shown as offline, and the others may take over."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.a.queue.cut = True
        self.pass_(GONE + PERIOD)
        self.assertEqual(self.ui.sees("w1"), (101, AWAY))
        entity = self.ui.snapshots.elsewhere("w1")
        self.assertEqual([each["source"] for each in entity["holds"]], ["offline"])
        self.assertIsNotNone(entity["stale_since"])
        self.assertIn("w1", self.b.due)
        self.assertIn("w1", self.ui.missed, "somebody has to say it to browsers")
        self.assertNotIn("w1", self.ui.due)
        self.b.tell("w1")
        self.pass_(0.2)
        self.assertEqual(self.ui.sees("w1"), (102, AWAY))

    def test_masterBack(self):
        """When it is heard again, and the worker has been connected to it all the time, it tells of it as before."""
        self.test_masterGone()
        self.a.queue.cut = False
        self.pass_(2 * PERIOD)
        self.assertIn("w1", self.a.due)
        self.a.tell("w1")
        self.pass_(0.2)
        self.assertAllSee("w1", 101, READY)

    def test_stoodStill(self):
        """A master that stood still until it was given up goes on: what it tells then is known everywhere within one pulse, though it
        stored that before it could hear that another one had taken the worker over.
        """
        self.a.connect("w1")
        self.pass_(0.2)
        self.a.queue.cut = True
        self.pass_(GONE + PERIOD)
        self.b.tell("w1")
        self.pass_(0.2)
        self.assertEqual(self.ui.sees("w1"), (102, AWAY))
        self.a.tell("w1", running=1)
        self.pass_(0.2)
        self.a.queue.cut = False
        self.pass_(PERIOD + 0.2)
        self.assertAllSee("w1", 101, READY)
        self.assertEqual(self.ui.snapshots.known.get("w1").entity["running"], 1)
        self.assertIsNone(self.a.snapshots.elsewhere("w1"))

    def test_stopped(self):
        """A master that stops in good order says so."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.resultOf(self.a.snapshots.stop())
        self.pass_(0.2)
        self.assertEqual(self.ui.sees("w1"), (101, AWAY))

    def test_forgotten(self):
        """A worker that leaves the configuration is forgotten everywhere; who has it, too, may tell of it."""
        self.a.connect("w1")
        self.pass_(0.2)
        del self.a.connections["w1"]
        self.a.snapshots.forget("w1")
        self.pass_(0.2)
        self.assertIsNone(self.ui.sees("w1"))
        self.assertIn("w1", self.b.due)
        late = self.join()
        self.assertIsNone(late.sees("w1"))

    def test_forgottenWhileRead(self):
        """What is read just as it is forgotten, and told anew, is not taken for what is told now."""
        self.a.connect("w1")
        self.a.tell("w1", running=1)
        self.pass_(0.2)
        slow, read = Deferred(), self.ui.snapshots._table.read
        early = self.resultOf(read())
        self.ui.snapshots._table.read = lambda: slow.addCallback(lambda _: early)
        self.ui.snapshots.lookSoon()
        self.a.snapshots.forget("w1")
        self.pass_(0.2)
        self.ui.snapshots._table.read = read
        slow.callback(None)
        self.pass_(0.2)
        self.assertIsNone(self.ui.sees("w1"))
        self.a.tell("w1")
        self.pass_(0.2)
        self.assertAllSee("w1", 101, READY)

    def test_leftWhileDown(self):
        """What a master told of a worker before it was started anew, without that one, is forgotten."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.resultOf(self.a.snapshots.stop())
        self.members.remove(self.a)
        again = type(self.a)(self, 101, ["w2"])
        self.addCleanup(lambda: self.resultOf(again.snapshots.stop()))
        self.resultOf(again.snapshots.start())
        self.pass_(1)
        self.assertIsNone(self.ui.sees("w1"))

    def test_late(self):
        """A master that starts later knows everything."""
        self.a.connect("w1")
        self.pass_(0.2)
        self.assertEqual(self.join().sees("w1"), (101, READY))

    def test_databaseAway(self):
        """What cannot be stored is told when it can be again."""
        self.patch(self.a.snapshots._table, "write", lambda _: fail(OSError("it is away")))
        self.a.connect("w1")
        self.pass_(2)
        self.assertIsNone(self.ui.sees("w1"))
        del self.a.snapshots._table.write
        self.pass_(30)
        self.assertAllSee("w1", 101, READY)

    def test_unreadable(self):
        """A row that cannot be read is as none, and is written anew."""
        self.a.connect("w1")
        self.pass_(0.2)
        table = self.master.db.model.object_state

        def spoil(connection):
            connection.execute(table.update().values(value_json='{"version": 99}'))
            connection.commit()

        self.resultOf(self.master.db.pool.do(spoil))
        late = self.join()
        self.assertIsNone(late.sees("w1"))
        self.a.tell("w1", running=2)
        self.pass_(0.2)
        self.assertEqual(late.sees("w1"), (101, READY))

    def test_renewed(self):
        """What is told says what the breaks of the coming days are: so it is told again now and then."""
        told = []
        self.a.snapshots._due = told.append
        self.pass_(RENEWED + 1)
        self.assertEqual(told, [None])

    def test_leads(self):
        """Of those that live one leads."""
        self.a.connect("w1")
        self.b.connect("w2")
        self.pass_(0.2)
        self.assertEqual([each.snapshots.leads for each in (self.a, self.b)], [True, False])
        self.a.queue.cut = True
        self.pass_(GONE + PERIOD)
        self.assertTrue(self.b.snapshots.leads)
