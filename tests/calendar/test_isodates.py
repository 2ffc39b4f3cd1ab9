from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.isodates import isoDate, isoDatetime, looksLikeDatetime

UTC = timezone.utc
CHRISTMAS_EVE = date(2026, 12, 24)


class IsoDateTests(SynchronousTestCase):
    def test_date(self):
        """A date, or its ISO form."""
        self.assertEqual(isoDate(CHRISTMAS_EVE), CHRISTMAS_EVE)
        self.assertEqual(isoDate(" 2026-12-24 "), CHRISTMAS_EVE)

    def test_nothingElse(self):
        """Other forms, days that do not exist and times of day are refused on every Python alike."""
        for value in (
            "20261224", "2026-W52-4", "2026-02-30", "24.12.2026", "2026-12-24T19:00", "", 20261224, None,
            datetime(2026, 12, 24),
        ):  # fmt: skip
            self.assertIn(repr(value), str(self.assertRaises(ValueError, isoDate, value)))


class IsoDatetimeTests(SynchronousTestCase):
    def test_naive(self):
        """Without an offset it stays naive; a date alone is its midnight."""
        for text in ("2026-12-24T19:00", "2026-12-24 19:00", "2026-12-24T19:00:00"):
            self.assertEqual(isoDatetime(text), datetime(2026, 12, 24, 19))
        self.assertEqual(isoDatetime("2026-12-24"), datetime(2026, 12, 24))
        self.assertEqual(isoDatetime("2026-12-24T24:00"), datetime(2026, 12, 25))

    def test_aware(self):
        """With an offset it is told in UTC, so that equal instants are equal."""
        expected = datetime(2026, 12, 24, 18, tzinfo=UTC)
        for value in (
            "2026-12-24T18:00Z",
            "2026-12-24T19:00+01:00",
            "2026-12-24 13:00-0500",
            datetime(2026, 12, 24, 19, tzinfo=ZoneInfo("Europe/Berlin")),
        ):
            found = isoDatetime(value)
            self.assertEqual(found, expected)
            self.assertIs(found.tzinfo, UTC)

    def test_fold(self):
        """Of a naive datetime the fold is forgotten, of an aware one it chooses the instant."""
        self.assertEqual(isoDatetime(datetime(2026, 10, 25, 2, 30, fold=1)).fold, 0)
        second = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
        self.assertEqual(isoDatetime(second), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))

    def test_nothingElse(self):
        """Times of day, months, nonsense and other types are refused."""
        for value in (
            "19:00",
            "2026",
            "2026-12",
            "2026-12-24T",
            "2026-12-24Tx",
            "2026-12-24T25:00",
            5,
            None,
            time(19),
        ):
            self.assertIn(repr(value), str(self.assertRaises(ValueError, isoDatetime, value)))

    def test_looks(self):
        """What begins with a date is meant as a datetime, so that its mistakes are told as those of one."""
        for value in ("2026-12-24", "2026-12-24T99:00", datetime(2026, 1, 1)):
            self.assertTrue(looksLikeDatetime(value))
        for value in ("19:00", "", None, CHRISTMAS_EVE, time(1), timedelta(1)):
            self.assertFalse(looksLikeDatetime(value))
