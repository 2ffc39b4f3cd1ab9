import json
import os
import random
import subprocess
import sys
import threading
import time
from http.client import HTTPException

from twisted.trial.unittest import TestCase

from presence.commands.master.client import MasterClient, MasterError
from presence.commands.master.credentials import Credentials
from tests.integration.farm import Farm
from tests.integration.processes import DEADLINE

#: How often the master is killed in the test that does so at any moment.
KILLS = int(os.environ.get("PRESENCE_TEST_KILLS", "4"))

COMMAND = "import sys; from presence.commands.main import main; sys.exit(main())"

USERS = {"ann": "apple", "me@example.org": "melon", "eve@example.org": "eggs"}

AUTHZ = f"""
c["www"]["auth"] = util.UserPasswordAuth({USERS!r})
c["www"]["authz"] = util.Authz(
    allowRules=[
        util.PresenceEndpointMatcher(role="owner", actions=["hold", "release"], defaultDeny=False),
        util.PresenceEndpointMatcher(role="admins"),
    ],
    roleMatchers=[
        util.RolesFromWorkerOwner(role="owner"),
        util.RolesFromUsername(roles=["admins"], usernames=["ann"]),
    ],
)
"""

MAC = 'worker.BuildSlave(name="mac-mini", passwd=PASSWORD, notify_on_missing="me@example.org")'
ARM = 'worker.BuildSlave(name="aarch64", passwd=PASSWORD, owners=["eve@example.org"])'
PLAIN = 'worker.Worker("plain", PASSWORD)'


class AdminTestCase(TestCase):
    def start(self, *workers, protocol="pb", **keywords):
        self.farm = Farm(self, protocol)
        self.farm.configure(*workers, **keywords)
        self.farm.start()
        self.url = f"http://127.0.0.1:{self.farm.www}/"

    def client(self, user=None):
        """A client that logs in as `user`."""
        credentials = user and Credentials(user, USERS[user])
        client = MasterClient(self.url, lambda host, *, ask: credentials)
        self.addCleanup(client.close)
        return client

    def presence(self, name="mac-mini"):
        return self.farm.get(f"presences/{name}")["presences"][0]

    def sources(self, name="mac-mini"):
        return [each["source"] for each in self.presence(name)["holds"]]

    def popen(self, *arguments, user=None):
        env = {**os.environ, "TZ": "UTC", "PRESENCE_URL": self.url, "HOME": str(self.farm.directory)}
        if user is not None:
            env.update(PRESENCE_USER=user, PRESENCE_PASSWORD=USERS[user])
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.kill)
        return process

    def command(self, *arguments, user=None):
        """(exit status, what it prints) of a command of a real shell."""
        process = self.popen(*arguments, user=user)
        out, _ = process.communicate(timeout=DEADLINE)
        return process.returncode, out


class FarmTests(AdminTestCase):
    def test_holdAndRelease(self):
        """A hold from the command line keeps what is requested waiting, everywhere it is seen; a release starts it."""
        self.start(MAC, PLAIN, extra=AUTHZ)
        worker = self.farm.worker("mac-mini").start().waitUntilConnected()
        self.farm.waitFor("it is available", lambda: self.presence()["state"] == "AVAILABLE")
        watch = self.popen("watch", "--json")
        follower = self.popen("watch", "mac-mini")
        self.assertEqual(follower.stdout.readline(), "following mac-mini\n")
        status, out = self.command("hold", "mac-*", "--reason", "disk <b>", "--for", "1h", user="ann")
        self.assertEqual(status, 0, out)
        self.assertIn("mac-mini: not accepting, held by ann (disk <b>), until", out)
        # the API, the events and the list say the same
        presence = self.presence()
        (hold,) = presence["holds"]
        self.assertEqual((hold["source"], hold["reason"], hold["by"]), ("admin", "disk <b>", "ann"))
        self.assertIn("mac-mini: not accepting, held by ann (disk <b>)", follower.stdout.readline())
        self.assertEqual(self.command("workers", "--state", "away", "mac-mini")[1].count("disk <b>"), 1)
        # Buildbot's own page goes on telling the truth: connected, and not paused
        own = self.farm.getWorker("mac-mini")
        self.assertEqual((own["paused"], bool(own["connected_to"])), (False, True))
        request = self.farm.force("mac-mini")
        builder = self.farm.get("builders/mac-mini/presence")["builderpresences"][0]
        self.assertEqual((builder["ready"], builder["total"], builder["waiting"]), (0, 1, 1))
        self.assertEqual(builder["reason"], "mac-mini: held by ann (disk <b>)")
        self.assertEqual(builder["back_at"], hold["until"])
        self.assertFalse(request.claimed)
        self.assertIn("disk <b>", self.command("builders", "mac-mini")[1])
        status, out = self.command("release", "--builder", "mac-mini", user="ann")
        self.assertEqual(status, 0, out)
        request.waitUntilBuilt()
        self.assertTrue(worker.connected)
        # every state between has been told on the other connection too
        states = [json.loads(watch.stdout.readline())["state"] for _ in range(2)]
        self.assertEqual(states, ["NOT_ACCEPTING_NEW_BUILDS", "AVAILABLE"])
        follower.kill()
        watch.kill()

    def test_roles(self):
        """Over the wire: anonymous may nothing, an owner hold and release his own worker, the admin everything."""
        breaks = ', onBreakDuring=("12:00", "12:01"))'
        self.start(MAC[:-1] + breaks, ARM[:-1] + breaks, extra=AUTHZ)
        mine = {"hold", "release"}
        for user, allowed in (
            (None, {}),
            ("me@example.org", {"mac-mini": mine}),
            ("eve@example.org", {"aarch64": mine}),
            ("ann", {"mac-mini": {*mine, "work"}, "aarch64": {*mine, "work"}}),
        ):
            client = self.client(user)
            for name in ("mac-mini", "aarch64"):
                before = self.presence(name)
                for action, params in (("hold", {}), ("work", {"until": None}), ("release", {})):
                    if action in allowed.get(name, ()):
                        after = client.post(f"presences/{name}", action, **params)
                        if action == "hold":
                            self.assertEqual(after["holds"][-1]["by"], user)
                    else:
                        error = self.assertRaises(
                            MasterError, client.post, f"presences/{name}", action, **params
                        )
                        self.assertIn("you need to have role", str(error))
                self.assertEqual(self.presence(name), before)

    def test_pauseButton(self):
        """Buildbot's pause and our hold stand side by side, also after a kill -9; each is ended by its own button."""
        self.start(MAC)
        self.farm.post("workers/mac-mini", "pause", reason="theirs")
        self.farm.post("presences/mac-mini", "hold", reason="ours")
        self.farm.waitFor("Buildbot has stored it", lambda: self.farm.getWorker("mac-mini")["paused"])
        self.farm.kill()
        self.farm.start()
        self.farm.worker("mac-mini").start().waitUntilConnected()
        self.farm.waitFor("its builders are there", lambda: self.sources() == ["admin", "pause"])
        reasons = {each["source"]: each["reason"] for each in self.presence()["holds"]}
        self.assertEqual(reasons, {"admin": "ours", "pause": "theirs"})
        request = self.farm.force("mac-mini")
        self.farm.post("workers/mac-mini", "unpause")
        self.farm.waitFor("the pause has ended", lambda: self.sources() == ["admin"])
        self.assertFalse(request.claimed)
        self.farm.post("presences/mac-mini", "release")
        request.waitUntilBuilt()


