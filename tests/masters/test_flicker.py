"""What browsers at the masters say of a worker while it is held, released, its owner goes, and its master is killed: each state once."""

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.browser import Browser
from tests.integration.ownerscommands import Terminal
from tests.integration.pagecase import PLUGIN
from tests.masters.masters import Masters

# In a page: keeps whatever the row of a worker says from now on, each time that it says something else.
RECORD = """
(name) => {
    const table = document.querySelector(`tr[data-worker="${name}"]`).closest("table");
    window.told = [];
    const look = () => {
        const row = table.querySelector(`tr[data-worker="${name}"]`);
        const parts = row ? [...row.querySelectorAll(".presence-state, .presence-hold")].map((each) => each.textContent) : ["gone"];
        const text = parts.join("; ");
        if (text !== window.told.at(-1)) window.told.push(text);
    };
    look();
    new MutationObserver(look).observe(table, {subtree: true, childList: true, characterData: true});
}
"""

#: What is looked for in what the row says, and how it is called here; the last one that is found counts.
STATES = (
    ("Available", "available"),
    ("lunch", "owner"),
    ("disk", "disk"),
    ("is not heard of|not connected", "lost"),
)


class FlickerTests(SynchronousTestCase):
    def test_once(self):
        """Each page goes through the same states, through each once; a hold stays through a failover, and no page shows less meanwhile."""
        browser = Browser(self)
        masters = Masters(self, "w1", "w2", extra=PLUGIN).start()
        a, b, ui = masters
        owner = Terminal(self, masters.moving("w2")).start()
        pages = [browser.open(f"http://127.0.0.1:{farm.www}/#/presence") for farm in masters]
        others = pages[1:]

        def reason():
            (worker,) = ui.get("presences/w2")["presences"]
            return [each["reason"] for each in worker["holds"]]

        def master():
            (worker,) = ui.get("presences/w2")["presences"]
            return worker["masterid"] if worker["connected"] else None

        ui.waitFor("it is available", lambda: reason() == [])
        for page in pages:
            page.locator('tr[data-worker="w2"] .presence-state').get_by_text("available").wait_for()
            page.evaluate(RECORD, "w2")
        ui.post("presences/w2", "hold", reason="disk")
        self.waitUntilAllSay(pages, "disk")
        b.post("presences/w2", "release")
        self.waitUntilAllSay(pages, "available")
        owner.do(0, "away", "--reason", "lunch")
        self.waitUntilAllSay(pages, "owner")
        owner.do(0, "back")
        self.waitUntilAllSay(pages, "available")
        b.post("presences/w2", "hold", reason="disk")
        self.waitUntilAllSay(pages, "disk")
        self.assertEqual(master(), a.masterid)
        expected = ["available", "disk", "available", "owner", "available", "disk"]
        self.assertEqual([self.told(page) for page in pages], [expected] * 3)
        a.kill()
        ui.waitFor("it is at b", lambda: master() == b.masterid)
        self.waitUntilAllSay(others, "disk")
        ui.post("presences/w2", "release")
        self.waitUntilAllSay(others, "available")
        for page in others:
            # (that its master is gone is seen where the worker takes longer than that to connect elsewhere)
            told = [each for each in self.told(page)[len(expected) :] if each != "lost"]
            self.assertIn(told, (["available"], ["disk", "available"]))

    def waitUntilAllSay(self, pages, state):
        for page in pages:
            page.wait_for_function("window.told.length > 0")
            for _ in range(600):
                if self.told(page)[-1] == state:
                    break
                page.wait_for_timeout(50)
            else:
                self.fail(f"not {state}: {self.said(page)}")

    def said(self, page):
        return page.evaluate("window.told")

    def told(self, page):
        """The states through which the page has gone; what else may change in a row is none."""
        found = []
        for text in self.said(page):
            names = [name for part, name in STATES if re.search(part, text, re.IGNORECASE)]
            state = names[-1] if names else text
            if not found or found[-1] != state:
                found.append(state)
        return found
