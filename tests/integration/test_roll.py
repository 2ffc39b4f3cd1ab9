"""Eight real workers that are updated one after the other; two of which fail, and the command is killed in the middle."""

import json
import re
import time

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
            each["name"]: each["holds"][-1]["reason"]
            for each in self.farm.get("presences")["presences"]
            if each["holds"]
        }

    def rolled(self):
        """What admins hold, as the page shows it."""
        return {name: why for name, why in self.held().items() if why is not None}

    def test_masterRestarted(self):
        """The master is stopped, and killed, in the middle: it goes on where it was, no command runs twice, never more at a
        time than was said, what the page says is right, and what was built there is built in the end.
        """
        names = NAMES[:3]
        self.start(*(f"worker.BuildSlave(name={name!r}, passwd=PASSWORD)" for name in names))
        workers = [self.farm.worker(name).start() for name in names]
        for each in workers:
            each.waitUntilConnected()
        self.farm.waitFor("all are ready", lambda: not self.held())
        here = self.farm.directory
        self.state = here / "state" / "roll.json"
        slow = here / "slow"
        slow.touch()
        request = self.farm.force("mac-1", held=True).waitUntilRuns()
        roll = self.roll(
            "mac-*", "--at-most", "2", "--settle", "1s", "--", "sh", "-c", UPDATE, str(here), "{worker}"
        )
        self.farm.waitFor("the second is updated", lambda: self.ran() == ["mac-2"])
        two = {"mac-1": "rolling 1 of 3", "mac-2": "rolling 2 of 3"}
        self.assertEqual(self.held(), two)
        # what runs is ended by it
        self.farm.master.stop()
        self.farm.start()
        self.farm.waitFor("the first is updated", lambda: self.ran() == ["mac-2", "mac-1"])
        self.farm.waitFor(
            "they are there", lambda: len(self.farm.get("presences")["presences"]) == len(names)
        )
        self.assertEqual(self.rolled(), two)
        self.farm.kill()
        slow.unlink()
        self.farm.start()
        most = 0
        while roll.poll() is None:
            most = max(most, len(self.rolled()))
            time.sleep(0.2)
        out = self.ended(roll, 0)
        self.assertIn("trying again", out)
        self.assertEqual(out.splitlines()[-1][9:], "all 3 are done")
        self.assertEqual(sorted(self.ran()), names)
        self.assertLessEqual(most, 2)
        self.farm.waitFor("nobody is held", lambda: not self.held())
        request.letFinish().waitUntilBuilt()

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
        self.farm.waitFor("two are updated", lambda: sorted(self.ran()) == ["mac-1", "mac-2"])
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
