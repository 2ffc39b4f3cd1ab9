import datetime  # noqa: ICN001 (a repr says "datetime.")
from datetime import timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.tz import tzstr
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakInterval, BreakSchedule  # noqa: F401 (a repr says "BreakSchedule")
from tests.breaks.breakcase import BERLIN, UTC, schedule, told, utc

MIN, MAX = datetime.datetime.min, datetime.datetime.max  # noqa: DTZ901


class BreakScheduleTests(SynchronousTestCase):
    def test_halfOpen(self):
        """Away at the start, available at the stop."""
        breaks = schedule(("07:00", "19:00"))
        instant = timedelta(microseconds=1)
        start, stop = utc("2026-11-23T07:00"), utc("2026-11-23T19:00")
        self.assertIsNone(breaks.at(start - instant))
        self.assertEqual(breaks.at(start), BreakInterval(start, stop))
        self.assertEqual(breaks.at(stop - instant), BreakInterval(start, stop))
        self.assertIsNone(breaks.at(stop))

    def test_nextChange(self):
        """The next change is strictly later than the instant."""
        breaks = schedule(("07:00", "19:00"))
        for instant, change in {
            "2026-11-23T06:59": "2026-11-23T07:00",
            "2026-11-23T07:00": "2026-11-23T19:00",
            "2026-11-23T18:59": "2026-11-23T19:00",
            "2026-11-23T19:00": "2026-11-24T07:00",
        }.items():
            self.assertEqual(breaks.nextChange(utc(instant)), utc(change))

    def test_overnight(self):
        """A stop that is earlier than the start is on the next day."""
        interval = schedule(("19:00", "07:00")).at(utc("2026-11-24T02:00"))
        self.assertEqual(told([interval]), ["Mon 23 19:00 – Tue 24 07:00"])

    def test_startDay(self):
        """The days are those on which the break starts: Friday's ends on Saturday."""
        friday = schedule(("19:00", "07:00", "FR"))
        found = friday.between(utc("2026-11-23"), utc("2026-11-30"))
        self.assertEqual(told(found), ["Fri 27 19:00 – Sat 28 07:00"])
        self.assertIsNone(friday.at(utc("2026-11-27T05:00")))

    def test_anyZoneIn(self):
        """Instants come in any zone, and go out in UTC."""
        breaks = schedule(("07:00", "19:00"), timezone=BERLIN)
        interval = breaks.at(datetime.datetime(2026, 11, 23, 15, tzinfo=ZoneInfo("Asia/Tokyo")))
        self.assertEqual(told([interval]), ["Mon 23 06:00 – Mon 23 18:00"])
        self.assertIs(interval.start.tzinfo, UTC)
        self.assertIs(interval.stop.tzinfo, UTC)
        self.assertIs(breaks.nextChange(interval.stop).tzinfo, UTC)

    def test_naive(self):
        """A naive datetime is not an instant."""
        breaks = schedule(("07:00", "19:00"))
        naive = datetime.datetime(2026, 11, 23)
        self.assertRaises(ValueError, breaks.at, naive)
        self.assertRaises(ValueError, breaks.nextChange, naive)
        self.assertRaises(ValueError, breaks.between, naive, utc("2026-11-24"))

    def test_noBlink(self):
        """Breaks that overlap or touch are one; their reasons come in the order in which they begin."""
        breaks = schedule(
            Break("13:00", "14:00", reason="lunch"),
            Break("12:00", "13:00", reason="meeting"),
            Break("12:30", "12:45", reason="meeting"),
            Break("13:30", "14:30"),
        )
        expected = BreakInterval(utc("2026-11-23T12:00"), utc("2026-11-23T14:30"), ("meeting", "lunch"))
        for minutes in range(0, 150, 15):
            self.assertEqual(breaks.at(utc("2026-11-23T12:00") + timedelta(minutes=minutes)), expected)
        self.assertEqual(breaks.between(utc("2026-11-23"), utc("2026-11-24")), [expected])

    def test_wholeDays(self):
        """Whole days in a row are one break."""
        found = schedule(("00:00", "24:00", "SA,SU")).between(utc("2026-11-23"), utc("2026-11-30"))
        self.assertEqual(told(found), ["Sat 28 00:00 – Mon 30 00:00"])

    def test_weekendOfThree(self):
        """A weekend put together from three breaks is one, with the DST change in it."""
        breaks = schedule(
            ("19:00", "24:00", "FR"), ("00:00", "24:00", "SA,SU"), ("00:00", "07:00", "MO"), timezone=BERLIN
        )
        found = breaks.between(utc("2026-10-24"), utc("2026-10-25"))
        self.assertEqual(told(found), ["Fri 23 17:00 – Mon 26 06:00"])

    def test_betweenIsNotClipped(self):
        """`between` has whole breaks, those that overlap and not those that touch, and is what `at` says."""
        breaks = schedule(("12:00", "13:00"))
        start, stop = utc("2026-11-23T12:30"), utc("2026-11-25T12:00")
        found = breaks.between(start, stop)
        self.assertEqual(told(found), ["Mon 23 12:00 – Mon 23 13:00", "Tue 24 12:00 – Tue 24 13:00"])
        self.assertEqual(found, [breaks.at(each.start) for each in found])
        self.assertEqual(breaks.between(utc("2026-11-23T13:00"), utc("2026-11-24T12:00")), [])
        self.assertEqual(breaks.between(stop, start), [])
        self.assertEqual(breaks.between(start, start), [])

    def test_skip(self):
        """A break does not start on a day that is skipped, but that of the evening before still ends there."""
        breaks = schedule(Break("19:00", "07:00", skip=["2026-11-24"]))
        found = breaks.between(utc("2026-11-24"), utc("2026-11-26"))
        self.assertEqual(told(found), ["Mon 23 19:00 – Tue 24 07:00", "Wed 25 19:00 – Thu 26 07:00"])

    def test_rule(self):
        """A rule says the days, start and stop say the times: two hours on each second Tuesday."""
        breaks = schedule(Break("19:00", "21:00", rule="FREQ=MONTHLY;BYDAY=2TU"))
        found = breaks.between(utc("2026-11-01"), utc("2027-01-01"))
        self.assertEqual(told(found), ["Tue 10 19:00 – Tue 10 21:00", "Tue 08 19:00 – Tue 08 21:00"])

    def test_ruleOvernight(self):
        """A break of a rule may go over midnight, as it may over the end of the year."""
        breaks = schedule(Break("22:00", "08:00", rule="FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31"))
        self.assertEqual(told([breaks.at(utc("2027-01-01T01:00"))]), ["Thu 31 22:00 – Fri 01 08:00"])

    def test_seldom(self):
        """The next change is found although it is years away."""
        breaks = schedule(Break("19:00", "21:00", rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"))
        self.assertEqual(breaks.nextChange(utc("2097-01-01")), utc("2104-02-29T19:00"))

    def test_over(self):
        """A rule that has ended has no change any more."""
        breaks = schedule(Break("19:00", "21:00", rule="FREQ=DAILY;COUNT=2", since="2026-11-23"))
        self.assertEqual(breaks.nextChange(utc("2026-11-24T20:00")), utc("2026-11-24T21:00"))
        self.assertIsNone(breaks.nextChange(utc("2026-11-24T21:00")))

    def test_once(self):
        """Two datetimes are one break: naive in its zone, aware as they are."""
        for once in (
            Break("2026-12-24T19:00", "2026-12-27T07:00", tz=BERLIN),
            Break("2026-12-24T18:00Z", "2026-12-27T06:00Z"),
            Break(
                datetime.datetime(2026, 12, 24, 13, tzinfo=ZoneInfo("America/New_York")),
                utc("2026-12-27T06:00"),
            ),
        ):
            breaks = schedule(once)
            start, stop = utc("2026-12-24T18:00"), utc("2026-12-27T06:00")
            self.assertEqual(breaks.nextChange(utc("2020-01-01")), start)
            self.assertEqual(breaks.at(start), BreakInterval(start, stop))
            self.assertIsNone(breaks.nextChange(stop))

    def test_onceOverAChange(self):
        """A break written on the wall clock follows it: the first start, the second stop; a gap may leave it empty."""
        autumn = schedule(Break("2026-10-25T02:00", "2026-10-25T02:30", tz=BERLIN))
        self.assertEqual(told([autumn.at(utc("2026-10-25T01:00"))]), ["Sun 25 00:00 – Sun 25 01:30"])
        spring = schedule(Break("2026-03-29T02:30", "2026-03-29T03:15", tz=BERLIN))
        self.assertIsNone(spring.nextChange(utc("2026-01-01")))

    def test_twoZones(self):
        """Breaks of several zones make one schedule."""
        breaks = schedule(Break("09:00", "17:00", tz=BERLIN), Break("09:00", "17:00", tz="America/New_York"))
        self.assertEqual(told([breaks.at(utc("2026-11-23T12:00"))]), ["Mon 23 08:00 – Mon 23 22:00"])

    def test_changeOfTheClocks(self):
        """A break over a change of the clocks is an hour longer, or shorter."""
        nights = schedule(("19:00", "07:00"), timezone=BERLIN)
        autumn, spring = nights.at(utc("2026-10-25")), nights.at(utc("2026-03-29"))
        self.assertEqual(autumn.stop - autumn.start, timedelta(hours=13))
        self.assertEqual(spring.stop - spring.start, timedelta(hours=11))

    def test_emptyByAGap(self):
        """A break which a gap leaves empty does not happen, and is no change."""
        early = schedule(("02:30", "03:15"), timezone=BERLIN)
        found = early.between(utc("2026-03-28"), utc("2026-03-31"))
        self.assertEqual(told(found), ["Sat 28 01:30 – Sat 28 02:15", "Mon 30 00:30 – Mon 30 01:15"])
        self.assertEqual(early.nextChange(utc("2026-03-28T03:00")), utc("2026-03-30T00:30"))

    def test_skippedDay(self):
        """Samoa had no 30 December 2011: what should have started then starts a day later on the clock."""
        friday = schedule(("09:00", "17:00", "FR"), timezone="Pacific/Apia")
        found = friday.between(utc("2011-12-28"), utc("2012-01-03"))
        self.assertEqual(told(found), ["Fri 30 19:00 – Sat 31 03:00"])
        daily = schedule(("19:00", "07:00"), timezone="Pacific/Apia")
        found = daily.between(utc("2011-12-29T00:00"), utc("2012-01-01T00:00"))
        self.assertEqual([each.stop - each.start for each in found], [timedelta(hours=12)] * 3)

    def test_permanent(self):
        """A break without an end has none, and no change; it began at the latest with the year 400 days ago."""
        for breaks in (
            schedule(("00:00", "24:00")),
            schedule(("00:00", "12:00"), ("12:00", "24:00"), timezone=BERLIN),
            schedule(Break("06:00", "05:59"), ("05:30", "06:30")),
        ):
            found = breaks.at(utc("2026-11-23T12:00"))
            self.assertEqual((found.start, found.stop), (utc("2025-01-01"), None))
            self.assertIsNone(breaks.nextChange(utc("2026-11-23T12:00")))
        self.assertEqual(breaks.at(utc("2027-01-15")).start, utc("2025-01-01"))
        self.assertEqual(breaks.between(utc("2026-11-23"), utc("2026-11-24")), [found])

    def test_horizon(self):
        """An end within 400 days is told; one beyond them is not, but it is a change."""
        breaks = schedule(("2026-01-01T00:00", "2029-01-01T00:00"))
        stop = utc("2029-01-01")
        self.assertEqual(breaks.at(stop - timedelta(400)).stop, stop)
        early = stop - timedelta(400, microseconds=1)
        self.assertIsNone(breaks.at(early).stop)
        self.assertEqual(breaks.nextChange(early), stop)
        self.assertEqual(breaks.nextChange(utc("2026-06-01")), stop)
        self.assertEqual(breaks.at(utc("2026-06-01")).start, utc("2026-01-01"))

    def test_endFarAway(self):
        """A daily break that ends in years has its end: by UNTIL, by COUNT, or as a day is skipped."""
        for breaks, end in [
            (Break("00:00", "24:00", rule="FREQ=DAILY;UNTIL=20280110"), "2028-01-11"),
            (Break("00:00", "24:00", rule="FREQ=DAILY;COUNT=740", since="2026-01-01"), "2028-01-11"),
            (Break("00:00", "24:00", skip="2028-01-10"), "2028-01-10"),
            (Break("00:00", "24:00", rule="FREQ=DAILY\nEXDATE:20280110"), "2028-01-10"),
        ]:
            self.assertEqual(schedule(breaks).nextChange(utc("2026-11-23")), utc(end))

    def test_pure(self):
        """An answer does not depend on what was asked before."""

        def made():
            return schedule(
                ("00:00", "24:00", "MO-FR"),
                Break("00:00", "24:00", rule="FREQ=WEEKLY;BYDAY=SA,SU;UNTIL=20270630"),
                ("2024-03-01T00:00", "2025-06-01T00:00"),
            )

        def permanent():
            return schedule(("00:00", "24:00"))

        for make, asked_for in (made, [900, -700, 0]), (permanent, [900]):
            asked = make()
            for days in asked_for:
                instant = utc("2026-05-01T12:00") + timedelta(days)
                self.assertEqual(asked.at(instant), make().at(instant), days)
                self.assertEqual(asked.nextChange(instant), make().nextChange(instant), days)

    def test_endsOfTheCalendar(self):
        """At the ends of the calendar there are answers too."""
        for breaks in (
            schedule(("19:00", "07:00"), timezone="America/New_York"),
            schedule(("00:00", "24:00"), timezone="Asia/Tokyo"),
            schedule(Break("19:00", "07:00", rule="FREQ=MONTHLY;BYDAY=-1FR")),
            schedule((MIN, MAX), timezone="America/New_York"),
        ):
            for end in (MIN, MAX):
                for hours in (-14, 0, 14):
                    instant = end.replace(tzinfo=timezone(timedelta(hours=hours)))
                    breaks.at(instant)
                    breaks.nextChange(instant)
                    breaks.between(instant, instant)
        self.assertIsNone(schedule(("19:00", "07:00")).nextChange(utc("9999-12-31")))
        self.assertEqual(schedule(("19:00", "07:00")).nextChange(utc("0001-01-01")), utc("0002-01-01T19:00"))

    def test_otherTzinfo(self):
        """A zone of dateutil's keeps the laws, in gaps too."""
        rules = tzstr("CET-1CEST,M3.5.0/2,M10.5.0/3", posix_offset=True)
        one, other = (
            schedule(("01:30", "02:30"), timezone=rules),
            schedule(("01:30", "02:30"), timezone=BERLIN),
        )
        for month in (3, 10):
            start, stop = utc(f"2026-{month:02}-20"), utc(f"2026-{month:02}-31")
            self.assertEqual(one.between(start, stop), other.between(start, stop))
        self.assertEqual(eval(repr(one)), one)
