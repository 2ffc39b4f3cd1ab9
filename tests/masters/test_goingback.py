"""Masters of one farm go back to stock workers, one after the other."""

from twisted.trial.unittest import SynchronousTestCase

from tests.masters.masters import Masters

ADOPTED = 'c["services"] = [util.PresenceService()]'


class GoingBackTests(SynchronousTestCase):
    def holds(self, farm):
        return [
            each["reason"] for each in farm.get("presences/w1")["presences"][0]["holds"] if each["reason"]
        ]

    def test_oneAfterTheOther(self):
        """What is ordered stays while one master has presences, and is forgotten with the last one."""
        masters = Masters(self, "worker.Worker('w1', PASSWORD)", count=2, ui=False, extra=ADOPTED)
        masters.start()
        a, b = masters
        worker = a.worker("w1").start().waitUntilConnected()
        b.waitFor("b knows", lambda: b.get("presences/w1")["presences"])
        a.post("presences/w1", "hold", reason="disk")
        masters.extra = ""
        masters.configure(a)
        self.assertIn("is not forgotten, for it is heeded by", a.reconfig())
        # (it is shown as it is where it is connected)
        worker.stop()
        there = b.worker("w1").start().waitUntilConnected()
        b.waitFor("b has it still", lambda: self.holds(b) == ["disk"])
        there.stop()
        worker.start().waitUntilConnected()
        # here nobody heeds it any more
        a.force("w1").waitUntilBuilt()
        masters.configure(b)
        self.assertNotIn("is not forgotten", b.reconfig())
        masters.configure(a, more=ADOPTED)
        a.reconfig()
        a.waitFor("a has presences again", lambda: a.get("presences/w1")["presences"])
        self.assertEqual(self.holds(a), [])
