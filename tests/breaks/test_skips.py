from datetime import date, timedelta

import holidays
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break
from tests.breaks.breakcase import BERLIN, schedule, utc
from tests.searches import examples

DAY = timedelta(days=1)
BAVARIA = holidays.country_holidays("DE", subdiv="BY")


def startsIn(breaks, first, last):
    """The days on which `breaks` start, in UTC."""
    return [each.start.date() for each in breaks.between(utc(first), utc(last)) if each.start >= utc(first)]


class SkipTests(SynchronousTestCase):
    def test_span(self):
        """A span of dates includes both its ends, however it is written, and is the same as its days."""
        days = [f"2026-12-{day}" for day in range(24, 32)]
        for text in (
            "2026-12-24/2026-12-31",
            "2026-12-24 - 2026-12-31",
            "2026-12-24 to 2026-12-31",
            "2026-12-24..2026-12-31",
        ):
            self.assertEqual(Break("7:00", "19:00", skip=text), Break("7:00", "19:00", skip=days), text)
        found = startsIn(schedule(Break("7:00", "19:00", skip=text)), "2026-12-22", "2027-01-02")
        self.assertEqual([each.day for each in found], [22, 23, 1])

    def test_mistakes(self):
        """A span that ends before it begins, or is endless, is refused, and so is what is not a date."""
        for skip, said in {
            "2026-12-31/2026-12-24": "ends before it begins",
            "2026-12-31/2046-12-24": "more than 3660 days",
            "Christmas": "a calendar of the package holidays",
            "2026-02-30": "not a date: day is out of range",
            "no.ics": "'no.ics' cannot be read",
        }.items():
            self.assertIn(said, str(self.assertRaises(ValueError, Break, "7:00", "19:00", skip=skip)), skip)

    def test_holidays(self):
        """A calendar of the package holidays is asked in every year, without being told of which."""
        breaks = schedule(Break("07:00", "19:00", "MO-FR", skip=BAVARIA, tz="UTC"))
        for year in (2026, 2027, 2031):
            found = startsIn(breaks, f"{year}-12-21", f"{year + 1}-01-09")
            expected = [
                day
                for number in range(19)
                if (day := date(year, 12, 21) + number * DAY).weekday() < 5
                and (day.month, day.day) not in {(12, 25), (12, 26), (1, 1), (1, 6)}
            ]
            self.assertEqual(found, expected)

    def test_holidaysAreValues(self):
        """Calendars that are made alike make equal breaks, which can be pasted back; years that were asked do not matter."""
        one = Break("07:00", "19:00", skip=BAVARIA)
        other = Break("07:00", "19:00", skip=[holidays.country_holidays("DE", subdiv="BY", years=2020)])
        self.assertEqual((one, hash(one)), (other, hash(other)))
        self.assertEqual(eval(repr(one)), one)
        self.assertNotEqual(one, Break("07:00", "19:00", skip=holidays.country_holidays("DE", subdiv="BE")))
        for written in (
            Break("7:00", "9:00", skip=holidays.financial_holidays("NYSE")),
            Break(
                "7:00",
                "9:00",
                skip=[holidays.country_holidays("US", observed=False), "2026-12-24/2026-12-31"],
            ),
        ):
            self.assertEqual(eval(repr(written)), written)

    def test_holidaysText(self):
        """They are written as the package makes them, with what differs from what they would be anyway."""
        for calendar, text in (
            (BAVARIA, "holidays.country_holidays('DE', subdiv='BY')"),
            (holidays.financial_holidays("NYSE"), "holidays.financial_holidays('XNYS')"),
            (
                holidays.country_holidays("US", observed=False),
                "holidays.country_holidays('US', observed=False)",
            ),
            (
                holidays.country_holidays("DE", language="en_US"),
                "holidays.country_holidays('DE', language='en_US')",
            ),
            (holidays.country_holidays("DE", language="de"), "holidays.country_holidays('DE')"),
            (
                holidays.country_holidays("DE", subdiv="BY", categories=("public", "catholic")),
                "holidays.country_holidays('DE', subdiv='BY', categories=('catholic', 'public'))",
            ),
            (holidays.HolidayBase(), "holidays.holiday_base.HolidayBase()"),
        ):
            self.assertEqual(repr(Break("7:00", "9:00", skip=calendar).skipCalendars), f"({text},)")
        self.assertIn(
            "skip=('2026-12-24/2026-12-26', '2026-12-31')",
            repr(Break("7:00", "9:00", skip=["2026-12-24..2026-12-26", "2026-12-31"])),
        )
        self.assertIn(
            "skip=('2026-12-24', '2026-12-25')", repr(Break("7:00", "9:00", skip="2026-12-24..2026-12-25"))
        )

    def test_holidaysWithARule(self):
        """A rule, too, leaves out holidays, and the next start is the first that is none."""
        breaks = schedule(Break("00:00", "12:00", rule="FREQ=MONTHLY;BYMONTHDAY=1", skip=BAVARIA, tz="UTC"))
        found = startsIn(breaks, "2026-01-01", "2027-02-02")
        self.assertEqual([each.month for each in found], [2, 3, 4, 6, 7, 8, 9, 10, 12, 2])
        self.assertEqual(breaks.nextChange(utc("2025-12-31")), utc("2026-02-01"))

    def test_aPlainMapping(self):
        """What holds dates and knows no more is its dates, and so is a set of them."""
        days = {date(2026, 12, 24): "Christmas Eve"}
        for value in (days, set(days), [date(2026, 12, 24)]):
            self.assertEqual(Break("7:00", "9:00", skip=value).skip, (date(2026, 12, 24),))

    @given(st.sets(st.dates(date(2026, 1, 1), date(2026, 2, 28)), min_size=1, max_size=30))
    @examples(12)
    def test_repr(self, days):
        """Days in a row are written as a span, and read back."""
        written = Break("7:00", "9:00", skip=days)
        self.assertEqual(eval(repr(written)), written)
        self.assertEqual(set(written.skip), days)

    def test_zone(self):
        """A day is skipped by the clock of the break."""
        breaks = schedule(Break("00:30", "02:00", skip="2026-12-24", tz=BERLIN))
        self.assertIsNone(breaks.at(utc("2026-12-24T00:00")))
        self.assertIsNotNone(breaks.at(utc("2026-12-23T00:00")))
