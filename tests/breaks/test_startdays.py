from datetime import date, time
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.rules import parseRule
from presence.breaks.startdays import FIRST_DAY, LAST_DAY, RuleDays, WeeklyDays

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)


def day(text):
    return date.fromisoformat(text).toordinal()


def told(days):
    return [date.fromordinal(each).isoformat() for each in days]


def ruled(text, skip=(), since=None, start=time(19)):
    return RuleDays(parseRule(text, since), skip, start, BERLIN)


class WeeklyDaysTests(SynchronousTestCase):
    def test_between(self):
        """The days of every week, both ends included, without those that are skipped."""
        days = WeeklyDays([0, 2], [date(2026, 11, 25)])
        self.assertEqual(
            told(days.between(day("2026-11-23"), day("2026-12-02"))),
            ["2026-11-23", "2026-11-30", "2026-12-02"],
        )

    def test_nextAfter(self):
        """The next one is strictly later, and not one that is skipped."""
        days = WeeklyDays([0], [date(2026, 11, 30)])
        self.assertEqual(days.nextAfter(day("2026-11-22")), day("2026-11-23"))
        self.assertEqual(days.nextAfter(day("2026-11-23")), day("2026-12-07"))

    def test_ends(self):
        """Nothing starts outside the years in which breaks happen."""
        days = WeeklyDays(range(7), [])
        self.assertEqual(days.between(-5, FIRST_DAY), [FIRST_DAY])
        self.assertEqual(days.between(LAST_DAY, LAST_DAY + 5), [LAST_DAY])
        self.assertEqual(days.nextAfter(-5), FIRST_DAY)
        self.assertIsNone(days.nextAfter(LAST_DAY))


class RuleDaysTests(SynchronousTestCase):
    def test_between(self):
        """What the rules yield and RDATE adds, without EXDATE and what is skipped; over a new year too."""
        days = ruled(
            "FREQ=MONTHLY;BYMONTHDAY=1\nFREQ=MONTHLY;BYMONTHDAY=-1\nRDATE:20261224\nEXDATE:20261201",
            [date(2027, 1, 31)],
        )
        self.assertEqual(
            told(days.between(day("2026-11-30"), day("2027-02-01"))),
            ["2026-11-30", "2026-12-24", "2026-12-31", "2027-01-01", "2027-02-01"],
        )

    def test_nextAfter(self):
        """The next one is strictly later, years later if need be, and not one that is left out."""
        days = ruled("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29\nRDATE:20270101,20270102\nEXDATE:20270101")
        self.assertEqual(days.nextAfter(day("2026-11-23")), day("2027-01-02"))
        self.assertEqual(days.nextAfter(day("2027-01-02")), day("2028-02-29"))
        self.assertEqual(days.nextAfter(day("2096-02-29")), day("2104-02-29"))

    def test_over(self):
        """After the last day there is none."""
        days = ruled("FREQ=DAILY;COUNT=3", since=MONDAY)
        self.assertEqual(told(days.between(FIRST_DAY, LAST_DAY)), ["2026-11-23", "2026-11-24", "2026-11-25"])
        self.assertIsNone(days.nextAfter(day("2026-11-25")))

    def test_ends(self):
        """Nothing starts outside the years in which breaks happen."""
        days = ruled("FREQ=DAILY")
        self.assertEqual(days.between(-5, FIRST_DAY), [FIRST_DAY])
        self.assertEqual(days.between(LAST_DAY, LAST_DAY + 5), [LAST_DAY])
        self.assertEqual(days.nextAfter(-5), FIRST_DAY)
        self.assertIsNone(days.nextAfter(LAST_DAY))

    def last(self, until, start):
        days = ruled(f"FREQ=DAILY;UNTIL={until}", start=start)
        return told(days.between(day("2026-12-20"), day("2027-01-10")))[-1]

    def test_untilDate(self):
        """UNTIL a date includes that day."""
        self.assertEqual(self.last("20261231", time(23, 59)), "2026-12-31")

    def test_untilTime(self):
        """UNTIL a time includes the break that starts at it, on the wall clock."""
        self.assertEqual(self.last("20261231T190000", time(19)), "2026-12-31")
        self.assertEqual(self.last("20261231T185959", time(19)), "2026-12-30")

    def test_untilInstant(self):
        """UNTIL an instant is that time on the wall clock of the break."""
        self.assertEqual(self.last("20261231T180000Z", time(19)), "2026-12-31")
        self.assertEqual(self.last("20261231T175959Z", time(19)), "2026-12-30")
        self.assertEqual(self.last("20261231T230000Z", time(0)), "2027-01-01")
