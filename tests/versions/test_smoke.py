"""What every supported version must do, over each wire: what `noxfile.py` runs for each row of its matrix."""

import time

from tests.integration.browser import Browser
from tests.integration.buildrequest import SUCCESS
from tests.integration.farm import break_
from tests.integration.ownerscommands import Terminal
from tests.integration.pagecase import PLUGIN
from tests.integration.test_admin import AdminTestCase

HOUR = 3600


def slave(name, *breaks):
    return f'worker.BuildSlave(name="{name}", passwd=PASSWORD, onBreakDuring=[{", ".join(breaks)}])'


class SmokeMixin:
    protocol = None

    def setUp(self):
        self.start(slave("mac-mini"), slave("aarch64"), protocol=self.protocol, extra=PLUGIN)
        self.farm.worker("aarch64").start().waitUntilConnected()
        self.owner = Terminal(self, self.farm.worker("mac-mini")).start()
        self.farm.worker("mac-mini").waitUntilConnected()

    def waits(self, builder="mac-mini"):
        """A request that does not start, although it has had a second to."""
        request = self.farm.force(builder)
        time.sleep(1)
        self.assertEqual(request.builds, [])
        return request

    def done(self, *arguments):
        status, said = self.command(*arguments)
        self.assertEqual(status, 0, said)
        return said

    def test_break(self):
        """A break that begins by a reconfig during a build lets that finish; what waits starts as it ends, at once."""
        running = self.farm.force("mac-mini", held=True).waitUntilRuns()
        end = self.farm.soon() + 4
        said = self.farm.reconfigure(
            slave("mac-mini", break_(time.time() - HOUR, end)), slave("aarch64"), extra=PLUGIN
        )
        self.assertIn("configuration update complete", said)
        waiting = self.waits()
        running.letFinish().waitUntilBuilt()
        waiting.assertStartsAtOnce(end)
        self.assertEqual([each["results"] for each in running.builds + waiting.builds], [SUCCESS, SUCCESS])
        self.assertEqual(self.farm.worker("mac-mini").connections, 1)

    def test_hold(self):
        """An admin holds a worker, and releases it."""
        self.done("hold", "mac-mini", "--reason", "new disk")
        waiting = self.waits()
        self.assertIn("new disk", self.done("workers"))
        self.done("release", "mac-mini")
        waiting.waitUntilBuilt()

    def test_drain(self):
        """A drain waits for what runs, and nothing starts meanwhile."""
        running = self.farm.force("mac-mini", held=True).waitUntilRuns()
        drain = self.popen("drain", "mac-mini", "--wait")
        self.farm.waitFor("it drains", lambda: self.presence()["drain"])
        waiting = self.waits()
        running.letFinish().waitUntilBuilt()
        self.assertEqual(drain.wait(30), 0)
        self.assertEqual(waiting.builds, [])
        self.done("release", "mac-mini")
        waiting.waitUntilBuilt()

    def test_owner(self):
        """An owner is away, and back."""
        self.owner.do(0, "away", "--reason", "rendering")
        waiting = self.waits()
        self.assertEqual(self.sources(), ["worker"])
        self.owner.do(0, "back")
        waiting.waitUntilBuilt()

    def test_reconfig(self):
        """`presence reconfig` waits for the build that the new configuration would hurt."""
        running = self.farm.force("mac-mini", held=True).waitUntilRuns()
        self.farm.configure(slave("aarch64"), extra=PLUGIN)
        reconfig = self.popen("reconfig")
        self.farm.waitFor("it waits", lambda: self.farm.get("reconfig")["reconfigs"][0]["state"] != "idle")
        time.sleep(1)
        self.assertIsNone(reconfig.poll())
        running.letFinish()
        self.assertEqual(reconfig.wait(30), 0)
        self.assertEqual([each["results"] for each in running.builds], [SUCCESS])
        self.assertNotIn("mac-mini", self.done("workers"))


class PBSmokeTests(SmokeMixin, AdminTestCase):
    protocol = "pb"

    def test_page(self):
        """The page shows the workers, and its console is quiet."""
        browser = Browser(self)
        self.done("hold", "mac-mini", "--reason", "new disk")
        page = browser.open(f"http://127.0.0.1:{self.farm.www}/#/presence")
        page.locator('tr[data-worker="mac-mini"]').get_by_text("new disk").first.wait_for()
        page.locator('tr[data-worker="aarch64"]').get_by_text("Available").first.wait_for()
        browser.assertQuiet()


class MsgPackSmokeTests(SmokeMixin, AdminTestCase):
    protocol = "msgpack"
