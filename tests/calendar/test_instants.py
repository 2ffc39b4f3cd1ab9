import math
import sys
from datetime import datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.instants import LATEST, checkFinite, datetimeOf, isFinite, readInstant, secondsOf

UTC = timezone.utc
NINETEEN = datetime(2026, 11, 25, 19, tzinfo=UTC)


class RoundingTests(SynchronousTestCase):
    def test_known(self):
        """Seconds and datetimes are the same instants, in every zone."""
        self.assertEqual(datetimeOf(0), datetime(1970, 1, 1, tzinfo=UTC))
        self.assertEqual(secondsOf(NINETEEN), NINETEEN.timestamp())
        self.assertEqual(
            secondsOf(NINETEEN.astimezone(timezone(timedelta(hours=5, minutes=45)))), NINETEEN.timestamp()
        )
        self.assertEqual(datetimeOf(-1.5), datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=UTC))

    def test_neverEarly(self):
        """However near before 19:00 it is, it is before 19:00."""
        at = NINETEEN.timestamp()
        self.assertEqual(datetimeOf(at), NINETEEN)
        self.assertLess(datetimeOf(math.nextafter(at, 0)), NINETEEN)

    def test_beyond(self):
        """What is beyond the calendar is its first or its last instant."""
        for seconds in (1e15, 1e300):
            self.assertEqual(datetimeOf(seconds).year, 9999)
            self.assertEqual(datetimeOf(-seconds).year, 1)
        self.assertEqual(datetimeOf(LATEST), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))


class FiniteTests(SynchronousTestCase):
    def test_finite(self):
        """A finite number is an int or a float that is neither infinite, nor NaN, nor too large for a float."""
        for value in (0, -1.5, 10**300, sys.float_info.max, -sys.float_info.max):
            self.assertTrue(isFinite(value))
            self.assertEqual(checkFinite("until", value), value)
        for value in (math.nan, math.inf, -math.inf, 10**400, -(10**400), True, None, "7", [7]):
            self.assertFalse(isFinite(value))
            problem = self.assertRaises(ValueError, checkFinite, "until", value)
            self.assertIn("is not an instant: give seconds since the epoch, a finite number", str(problem))

    def test_toCome(self):
        """An instant that somebody writes is to come, and in the calendar."""
        self.assertEqual(readInstant(LATEST, 7), LATEST)
        self.assertEqual(readInstant(8, 7), 8)
        for value, said in (
            (7, "7 is past: now it is 7"),
            (-math.inf, "is past"),
            (LATEST + 1, "beyond the year 9999: give seconds (not milliseconds)"),
            (math.nan, "beyond the year 9999"),
            (True, "True is not an instant: give seconds since the epoch, a number such as 3607"),
            ("1h", "'1h' is not an instant"),
        ):
            self.assertIn(said, str(self.assertRaises(ValueError, readInstant, value, 7)))
