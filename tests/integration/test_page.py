"""The page in Buildbot's UI tells the truth, at once: with a real master, real workers, a real Chromium."""

import os
import subprocess
import sys
import threading
import time

from tests.integration.farm import AT_ONCE, DEADLINE
from tests.integration.ownersline import Owner
from tests.integration.pagecase import ARM, MAC, PLAIN, SHOWN, PageTestCase

EVIL = """<script>document.title = "evil"</script><img src=x onerror="document.title = 'evil'">"""


class Ask(threading.Thread):
    """Asks again and again until the answer is true; `at` is the instant at which it was."""

    def __init__(self, ask):
        super().__init__(daemon=True)
        self._ask = ask
        self.at = None
        self.start()

    def run(self):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if self._ask():
                self.at = time.time()
                return
            time.sleep(0.02)


class LiveTests(PageTestCase):
    def watch(self):
        """`presence watch`, which prints a line for each change."""
        process = subprocess.Popen(
            [sys.executable, "-m", "presence.commands.main", "watch", "--url", self.url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "TZ": "UTC"},
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "following all workers\n")
        return process

    def test_holdAndRelease(self):
        """What is held and released on the page is seen within a second by another one, the command line and the owner."""
        self.start(MAC, PLAIN)
        owner = Owner(self.farm, "mac-mini").start()
        owner.waitUntilKnown()
        page, another, watch = self.open(), self.open(), self.watch()
        self.assertShows(page, "mac-mini", "available")
        self.row(another, "mac-mini")

        def seen(text, press, *, there):
            """When it is seen, and by whom: seconds after `press` is pressed."""
            line = Ask(lambda: watch.stdout.readline())
            local = Ask(lambda: bool(owner.status()["master"]["view"]["holds"]) is there)
            told = another.evaluate_handle(
                f"(about) => ({{ at: ({SHOWN})(about) }})", ["mac-mini", text, there]
            )
            before = time.time()
            press.click()
            instants = {"page": told.evaluate("(told) => told.at")}
            line.join(DEADLINE)
            local.join(DEADLINE)
            instants.update(line=line.at, owner=local.at)
            late = {who: round(at - before, 2) for who, at in instants.items()}
            self.assertLess(max(late.values()), AT_ONCE, late)

        seen("new disks", self.hold(page, "new disks", "for 2 hours"), there=True)
        (hold,) = self.farm.get("presences/mac-mini")["presences"][0]["holds"]
        self.assertEqual((hold["source"], hold["reason"], hold["by"]), ("admin", "new disks", "anonymous"))
        self.assertLess(abs(hold["until"] - time.time() - 7200), 60)
        self.assertShows(page, "mac-mini", "not accepting", "held by anonymous", "in 2 h")
        # Buildbot's own page goes on telling the truth: it is connected, and nobody has paused it
        theirs = self.open("workers").locator("tr", has_text="mac-mini")
        theirs.wait_for()
        self.assertEqual(
            theirs.get_by_title("paused").count() + theirs.get_by_title("disconnected").count(), 0
        )
        request = self.farm.force("mac-mini")
        self.button(page, "Release mac-mini").click()
        seen("new disks", page.get_by_role("dialog").get_by_role("button", name="Release"), there=False)
        request.waitUntilBuilt()
        self.browser.assertQuiet()

    def test_end(self):
        """A hold with an end runs out in front of the open page, which nobody touches."""
        self.start(MAC)
        self.farm.worker("mac-mini").start().waitUntilConnected()
        page = self.open()
        self.assertShows(page, "mac-mini", "available")
        until = time.time() + 3
        self.farm.post("presences/mac-mini", "hold", reason="lunch", until=until)
        self.assertShows(page, "mac-mini", "lunch", "in 2 s")
        ended = page.evaluate(SHOWN, ["mac-mini", "lunch", False])
        self.assertGreaterEqual(ended, until)
        self.assertLess(ended, until + AT_ONCE)
        self.assertShows(page, "mac-mini", "available")
        self.browser.assertQuiet()


class TruthTests(PageTestCase):
    def test_escaped(self):
        """What people write is text, wherever it is shown, and nothing that a browser would obey."""
        self.start(MAC, ARM, PLAIN)
        owner = Owner(self.farm, "mac-mini").start()
        owner.waitUntilKnown()
        owner.away(reason=EVIL)
        self.farm.post("presences/aarch64", "hold", reason=EVIL)
        self.farm.post("workers/plain", "pause", reason=EVIL)
        self.farm.force("aarch64")
        page = self.open()
        for name in ("mac-mini", "aarch64", "plain"):
            self.assertShows(page, name, EVIL)
        self.button(page, "Change the hold of aarch64").click()
        self.assertEqual(page.get_by_role("dialog").get_by_label("Why").input_value(), EVIL)
        page.keyboard.press("Escape")
        self.button(page, "Week").click()
        page.get_by_title(EVIL).first.wait_for()
        self.button(page, "Builders").click()
        page.locator('tr[data-builder="aarch64"]').get_by_text(EVIL).wait_for()
        self.assertNotEqual(page.title(), "evil")
        self.browser.assertQuiet()

    def test_pauseButton(self):
        """Buildbot's pause button works beside ours: each shows what the other has done, and ends its own only."""
        self.start(MAC)
        self.farm.worker("mac-mini").start().waitUntilConnected()
        page, theirs = self.open(), self.open("workers")
        self.hold(page, "ours").click()
        self.assertShows(page, "mac-mini", "ours")

        def press(name, reason=""):
            theirs.get_by_role("button", name="Actions...").click()
            dialog = theirs.get_by_role("dialog")
            dialog.get_by_text("Worker actions for mac-mini").wait_for()
            dialog.locator("textarea").fill(reason)
            dialog.get_by_role("button", name=name, exact=True).click()
            dialog.wait_for(state="detached")

        press("Pause", "theirs")
        self.assertShows(page, "mac-mini", "paused", "theirs", "ours")
        theirs.get_by_text("theirs").wait_for()
        press("Unpause")
        page.evaluate(SHOWN, ["mac-mini", "paused", False])
        self.assertEqual(self.sources(), ["admin"])
        press("Pause", "theirs")
        self.assertShows(page, "mac-mini", "theirs")
        self.button(page, "Release mac-mini").click()
        page.get_by_role("dialog").get_by_role("button", name="Release").click()
        page.evaluate(SHOWN, ["mac-mini", "ours", False])
        self.assertEqual(self.sources(), ["pause"])
        theirs.get_by_text("theirs").wait_for()
        self.browser.assertQuiet()
