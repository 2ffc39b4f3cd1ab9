"""The whole farm is seen at each master, also at one that only serves the UI."""

from twisted.trial.unittest import SynchronousTestCase

from tests.masters.masters import Masters


class ViewsTests(SynchronousTestCase):
    def test_views(self):
        """Three masters say the same of all workers and builders; then one is killed, and what it had is offline everywhere."""
        masters = Masters(self, "w1", "w2", "w3").start()
        a, b, ui = masters
        workers = a.worker("w1").start(), b.worker("w2").start()
        for each in workers:
            each.waitUntilConnected()

        def states():
            return {each["name"]: each["state"] for each in ui.get("presences")["presences"]}

        def builder(name):
            masters.agree("builderpresences")
            return ui.get(f"builderpresences?name={name}")["builderpresences"][0]

        ui.waitFor("the UI knows", lambda: states().get("w1") == states().get("w2") == "AVAILABLE")
        for path in ("presences", "presences/w1", "presences/w3"):
            masters.agree(path)
        self.assertEqual((builder("any")["ready"], builder("any")["total"]), (2, 3))
        b.post("presences/w2", "hold", reason="disk")
        ui.waitFor("it is held", lambda: states()["w2"] != "AVAILABLE")
        self.assertEqual((builder("any")["ready"], builder("any")["total"]), (1, 3))
        self.assertIn("disk", builder("w2")["reason"])
        request = b.force("w1", held=True).waitUntilRuns()
        ui.waitFor("it is busy", lambda: ui.get("presences/w1")["presences"][0]["busy"])
        masters.agree("presences")
        (running,) = masters.agree("runningbuilds?field=buildid&field=builder&field=worker&field=masterid")[
            0
        ]["runningbuilds"]
        self.assertEqual((running["worker"], running["masterid"]), ("w1", a.masterid))
        waiting = b.force("w2")
        (why,) = masters.agree(f"requestpresences/{waiting.number}?field=summary&field=reasons")[0][
            "requestpresences"
        ]
        self.assertIn("disk", why["summary"][0]["text"])
        request.letFinish()
        a.kill()
        ui.waitFor("w1 is offline", lambda: states()["w1"] != "AVAILABLE")
        self.assertEqual(builder_of(ui, "any")["ready"], 0)


def builder_of(farm, name):
    return farm.get(f"builderpresences?name={name}")["builderpresences"][0]
