"""What is seen when the database is restarted, and when the router says nothing for a while."""

import time

from twisted.trial.unittest import SynchronousTestCase

from tests.masters.masters import Masters

#: Within what time after a fault all masters show the same, in seconds; more on a machine on which a master takes longer to start.
AGREED = 5.0


class FaultTests(SynchronousTestCase):
    def test_faults(self):
        """A change in the middle of it is shown by all; while the router says nothing it is read from the database."""
        masters = Masters(self, "w1", ui=True, count=1).start()
        a, ui = masters
        a.worker("w1").start().waitUntilConnected()
        masters.agree("presences")

        def reasons(farm):
            return [each["reason"] for each in farm.get("presences/w1")["presences"][0]["holds"]]

        def order(reason):
            try:
                a.post("presences/w1", "hold", reason=reason)
            except AssertionError:
                # the first statement of a connection of before fails
                return False
            return True

        masters.database.crash()
        masters.database.start()
        a.waitFor("it is stored", lambda: order("one"))
        _, seconds = masters.agree("presences")
        self.assertEqual(reasons(ui), ["one"])
        self.assertLess(seconds, max(AGREED, a.moment))
        masters.router.freeze()
        order("two")
        ui.waitFor("it is read", lambda: reasons(ui) == ["two"])
        ui.master.waitForLog("it is said", "nothing comes through the router")
        began = time.monotonic()
        masters.router.thaw()
        ui.master.waitForLog("it is heard again", "messages come through the router at .* again")
        masters.agree("presences")
        self.assertLess(time.monotonic() - began, max(AGREED, a.moment))
