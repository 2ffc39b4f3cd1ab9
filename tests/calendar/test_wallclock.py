from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.wallclock import (
    EARLIEST,
    LATEST,
    asInstant,
    clockChanges,
    later,
    midnight,
    startInstant,
    stopInstant,
)

UTC = timezone.utc
MIN, MAX = datetime.min, datetime.max  # noqa: DTZ901
BERLIN = ZoneInfo("Europe/Berlin")


def start(text, zone=BERLIN):
    return f"{startInstant(datetime.fromisoformat(text), zone):%d %H:%M}"


def stop(text, zone=BERLIN):
    wall = datetime.fromisoformat(text)
    return f"{stopInstant(wall, wall.replace(fold=1), zone):%d %H:%M}"


class WallClockTests(SynchronousTestCase):
    def test_ordinary(self):
        """A time that exists once is that one."""
        self.assertEqual(start("2026-07-01T19:00"), "01 17:00")
        self.assertEqual(stop("2026-12-01T19:00"), "01 18:00")
        self.assertIs(startInstant(datetime(2026, 7, 1), BERLIN).tzinfo, UTC)

    def test_twice(self):
        """Of a time that exists twice a start is the first, a stop the second."""
        self.assertEqual(start("2026-10-25T02:30"), "25 00:30")
        self.assertEqual(stop("2026-10-25T02:30"), "25 01:30")

    def test_never(self):
        """A time that a gap leaves out is moved forward by the gap, for a start and for a stop."""
        self.assertEqual(start("2026-03-29T02:30"), "29 01:30")  # 03:30 CEST
        self.assertEqual(stop("2026-03-29T02:30"), "29 01:30")

    def test_halfAnHour(self):
        """Lord Howe moves its clocks by half an hour."""
        lord_howe = ZoneInfo("Australia/Lord_Howe")
        self.assertEqual(start("2026-10-04T02:15", lord_howe), "03 15:45")  # 02:45 at +11
        self.assertEqual(start("2026-04-05T01:45", lord_howe), "04 14:45")
        self.assertEqual(stop("2026-04-05T01:45", lord_howe), "04 15:15")

    def test_aWholeDay(self):
        """Apia left out a whole day: its times are those of the next."""
        apia = ZoneInfo("Pacific/Apia")
        self.assertEqual(start("2011-12-30T09:00", apia), start("2011-12-31T09:00", apia))

    def test_clipped(self):
        """What lies beyond the calendar is its end."""
        new_york = ZoneInfo("America/New_York")
        self.assertEqual(stopInstant(MAX, MAX.replace(fold=1), new_york), LATEST)
        self.assertEqual(startInstant(MIN, timezone(timedelta(hours=2))), EARLIEST)


class InstantTests(SynchronousTestCase):
    def test_utc(self):
        """An instant is in UTC, whatever zone it came in."""
        found = asInstant(datetime(2026, 7, 1, 19, tzinfo=BERLIN))
        self.assertEqual((found.hour, found.tzinfo), (17, UTC))

    def test_naive(self):
        """A naive datetime is not an instant."""
        self.assertIn("naive", str(self.assertRaises(ValueError, asInstant, datetime(2026, 7, 1))))

    def test_clipped(self):
        """An instant beyond the calendar of UTC is its end."""
        self.assertEqual(asInstant(MIN.replace(tzinfo=timezone(timedelta(hours=2)))), EARLIEST)
        self.assertEqual(asInstant(MAX.replace(tzinfo=timezone(-timedelta(hours=2)))), LATEST)
        self.assertEqual(later(LATEST, timedelta(1)), LATEST)
        self.assertEqual(later(EARLIEST, -timedelta(1)), EARLIEST)

    def test_later(self):
        """Elsewhere, later is later."""
        self.assertEqual(later(midnight(730000), timedelta(1)), midnight(730001))


class ClockChangesTests(SynchronousTestCase):
    def test_changes(self):
        """The instants from which on the clocks are set otherwise, to the second."""
        found = clockChanges(BERLIN, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
        self.assertEqual(found, [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])

    def test_ends(self):
        """A change with which the time ends is in it, one with which it begins is not."""
        change, hour = datetime(2026, 3, 29, 1, tzinfo=UTC), timedelta(hours=1)
        self.assertEqual(clockChanges(BERLIN, change - hour, change), [change])
        self.assertEqual(clockChanges(BERLIN, change, change + hour), [])
        self.assertEqual(clockChanges(BERLIN, change + hour, change), [])
