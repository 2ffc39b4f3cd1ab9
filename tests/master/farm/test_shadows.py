"""Whoever waits until a builder has a worker that is ready gets one that is connected to another master, too."""

from presence.master.farm.seen.shadows import Shadows
from tests.master.farm.viewcase import FarmTestCase


class ShadowsTests(FarmTestCase):
    def setUp(self):
        super().setUp()
        # of a master with the builder runtests (1), of which mac-mini, which is not connected, is a worker
        self.disconnect("mac-mini")
        self.away = []
        self.shadows = Shadows(self.roster, self.b.snapshots, lambda: self.away.append(True))
        self.addCleanup(self.shadows.stop)
        self.builder = self.roster.builder("runtests")

    def told(self):
        self.pass_(0.2)
        self.shadows.follow(self.b.snapshots.names)

    def assertNothingReady(self):
        waiting = self.builder.waitUntilReady()
        self.assertNoResult(waiting)
        waiting.addErrback(lambda _: None)

    def test_elsewhere(self):
        """It fires when one is ready there, with its name."""
        waiting = self.builder.waitUntilReady()
        self.told()
        self.assertNoResult(waiting)
        self.a.connect("w1")
        self.told()
        self.assertEqual(self.successResultOf(waiting).name, "w1")
        self.assertEqual([each.name for each in self.builder.workers], ["mac-mini"])

    def test_away(self):
        """It is said when a builder has one that is ready no longer: it is held there, or its master is gone."""
        self.a.connect("w1")
        self.told()
        self.a.tell("w1", running=1)
        self.told()
        self.assertEqual(self.away, [])
        self.a.tell("w1", state="NOT_ACCEPTING_NEW_BUILDS")
        self.told()
        self.assertEqual(len(self.away), 1)
        self.a.tell("w1")
        self.told()
        self.resultOf(self.a.snapshots.stop())
        self.told()
        self.assertEqual(len(self.away), 2)

    def test_notReady(self):
        """And not while it is held there, or would not start builds of this builder."""
        self.a.connect("w1")
        self.told()
        self.a.tell("w1", state="NOT_ACCEPTING_NEW_BUILDS")
        self.a.connections["w2"] = object()
        self.a.tell("w2")
        self.a.snapshots._offered["w2"][1]["1"] = ["a break begins", None]
        self.told()
        self.assertNothingReady()

    def test_comesHere(self):
        """One that has connected to this master is known by itself."""
        self.a.connect("w1")
        self.told()
        self.b.connect("w1")
        self.told()
        self.assertNothingReady()

    def test_reconfigured(self):
        """A builder that is configured later knows them, too."""
        self.a.connect("w1")
        self.told()
        self.roster._builders.pop("runtests").stop()
        self.roster._follow(self.master.config)
        self.shadows.followAll()
        self.assertEqual(self.successResultOf(self.roster.builder("runtests").waitUntilReady()).name, "w1")
