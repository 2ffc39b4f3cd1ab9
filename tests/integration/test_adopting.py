"""A farm that runs adopts presence: by the commands of `docs/adopting.rst`, in their order, with a watch; and goes back, twice."""

import json
import re
import sqlite3
import time
from contextlib import closing
from http.cookiejar import CookieJar
from urllib.request import HTTPCookieProcessor, build_opener

from tests.integration.buildrequest import SUCCESS
from tests.integration.farm import break_
from tests.integration.ownerscommands import Terminal
from tests.integration.test_admin import USERS, AdminTestCase
from tests.test_docs import blocks

HOUR = 3600
NAMES = ("mac-mini", "mac-pro", "aarch64", "vm-7")
STOCK = [f'worker.Worker("{name}", PASSWORD)' for name in NAMES]

LOGIN = f"""
c["www"]["auth"] = util.UserPasswordAuth({USERS!r})
c["www"]["authz"] = util.Authz(
    allowRules=[util.AnyControlEndpointMatcher(role="admins")],
    roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["ann"])],
)
"""

# What the hook of "Migrating" asks, and who is asked.
HOURS = """
from datetime import datetime

def in_no_build_hours(name, now):
    return name == "vm-7"

def seconds_until_allowed(now):
    return 3600

"""
HOOKED = """
for each in c["builders"]:
    each.canStartBuild = canStartBuild
"""

# How the names of files begin that come and go with a process.
OF_PROCESS = ("twistd.", "http.log", "state.sqlite-")

#: What is in buildbot.tac here: the master was started before presence was installed.
STARTED_BEFORE = """
from buildbot.plugins import db
for namespace in ("worker", "util", "www"):
    children = db.get_plugins(namespace, None)._tree._children
    entries = [(name, each) for name, each in children.items() if isinstance(each, db._PluginEntry)]
    for name in [name for name, each in entries if each._entry.value.startswith("presence.")]:
        del children[name]
"""


