"""`presence sensors`: what it prints, and what it refuses."""

import contextlib
import io
import json

from twisted.trial.unittest import SynchronousTestCase

from presence.commands import terminal
from presence.commands.exits import DONE, USAGE
from presence.commands.main import main
from presence.commands.owner import sensors
from tests.commands.owner.test_text import NOW, text


def sensor(name, says, seen, quiet_until=None):
    return {
        "name": name,
        "away": says,
        "text": seen,
        "at": NOW,
        "holds": bool(says or quiet_until),
        "quiet_until": quiet_until,
    }


SENSORS = [
    sensor("used", False, "nobody has used it since 07:55 (x11)", NOW + 600),
    sensor("battery", True, "it runs on battery", NOW + 60),
    sensor("command", None, "it has not ended within 20 s, and was killed"),
    sensor("disk", False, "71 GB of the disk are free"),
]


class FakeClient:
    def __init__(self, basedir):
        pass

    def status(self):
        return {"sensors": SENSORS}


class SensorsTests(SynchronousTestCase):
    def run_(self, *argv):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            return main(["sensors", "--basedir", self.mktemp(), *argv]), out.getvalue(), err.getvalue()

    def test_try(self):
        """One that is not on yet is looked with, once: whatever it says, and where it cannot tell."""
        status, out, _ = self.run_(
            "--try", "--away-when", "echo a film", "--away-when", "exit 1", "--away-when", "exit 2", "--json"
        )
        self.assertEqual(status, DONE)
        said = [(each["name"], each["away"], each["text"], each["holds"]) for each in json.loads(out)]
        self.assertEqual(
            said,
            [
                ("command", True, "a film", True),
                ("command 2", False, "exit status 1", False),
                ("command 3", None, "exit status 2; 0 (away) or 1 is right", False),
            ],
        )

    def test_usage(self):
        """What is given without --try, --try without anything, and what is no sensor: usage errors that say what is right."""
        for argv, pattern in (
            (["--try"], "say what to try: --try --away-when-used 15m"),
            (["--away-on-battery"], "`presence install` turns it on"),
            (["--try", "--away-when-load-above", "much"], "not a number above 0"),
            ([], "is not a worker's directory"),
            (["--basedir", "another"], "--basedir is there 2 times"),
        ):
            status, out, err = self.run_(*argv)
            self.assertEqual((status, out), (USAGE, ""))
            self.assertIn(pattern, err)

    def test_table(self):
        """Each with what it says and sees; one that holds for the rest of its quiet time says until when."""
        self.patch(sensors, "LocalClient", FakeClient)
        self.patch(terminal, "localZone", lambda: "UTC")
        self.patch(terminal.time, "time", lambda: NOW)
        _, out, _ = self.run_()
        self.assertEqual(
            out,
            "SENSOR   SAYS              WHAT IT SEES                                  LOOKED\n"
            "used     away until 08:10  nobody has used it since 07:55 (x11)          08:00\n"
            "battery  away              it runs on battery                            08:00\n"
            "command  cannot tell       it has not ended within 20 s, and was killed  08:00\n"
            "disk     not needed        71 GB of the disk are free                    08:00\n",
        )

    def test_status(self):
        """`presence status` has them too; and says of "work" that it is in spite of them."""
        said = text(sensors=SENSORS, work_until=NOW + 3600).status()
        self.assertIn(
            "\nSensors     used: away until 08:10, nobody has used it since 07:55 (x11)\n            battery: away, it",
            said,
        )
        self.assertIn("in spite of the scheduled breaks and sensors, until 09:00", said)
