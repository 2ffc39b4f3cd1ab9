"""The router of several masters goes away, and comes back; or was never there."""

import signal

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.processes import waitFor
from tests.masters.masters import Masters


class RouterTests(SynchronousTestCase):
    def test_lost(self):
        """While it is away each master goes on by itself, and says so; then they hear each other again. One that is to end then does,
        with a status of which a supervisor knows that it has failed; and the other one ends when it is told to.
        """
        masters = Masters(self, "w1", ui=False)
        a, b = masters
        # (of a process that is forked the status is not known)
        b.master.warm = False
        masters.start()
        a.worker("w1").start().waitUntilConnected()
        seen = [len(each.master.log) for each in masters]
        masters.router.crash()
        for each, since in zip(masters, seen, strict=True):
            each.master.waitForLog("it says so", "connection to the router at .* is lost", since)
        # (a build that ends is a message of the master to itself)
        self.assertEqual(a.force("w1").waitUntilBuilt()["results"], 0)
        seen = [len(each.master.log) for each in masters]
        masters.router.start()
        for each, since in zip(masters, seen, strict=True):
            each.master.waitForLog("it is there again", "connected to the router at .* again", since)
        masters.agree("presences")
        self.assertEqual(b.force("w1").waitUntilBuilt()["results"], 0)
        masters.configure(b, more='c["services"] = [util.PresenceService(routerLost="end")]')
        b.reconfig()
        masters.router.crash()
        waitFor("b ends", lambda: not b.master.running)
        self.assertEqual(b.master.status, 75)
        self.assertIn("this master ends", b.master.log)
        a.master.stop()

    def test_neverThere(self):
        """A master that is started without a router says so, works, and joins when there is one."""
        masters = Masters(self, "w1", count=1, ui=False, launch=False)
        masters.prepare()
        (a,) = masters
        a.start()
        a.master.waitForLog("it says so", "has not let this master in")
        a.worker("w1").start().waitUntilConnected()
        self.assertEqual(a.force("w1").waitUntilBuilt()["results"], 0)
        masters.router.start()
        a.master.waitForLog("it joins", "connected to the router at .* again")
        a.master.signal(signal.SIGTERM)
        waitFor("it ends", lambda: not a.master.running)

    def test_nodeinfo(self):
        """Where a web page answers in the place of the router, it is said what is wrong."""
        masters = Masters(self, "w1", count=1, ui=False, nodeinfo=True).start()
        masters.all[0].master.waitForLog("it says so", "nodeinfo")
