"""The page in Buildbot's UI, in a real Chromium, with a real master: what its tests have in common."""

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.browser import Browser
from tests.integration.farm import Farm

PLUGIN = 'c["www"]["plugins"] = {"presence": {}}\n'

USERS = {"ann": "apple", "me@example.org": "melon"}

AUTHZ = f"""
c["www"]["auth"] = util.UserPasswordAuth({USERS!r})
c["www"]["authz"] = util.Authz(
    allowRules=[
        util.PresenceEndpointMatcher(role="owner", actions=["hold", "release"], defaultDeny=False),
        util.AnyControlEndpointMatcher(role="admins"),
    ],
    roleMatchers=[
        util.RolesFromWorkerOwner(role="owner"),
        util.RolesFromUsername(roles=["admins"], usernames=["ann"]),
    ],
)
"""

MAC = 'worker.BuildSlave(name="mac-mini", passwd=PASSWORD, notify_on_missing="me@example.org")'
ARM = 'worker.BuildSlave(name="aarch64", passwd=PASSWORD)'
PLAIN = 'worker.Worker("plain", PASSWORD)'

# In a page: the instant (seconds since the epoch) at which a part of it shows a text, or shows it no longer. (Its `innerText` is empty
# while a row is out of sight, or has just been moved.)
SHOWN = """
([selector, text, there]) => new Promise((resolve) => {
    const part = document.querySelector(selector);
    const look = () => {
        if (part.textContent.includes(text) !== there) return false;
        observer.disconnect();
        resolve(Date.now() / 1000);
        return true;
    };
    const observer = new MutationObserver(look);
    if (!look()) observer.observe(part, {subtree: true, childList: true, characterData: true});
})
"""


class PageTestCase(SynchronousTestCase):
    def start(self, *workers, extra="", **keywords):
        self.browser = Browser(self)
        self.farm = Farm(self)
        self.farm.configure(*workers, extra=PLUGIN + extra, **keywords)
        self.farm.start()
        self.url = f"http://127.0.0.1:{self.farm.www}/"

    def shell(self, command, *arguments):
        """What a command of the admin's prints."""
        return subprocess.run(
            [sys.executable, "-m", "presence.commands.main", command, "--url", self.url, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "TZ": "UTC", "COLUMNS": "200"},
            text=True,
            check=True,
        ).stdout

    def open(self, path="presence", **options):
        """Buildbot's UI, and in it this page."""
        return self.browser.open(f"{self.url}#/{path}", **options)

    def row(self, page, name):
        """The row of a worker, which is there."""
        row = page.locator(f'tr[data-worker="{name}"]')
        row.wait_for()
        return row

    def assertShows(self, page, name, *texts):
        """The row of a worker shows all these texts, now or soon."""
        for text in texts:
            self.row(page, name).get_by_text(text).first.wait_for()

    def gone(self, page, name, text):
        """The instant at which the row of a worker shows the text no longer, in seconds since the epoch."""
        return page.evaluate(SHOWN, [f'tr[data-worker="{name}"]', text, False])

    def button(self, page, name):
        return page.get_by_role("button", name=name, exact=True)

    def hold(self, page, reason, until="until somebody releases it", button="Hold mac-mini"):
        """Hold by hand: what is pressed and written in the dialog, up to its last button."""
        self.button(page, button).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Why").fill(reason)
        dialog.get_by_label("Until").select_option(label=until)
        return dialog.get_by_role("button", name="Hold", exact=True)

    def sources(self, name="mac-mini"):
        return [each["source"] for each in self.farm.get(f"presences/{name}")["presences"][0]["holds"]]
