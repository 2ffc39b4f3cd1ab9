from datetime import datetime, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakSchedule
from presence.breaks.warnings import hostWarnings, lastEnd, warningsOf
from tests.breaks.breakcase import BERLIN, schedule, utc

NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


class WarningTests(SynchronousTestCase):
    def warning(self, *breaks, timezone=BERLIN):
        [said] = warningsOf(schedule(*breaks, timezone=timezone), NOW)
        return said

    def assertNone(self, *breaks, timezone=BERLIN):
        self.assertEqual(warningsOf(schedule(*breaks, timezone=timezone), NOW), [])

    def test_nightsOfAWeekend(self):
        """Nights between which the days of a weekend are open are told, with the weekend that may be meant."""
        said = self.warning(("18:00", "08:00", "FR-MO"))
        self.assertIn('("18:00", "08:00", "FR-MO") is 4 nights', said)
        self.assertIn('Break("FR 18:00", "MO 08:00")', said)
        self.assertIn('Break("FR 18:00", "MO 08:00")', self.warning(("18:00", "08:00", "FR-SU")))
        self.assertIn('Break("TH 18:00", "MO 08:00")', self.warning(("18:00", "08:00", "TH-SU")))

    def test_otherNights(self):
        """Nights that are hardly meant otherwise are not told: of the week, of Friday and Saturday, every night."""
        for days in ("MO-FR", "FR,SA", "SA,SU", None, "SU-TH", "TU-SU", "WE,FR-SU"):
            self.assertNone(("18:00", "08:00", days))
        self.assertNone(("18:00", "20:00", "FR-MO"))
        self.assertNone(("FR 18:00", "MO 08:00"))
        # the way out for who means the nights
        self.assertNone(("18:00", "08:00", "FR,SA"), ("18:00", "08:00", "SU,MO"))

    def test_aMinute(self):
        """A worker that is available for less than ten minutes is told, by one break or by two."""
        said = self.warning(("00:00", "23:59"))
        self.assertIn("available from 23:59 to 00:00 only, every day", said)
        self.assertIn('("00:00", "24:00")', said)
        self.assertIn(
            "12:00 to 12:05 only, on MO-FR", self.warning(("09:00", "12:00", "MO-FR"), ("12:05", "18:00"))
        )
        self.assertNone(("09:00", "12:00"), ("12:10", "18:00"))

    def test_over(self):
        """A break that is over for good is told, with when it ended."""
        self.assertIn(
            "is over since 2026-10-01 08:00: take it out",
            self.warning(("2026-09-01T08:00", "2026-10-01T08:00")),
        )
        self.assertIn(
            "is over since 2020-06-01 21:00",
            self.warning(Break("19:00", "21:00", rule="FREQ=DAILY;UNTIL=20200601")),
        )
        self.assertIn("is over", self.warning(Break("2020-01-01", "2020-01-02", only="quick-*")))
        for partial in (
            Break("00:00", "24:00", only="quick-*"),
            Break("2026-12-01", "2026-12-02", only="quick-*"),
            Break("2026-11-01", "2026-12-02", only="quick-*"),
        ):
            self.assertNone(partial)
        self.assertNone(("2026-12-01T08:00", "2026-12-02T08:00"))
        self.assertNone(("2026-11-01T08:00", "2026-12-02T08:00"))

    def test_never(self):
        """What never happens is told as that, and not as over: beyond the end of the calendar in UTC, or left out by a gap."""
        for start, stop, zone in (
            ("9999-12-31T20:00", "9999-12-31T23:00", "America/New_York"),
            ("2027-03-28T02:30", "2027-03-28T03:15", BERLIN),
        ):
            said = self.warning((start, stop), timezone=zone)
            self.assertIn("never happens", said)
            self.assertTrue(said.endswith(": take it out"), said)
            self.assertNotIn("is over", said)
        self.assertNone(("9999-12-31T12:00", "9999-12-31T18:00"), timezone="America/New_York")

    def test_zones(self):
        """A zone without summer time that is named like one with it is told."""
        self.assertIn("'America/New_York'", self.warning(("7:00", "19:00"), timezone="EST"))
        self.assertIn("behind UTC", self.warning(Break("7:00", "19:00", tz="Etc/GMT+3")))

    def test_once(self):
        """What is so of several breaks is told once."""
        breaks = [Break("7:00", "8:00", tz="EST"), Break("9:00", "10:00", tz="EST")]
        self.assertEqual(len(warningsOf(BreakSchedule(breaks), NOW)), 1)

    def test_none(self):
        """Of no breaks, and of all day, there is nothing to tell."""
        self.assertNone()
        self.assertNone(("00:00", "24:00"))

    def test_host(self):
        """What is wrong with TZ of this host is told."""
        import presence.breaks.warnings as module  # noqa: PLC0415

        self.patch(module, "localZoneWarning", lambda: "TZ is wrong")
        self.assertEqual(hostWarnings(), ["TZ is wrong"])
        self.patch(module, "localZoneWarning", lambda: None)
        self.assertEqual(hostWarnings(), [])

    def test_lastEnd(self):
        """The last end is found also when it is long ago, and there is none before the first."""
        self.assertEqual(lastEnd(schedule(("1999-01-01", "1999-01-02")), NOW), utc("1999-01-02"))
        self.assertEqual(lastEnd(schedule(("7:00", "8:00")), NOW), utc("2026-11-23T08:00"))
        self.assertIsNone(lastEnd(schedule(("2027-01-01", "2027-01-02")), NOW))

    def test_endsOfTheCalendar(self):
        """There is an answer in the years 1 and 9999."""
        for now in (datetime(1, 1, 1, tzinfo=timezone.utc), datetime(9999, 12, 31, tzinfo=timezone.utc)):
            warningsOf(schedule(("00:00", "23:59"), ("2026-01-01", "2026-01-02")), now)
