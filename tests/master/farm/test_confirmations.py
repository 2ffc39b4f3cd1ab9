"""An order is acknowledged with whether the masters that have the workers heed it."""

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from presence.master.farm import confirmations
from presence.master.farm.confirmations import HEEDED, PATIENCE
from presence.master.holding.recordtable import RecordTable
from presence.orders.acknowledgement import Acknowledgement
from presence.orders.workers import HoldOrder
from tests.master.apicase import INVALID_PARAMS, user
from tests.master.farm.farmcase import FarmTestCase

ANN = user("ann")


class AcknowledgementTests(FarmTestCase):
    """Master b has a worker that is not connected here."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini"), self.slave("theirs")])
        self.disconnect("theirs")
        self.b = self.addMaster("b")
        self.connectElsewhere("theirs", self.b)

    def addMaster(self, name):
        """Another master, by its id."""
        masterid = self.resultOf(self.master.db.masters.findMasterId(name))
        self.resultOf(self.master.db.masters.setMasterState(masterid, True))
        return masterid

    def connectElsewhere(self, name, masterid):
        workerid = self.resultOf(self.master.data.updates.findWorkerId(name))
        self.resultOf(self.master.db.workers.workerConnected(workerid, masterid, {}))

    def confirm(self, masterid, revision):
        self.master.mq.produce(HEEDED, {"masterid": masterid, "revision": revision})

    def begin(self, action, path="presences/theirs", **params):
        """Order something: the answers, of which there is none yet."""
        answers = []
        done = self.master.data.control(action, params, tuple(path.split("/")))
        done.addCallback(answers.append)
        self.pass_(0.01)
        return answers

    def test_confirmed(self):
        """It is heeded when the master that has the worker says so, and that one is named."""
        answers = self.begin("hold")
        self.assertEqual(answers, [])
        self.confirm(self.b, 1)
        ((answer,),) = (answers,)
        expected = {"heeded": True, "heeded_by": ["b"], "not_confirmed": [], "text": None}
        self.assertEqual(answer["order"], expected)
        self.assertEqual([hold["source"] for hold in answer["holds"]], ["offline", "admin"])

    def test_notConfirmed(self):
        """When nobody says so within a second it is stored, and that is said."""
        answers = self.begin("hold")
        self.pass_(PATIENCE - 0.1)
        self.assertEqual(answers, [])
        self.pass_(0.2)
        (answer,) = answers
        self.assertEqual(
            answer["order"],
            {
                "heeded": False,
                "heeded_by": [],
                "not_confirmed": ["b"],
                "text": "stored; master b has not confirmed",
            },
        )
        self.assertEqual(self.sources("theirs"), ["offline", "admin"])

    def test_anOlderOne(self):
        """That it heeds an order of before does not count."""
        self.confirm(self.b, 1)
        self.begin("hold")
        answers = self.begin("release")
        self.confirm(self.b, 1)
        self.assertEqual(answers, [])
        self.confirm(self.b, 2)
        self.assertTrue(answers[0]["order"]["heeded"])

    def test_messageLost(self):
        """What it has stored counts when its message is lost."""
        answers = self.begin("hold")
        self.resultOf(RecordTable(self.master).setFarmState(f"heeds {self.b}", 1))
        self.pass_(PATIENCE)
        self.assertTrue(answers[0]["order"]["heeded"])

    def test_ours(self):
        """An order about a worker that this master has is acknowledged at once, by this one."""
        answers = self.begin("hold", "presences/mac-mini")
        self.assertEqual(answers[0]["order"]["heeded_by"], [self.master.name])

    def test_nobodys(self):
        """A worker that no master has builds nothing: nobody is waited for."""
        self.disconnect("mac-mini")
        answers = self.begin("hold", "presences/mac-mini")
        self.assertEqual((answers[0]["order"]["heeded"], answers[0]["order"]["heeded_by"]), (True, []))

    def test_gaveUp(self):
        """A master that Buildbot has given up is not waited for."""
        self.resultOf(self.master.db.masters.setMasterState(self.b, False))
        self.assertTrue(self.begin("hold")[0]["order"]["heeded"])

    def test_several(self):
        """Of several workers each has an acknowledgement of its own."""
        answers = self.begin("hold", "presences", workers=["mac-mini", "theirs"])
        self.pass_(PATIENCE)
        told = {each["name"]: each["order"]["heeded"] for each in answers[0]["presences"]}
        self.assertEqual(told, {"mac-mini": True, "theirs": False})

    def test_databaseGone(self):
        """It goes when it has stored the order: who has the worker is not known, and so nobody has confirmed it."""
        masters, asked = confirmations.mastersOf, []
        self.patch(confirmations, "mastersOf", lambda *args: asked.append(args) or fail(RuntimeError("gone")))
        answers = self.begin("hold")
        self.flushLoggedErrors(RuntimeError)
        self.assertFalse(answers[0]["order"]["heeded"])
        self.assertIn("has not confirmed", answers[0]["order"]["text"])
        self.assertNotEqual(masters, confirmations.mastersOf)

    def test_clockJumps(self):
        """A clock that is set forward does not make it shorter, and one that is set back does not make it last for hours."""
        for seconds in (3600, -3600):
            answers = self.begin("hold", reason=str(seconds))
            self.jump(seconds)
            self.pass_(PATIENCE - 0.7)
            self.assertEqual(answers, [])
            self.pass_(0.8)
            self.assertFalse(answers[0]["order"]["heeded"])

    def test_weConfirm(self):
        """An order of another master is confirmed when it is heeded, in the queue and in the database."""
        told = []
        self.resultOf(self.master.mq.startConsuming(lambda _, message: told.append(message), HEEDED))
        revision = self.order(HoldOrder("disk"))
        self.pass_(0.1)
        self.assertEqual(told, [{"masterid": self.master.masterid, "revision": revision}])
        stored = self.resultOf(RecordTable(self.master).farmState(f"heeds {self.master.masterid}"))
        self.assertEqual(stored, revision)

    def test_stops(self):
        """A master that stops lets nobody wait."""
        answers = self.begin("hold")
        self.resultOf(self.assembly.farmOrders.stop())
        self.pass_(0.1)
        self.assertFalse(answers[0]["order"]["heeded"])

    # --- what can be ordered

    def said(self, **workers):
        """Master b has stored what can be ordered of its workers."""
        self.resultOf(RecordTable(self.master).setFarmState(f"workers {self.b}", workers))

    def refusal(self, action, path="presences/theirs", **params):
        answer = self.post(path, action, ANN, **params)
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.error[1], INVALID_PARAMS)
        return answer.error[2]

    def test_stockThere(self):
        """What the master that has the worker would refuse is refused, whatever is configured here."""
        self.said(theirs="stock")
        self.assertIn("one of Buildbot's own workers", self.refusal("hold"))
        self.assertIn("at master b", self.refusal("hold"))
        self.assertIn(
            "; nothing was ordered", self.refusal("hold", "presences", workers=["mac-mini", "theirs"])
        )
        self.assertEqual(self.sources("mac-mini"), [])

    def test_noBreaksThere(self):
        """To work in spite of breaks that it has not there is refused, and to hold it is not."""
        self.said(theirs="no breaks")
        self.assertIn("no breaks in master.cfg", self.refusal("work", until=self.at(9)))
        self.confirm(self.b, 1)
        self.assertEqual(self.post("presences/theirs", "hold", ANN).status, 200)

    def test_breaksThere(self):
        """It has breaks there, and none here: that one is right."""
        self.said(theirs="all")
        self.confirm(self.b, 1)
        self.assertEqual(self.post("presences/theirs", "work", ANN, until=self.at(9)).status, 200)
        self.assertIn("no breaks", self.refusal("work", "presences/mac-mini", until=self.at(9)))

    def test_nobodyHasIt(self):
        """Of a worker that is only configured elsewhere, and is connected nowhere, one master that can is enough."""
        workerid = self.resultOf(self.master.data.updates.findWorkerId("away"))
        builderid = self.resultOf(self.master.data.updates.findBuilderId("runtests"))
        # (with a builder of its own there, it is that of this master here)
        self.resultOf(self.master.db.workers.workerConfigured(workerid, self.master.masterid, [builderid]))
        path = "workers/away/presence"
        self.said(away="stock")
        self.assertIn("one of Buildbot's own", self.refusal("hold", path))
        c = self.addMaster("c")
        self.resultOf(RecordTable(self.master).setFarmState(f"workers {c}", {"away": "all"}))
        answer = self.post(path, "hold", ANN).result
        self.assertEqual((answer["name"], answer["order"]["heeded"]), ("away", True))

    def test_weSay(self):
        """What can be ordered of the workers of this master is stored, and again when that changes."""

        def stored():
            self.pass_(1)
            return self.resultOf(RecordTable(self.master).farmState(f"workers {self.master.masterid}"))

        self.assertEqual(stored(), {"mac-mini": "no breaks", "theirs": "no breaks"})
        self.disconnect("mac-mini")
        self.reconfig(
            [self.slave("mac-mini", onBreakDuring=("07:00", "19:00")), self.stock("old")], multiMaster=True
        )
        self.assertEqual(stored(), {"mac-mini": "all", "old": "stock"})


class SentenceTests(SynchronousTestCase):
    def test_sentences(self):
        """It is said who has not confirmed."""
        self.assertIsNone(Acknowledgement(("a",)).text)
        two = Acknowledgement(("a",), ("b", "c"))
        self.assertEqual(two.text, "stored; masters b and c have not confirmed")