class KillTests(AdminTestCase):
    def test_rightAfterTheAcknowledgement(self):
        """Kill -9 right after an acknowledged hold: it is there, whole, and no build starts before its release."""
        self.start(MAC)
        worker = self.farm.worker("mac-mini").start().waitUntilConnected()
        until = int(time.time()) + 3600
        after = self.farm.post("presences/mac-mini", "hold", reason="disk", until=until)
        self.farm.kill()
        request = None
        for _ in range(2):
            self.farm.start()
            self.assertEqual(self.presence()["holds"][-1], after["holds"][-1])
            self.assertEqual(after["holds"][-1]["until"], until)
            if request is None:
                request = self.farm.force("mac-mini")
            worker.waitUntilConnected()
            self.farm.waitFor("its builders are there", lambda: self.sources() == ["admin"])
            self.assertFalse(request.claimed)
            self.farm.kill()
        self.farm.start()
        self.farm.post("presences/mac-mini", "release")
        self.farm.kill()
        self.farm.start()
        self.assertNotIn("admin", self.sources())
        request.waitUntilBuilt()

    def test_atAnyMoment(self):
        """Kill -9 while holds are ordered: afterwards the last acknowledged one is there, or a later one."""
        self.start(MAC)
        dice = random.Random(os.environ.get("PRESENCE_TEST_SEED", "4"))
        number = 0
        for _ in range(KILLS):
            acknowledged, sent = [number], [number]

            def order(acknowledged=acknowledged, sent=sent):
                client = self.client()
                try:
                    while True:
                        sent.append(sent[-1] + 1)
                        client.post(
                            "presences/mac-mini",
                            "hold",
                            reason=f"order {sent[-1]}",
                            until=2_000_000_000 + sent[-1],
                        )
                        acknowledged.append(sent[-1])
                except (MasterError, HTTPException, OSError):
                    pass

            thread = threading.Thread(target=order)
            thread.start()
            wanted = len(acknowledged) + dice.randrange(1, 30)
            self.farm.waitFor("some are acknowledged", lambda: len(acknowledged) >= wanted)  # noqa: B023
            self.farm.kill()
            thread.join(DEADLINE)
            self.farm.start()
            (hold,) = (each for each in self.presence()["holds"] if each["source"] == "admin")
            number = int(hold["reason"].removeprefix("order "))
            self.assertEqual(hold["until"], 2_000_000_000 + number)
            self.assertEqual(hold["by"], "anonymous")
            self.assertGreaterEqual(number, acknowledged[-1])
            self.assertLessEqual(number, sent[-1])

    def test_endsWhileDown(self):
        """A hold that ends while the master is down has ended, and what waits is built when the worker is there."""
        self.start(MAC)
        self.farm.worker("mac-mini").start().waitUntilConnected()
        until = time.time() + 1.5
        self.farm.post("presences/mac-mini", "hold", until=until)
        request = self.farm.force("mac-mini")
        self.farm.kill()
        self.farm.waitFor("the end of the hold", lambda: time.time() > until)
        self.farm.start()
        self.assertNotIn("admin", self.sources())
        self.assertGreaterEqual(request.waitUntilBuilt()["began"], until)
