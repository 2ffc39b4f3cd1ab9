"""Orders that are given at one master, about what another one has."""

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.masters.masters import Masters


class OrdersTests(SynchronousTestCase):
    def presence(self, farm, *arguments):
        """The exit status of `presence` about this master, and what it prints."""
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "presence.commands.main",
                *arguments,
                f"--url=http://127.0.0.1:{farm.www}/",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TZ": "UTC"},
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout

    def test_orders(self):
        """At the master that only serves the UI: a hold is heeded by the one that has the worker; a drain ends when that one builds
        no more; and it is reconfigured from there.
        """
        masters = Masters(self, "w1", "w2", count=1).start()
        a, ui = masters
        a.worker("w1").start().waitUntilConnected()
        masters.agree("presences")
        order = ui.post("presences/w1", "hold", reason="disk")["order"]
        self.assertEqual((order["heeded"], len(order["heeded_by"])), (True, 1))
        held = a.get("presences/w1")["presences"][0]["holds"]
        self.assertEqual([each["reason"] for each in held], ["disk"])
        ui.post("presences/w1", "release")
        request = a.force("w1", held=True).waitUntilRuns()
        drain = subprocess.Popen(
            [sys.executable, "-m", "presence.commands.main", "drain", "w1", "--wait"],
            env={**os.environ, "PRESENCE_URL": f"http://127.0.0.1:{ui.www}/"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(drain.kill)
        ui.waitFor("it drains", lambda: ui.get("presences/w1")["presences"][0]["drain"])
        self.assertIsNone(drain.poll())
        request.letFinish()
        self.assertIn("nothing runs there any more", drain.communicate(timeout=60)[0])
        self.assertEqual((drain.returncode, request.waitUntilBuilt()["results"]), (0, 0))
        status, said = self.presence(ui, "reconfig", "--of", str(a.masterid))
        self.assertEqual(status, 0, said)
        a.master.waitForLog("it has read it", "configuration update complete")
