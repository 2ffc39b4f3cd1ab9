"""What a master of several tells the others of its workers, and when."""

from presence.master.farm.seen.snapshots import Snapshots
from tests.master.apicase import ApiTestCase


class TellingTests(ApiTestCase):
    """A master whose workers connect, one after the other, and build all the time."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64"), self.slave("s390x")])
        events = self.assembly._events
        self.snapshots = Snapshots(
            self.master,
            connection=lambda name: self.worker(name).conn,
            isConfigured=lambda name: self.roster.findWorker(name) is not None,
            stored=events.toldHere,
            changed=events.toldElsewhere,
            missed=events.toldLate,
            due=events.tellAgain,
        )
        self.assembly.entities.join(self.snapshots)
        self.resultOf(events.join(self.snapshots))
        self.resultOf(self.snapshots.start())
        self.addCleanup(lambda: self.resultOf(self.snapshots.stop()))
        events.tellAgain(None)
        self.pass_(5)

    def told(self, name="mac-mini"):
        return [hold["source"] for hold in self.snapshots.told(name)["holds"]]

    def goOn(self):
        """Something changes of one of them every now and then: the wave goes on."""
        for _ in range(8):
            self.assembly._events.workerChanged("s390x")
            self.pass_(0.25)

    def test_heldInAWave(self):
        """That something else holds a worker is told while others connect, too: an admin wants to see it."""
        for name in ("mac-mini", "aarch64", "s390x"):
            self.disconnect(name)
        self.pass_(5)
        self.assertEqual(self.told(), ["offline"])
        self.connect("aarch64")
        self.connect("s390x")
        self.presence().hold("admin", reason="disk")
        self.goOn()
        self.assertEqual(self.told(), ["offline", "admin"])

    def test_buildsInAWave(self):
        """So is what one builds that has been connected all the time."""
        for name in ("aarch64", "s390x"):
            self.disconnect(name)
        self.pass_(5)
        for name in ("aarch64", "s390x"):
            self.connect(name)
        self.presence("aarch64").hold("admin")
        self.presence("s390x").hold("admin")
        self.request()
        self.goOn()
        self.assertEqual(self.snapshots.told("mac-mini")["running"], 1)
