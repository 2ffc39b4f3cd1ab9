"""A function of a site that never answers, and was asked before there was anybody who could do without its answer."""

from twisted.internet.defer import CancelledError

from tests.master.quiesce.test_stuck import StuckTestCase, WaysOut


class AtTheStartTests(WaysOut, StuckTestCase):
    """Buildbot asks `prioritizeBuilders` as the master starts, before there are workers."""

    def begin(self):
        self.brid = None
        self.asked = []
        self.mac, self.kept = self.slave("mac-mini"), self.slave("aarch64")
        self.farm(self.mac, self.kept, **self.part("prioritizeBuilders"))
        self.assertEqual(len(self.asked), 1)
        self.request("bad")
        self.pass_(1)
        self.assertEqual((len(self.asked), self.starts), (1, []))

    def test_reconfig(self):
        """A reconfig that takes it away is done at its deadline, and the distributor goes on."""
        self.begin()
        run = self.requestReload(onDeadline="reconfig")
        self.pass_(6)
        self.assertEnded(run, "reconfigured")
        self.assertBuilds()


class AtTheAdoptionTests(StuckTestCase):
    """A farm of stock workers is stuck already when it adopts presence, by a reconfig."""

    def begin(self, function="nextBuild"):
        self.brid = None
        self.asked = []
        self.mac, self.kept = self.stock("mac-mini"), self.stock("aarch64")
        self.startMaster([self.mac, self.kept], **self.part(function))
        self.request("bad")
        self.pass_(1)
        self.assertEqual((len(self.asked), self.starts), (1, []))

    def adopt(self):
        self.write(self.mac, self.kept, **self.part("nextBuild"))
        self.resultOf(self.master.reconfig())
        self.pass_(1)

    def assertGoesOn(self):
        self.pass_(1)
        self.assertBuilds()
        # Buildbot takes it for a function that has failed
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)

    def test_plainReconfig(self):
        """The next reconfig takes the bad function away, and the distributor goes on."""
        self.begin()
        self.adopt()
        self.write(self.mac, self.kept, **self.part(None))
        self.resultOf(self.master.reconfig())
        self.assertGoesOn()

    def test_reconfig(self):
        """So does one that waits, at its deadline."""
        self.begin()
        self.adopt()
        run = self.requestReload(onDeadline="reconfig")
        self.pass_(6)
        self.assertEnded(run, "reconfigured")
        self.assertGoesOn()

    def test_answersInTime(self):
        """A function that has answered meanwhile is heeded, and nothing is cancelled later."""
        self.begin()
        self.adopt()
        self.asked[0].callback(None)
        self.pass_(1)
        run = self.requestReload(onDeadline="reconfig")
        self.pass_(6)
        self.assertEnded(run, "reconfigured")
        self.assertBuilds()