class AdoptingTests(AdminTestCase):
    def startStock(self):
        """A stock master, four workers, a build that runs, and somebody who has logged in."""
        self.start(*STOCK, extra=LOGIN)
        self.farm.kill()
        with (self.farm.master.directory / "buildbot.tac").open("a") as tac:
            tac.write(STARTED_BEFORE)
        self.farm.start()
        self.workers = [self.farm.worker(name).start() for name in NAMES]
        for each in self.workers:
            each.waitUntilConnected()
        self.browser = build_opener(HTTPCookieProcessor(CookieJar()))
        self.browser.addheaders = [("Authorization", "Basic YW5uOmFwcGxl")]
        self.browser.open(f"{self.url}auth/login").read()
        self.browser.addheaders = []
        self.assertEqual(self.user(), "ann")
        # only she may request builds
        self.farm._open = self.browser.open

    def page(self, path):
        with self.browser.open(self.url + path) as answer:
            return answer.read().decode()

    def user(self):
        """Who is logged in."""
        text = self.page("config")
        found = re.search(r'"user":\s*(\{[^}]*\})', text)
        return json.loads(found[1]).get("username") if found else None

    def enable(self, keywords):
        return self.farm.reconfigure(
            *STOCK, extra=f"{LOGIN}\nimport presence\npresence.enable(c, {keywords})\n"
        )

    def goBack(self):
        return self.farm.reconfigure(*STOCK, extra=LOGIN)

    def assertNobodyHurt(self, running):
        """The build goes on, nobody was disconnected, and who was logged in still is."""
        self.assertFalse(running.complete)
        self.assertEqual([each.connections for each in self.workers], [1] * len(NAMES))
        self.assertEqual(self.user(), "ann")
        for line in ("partially applied", "Traceback"):
            self.assertNotIn(line, self.farm.master.log)

    def test_stopWatch(self):
        """From a stock master that runs to a break, the page and an owner's "away": in five minutes, nothing is lost."""
        self.startStock()
        running = self.farm.force("mac-mini", held=True).waitUntilRuns()
        watch = time.monotonic()
        # one line and a reconfig
        end = time.time() + 10
        interval = break_(time.time() - HOUR, end)
        self.assertIn("update complete", self.enable(f'onBreakDuring={{"mac-*": {interval}}}'))
        self.assertNobodyHurt(running)
        # the break works
        waiting = self.farm.force("mac-pro")
        self.assertEqual(self.sources("mac-pro"), ["break"])
        waiting.assertStartsAtOnce(end)
        # the page
        self.assertIn("BuildbotPluginSupport", self.page("plugins/presence/scripts.js"))
        self.assertIn('"presence"', self.page("config"))
        # an owner: two commands on his machine
        machine = self.farm.worker("vm-7")
        owner = Terminal(self, machine)
        machine.stop()
        owner.start()
        machine.waitUntilConnected()
        owner.do(0, "away", "--reason", "rendering")
        self.assertEqual(self.sources("vm-7"), ["worker"])
        # an admin, too
        status, said = self.command("hold", "aarch64", "--reason", "new disk", user="ann")
        self.assertEqual(status, 0, said)
        self.assertEqual(self.sources("aarch64"), ["admin"])
        self.assertLess(time.monotonic() - watch, 300)
        running.letFinish().waitUntilBuilt()
        self.assertEqual([each["results"] for each in running.builds], [SUCCESS])

    def test_hook(self):
        """A farm with the hook of "Migrating" takes the breaks of that page instead, by one reconfig; what the hook has placed
        goes on to its end, or until it is ended as the page says.
        """
        hook, enabled, *_ = blocks("migrating")
        self.startStock()
        self.farm.reconfigure(*STOCK, extra=f"{LOGIN}{HOURS}{hook}{HOOKED}")
        running = self.farm.force("mac-mini", held=True).waitUntilRuns()
        waiting = self.farm.force("vm-7")
        self.farm.waitFor(
            "the hook has placed it", lambda: "vm-7 has been put in quarantine" in self.farm.master.log
        )
        self.assertIn("update complete", self.farm.reconfigure(*STOCK, extra=LOGIN + enabled))
        self.assertNobodyHurt(running)
        with_breaks = [name for name in NAMES if self.presence(name)["next_break"]]
        self.assertEqual(with_breaks, ["mac-mini", "mac-pro", "aarch64"])
        (hold,) = self.presence("vm-7")["holds"]
        self.assertEqual(hold["source"], "quarantine")
        self.assertApproximates(hold["until"], time.time() + HOUR, 60)
        self.assertEqual(waiting.builds, [])
        for method in ("pause", "unpause"):
            self.farm.post("workers/vm-7", method, reason="")
        waiting.waitUntilBuilt()
        running.letFinish().waitUntilBuilt()

    def test_goingBack(self):
        """Going back to stock and adopting again, twice: nobody is hurt, and what was there before is not any more."""
        self.startStock()
        running = self.farm.force("mac-mini", held=True).waitUntilRuns()
        always = break_(time.time() - HOUR, time.time() + HOUR)
        for _ in range(2):
            self.enable(f'onBreakDuring={{"mac-pro": {always}}}')
            self.assertEqual(self.sources("mac-pro"), ["break"])
            waiting = self.farm.force("mac-pro")
            time.sleep(0.5)
            self.assertEqual(waiting.builds, [])
            self.assertNobodyHurt(running)
            self.assertIn("update complete", self.goBack())
            waiting.waitUntilBuilt()
            self.assertNobodyHurt(running)
        running.letFinish().waitUntilBuilt()

    def left(self):
        """The files of the master and of a worker, and the rows of Buildbot's table of states: but those of a process."""
        folders = (self.farm.master.directory, self.workers[-1].directory)
        files = {path for folder in folders for path in folder.iterdir() if not path.is_dir()}
        with closing(sqlite3.connect(self.farm.master.directory / "state.sqlite", timeout=30)) as database:
            rows = database.execute(
                "SELECT objects.name, class_name, object_state.name FROM objects "
                "LEFT JOIN object_state ON objectid = objects.id"
            ).fetchall()
        return {path for path in files if not path.name.startswith(OF_PROCESS)} | set(rows)

    def done(self, *arguments):
        status, said = self.command(*map(str, arguments), user="ann")
        self.assertEqual(status, 0, said)

    def live(self, token):
        """Adopt it, use all of it that is kept, and go back."""
        machine, master = self.workers[-1], self.farm.master.directory
        self.enable('operator="admins", trail=True, absentAfter="30d"')
        machine.stop()
        owner = Terminal(self, machine).start()
        machine.waitUntilConnected()
        # nothing of an earlier life
        self.assertEqual([self.sources(name) for name in NAMES], [[]] * len(NAMES))
        owner.do(0, "away")
        self.done("token", "make", master, token, "--user", "ann", "--group", "admins", "--may", "hold")
        self.done("hold", "mac-pro", "--reason", "new disk")
        self.done("drain", "aarch64")
        self.done("hold", "--builder-only", "any", "--reason", "no")
        self.assertIn("update complete", self.goBack())
        self.done("uninstall", machine.directory)
        machine.stop()
        machine.start().waitUntilConnected()
        for builder in (*NAMES, "any"):
            self.farm.force(builder).waitUntilBuilt()
        # (that no worker has a presence is a note of its)
        self.command("doctor", str(machine.directory), "--clean")

    def test_nothingLeft(self):
        """Two lives with orders of everybody's, and `presence doctor --clean`: there is what there was before, and no more."""
        self.startStock()
        self.farm.force("any").waitUntilBuilt()
        before = self.left()
        for token in ("nightly", "weekly"):
            self.live(token)
        after = self.left() - before
        self.assertTrue(after)
        self.assertEqual({each for each in after if "presence" not in str(each)}, set())
        _, said = self.command("doctor", str(self.farm.master.directory), "--clean")
        self.assertEqual(self.left(), before, said)
