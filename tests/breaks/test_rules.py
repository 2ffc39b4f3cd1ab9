from datetime import date, datetime, time, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.recurrences import daysOfYear
from presence.breaks.rules import parseRule, ruleText

SINCE = date(2026, 1, 13)  # a Tuesday


def parse(text, since=None):
    return parseRule(ruleText(text), since)


def days(text, year, since=None):
    """The days of `year`, as (month, day), on which the first RRULE yields."""
    return [(day.month, day.day) for day in dates(text, year, since)]


def dates(text, year, since=None):
    marks = daysOfYear(parse(text, since).recurrences[0], year)
    new_year = date(year, 1, 1).toordinal()
    return [date.fromordinal(new_year + place) for place, mark in enumerate(marks) if mark]


class RuleTests(SynchronousTestCase):
    def test_nthWeekday(self):
        """The second Tuesday, the last Friday."""
        self.assertEqual(days("FREQ=MONTHLY;BYDAY=2TU", 2026)[:3], [(1, 13), (2, 10), (3, 10)])
        self.assertEqual(days("FREQ=MONTHLY;BYDAY=-1FR", 2026)[:2], [(1, 30), (2, 27)])

    def test_daily(self):
        """Every day, leap years included."""
        self.assertEqual(len(days("FREQ=DAILY", 2026)), 365)
        self.assertEqual(len(days("FREQ=DAILY", 2028)), 366)

    def test_since(self):
        """A rule yields nothing before `since`, and takes from it what it does not say itself."""
        self.assertEqual(days("FREQ=DAILY", 2026, SINCE)[0], (1, 13))
        self.assertEqual(days("FREQ=DAILY", 2025, SINCE), [])
        self.assertEqual(days("FREQ=WEEKLY", 2026, SINCE)[:2], [(1, 13), (1, 20)])
        self.assertEqual(days("FREQ=MONTHLY", 2027, SINCE)[:2], [(1, 13), (2, 13)])
        self.assertEqual(days("FREQ=YEARLY", 2030, SINCE), [(1, 13)])
        self.assertEqual(days("FREQ=YEARLY;BYMONTH=3", 2030, SINCE), [(3, 13)])

    def test_interval(self):
        """An interval counts from `since` however far away the year is."""
        self.assertEqual(days("FREQ=YEARLY;INTERVAL=3", 2089, SINCE), [(1, 13)])
        self.assertEqual(days("FREQ=YEARLY;INTERVAL=3", 2090, SINCE), [])
        self.assertEqual(days("FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=1", 2031, SINCE), [(1, 1), (6, 1), (11, 1)])

    def test_dates(self):
        """RDATE adds days and EXDATE takes them out, with or without a time, which is told."""
        rule = parse(
            "RRULE:FREQ=MONTHLY;BYDAY=1MO\r\nRDATE:20261224,20261231\nEXDATE;VALUE=DATE-TIME:20260907T190000"
        )
        self.assertEqual(rule.added, (date(2026, 12, 24).toordinal(), date(2026, 12, 31).toordinal()))
        self.assertEqual(rule.excluded, {date(2026, 9, 7).toordinal()})
        self.assertEqual(rule.times, {time(19)})

    def test_onlyDates(self):
        """A rule may be made of dates only."""
        self.assertEqual(parse("RDATE;VALUE=DATE:20261224").recurrences, ())

    def test_unfolded(self):
        """Long lines may be folded as RFC 5545 has it, and case does not matter."""
        self.assertEqual(ruleText("rrule:freq=monthly;\r\n byday=2tu"), "RRULE:FREQ=MONTHLY;BYDAY=2TU")

    def test_blanks(self):
        """A blank beside a sign is not a mistake, and changes nothing; one between two lines divides them."""
        for text in ("FREQ=MONTHLY; BYDAY=2TU", "FREQ = MONTHLY ;BYDAY= 2TU", " FREQ=MONTHLY;\tBYDAY=2TU "):
            self.assertEqual(days(text, 2026), days("FREQ=MONTHLY;BYDAY=2TU", 2026), text)
        self.assertEqual(
            parse("RRULE:FREQ=DAILY EXDATE: 20261224").excluded, {date(2026, 12, 24).toordinal()}
        )

    def test_lastSemicolon(self):
        """A semicolon at the end, which some programs write, changes nothing."""
        self.assertEqual(days("FREQ=DAILY;", 2026), days("FREQ=DAILY", 2026))

    def test_until(self):
        """UNTIL is a date, a time on the wall, or an instant."""
        for text, expected in {
            "20261224": date(2026, 12, 24),
            "20261224T190000": datetime(2026, 12, 24, 19),
            "20261224T190000Z": datetime(2026, 12, 24, 19, tzinfo=timezone.utc),
        }.items():
            self.assertEqual(parse(f"FREQ=DAILY;UNTIL={text}").recurrences[0].until, expected)

    def test_count(self):
        """COUNT ends with a day, which is known from the start."""
        [counted] = parse("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4", SINCE).recurrences
        self.assertEqual(date.fromordinal(counted.lastDay), date(2026, 1, 22))
        [century] = parse("FREQ=MONTHLY;BYDAY=2TU;COUNT=1200", date(2006, 1, 10)).recurrences
        self.assertEqual(date.fromordinal(century.lastDay), date(2105, 12, 8))

    def test_needsSince(self):
        """What counts from a first day, or does not say on which day, needs `since`."""
        for text in (
            "FREQ=DAILY;INTERVAL=2",
            "FREQ=DAILY;COUNT=3",
            "FREQ=DAILY;COUNT=1",
            "FREQ=WEEKLY",
            "FREQ=MONTHLY",
            "FREQ=YEARLY;BYMONTH=3",
        ):
            self.assertIn("since=", str(self.assertRaises(ValueError, parse, text)), text)
            parse(text, SINCE)
        parse("FREQ=DAILY;INTERVAL=1")

    def test_notAboutDays(self):
        """Hours, minutes and DTSTART are said elsewhere."""
        for text, hint in {
            "FREQ=HOURLY": "DAILY, WEEKLY",
            "FREQ=MINUTELY": "DAILY, WEEKLY",
            "FREQ=DAILY;BYHOUR=9": "start and stop",
            "FREQ=DAILY;BYMINUTE=9": "start and stop",
            "DTSTART:20260101T000000\nRRULE:FREQ=DAILY": "since=",
            "RDATE;TZID=Europe/Berlin:20260101T190000": "tz=",
            "EXRULE:FREQ=DAILY": "EXDATE",
        }.items():
            self.assertIn(hint, str(self.assertRaises(ValueError, parse, text)), text)

    def test_neverYields(self):
        """A rule that never yields a day is a mistake, found without walking the whole calendar."""
        for text in (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY;INTERVAL=7;BYDAY=WE",
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
            "FREQ=DAILY;UNTIL=20260112",
            "FREQ=MONTHLY;BYDAY=2TU;UNTIL=20200101",
            "FREQ=YEARLY;BYYEARDAY=5;UNTIL=20260115",
        ):
            self.assertIn("never", str(self.assertRaises(ValueError, parse, text, SINCE)), text)
        self.assertIn("never", str(self.assertRaises(ValueError, parse, "RDATE:20260101\nEXDATE:20260101")))
        self.assertIn("never", str(self.assertRaises(ValueError, parse, "EXDATE:20260101")))

    def test_seldom(self):
        """A rule that yields seldom is none."""
        self.assertEqual(days("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", 2028), [(2, 29)])
        self.assertEqual(days("FREQ=YEARLY;INTERVAL=1000", 3026, SINCE), [(1, 13)])
        parse("FREQ=DAILY;UNTIL=20260113", SINCE)
        # in 3200, 5200, 7200 and 9200: its interval is in phase with the calendar every 2000 years only
        [rule] = parse(
            "FREQ=YEARLY;INTERVAL=1000;BYMONTH=2;BYMONTHDAY=29;COUNT=4", date(2200, 1, 1)
        ).recurrences
        self.assertEqual(rule.lastDay, date(9200, 2, 29).toordinal())

    def test_notRfc5545(self):
        """What RFC 5545 does not allow is refused, where dateutil would ignore it."""
        for hint, texts in {
            " has no FREQ: write one of DAILY, WEEKLY": ("BYDAY=MO",),
            "is not about days: write one of DAILY, WEEKLY": ("FREQ=", "RRULE:FREQ=DAILY:1"),
            "is not a part of an RRULE: it takes FREQ": (
                "FREQ", "FREQ=DAILY;;", "FREQ=DAILY;X=1", "FREQ=DAILY;BYEASTER=1",
            ),
            "stands twice": ("FREQ=DAILY;FREQ=DAILY",),
            "is not a number from 1 to 1000": (
                "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=x", "FREQ=DAILY;INTERVAL=1001",
            ),
            "is not a number from 1 to 10000": ("FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=10001"),
            "exclude each other": ("FREQ=DAILY;COUNT=2;UNTIL=20270101",),
            "UNTIL: '20261301' is not a date: month": ("FREQ=DAILY;UNTIL=20261301",),
            "UNTIL: 'TOMORROW' is not a date of a rule: write it like": ("FREQ=DAILY;UNTIL=tomorrow",),
            "WKST=XX is not a day: write one of MO, TU": ("FREQ=DAILY;WKST=XX",),
            "is not a number from -31 to 31, without 0": (
                "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=MONTHLY;BYMONTHDAY=-32",
                "FREQ=MONTHLY;BYMONTHDAY=1,",
            ),
            "is not a number from 1 to 12, without 0": ("FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;BYMONTH=-1"),
            "goes with FREQ=DAILY or MONTHLY or YEARLY, not with WEEKLY": ("FREQ=WEEKLY;BYMONTHDAY=1",),
            "goes with FREQ=YEARLY, not with MONTHLY": ("FREQ=MONTHLY;BYYEARDAY=1", "FREQ=MONTHLY;BYWEEKNO=1"),
            "BYDAY with a number goes with FREQ=MONTHLY or YEARLY": (
                "FREQ=WEEKLY;BYDAY=2TU", "FREQ=DAILY;BYDAY=1MO",
            ),
            'write days like "TU", "2TU"': (
                "FREQ=MONTHLY;BYDAY=6MO", "FREQ=MONTHLY;BYDAY=0MO", "FREQ=MONTHLY;BYDAY=XX", "FREQ=MONTHLY;BYDAY=",
            ),
            "mixes days with and without a number: write two": ("FREQ=MONTHLY;BYDAY=MO,2TU",),
            "does not go with BYWEEKNO": ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO",),
            "BYSETPOS chooses among the days of another": ("FREQ=DAILY;BYSETPOS=1",),
            "is not a date of a rule: write it like 20261224": (
                "RDATE:", "RDATE:20260101T190000Z", "RDATE:2026-01-01",
            ),
            "'20260230' is not a date: day is out of range": ("RDATE:20260230",),
            "'X=1' has no place in": ("RDATE;X=1:20260101",),
            "it takes RRULE, RDATE and EXDATE lines": ("NONSENSE:1",),
        }.items():  # fmt: skip
            for text in texts:
                self.assertIn(hint, str(self.assertRaises(ValueError, parse, text, SINCE)), text)

    def test_noText(self):
        """A rule is a string with something in it."""
        for value in ("", " \n", None, 5, b"FREQ=DAILY"):
            self.assertIn("FREQ=MONTHLY", str(self.assertRaises(ValueError, ruleText, value)))


