"""A calendar file as a sensor: read by a process of its own, seldom, and whatever that does is borne."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from presence.worker.looking import bounded, calendarchild
from presence.worker.looking.calendarchild import Events
from presence.worker.sensors import Calendar, CannotTellError, calendarfile
from tests.worker.sensors.fakes import KindTestCase

EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20260101T000000Z
DTEND:20{year}0101T000000Z
SUMMARY:exam
END:VEVENT
END:VCALENDAR
"""

NOW = 1_800_000_000.0
DAY = 24 * 3600


class EventTests(KindTestCase):
    def test_events(self):
        """It is away during an event; a file that is missing, or broken, cannot tell; it is read again when it has changed."""
        path = Path(self.mktemp())
        sensor = Calendar(str(path), tz="UTC")
        self.assertCannotTell(sensor, "cannot be read")
        path.write_text(EVENT.format(year=90))
        self.assertSays(sensor, True, "^an event of the calendar is on$")
        path.write_text(EVENT.format(year=26).replace("DTEND:20260101", "DTEND:20260102"))
        self.assertSays(sensor, False, "no event of the calendar is on")
        path.write_text("what")
        self.assertCannotTell(sensor, "is not an iCalendar file")
        path.write_text(EVENT.format(year=90))
        self.assertSays(sensor, True, "^an event of the calendar is on$")

    def test_light(self):
        """The process that has the sensor imports none of the libraries that read iCalendar, and no module that lies about in
        its directory is imported for one of theirs.
        """
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        Path(directory, "events.ics").write_text(EVENT.format(year=90))
        for name in ("icalendar", "json"):
            Path(directory, f"{name}.py").write_text("raise SystemExit(5)")
        program = (
            "import os, sys; from presence.worker.sensors import Calendar; os.chdir(sys.argv[1]); "
            "assert Calendar('events.ics').read().away; "
            "sys.exit(any(name in sys.modules for name in ('icalendar', 'recurring_ical_events', 'click')))"
        )
        ended = subprocess.run([sys.executable, "-c", program, directory], check=False)
        self.assertEqual(ended.returncode, 0)

    def test_zone(self):
        """A zone that there is not, or that has no name, is a mistake where it is written."""
        self.assertRaisesRegex(ValueError, "'Mars' is not a time zone", Calendar, "x.ics", tz="Mars")
        zone = __import__("datetime").timezone(__import__("datetime").timedelta(hours=1))
        self.assertRaisesRegex(ValueError, 'write one such as "Europe/Vienna"', Calendar, "x.ics", tz=zone)


class ReaderTests(KindTestCase):
    """Whatever the process does that reads the file, the sensor cannot tell, and says why."""

    def assertProgram(self, program, pattern):
        path = Path(self.mktemp())
        path.write_text(EVENT.format(year=90))
        self.patch(calendarchild, "_PROGRAM", program)
        self.assertCannotTell(Calendar(str(path)), pattern)

    def test_hangs(self):
        """It is killed when it does not end."""
        self.patch(bounded.run, "__defaults__", (0.5,))
        self.assertProgram("import time; time.sleep(60)", "^it has not ended within 0.5 s, and was killed$")

    def test_floods(self):
        """It is killed when it says too much."""
        self.assertProgram(
            "print('x' * 10**7); import time; time.sleep(60)", "^it says more than 64 KB, and was killed$"
        )

    def test_fails(self):
        """What it has said last is what is wrong."""
        self.assertProgram("print('x'); raise OSError('gone')", r"has failed \(status 1\): OSError: gone$")
        self.assertProgram("import os; os.kill(os.getpid(), 9)", r"has failed \(status -9\): nothing$")

    def test_lies(self):
        """What is of another form than it should be is not believed."""
        for said in (
            "[]",
            "5",
            "'what'",
            "dict(begin=0, end=1)",
            "dict(begin=0, end=1, events=[[0, 1]])",
            "dict(begin=0, end=1, events=[['0', 1, '']])",
            "dict(begin=0, end=1, events=[[0, True, '']])",
            "dict(begin=0, end=1, events=[[0, None, None]])",
            "dict(begin=0, end=float('inf'), events=[])",
        ):
            self.assertProgram(f"import json; print(json.dumps({said}))", r"has failed \(status 0\)")


class SeldomTests(KindTestCase):
    """A process is started when the file has another content, and when what is known of it ends."""

    def setUp(self):
        self.now = NOW
        self.patch(calendarfile, "time", SimpleNamespace(time=lambda: self.now))
        self.asked = []
        self.says = [(NOW + 600, NOW + 1200, "exam"), (NOW + 3000, None, "")]
        self.patch(calendarchild, "events", self.events)
        self.path = Path(self.mktemp())
        self.path.write_text("one")
        self.sensor = Calendar(str(self.path))

    def events(self, path, zone):
        self.asked.append(self.now)
        if isinstance(self.says, Exception):
            raise self.says
        return Events(self.now, self.now + calendarchild.AHEAD, tuple(self.says))

    def at(self, seconds):
        self.now = NOW + seconds
        return self.sensor.read()

    def test_boundaries(self):
        """An event is on from its start on, and not at its end any more; one without an end stays."""
        found = [self.at(seconds).away for seconds in (0, 599, 600, 1199, 1200, 2999, 3000, 80000)]
        self.assertEqual(found, [False, False, True, True, False, False, True, True])
        self.assertEqual(self.at(700).text, "exam")
        self.assertEqual(self.at(3000).text, "an event of the calendar is on")
        self.assertEqual(self.asked, [NOW])

    def test_changes(self):
        """It is read again when it is another one: not when only its time is."""
        self.at(0)
        os.utime(self.path, (5, 5))
        self.at(1)
        self.assertEqual(self.asked, [NOW])
        self.path.write_text("two")
        self.at(2)
        self.assertEqual(self.asked, [NOW, NOW + 2])

    def test_ahead(self):
        """It is asked again at half of what is known, and when the clock was set back before that."""
        for seconds in (0, DAY - 1, DAY, DAY + 1, -5, 0):
            self.at(seconds)
        self.assertEqual(self.asked, [NOW, NOW + DAY, NOW - 5])

    def test_fails(self):
        """When that fails what is known goes on to its end, and it is tried again, not too often."""
        self.at(0)
        self.says = CannotTellError("broken")
        for seconds in range(DAY, 2 * DAY, 100):
            self.assertTrue(self.at(seconds).away)
        self.assertEqual(len(self.asked), 1 + DAY // int(calendarfile.REST))
        self.assertIn("broken", str(self.assertRaises(CannotTellError, self.at, 2 * DAY)))
        self.says = []
        self.path.write_text("mended")
        self.assertIs(self.at(2 * DAY + 1).away, False)

    def test_otherFile(self):
        """When another file fails, what was known of the one before counts no more."""
        self.assertTrue(self.at(700).away)
        self.says = CannotTellError("broken")
        self.path.write_text("broken")
        self.assertRaises(CannotTellError, self.at, 701)
        began = len(self.asked)
        self.assertRaises(CannotTellError, self.at, 702)
        self.assertEqual(len(self.asked), began)

    def test_gone(self):
        """A file that is gone cannot tell, and costs no process."""
        self.at(0)
        self.path.unlink()
        self.assertRaisesRegex(CannotTellError, "cannot be read", self.at, 700)
        self.assertEqual(self.asked, [NOW])
