from pathlib import Path

from tests.master.fakemaster import HOUR, MasterTestCase


class MirrorTests(MasterTestCase):
    """What Buildbot itself holds against a worker is seen as holds; Buildbot goes on to enforce it."""

    def control(self, action, **params):
        """What the web UI does."""
        workerid = self.worker("mac-mini").workerid
        self.master.mq.produce(("control", "worker", str(workerid), action), params)
        self.pass_(1)

    def test_offline(self):
        """A worker is held as offline exactly while it is not connected."""
        self.startMaster([self.slave("mac-mini")], connect=False)
        self.assertEqual(self.sources(), ["offline"])
        self.connect("mac-mini")
        self.assertEqual(self.sources(), [])
        self.pass_(HOUR)
        self.disconnect("mac-mini")
        (hold,) = self.presence().holds
        self.assertEqual((hold.source, hold.since, hold.until), ("offline", self.reactor.seconds(), None))

    def test_pause(self):
        """Buildbot's pause is the hold `pause`, with the reason that was given; no build starts."""
        self.startMaster([self.slave("mac-mini")])
        self.control("pause", reason="disk full")
        (hold,) = self.presence().holds
        self.assertEqual((hold.source, hold.reason), ("pause", "disk full"))
        self.request()
        self.control("pause", reason="disk very full")
        self.assertEqual(self.presence().heldBy("pause").reason, "disk very full")
        self.assertEqual(self.starts, [])
        self.control("unpause")
        self.assertEqual(self.sources(), [])
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_pauseIsNotABreak(self):
        """The end of a break does not end a pause, nor the other way round."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=("07:00", "19:00"), timezone="UTC")])
        self.passUntil(self.at(8))
        self.control("pause")
        self.control("unpause")
        self.assertEqual(self.sources(), ["break"])
        self.control("pause")
        self.passUntil(self.at(20))
        self.assertEqual(self.sources(), ["pause"])

    def test_pauseAfterARestart(self):
        """A pause is there again after a restart, and so is its reason, also when the worker has connected."""
        db_url = f"sqlite:///{Path(self.mktemp()).absolute()}"
        self.startMaster([self.slave("mac-mini")], db_url=db_url)
        self.control("pause", reason="disk full")
        self.stopMaster()
        self.startMaster([self.slave("mac-mini")], connect=False, db_url=db_url)
        self.assertEqual(self.presence().heldBy("pause").reason, "disk full")
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.presence().heldBy("pause").reason, "disk full")
        worker = self.resultOf(self.master.data.get(("workers", self.worker("mac-mini").workerid)))
        self.assertEqual((worker["paused"], worker["pause_reason"]), (True, "disk full"))
        self.control("unpause")
        self.assertEqual(self.sources(), [])

    def test_quarantine(self):
        """Buildbot's quarantine is the hold `quarantine`, until it ends."""
        self.startMaster([self.slave("mac-mini")])
        self.worker("mac-mini").putInQuarantine()
        (hold,) = self.presence().holds
        self.assertEqual((hold.source, hold.until), ("quarantine", self.reactor.seconds() + 10))
        self.request()
        self.pass_(9)
        self.assertEqual(self.sources(), ["quarantine"])
        self.assertEqual(self.starts, [])
        self.pass_(1)
        self.assertEqual(self.sources(), [])
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_quarantineEndsEarly(self):
        """Ending a pause ends a quarantine in Buildbot, and so it does here."""
        self.startMaster([self.slave("mac-mini")])
        self.worker("mac-mini").putInQuarantine()
        self.control("unpause")
        self.assertEqual(self.sources(), [])

    def test_graceful(self):
        """Buildbot's graceful shutdown is the hold `graceful`, until the worker connects again."""
        self.startMaster([self.slave("mac-mini")])
        self.request()
        self.control("stop")
        self.assertEqual(self.sources(), ["graceful"])
        self.request()
        self.finishAll()
        self.assertEqual(len(self.starts), 1)
        self.disconnect("mac-mini")
        self.assertEqual(self.sources(), ["offline", "graceful"])
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.sources(), [])
        self.assertEqual(len(self.starts), 2)

    def test_connectedIsNotYetReady(self):
        """A worker is ready when its builders are, and not already when its connection is there."""
        self.startMaster([self.slave("mac-mini")], connect=False)
        attached = []
        self.presence().waitUntilReady().addCallback(
            lambda _: attached.extend(
                wfb.isAvailable() for wfb in self.worker("mac-mini").workerforbuilders.values()
            )
        )
        self.connect("mac-mini")
        self.assertEqual(attached, [True])


class StockWorkerTests(MasterTestCase):
    """A stock worker beside ours counts as ready while it is connected and not paused."""

    def setUp(self):
        super().setUp()
        self.startMaster(
            [self.slave("mac-mini"), self.stock("plain")], {"runtests": ["plain"]}, connect=False
        )

    def test_connection(self):
        """It is offline until it connects, and again when it has gone."""
        self.assertEqual(self.sources("plain"), ["offline"])
        self.connect("plain")
        self.assertEqual(self.sources("plain"), [])
        self.disconnect("plain")
        self.assertEqual(self.sources("plain"), ["offline"])

    def test_pause(self):
        """Its pause is seen, with the reason."""
        self.connect("plain")
        self.worker("plain").pause("disk full")
        self.pass_(0)
        (hold,) = self.presence("plain").holds
        self.assertEqual((hold.source, hold.reason), ("pause", "disk full"))
        self.worker("plain").unpause()
        self.pass_(0)
        self.assertEqual(self.sources("plain"), [])

    def test_graceful(self):
        """Its graceful shutdown is seen."""
        self.connect("plain")
        self.request()
        self.worker("plain").shutdownRequested()
        self.pass_(0)
        self.assertEqual(self.sources("plain"), ["graceful"])

    def test_itsBuilder(self):
        """A builder that uses it is ready when it is."""
        ready = self.roster.builder("runtests").waitUntilReady()
        self.assertNoResult(ready)
        self.connect("plain")
        self.assertIs(self.successResultOf(ready), self.presence("plain"))
