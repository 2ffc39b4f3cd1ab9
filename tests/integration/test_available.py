"""A worker on which nothing would start, though nothing holds it: a real master, read in a real Chromium, a shell and REST."""

from tests.integration.pagecase import PLUGIN, PageTestCase
from tests.integration.test_strip import STRIP

LOCK = 'lock = util.MasterLock("db").access("exclusive")\n'

FREE, OTHER = (
    f'worker.BuildSlave(name="{name}", passwd=PASSWORD, locks=[lock])' for name in ("free", "other")
)

LESS = """
c["builders"] = [each for each in c["builders"] if each.name == "other"]
c["schedulers"] = [each for each in c["schedulers"] if each.name == "force-other"]
"""


class AvailableTests(PageTestCase):
    def shown(self, page, name, state, text):
        """The row of a worker shows this, and the shell and REST say the same."""
        self.assertShows(page, name, state, text)
        (worker,) = self.farm.get(f"presences/{name}")["presences"]
        self.assertEqual([each["text"] for each in worker["blocked"]], [text])
        strip = self.open(f"workers/{worker['workerid']}")
        strip.locator(STRIP, has_text=f"{name}: {state}; {text}").wait_for()
        strip.close()
        self.assertRegex(self.shell("workers", name), rf"{name} +{state} +{text[:30]}")
        self.assertNotIn(name, self.shell("workers", "--state", "available"))

    def test_lock(self):
        """While another worker's build has its lock a worker waits for that, in the same words everywhere; then it is available."""
        self.start(FREE, OTHER, prelude=LOCK)
        for name in ("free", "other"):
            self.farm.worker(name).start().waitUntilConnected()
        page = self.open()
        self.assertShows(page, "free", "available")
        build = self.farm.force("other", held=True).waitUntilRuns()
        text = "waits for the lock db, which other #1 has"
        self.shown(page, "free", "waiting for a lock", text)
        page.get_by_role("button", name="1 waiting for a lock").wait_for()
        self.assertIn("busy", self.row(page, "other").text_content())
        waiting = self.farm.force("free")
        self.assertIn(
            f"Waits: free: {text}", self.shell("why", "free") + self.shell("why", str(waiting.number))
        )
        build.letFinish()
        self.assertShows(page, "free", "available")
        waiting.waitUntilBuilt()
        self.browser.assertQuiet()

    def test_reconfig(self):
        """A reconfig that waits holds builders whole: these are not accepting, nor is a worker that has no other."""
        self.start(FREE, OTHER, prelude=LOCK)
        self.farm.worker("other").start().waitUntilConnected()
        build = self.farm.force("any", held=True).waitUntilRuns()
        self.farm.worker("free").start().waitUntilConnected()
        page, builders = self.open(), self.open("presence?view=builders")
        self.farm.configure(FREE, OTHER, prelude=LOCK.replace("db", "disk"), extra=PLUGIN + LESS)
        self.farm.post("reconfig", "reconfig")
        why = "held for a reconfiguration (the builder is removed from the configuration)"
        # (the lock is taken, too: that is gone first)
        row = builders.locator('tr[data-builder="free"]', has_text=why)
        row.get_by_text("not accepting").wait_for()
        self.assertRegex(
            self.shell("builders", "free"), r"free +not accepting +0 of 1 .*held for a reconfiguration"
        )
        builders.locator('tr[data-builder="other"]', has_text="available").wait_for()
        self.farm.post("reconfig", "cancel")
        row.wait_for(state="detached")
        build.letFinish()
        self.assertShows(page, "free", "available")
