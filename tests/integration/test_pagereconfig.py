"""The page's part of a reconfiguration that waits: the plan, the order, the progress, and to cancel it."""

from tests.integration.pagecase import PLUGIN, PageTestCase

STOCK = 'worker.Worker("plain", PASSWORD)'
OURS = 'worker.BuildSlave("plain", PASSWORD)'
SERVICE = 'c["services"] = [util.PresenceService()]\n'


class ReconfigTests(PageTestCase):
    def test_reconfig(self):
        """An admin sees the plan, orders it, sees for whom it waits, cancels it, and orders it again."""
        self.start(STOCK, extra=SERVICE)
        self.farm.worker("plain").start().waitUntilConnected()
        running = self.farm.force("plain", held=True).waitUntilRuns()
        page = self.open()
        self.farm.configure(OURS, extra=PLUGIN + SERVICE)
        part = page.get_by_role("region", name="Reconfiguration")

        self.button(page, "Reconfigure…").click()
        part.get_by_text("worker plain: its class changes").wait_for()
        part.get_by_text("plain #1 on plain, running for").wait_for()
        self.assertEqual(self.farm.get("reconfig")["reconfigs"][0]["state"], "idle")
        self.button(page, "Reconfigure when idle").click()
        part.get_by_text("it waits for 1 build. Held: worker plain.").wait_for()
        self.assertShows(page, "plain", "reconfiguration")
        self.browser.look(page, "reconfig")

        self.button(page, "Cancel the reconfig").click()
        part.get_by_text("The reconfig was cancelled").wait_for()
        self.button(page, "Reconfigure…").click()
        self.button(page, "Reconfigure when idle").click()
        part.get_by_text("it waits for 1 build").wait_for()
        running.letFinish().waitUntilBuilt()
        part.get_by_text("The master is reconfigured.").wait_for()

        self.farm.config.write_text("c = BuildmasterConfig = {'workers': 1}\n")
        self.button(page, "Reconfigure…").click()
        part.get_by_text("master.cfg has mistakes, and nothing was changed").wait_for()
        self.browser.assertQuiet()
