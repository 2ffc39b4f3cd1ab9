"""Eight real workers that are updated one after the other; two of which fail, and the command is killed in the middle."""

import json
import re

from tests.integration.processes import DEADLINE
from tests.integration.test_admin import AdminTestCase

NAMES = [f"mac-{number}" for number in range(1, 9)]

# what is run for each of them
UPDATE = """
echo $1 >> $0/ran
test ! -e $0/fail-$1 || { echo no space left; exit 7; }
while test -e $0/slow; do sleep 0.05; done
"""


class RollTests(AdminTestCase):
    def roll(self, *arguments):
        return self.popen("roll", *arguments, "--state", str(self.state))

    def ended(self, process, status):
        out, _ = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, status, out)
        return out

    def ran(self):
        path = self.farm.directory / "ran"
        return path.read_text().split() if path.exists() else []

    def held(self):
        return {
            each["name"]: each["holds"][0]["reason"]
            for each in self.farm.get("presences")["presences"]
            if each["holds"]
        }

    def test_eight(self):
        """It is killed in the middle and resumed, stops and holds where one fails, and in the end each has been updated."""
        slaves = [f"worker.BuildSlave(name={name!r}, passwd=PASSWORD)" for name in NAMES]
        self.start(*slaves, extra='c["services"] = [util.PresenceService(keepReady={"mac-*": 6})]')
        for name in NAMES:
            self.farm.worker(name).start()
        for name in NAMES:
            self.farm.worker(name).waitUntilConnected()
        self.farm.waitFor("all are ready", lambda: not self.held())
        here = self.farm.directory
        self.state = here / "state" / "roll.json"
        marks = {name: here / name for name in ("slow", "fail-mac-4", "fail-mac-7")}
        for each in marks.values():
            each.touch()
        command = ["--", "sh", "-c", UPDATE, str(here), "{worker}"]
        # more at a time than the floor lets be
        first = self.popen(
            "roll",
            "mac-*",
            "--at-most",
            "3",
            "--settle",
            "1s",
            "--reason",
            "12.4",
            "--state",
            str(self.state),
            *command,
        )
        self.farm.waitFor("two are updated", lambda: self.ran() == ["mac-1", "mac-2"])
        self.assertEqual(self.held(), {"mac-1": "rolling 1 of 8: 12.4", "mac-2": "rolling 2 of 8: 12.4"})
        first.kill()
        out, _ = first.communicate(timeout=DEADLINE)
        self.assertIn("mac-3 waits: 6 of 8 workers of mac-* are to stay ready", out)
        self.assertEqual(self.state.stat().st_mode & 0o777, 0o600)
        self.assertEqual(
            [each["state"] for each in json.loads(self.state.read_text())["workers"][:3]],
            ["running", "running", "waiting"],
        )
        marks["slow"].unlink()
        # what was begun runs again, and the fourth fails
        out = self.ended(self.roll("--resume"), 3)
        self.assertIn("mac-4: failed: exit status 7; it stays held", out)
        self.assertIn("mac-4: | no space left", out)
        self.assertEqual(self.held(), {"mac-4": "rolling 4 of 8: 12.4 has failed: exit status 7"})
        self.assertEqual(sorted({*self.ran()})[:4], NAMES[:4])
        # it is mended; the seventh is not, and is left out
        marks["fail-mac-4"].unlink()
        self.assertIn("mac-7: failed", self.ended(self.roll("--resume"), 3))
        out = self.ended(self.roll("--resume", "--skip", "mac-7"), 0)
        self.assertIn("all 8 are done", out)
        self.assertFalse(self.state.exists())
        self.assertEqual(list(self.held()), ["mac-7"])
        ran = self.ran()
        self.assertEqual([ran.count(name) for name in NAMES], [2, 2, 1, 2, 1, 1, 1, 1])
        # a builder that has to succeed on it
        out = self.ended(
            self.popen(
                "roll",
                "mac-1",
                "--settle",
                "1s",
                "--check",
                "{worker}",
                "--state",
                str(self.state),
                "--",
                "true",
            ),
            0,
        )
        self.assertRegex(out, re.compile("mac-1: released, tries mac-1.*mac-1: done, 1 of 1", re.DOTALL))
