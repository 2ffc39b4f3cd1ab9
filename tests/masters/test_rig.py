"""What stock Buildbot does with several masters: builds start where the worker is, and are seen everywhere."""

from twisted.trial.unittest import SynchronousTestCase

from tests.masters.masters import Masters


class RigTests(SynchronousTestCase):
    def test_builds(self):
        """A build that is requested at one master is built where the worker is; when its master is killed the worker moves."""
        masters = Masters(self, "w1", "w2").start()
        a, b, _ui = masters
        a.worker("w1").start()
        masters.moving("w2").start().waitUntilConnected()
        a.worker("w1").waitUntilConnected()
        self.assertIs(masters.masterOf("w2"), a)
        self.assertEqual(b.force("w1").waitUntilBuilt()["results"], 0)
        a.kill()
        b.waitFor(
            "w2 moves", lambda: b.masterid in [each["masterid"] for each in b.getWorker("w2")["connected_to"]]
        )
        self.assertEqual(b.force("w2").waitUntilBuilt()["results"], 0)
