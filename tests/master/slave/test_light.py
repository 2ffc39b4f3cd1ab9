from tests.master.fakemaster import MasterTestCase


class LightTests(MasterTestCase):
    """A worker that is only there has little of ours: 500 workers × 1000 builders are half a million pairs."""

    def pair(self):
        (builder,) = self.master.botmaster.builders.values()
        return vars(builder.workers[0])

    def test_pair(self):
        """What follows the locks of a build is there while that runs, and no longer."""
        self.startMaster([self.slave("mac-mini")])
        self.assertNotIn("substantiate_if_needed", self.pair())
        self.request()
        self.assertIn("substantiate_if_needed", self.pair())
        self.finishAll()
        self.assertNotIn("substantiate_if_needed", self.pair())

    def test_silent(self):
        """What speaks with the owner's side is there when that has spoken."""
        self.startMaster([self.slave("mac-mini")])
        self.assertIsNone(self.worker("mac-mini")._owner_link)
