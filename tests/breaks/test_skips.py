from datetime import date

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break
from tests.breaks.breakcase import BERLIN, schedule, utc


class NewYears(dict):
    """A calendar as the package `holidays` makes them (`tests.searches` has real ones): it knows every year that it is asked about."""

    country, subdiv, observed, expand, years = "DE", "BY", False, True, ()

    def __contains__(self, day):
        return (day.month, day.day) == (1, 1)


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
        """A calendar is asked in every year, without being told of which; breaks whose calendars are made alike are equal."""
        made = Break("07:00", "19:00", skip=NewYears(), tz="UTC")
        for year in (2026, 2031):
            found = startsIn(schedule(made), f"{year}-12-31", f"{year + 1}-01-03")
            self.assertEqual([each.day for each in found], [31, 2])
        self.assertIn("skip=(holidays.country_holidays('DE', subdiv='BY', observed=False),)", repr(made))
        self.assertEqual(made, Break("07:00", "19:00", skip=[NewYears()], tz="UTC"))

    def test_text(self):
        """Three days in a row and more are written as a span."""
        for skip, text in (
            (["2026-12-24..2026-12-26", "2026-12-31"], "skip=('2026-12-24/2026-12-26', '2026-12-31')"),
            ("2026-12-24..2026-12-25", "skip=('2026-12-24', '2026-12-25')"),
        ):
            self.assertIn(text, repr(Break("7:00", "9:00", skip=skip)))

    def test_aPlainMapping(self):
        """What holds dates and knows no more is its dates, and so is a set of them."""
        days = {date(2026, 12, 24): "Christmas Eve"}
        for value in (days, set(days), [date(2026, 12, 24)]):
            self.assertEqual(Break("7:00", "9:00", skip=value).skip, (date(2026, 12, 24),))

    def test_zone(self):
        """A day is skipped by the clock of the break."""
        breaks = schedule(Break("00:30", "02:00", skip="2026-12-24", tz=BERLIN))
        self.assertIsNone(breaks.at(utc("2026-12-24T00:00")))
        self.assertIsNotNone(breaks.at(utc("2026-12-23T00:00")))