class WeekNumberTests(SynchronousTestCase):
    def test_ofOurTime(self):
        """Where dateutil is wrong: the last week of 2026 that begins on a Sunday, and those that begin on a Monday."""
        sunday = "FREQ=YEARLY;BYWEEKNO=52;WKST=SU"
        self.assertEqual(days(sunday, 2026), [(12, day) for day in range(27, 32)])
        self.assertEqual(days(sunday, 2027)[:2], [(1, 1), (1, 2)])
        for year in (2011, 2022, 2039):  # 1 January is the Saturday or Sunday of week 52
            last = date(year - 1, 12, 28).isocalendar()[1]
            found = days(f"FREQ=YEARLY;BYWEEKNO={last}", year)
            self.assertEqual([day for day in found if day[0] == 1][:1], [(1, 1)], year)

    def test_withoutByDay(self):
        """Without BYDAY a week number means all seven days of the week."""
        self.assertEqual(days("FREQ=YEARLY;BYWEEKNO=10", 2026), [(3, day) for day in range(2, 9)])

    def test_aWeekIsWhole(self):
        """With an interval a week belongs to its year as a whole, also its days in January."""
        every_other = "FREQ=YEARLY;INTERVAL=2;BYWEEKNO=53"
        self.assertEqual(days(every_other, 2021, date(2020, 1, 1)), [(1, 1), (1, 2), (1, 3)])
        self.assertEqual(days(every_other, 2027, date(2020, 1, 1)), [(1, 1), (1, 2), (1, 3)])
        self.assertEqual(days(every_other, 2027, date(2021, 1, 1)), [])
