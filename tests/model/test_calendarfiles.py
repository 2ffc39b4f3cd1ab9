from datetime import datetime, timezone
from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.ics import reader
from presence.breaks.schedule import Break, BreakSchedule
from presence.model.calendarfiles import INTERVAL, CalendarFiles
from tests.breaks.breakcase import utc
from tests.breaks.test_calendars import calendar


class ThreadedClock(Clock):
    """A clock that has threads as a reactor has: what is to be done there is done at once, or when `work()` is called."""

    isSlow = working = False

    def __init__(self):
        super().__init__()
        self.tasks = []

    def getThreadPool(self):
        return self

    def callInThreadWithCallback(self, told, function, *args, **more):
        self.tasks.append((told, function, args, more))
        if not self.isSlow:
            self.work()

    def work(self):
        tasks, self.tasks = self.tasks, []
        for told, function, args, more in tasks:
            self.working = True
            try:
                result = True, function(*args, **more)
            except Exception:  # noqa: BLE001 (as a pool of threads does)
                result = False, Failure()
            self.working = False
            told(*result)

    def callFromThread(self, function, *args, **more):
        function(*args, **more)


class CalendarFilesTests(SynchronousTestCase):
    def setUp(self):
        self.path = Path(self.mktemp())
        self.write("20260310")
        self.clock = ThreadedClock()
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

    def test_clockSetBack(self):
        """A clock that is set back an hour does not put off the next look: it is a minute after that is noticed."""
        self.follow()
        self.write("20260311")
        self.clock.rightNow -= 3600
        self.files.clockJumped()
        self.clock.advance(INTERVAL)
        self.assertEqual(len(self.taken), 1)

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

    def test_inAThread(self):
        """What takes long is done by a thread: until that has ended nothing is taken, and the next look waits for it."""
        self.follow()
        self.clock.isSlow = True
        self.write("20260311")
        self.clock.advance(INTERVAL)
        self.clock.advance(INTERVAL)
        self.assertEqual((len(self.clock.tasks), self.taken), (1, []))
        self.clock.work()
        self.assertIsNotNone(self.taken[-1].at(utc("2026-03-11T10:00")))
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_overtaken(self):
        """What a thread finds out for those who follow something else by then, or nothing, changes nothing."""
        self.clock.isSlow = True
        for then in (self.files.stop, self.follow):
            self.follow()
            self.write("20260311")
            self.clock.advance(INTERVAL)
            then()
            self.write("20260312")
            timers = len(self.clock.getDelayedCalls())
            self.clock.work()
            self.assertEqual((self.taken, len(self.clock.getDelayedCalls())), ([], timers))

    def test_failed(self):
        """A look that fails as nobody has thought of is logged, and is not the last one."""
        self.follow()
        broken = self.patch(reader.CalendarFile, "reread", lambda _: 1 / 0)
        self.clock.advance(INTERVAL)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        broken.restore()
        self.write("20260311")
        self.clock.advance(INTERVAL)
        self.assertEqual(len(self.taken), 1)

    def test_newYear(self):
        """A year begins, a break with it, and a year later the next one: nobody has to look into the file then who asks, but
        for the thread; also when the file has changed in between.
        """
        self.clock.rightNow = utc("2026-11-25T12:00").timestamp()
        event = "DTSTART:20200101T080000Z\nDTEND:20200101T100000Z\nRRULE:FREQ=WEEKLY"
        asked = []
        expanded = reader._expanded

        def counted(events, year):
            if not self.clock.working:
                asked.append(year)
            return expanded(events, year)

        self.path.write_bytes(calendar(event))
        self.files.follow(schedule := BreakSchedule([Break.fromCalendar(self.path, tz="UTC")]))
        schedule.nextChange(self.now())
        self.patch(reader, "_expanded", counted)
        for step in range(18):
            if step == 10:
                self.path.write_bytes(calendar(event, "DTSTART:20200101T120000Z\nRRULE:FREQ=YEARLY"))
            self.clock.advance(INTERVAL)
            self.assertIsNotNone((self.taken or [schedule])[-1].nextChange(self.now()))
            self.clock.rightNow += 28 * 86400
        self.assertEqual((asked, len(self.taken)), ([], 1))

    def now(self):
        return datetime.fromtimestamp(self.clock.seconds(), timezone.utc)
