from presence.master.builds.waiting import unclaimedRequests
from tests.master.fakemaster import MasterTestCase


class UnclaimedRequestsTests(MasterTestCase):
    """`unclaimedRequests` says which builders have something to build, and how much."""

    def ask(self):
        return self.resultOf(unclaimedRequests(self.master))

    def test_laws(self):
        """Requests in the queue count; those that are claimed or complete do not."""
        self.startMaster([self.slave("w0", max_builds=1)], {"a": ["w0"], "b": ["w0"]})
        ids = {name: self.resultOf(self.master.data.updates.findBuilderId(name)) for name in "ab"}
        self.assertEqual(self.ask(), {})
        self.request("a")
        self.assertEqual(self.ask(), {})
        self.request("b")
        self.request("b")
        self.assertEqual(self.ask(), {ids["b"]: 2})
        self.request("a")
        self.assertEqual(self.ask(), {ids["a"]: 1, ids["b"]: 2})
        self.finishAll()
        self.assertEqual(self.ask(), {})
