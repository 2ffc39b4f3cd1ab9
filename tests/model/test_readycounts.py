from twisted.trial.unittest import SynchronousTestCase

from presence.model.readycounts import ReadyCounts
from presence.testing import FakeRoster


class ReadyCountsTests(SynchronousTestCase):
    """How many workers of a builder are ready is counted as they flip."""

    def setUp(self):
        roster = FakeRoster("abc", {"both": "ab", "one": "a", "other": "c"})
        self.a, self.b, self.c = (roster.worker(name) for name in "abc")
        self.counts = ReadyCounts()
        self.builders = roster.builders
        self.counts.follow(self.builders)

    def ready(self):
        return [self.counts.readyOf(name) for name in ("both", "one", "other")]

    def test_follow(self):
        """A new configuration is counted, and who has no builder, or is not in it, counts for nothing."""
        self.assertEqual(self.ready(), [2, 1, 1])
        self.assertEqual(self.counts.buildersOf("a"), ["both", "one"])
        self.b.hold("worker")
        self.counts.follow({"both": self.builders["both"]})
        self.assertEqual(self.ready(), [1, 0, 0])
        self.assertEqual((self.counts.buildersOf("a"), self.counts.buildersOf("c")), (["both"], []))
        self.assertEqual(self.counts.changed(self.c), [])

    def test_flip(self):
        """A flip changes the counts of the worker's own builders, which are those that it matters for; and back."""
        self.a.hold("worker")
        self.assertEqual(self.counts.changed(self.a), ["both", "one"])
        self.assertEqual(self.ready(), [1, 0, 1])
        self.a.release("worker")
        self.assertEqual(self.counts.changed(self.a), ["both", "one"])
        self.assertEqual(self.ready(), [2, 1, 1])

    def test_anotherReason(self):
        """Another hold of a worker that is held matters for builders that have no ready worker: they say why. The others
        do not.
        """
        self.a.hold("worker")
        self.counts.changed(self.a)
        self.a.hold("admin")
        self.assertEqual(self.counts.changed(self.a), ["one"])
        self.b.hold("admin")
        self.counts.changed(self.b)
        self.a.release("admin")
        self.assertEqual(self.counts.changed(self.a), ["both", "one"])
        self.assertEqual(self.ready(), [0, 0, 1])
