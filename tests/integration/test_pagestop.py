"""The page tells of a master that stops, in a real Chromium."""

import contextlib
from pathlib import Path

from presence.commands.master.client import MasterClient, MasterError
from presence.commands.master.credentials import Credentials
from tests.integration.pagecase import AUTHZ, MAC, PageTestCase


class StopTests(PageTestCase):
    def test_stopping(self):
        """While the master stops that is said on top, with who has ordered it, and no worker is called available; when it is
        cancelled all is as before.
        """
        self.start(MAC, extra=AUTHZ)
        self.farm.worker("mac-mini").start().waitUntilConnected()
        client = MasterClient(self.url, lambda _host, *, ask: Credentials("ann", "apple"))
        self.addCleanup(client.close)
        hold = self.farm.directory / "hold"
        with contextlib.suppress(MasterError):  # the answer is a list, which the client does not expect
            client.post("forceschedulers/force-mac-mini", "force", owner="ann", hold=str(hold))
        self.farm.waitFor("the build runs", Path(f"{hold}.runs").exists)
        page = self.open()
        self.assertShows(page, "mac-mini", "busy", "mac-mini #1")
        client.post("shutdown", "stop", reason="new disks", deadline=None, on_deadline=None)
        part = page.get_by_role("status", name="Stop of the master")
        part.get_by_text("The master is stopping: no build starts. Ordered by ann").wait_for()
        part.get_by_text("1 build running: mac-mini #1 on mac-mini").wait_for()
        self.assertShows(page, "mac-mini", "stopping")
        self.assertEqual(page.get_by_text("available", exact=True).locator("visible=true").count(), 0)
        self.button(page, "Do not stop").click()
        part.get_by_text("you have not logged in").wait_for()
        client.post("shutdown", "cancel")
        part.wait_for(state="detached")
        self.assertShows(page, "mac-mini", "busy", "mac-mini #1")
