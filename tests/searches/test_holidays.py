"""The calendars of the package `holidays`."""

from datetime import date, timedelta

import holidays
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break
from tests.breaks.breakcase import schedule, utc
from tests.breaks.test_skips import startsIn

DAY = timedelta(days=1)
BAVARIA = holidays.country_holidays("DE", subdiv="BY")


class HolidaysTests(SynchronousTestCase):
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

    def test_holidaysWithARule(self):
        """A rule, too, leaves out holidays, and the next start is the first that is none."""
        breaks = schedule(Break("00:00", "12:00", rule="FREQ=MONTHLY;BYMONTHDAY=1", skip=BAVARIA, tz="UTC"))
        found = startsIn(breaks, "2026-01-01", "2027-02-02")
        self.assertEqual([each.month for each in found], [2, 3, 4, 6, 7, 8, 9, 10, 12, 2])
        self.assertEqual(breaks.nextChange(utc("2025-12-31")), utc("2026-02-01"))
