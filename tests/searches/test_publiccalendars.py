"""Public calendars of programs that people use, as the libraries bring them for their own tests: not a line is ours."""

from pathlib import Path

import recurring_ical_events

from presence.breaks.schedule import Break, BreakSchedule
from tests.breaks.breakcase import BERLIN
from tests.breaks.test_calendars import CalendarCase

CALENDARS = Path(recurring_ical_events.__file__).parent / "test/calendars"


class PublicCalendarTests(CalendarCase):
    def assertShown(self, name, first, last, *expected, zone=BERLIN):
        self.assertBreaks(CALENDARS / name, first, last, expected, zone)

    def assertBreaks(self, path, first, last, expected, zone):
        breaks = BreakSchedule([Break.fromCalendar(path, tz=zone)])
        self.assertEqual(self.shown(breaks, first, last, zone), list(expected))

    def test_google(self):
        """Google Calendar: every year, the first one moved half an hour, one left out."""
        self.assertShown(
            "issue_151_macos_linux_difference.ics",
            "2014-01-01",
            "2018-01-01",
            "Fri 01 18:30 – Fri 01 19:30",
            "Sat 01 19:00 – Sat 01 20:00",
            "Tue 01 19:00 – Tue 01 20:00",
            zone="America/Los_Angeles",
        )

    def test_exchange(self):
        """Exchange: a daily event until a date without a zone, its second day taken out by an instant in UTC."""
        self.assertShown(
            "issue_27_t1.ics",
            "2020-04-01",
            "2020-06-01",
            "Sun 26 14:00 – Sun 26 14:30",
            "Tue 28 14:00 – Tue 28 14:30",
        )

    def test_nextcloud(self):
        """SabreDAV, which is in Nextcloud and ownCloud: eight weeks over a change of the clocks, two of them deleted."""
        self.assertShown(
            "each_week_but_two_deleted.ics",
            "2019-01-01",
            "2020-01-01",
            "Mon 04 00:30 – Mon 04 01:00",
            "Mon 18 00:30 – Mon 18 01:00",
            "Mon 01 00:30 – Mon 01 01:00",
            "Mon 08 00:30 – Mon 08 01:00",
            "Mon 15 00:30 – Mon 15 01:00",
            "Mon 22 00:30 – Mon 22 01:00",
        )

    def test_outlook(self):
        """Outlook: the holidays of a country, whole days; two that follow each other are one break."""
        # (it has twelve years, and one of them says it)
        head, *events = (CALENDARS / "Germany.ics").read_bytes().split(b"BEGIN:VEVENT")
        *others, last = [each for each in events if b"DATE:2020" in each]
        path = Path(self.mktemp())
        path.write_bytes(
            b"BEGIN:VEVENT".join([head, *others, last.partition(b"END:VCALENDAR")[0]]) + b"END:VCALENDAR\r\n"
        )
        expected = ["Sat 03 00:00 – Sun 04 00:00", "Fri 25 00:00 – Sun 27 00:00"]
        self.assertBreaks(path, "2020-10-01", "2021-01-01", expected, BERLIN)
