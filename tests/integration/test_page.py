"""The page in Buildbot's UI tells the truth, at once: with a real master, real workers, a real Chromium."""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from presence.commands import exits
from presence.wire.localaddress import OPEN_FILENAME
from tests.integration.ownerscommands import Terminal
from tests.integration.ownersline import Owner
from tests.integration.pagecase import ARM, MAC, PLAIN, SHOWN, PageTestCase
from tests.integration.processes import DEADLINE

EVIL = """<script>document.title = "evil"</script><img src=x onerror="document.title = 'evil'">"""


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
        """What is held and released on the page is seen within a second by another one, by an admin's command line, and
        by the owner, on his page and on his command line.
        """
        self.start(MAC, PLAIN)
        owner = Terminal(self, self.farm.worker("mac-mini")).start()
        owner.waitUntilHeard()
        owner.do(exits.DONE, "open", BROWSER="true %s")
        owners = self.browser.open((owner.worker.directory / OPEN_FILENAME).as_uri())
        owners.get_by_text("Accepts builds", exact=True).wait_for()
        page, another, watch = self.open(), self.open(), self.watch()
        self.assertShows(page, "mac-mini", "available")
        self.row(another, "mac-mini")
        readers = ThreadPoolExecutor(1)
        self.addCleanup(readers.shutdown, wait=False)

        def seen(text, press, *, there):
            """When it is seen, and by whom: within a second of the press of `press`."""
            line = readers.submit(lambda: watch.stdout.readline() and time.time())
            told = {
                who: where.evaluate_handle(f"(about) => ({{ at: ({SHOWN})(about) }})", [part, text, there])
                for who, where, part in (
                    ("page", another, 'tr[data-worker="mac-mini"]'),
                    ("owner", owners, "body"),
                )
            }
            before = time.time()
            press.click()
            instants = {who: each.evaluate("(told) => told.at") for who, each in told.items()}
            instants["line"] = line.result(DEADLINE)
            late = {who: round(at - before, 2) for who, at in instants.items()}
            self.assertLess(max(late.values()), self.farm.moment, late)
            self.assertEqual(text in owner.do(exits.DONE, "status"), there)

        seen("new disks", self.hold(page, "new disks", "for 2 hours"), there=True)
        (hold,) = self.farm.get("presences/mac-mini")["presences"][0]["holds"]
        self.assertEqual((hold["source"], hold["reason"], hold["by"]), ("admin", "new disks", "anonymous"))
        self.assertLess(abs(hold["until"] - time.time() - 7200), 60)
        self.assertShows(page, "mac-mini", "held by anonymous", "since", re.compile(r"in (2 h|1 h 5\d min)"))
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
        until = self.farm.soon() + 3
        self.farm.post("presences/mac-mini", "hold", reason="lunch", until=until)
        self.assertShows(page, "mac-mini", "lunch", re.compile(r"in \d s"))
        ended = self.gone(page, "mac-mini", "lunch")
        self.assertGreaterEqual(ended, until)
        self.assertLess(ended, until + self.farm.moment)
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
        self.gone(page, "mac-mini", "paused")
        self.assertEqual(self.sources(), ["admin"])
        press("Pause", "theirs")
        self.assertShows(page, "mac-mini", "theirs")
        self.button(page, "Release mac-mini").click()
        page.get_by_role("dialog").get_by_role("button", name="Release").click()
        self.gone(page, "mac-mini", "ours")
        self.assertEqual(self.sources(), ["pause"])
        theirs.get_by_text("theirs").wait_for()
        self.browser.assertQuiet()
