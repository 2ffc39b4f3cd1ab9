"""The strip above Buildbot's own pages, in a real Chromium: it says what the API and the command line say."""

import os
from pathlib import Path

from tests.integration.browser import NARROW, WIDE
from tests.integration.pagecase import ARM, MAC, PageTestCase

STRIP = ".presence-strip"
GROUND = "(strip) => getComputedStyle(strip).backgroundColor"


class StripTests(PageTestCase):
    def strip(self, path, *texts):
        """The strip above a page of Buildbot's, which shows all these texts, now or soon."""
        page = self.open(path)
        for text in texts:
            page.locator(STRIP, has_text=text).wait_for()
        return page

    def look(self, page, name):
        """Nothing of the strip sticks out of a narrow window; it is light, and dark where the page around it is."""
        strip = page.locator(STRIP)
        page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        self.assertLessEqual(strip.bounding_box()["width"], NARROW[0])
        self.assertEqual(strip.evaluate("(strip) => strip.scrollWidth - strip.clientWidth"), 0)
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        self.shoot(page, f"{name}-light")
        light = strip.evaluate(GROUND)
        page.evaluate("document.documentElement.style.setProperty('--any', 'theme')")
        page.add_style_tag(content="body, .content { background: #1b1e23 !important; color: #ddd }")
        page.evaluate("document.documentElement.style.setProperty('--any', 'dark')")
        page.locator('.presence-place[data-ground="dark"]').wait_for()
        self.assertNotEqual(strip.evaluate(GROUND), light)
        self.shoot(page, f"{name}-dark")

    def shoot(self, page, name):
        """A screenshot, where they are wanted."""
        if directory := os.environ.get("PRESENCE_SCREENSHOTS"):
            page.screenshot(path=Path(directory) / f"strip-{name}.png")

    def test_pages(self):
        """The pages of a request, a builder, a worker, the workers and what waits have one, light and dark; it is there at once
        when something changes, leads to our page, and is on no other page.
        """
        self.start(MAC, ARM)
        self.farm.worker("mac-mini").start().waitUntilConnected()
        (worker,) = self.farm.get("presences/mac-mini")["presences"]
        (builder,) = self.farm.get("builders/mac-mini/presence")["builderpresences"]
        running = self.farm.force("mac-mini", held=True)
        running.waitUntilRuns()
        self.farm.force("mac-mini")
        (waiting,) = self.farm.waitFor(
            "a request waits", lambda: self.farm.get("requestpresences")["requestpresences"]
        )
        number = waiting["buildrequestid"]
        sentence = "Waits: mac-mini: busy with mac-mini #1. When it may start is not known."
        page = self.strip(f"buildrequests/{number}", sentence)
        self.assertIn(sentence, self.shell("why", str(number)))
        self.look(page, "request")
        self.strip(
            f"builders/{builder['builderid']}", "A request would wait: mac-mini: busy with mac-mini #1"
        )
        self.look(self.strip("workers", "1 busy, 1 not connected"), "workers")
        pending = self.strip("pendingbuildrequests", "1 request waits.", sentence)
        self.look(pending, "pending")
        one = self.strip(f"workers/{worker['workerid']}", "mac-mini: available; 1 build running")
        self.farm.post("presences/mac-mini", "hold", reason="disks")
        one.locator(STRIP, has_text="held by anonymous (disks)").wait_for(timeout=5000)
        page.locator(STRIP, has_text="held by anonymous (disks)").wait_for(timeout=5000)
        self.look(one, "worker")
        page.get_by_role("link", name="Presence", exact=True).last.click()
        page.locator("main.presence").wait_for()
        self.assertEqual(page.locator(".presence-place").count(), 0)
        # (Buildbot's own page of what is pending asks for what there is not)
        theirs = ("/properties)", "uncaught: Kt")
        ours = [each for each in self.browser.problems if not each.endswith(theirs)]
        self.assertEqual(ours, [])
