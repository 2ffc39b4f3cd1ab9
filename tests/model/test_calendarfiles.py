from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakSchedule
from presence.model.calendarfiles import INTERVAL, CalendarFiles
from tests.breaks.breakcase import utc
from tests.breaks.test_calendars import calendar


class CalendarFilesTests(SynchronousTestCase):
    def setUp(self):
        self.path = Path(self.mktemp())
        self.write("20260310")
        self.clock = Clock()
        self.taken = []
        self.files = CalendarFiles(self.clock, self.taken.append)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(self.files.stop)

    def write(self, day):
        self.path.write_bytes(calendar(f"DTSTART;VALUE=DATE:{day}"))

    def follow(self):
        self.files.follow(BreakSchedule([Break.fromCalendar(self.path, tz="UTC")]))

    def test_unchanged(self):
        """A file that stays as it is changes nothing."""
        self.follow()
        self.clock.pump([INTERVAL] * 3)
        self.assertEqual(self.taken, [])

    def test_changed(self):
        """A file that has changed is the schedule a minute later, and is looked at again."""
        self.follow()
        for day in (11, 12):
            self.write(f"202603{day}")
            self.clock.advance(INTERVAL)
            self.assertIsNotNone(self.taken[-1].at(utc(f"2026-03-{day}T10:00")))
        self.assertEqual(len(self.taken), 2)

    def test_unreadable(self):
        """One that is gone, or no calendar any more, keeps what was in it; that is said once, and ends when it is back."""
        with capturedLogs() as logged:
            self.follow()
            self.assertUnreadable()
        self.assertEqual(
            [formatEvent(event).replace("'", "").partition(f"{self.path} ")[2][:12] for event in logged],
            ["is not an iC", "cannot be re", "can be read ", "has changed:"],
        )

    def assertUnreadable(self):
        self.path.write_bytes(b"half a file")
        self.clock.pump([INTERVAL] * 3)
        self.assertEqual(self.taken, [])
        self.assertIn("no BEGIN:VCALENDAR", self.files.problems[str(self.path)])
        self.path.unlink()
        self.clock.advance(INTERVAL)
        self.assertIn("cannot be read", self.files.problems[str(self.path)])
        self.write("20260311")
        self.clock.advance(INTERVAL)
        self.assertEqual((len(self.taken), self.files.problems), (1, {}))

    def test_followAnew(self):
        """Other files take the place of those of before, and of their problems; nothing is left when it is stopped, twice."""
        self.follow()
        self.path.write_bytes(b"half a file")
        self.clock.advance(INTERVAL)
        self.write("20260311")
        self.follow()
        self.assertEqual(self.files.problems, {})
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.files.stop()
        self.files.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.follow()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_without(self):
        """A schedule without files leaves no timer; one that takes its place with files does."""
        self.files.follow(BreakSchedule([Break("1:00", "2:00", tz="UTC")]))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.follow()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
