"""The whole farm is seen at each master, also at one that only serves the UI."""

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.browser import Browser, executable
from tests.integration.farm import AT_ONCE
from tests.integration.pagecase import PLUGIN, SHOWN
from tests.masters.masters import Masters


class ViewsTests(SynchronousTestCase):
    def pages(self, masters):
        """The page of each master in a browser, where there is one."""
        if executable() is None and os.environ.get("PRESENCE_BROWSER") != "required":
            return []
        browser = Browser(self)
        pages = [browser.open(f"http://127.0.0.1:{farm.www}/#/presence") for farm in masters]
        for page in pages:
            page.locator('tr[data-worker="w2"]').wait_for()
        return pages

    def test_views(self):
        """Three masters say the same of all workers and builders; then one is killed, and what it had is offline everywhere."""
        night = "worker.BuildSlave('w2', PASSWORD, onBreakDuring=('03:00', '03:01'))"
        masters = Masters(self, "w1", night, "w3", extra=PLUGIN).start()
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
        month = int(time.time()) + 30 * 86400
        for path in (
            "presences",
            "presences/w1",
            "presences/w3",
            f"presences/between/{month}/{month + 604800}",
        ):
            found, _ = masters.agree(path)
        self.assertEqual([len(each["breaks"]) for each in found["presences"]], [0, 7, 0])
        self.assertEqual((builder("any")["ready"], builder("any")["total"]), (2, 3))
        pages = self.pages(masters)
        ordered = time.time()
        b.post("presences/w2", "hold", reason="disk")
        for farm, page in zip(masters, pages, strict=False):
            shown = page.evaluate(SHOWN, ['tr[data-worker="w2"]', "disk", True])
            self.assertLess(shown - ordered, max(AT_ONCE, farm.moment))
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
