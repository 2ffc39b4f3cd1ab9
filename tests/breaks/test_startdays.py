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

    def test_again(self):
        """Several breaks that start on the same days ask the same: what was found is told again, and other days are found anew."""
        days = WeeklyDays([0, 2], [date(2026, 11, 25)])
        asked = (("2026-11-23", "2026-12-02"), ("2026-11-23", "2026-11-30"), ("2026-11-24", "2026-11-30"))
        for _ in range(2):
            found = [days.between(day(first), day(last)) for first, last in asked]
            self.assertEqual([len(each) for each in found], [3, 2, 1])
            self.assertIs(days.between(*map(day, asked[-1])), found[-1])

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

    def test_untilInAFold(self):
        """In an hour that there is twice UNTIL an instant is compared with the first start, which is the one that counts."""
        for until, last in {
            "20261025T002959Z": "2026-10-24",  # a second before 02:30 in summer time
            "20261025T003000Z": "2026-10-25",
            "20261025T010000Z": "2026-10-25",  # 02:00 once more
        }.items():
            self.assertEqual(self.lastOfAutumn(until), last, until)

    def test_untilInAGap(self):
        """A start that a gap moves forward is after an UNTIL that lies between the two."""
        for until, last in {
            "20260329T011500Z": "2026-03-28",  # 03:15, and 02:30 is 03:30 that day
            "20260329T013000Z": "2026-03-29",
        }.items():
            days = ruled(f"FREQ=DAILY;UNTIL={until}", start=time(2, 30))
            self.assertEqual(told(days.between(day("2026-03-20"), day("2026-04-10")))[-1], last, until)

    def lastOfAutumn(self, until):
        days = ruled(f"FREQ=DAILY;UNTIL={until}", start=time(2, 30))
        return told(days.between(day("2026-10-20"), day("2026-11-10")))[-1]

    def test_untilAtTheEnds(self):
        """UNTIL at the ends of the calendar is a day like others, in every zone."""
        days = ruled("FREQ=DAILY;UNTIL=99991231T235959Z")
        self.assertEqual(days.between(LAST_DAY, LAST_DAY + 5), [LAST_DAY])
        days = ruled("FREQ=DAILY;UNTIL=00010101T000000Z")
        self.assertEqual(days.between(-5, FIRST_DAY + 5), [])

    def test_datesAtTheEnds(self):
        """A date in the years 1 and 9999, in which no breaks happen, is left out."""
        days = ruled("RDATE:99991231,00010101,20261224")
        self.assertEqual(told(days.between(-5, LAST_DAY + 400)), ["2026-12-24"])
        self.assertIsNone(days.nextAfter(day("2026-12-24")))
