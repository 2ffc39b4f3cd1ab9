"""What a reconfig of the master makes of its workers, and of who waits for them."""

from buildbot.worker.base import Worker

from presence.errors import PresenceStopped
from presence.master.buildslave import BuildSlave
from tests.master.fakemaster import DAY, MasterTestCase


class ReconfigTests(MasterTestCase):
    """A reconfig changes what is configured differently, and touches nothing else."""

    def test_oneWorkersBreak(self):
        """One worker's break changes: no other worker and no running build is touched; waiters still fire."""
        self.setClock(8)

        def controllers(stop):
            return [
                self.slave("mac-mini", onBreakDuring=("07:00", stop), timezone="UTC"),
                self.slave("aarch64", onBreakDuring=("20:00", "21:00"), timezone="UTC"),
                self.stock("plain"),
            ]

        self.startMaster(controllers("19:00"))
        self.request()
        self.request()
        running = list(self.jobs)
        waiters = [self.presence().waitUntilReady(), self.presence().waitUntilReady()]
        before = self.farm()
        reconfigured = []
        real = Worker.reconfigService

        def reconfigService(worker, *args, **kwargs):
            reconfigured.append(worker.name)
            return real(worker, *args, **kwargs)

        self.patch(Worker, "reconfigService", reconfigService)
        self.reconfig(controllers("12:00"))
        self.assertEqual(reconfigured, ["mac-mini"])
        after = self.farm()
        self.assertEqual(before, after)
        self.assertEqual(self.jobs, running)
        self.passUntil(self.at(12) - 1)
        for waiter in waiters:
            self.assertNoResult(waiter)
        self.passUntil(self.at(12))
        for waiter in waiters:
            self.assertIs(self.successResultOf(waiter), self.presence())

    def check_inMidBreak(self, new, until):
        self.setClock(8)
        self.startMaster([self.slave("mac-mini", onBreakDuring=("07:00", "12:00"), timezone="UTC")])
        self.request()
        self.passUntil(self.at(10))
        self.reconfig([self.slave("mac-mini", onBreakDuring=new, timezone="UTC")])
        self.passUntil(self.at(until) - 0.001)
        self.assertEqual(len(self.starts), 0 if until > self.hour() else 1)
        self.passUntil(self.at(until))
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_longer(self):
        """In mid-break it is made longer: it ends at its new end."""
        self.check_inMidBreak(("07:00", "19:00"), 19)

    def test_shorter(self):
        """In mid-break it is made shorter: it ends at its new end."""
        self.check_inMidBreak(("07:00", "11:00"), 11)

    def test_removed(self):
        """In mid-break it is removed: what waits starts at once."""
        self.setClock(8)
        self.startMaster([self.slave("mac-mini", onBreakDuring=("07:00", "12:00"), timezone="UTC")])
        self.request()
        self.reconfig([self.slave("mac-mini")])
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.assertLess(self.hour(), 8.01)

    def test_thereAndBack(self):
        """What was changed and is changed back is as it was (stock Buildbot would not notice)."""
        self.setClock(8)
        self.startMaster([self.slave("mac-mini")])
        for _ in range(2):
            self.reconfig(
                [self.slave("mac-mini", onBreakDuring=("07:00", "12:00"), timezone="UTC", max_builds=1)]
            )
            self.assertEqual((self.sources(), self.worker("mac-mini").max_builds), (["break"], 1))
            self.reconfig([self.slave("mac-mini")])
            self.assertEqual((self.sources(), self.worker("mac-mini").max_builds), ([], None))

    def test_theSameAgain(self):
        """A reconfig that changes nothing reconfigures no worker."""
        options = {"onBreakDuring": [("07:00", "12:00", "MO-FR"), ("13:00", "14:00")], "timezone": "UTC"}
        self.startMaster([self.slave("mac-mini", **options)])
        self.patch(Worker, "reconfigService", lambda *args, **kwargs: self.fail("reconfigured"))
        self.reconfig([self.slave("mac-mini", **options)])

    def test_otherHoldsStay(self):
        """What people have said stands."""
        self.startMaster([self.slave("mac-mini")])
        self.presence().hold("worker", reason="rendering")
        self.reconfig([self.slave("mac-mini", onBreakDuring=("07:00", "12:00"), timezone="UTC")])
        (hold,) = self.presence().holds
        self.assertEqual(hold.reason, "rendering")

    def test_workerRemoved(self):
        """Who waits for a worker that is removed gets `PresenceStopped`; who waits for its builder goes on."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")], connect=False)
        presence = self.presence()
        waiter, other = presence.waitUntilReady(), self.roster.builder("runtests").waitUntilReady()
        self.reconfig([self.slave("aarch64")])
        self.failureResultOf(waiter, PresenceStopped)
        self.assertNoResult(other)
        self.assertEqual(set(self.roster.workers), {"aarch64"})
        self.connect("aarch64")
        self.assertIs(self.successResultOf(other), self.presence("aarch64"))

    def test_workerComesBack(self):
        """A worker that is removed and added again later has a new presence, which works."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")])
        self.reconfig([self.slave("aarch64")])
        self.reconfig(
            [self.slave("mac-mini", onBreakDuring=("07:00", "12:00"), timezone="UTC"), self.slave("aarch64")]
        )
        self.assertEqual(self.sources(), ["offline"])
        self.connect("mac-mini")
        self.assertEqual(self.sources(), [])
        self.passUntil(self.at(7))
        self.assertEqual(self.sources(), ["break"])

    def test_builderRemoved(self):
        """Who waits for a builder that is removed gets `PresenceStopped`."""
        self.startMaster([self.slave("mac-mini")], {"a": ["mac-mini"], "b": ["mac-mini"]}, connect=False)
        waiter, other = (self.roster.builder(name).waitUntilReady() for name in "ab")
        self.reconfig([self.slave("mac-mini")], {"b": ["mac-mini"]})
        self.failureResultOf(waiter, PresenceStopped)
        self.assertNoResult(other)
        self.connect("mac-mini")
        self.successResultOf(other)

    def test_builderMembership(self):
        """A builder that is given another worker is ready when that one is."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")], {"a": ["mac-mini"]}, connect=False)
        builder = self.roster.builder("a")
        waiter = builder.waitUntilReady()
        self.reconfig([self.slave("mac-mini"), self.slave("aarch64")], {"a": ["aarch64"]})
        self.assertIs(self.roster.builder("a"), builder)
        self.connect("mac-mini")
        self.assertNoResult(waiter)
        self.connect("aarch64")
        self.assertIs(self.successResultOf(waiter), self.presence("aarch64"))

    def test_workerBecomesBuildSlave(self):
        """The class of a worker changes, and back: its presence stays, and so do those who wait for it."""
        self.setClock(8)
        self.startMaster([self.slave("aarch64"), self.stock("mac-mini")], connect=False)
        presence = self.presence()
        waiter = presence.waitUntilReady()
        self.reconfig(
            [self.slave("aarch64"), self.slave("mac-mini", onBreakDuring=("07:00", "12:00"), timezone="UTC")]
        )
        self.assertIsInstance(self.worker("mac-mini"), BuildSlave)
        self.assertIs(self.presence(), presence)
        self.connect("mac-mini")
        self.assertEqual(self.sources(), ["break"])
        self.disconnect("mac-mini")
        self.reconfig([self.slave("aarch64"), self.stock("mac-mini")])
        self.assertNotIsInstance(self.worker("mac-mini"), BuildSlave)
        self.assertIs(self.presence(), presence)
        self.assertEqual(self.sources(), ["offline"])
        self.assertNoResult(waiter)
        self.connect("mac-mini")
        self.assertIs(self.successResultOf(waiter), presence)
        self.pass_(DAY)
        self.assertEqual(self.sources(), [])

    def test_classChangesWhileConnected(self):
        """A worker that is connected when its class changes connects again, and is ready then."""
        self.startMaster([self.slave("aarch64"), self.stock("mac-mini")])
        for controller in (self.slave("mac-mini"), self.stock("mac-mini")):
            self.reconfig([self.slave("aarch64"), controller])
            self.assertEqual(self.sources(), ["offline"])
            self.connect("mac-mini")
            self.assertEqual(self.sources(), [])
