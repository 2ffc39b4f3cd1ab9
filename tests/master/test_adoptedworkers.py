"""A stock worker that has been adopted: what runs, and what is asked of it then."""

from buildbot.process.results import SUCCESS
from buildbot.worker.base import Worker
from twisted.internet.defer import fail, succeed

from presence.errors import NotAcceptingBuildsError
from presence.master.buildslave import PresenceMixin
from presence.master.slave import flags
from tests.master.fakemaster import HOUR
from tests.master.test_adoption import AdoptionTestCase


class RunningTests(AdoptionTestCase):
    """`PresenceService` comes into the configuration of a master that runs, and leaves it again."""

    def adopt(self, **service):
        self.reconfig([self.stock("mac-mini"), self.stock("aarch64")], service=service)

    def giveBack(self):
        self.reconfig([self.stock("mac-mini"), self.stock("aarch64")], service=None)

    def start(self):
        self.startMaster([self.stock("mac-mini"), self.stock("aarch64")], service=None)
        self.worker("aarch64").pause("it would be chosen as well")

    def lose(self, name):
        """The connection says by itself that it is no longer there, as those over a wire do."""
        self.worker(name).conn.notifyDisconnected()
        self.pass_(1)

    def test_adopted(self):
        """A worker that builds is adopted with its build; nobody is disconnected, and no build is retried."""
        self.start()
        brid = self.request()
        worker, conn = self.worker("mac-mini"), self.worker("mac-mini").conn
        self.adopt(onBreakDuring={"mac-*": ("05:00", "19:00")}, timezone="UTC")
        self.assertIs(self.worker("mac-mini"), worker)
        self.assertIs(worker.conn, conn)
        self.assertEqual((self.sources(), self.presence().running), (["break"], 1))
        self.assertEqual(self.sources("aarch64"), ["pause"])
        later = self.request()
        self.finishAll()
        self.assertEqual((self.results(brid), self.presence().running), ([SUCCESS], 0))
        self.assertEqual(self.unclaimed(), [later])

    def test_lastGate(self):
        """The connection that it had is guarded, too."""
        self.start()
        self.adopt()
        self.worker("mac-mini").presence.hold("admin")
        self.worker("mac-mini")._closed = False
        error = self.assertRaises(
            NotAcceptingBuildsError, self.worker("mac-mini").conn.remoteStartBuild, "runtests"
        )
        self.assertIn("mac-mini", str(error))
        self.worker("mac-mini").presence.release("admin")

    def test_pausedMeanwhile(self):
        """That it is paused is stored also when it is given back meanwhile, and of how that is done nothing is left."""
        self.start()
        self.adopt()
        waits = self.holdBack(flags._write)
        worker = self.worker("mac-mini")
        worker.pause("first")
        self.giveBack()
        self.assertNotIsInstance(worker, PresenceMixin)
        worker._pause_reason = "last"
        for number in range(2):
            waits[number].callback(None)
            self.pass_(1)
        self.assertNotIn("_storing", vars(worker))
        stored = self.resultOf(self.master.data.get(("workers", worker.workerid)))
        self.assertEqual((stored["paused"], stored["pause_reason"]), (True, "last"))

    def test_lost(self):
        """The connection that it had when it was adopted is mirrored when it goes."""
        self.start()
        self.adopt()
        self.lose("mac-mini")
        self.assertEqual(self.sources(), ["offline"])

    def test_lostWhenGivenBack(self):
        """One that connected with a presence, and is lost without it, is lost as a stock worker is."""
        self.start()
        self.adopt()
        self.disconnect("mac-mini")
        self.connect("mac-mini")
        self.giveBack()
        self.lose("mac-mini")
        self.assertIsNone(self.worker("mac-mini").conn)

    def test_quarantine(self):
        """A quarantine that began before one of both ends after it."""
        self.start()
        worker = self.worker("mac-mini")
        worker.putInQuarantine()
        self.adopt()
        self.assertEqual(self.sources(), ["quarantine"])
        self.pass_(10)
        self.assertEqual(self.sources(), [])
        worker.putInQuarantine()
        self.giveBack()
        self.pass_(HOUR)
        self.assertIsNone(worker.quarantine_timer)

    def test_givenBack(self):
        """Going back leaves the class that was declared, the build that runs, and nothing else; twice."""
        self.start()
        worker = self.worker("mac-mini")
        ours = {
            name for part in PresenceMixin.__mro__ if "presence" in part.__module__ for name in vars(part)
        }
        guards = set(vars(worker.conn))
        for _ in range(2):
            self.adopt(onBreakDuring={"mac-*": ("05:00", "19:00")}, timezone="UTC")
            self.order("mac-mini", "hold", reason="new disk")
            self.assertEqual(self.sources(), ["break", "admin"])
            brid = self.request()
            self.giveBack()
            self.assertIs(type(worker), Worker)
            left = set(vars(worker)) & {*ours, "_building", "_admitted", "_end_observation", "schedule"}
            self.assertEqual(left - set(dir(Worker)), set())
            self.assertEqual(set(vars(worker.conn)), guards)
            self.pass_(1)
            # what waited starts at once
            self.assertEqual(len(self.jobs), 1)
            self.finishAll()
            self.assertEqual(self.results(brid), [SUCCESS])
        self.assertNotIn("addService", vars(self.master.workers))

    def test_owner(self):
        """Whoever adopts a worker asks what its owner says now, whatever was said while nobody listened."""
        self.start()
        worker = self.worker("mac-mini")
        said = {"version": 1, "state": "NOT_ACCEPTING_NEW_BUILDS", "reason": "rendering", "by": "owner"}
        info = {"presence": {**said, "since": self.reactor.seconds(), "until": None}}
        self.patch(worker.conn, "remoteGetWorkerInfo", lambda: succeed(dict(info)))
        worker.conn.worker.bot.remote_presence_view = lambda _view: None
        brid = self.request()
        self.finishAll()
        for _ in range(2):
            self.adopt()
            self.assertEqual(
                (self.sources(), self.presence().heldBy("worker").reason), (["worker"], "rendering")
            )
            waiting = self.request()
            self.assertEqual(self.unclaimed(), [waiting])
            self.giveBack()
            self.finishAll()
        self.assertEqual(self.results(brid), [SUCCESS])

    def test_ownerIsSilent(self):
        """A worker that does not answer is adopted all the same."""
        self.start()
        self.patch(self.worker("mac-mini").conn, "remoteGetWorkerInfo", lambda: fail(ValueError("mute")))
        self.adopt()
        self.request()
        self.assertEqual((self.startedOn(), len(self.flushLoggedErrors(ValueError))), (["mac-mini"], 1))

    def test_notFromTheDead(self):
        """What an admin has ordered is forgotten when its worker is given back, and survives a reconfig and the master."""
        self.start()
        self.adopt()
        self.order("mac-mini", "hold", reason="new disk")
        self.adopt()
        self.assertEqual(self.sources(), ["admin"])
        self.giveBack()
        self.adopt()
        self.assertEqual(self.sources(), [])

    def test_runsOn(self):
        """A build that runs when its worker is given back is finished."""
        self.start()
        self.adopt()
        brid = self.request()
        self.giveBack()
        self.finishAll()
        self.assertEqual(self.results(brid), [SUCCESS])
