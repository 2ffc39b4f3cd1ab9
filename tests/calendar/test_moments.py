"""Until when, as people say it."""

from datetime import datetime, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.moments import momentText, untilInstant
from presence.calendar.zones import zoneFor

UTC = timezone.utc
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday


class UntilTests(SynchronousTestCase):
    def assertMeans(self, said, expected, now=NOON, zone=UTC):
        self.assertEqual(
            untilInstant(said, now, zone).astimezone(zone).strftime("%a %d %b %H:%M"), expected, said
        )

    def test_days(self):
        """A day and a time of day; a day alone is the midnight with which it begins."""
        for said, expected in (
            ("friday 8:00", "Fri 27 Nov 08:00"),
            ("Fri. at 8am", "Fri 27 Nov 08:00"),
            ("on friday, noon", "Fri 27 Nov 12:00"),
            ("today 18:00", "Wed 25 Nov 18:00"),
            ("today 24:00", "Thu 26 Nov 00:00"),
            ("tomorrow 8:00", "Thu 26 Nov 08:00"),
            ("tomorrow", "Thu 26 Nov 00:00"),
            ("monday", "Mon 30 Nov 00:00"),
            ("next monday", "Mon 30 Nov 00:00"),
            ("NEXT  MONDAY 7:30 pm", "Mon 30 Nov 19:30"),
            ("18:00", "Wed 25 Nov 18:00"),
            ("11:00", "Thu 26 Nov 11:00"),
        ):
            self.assertMeans(said, expected)

    def test_sameDay(self):
        """The day that is today is today as long as its time is to come; "next" is never today, "this" never next week."""
        self.assertMeans("wednesday 18:00", "Wed 25 Nov 18:00")
        self.assertMeans("wednesday 11:00", "Wed 02 Dec 11:00")
        self.assertMeans("wednesday", "Wed 02 Dec 00:00")
        self.assertMeans("next wednesday 18:00", "Wed 02 Dec 18:00")
        self.assertMeans("this wednesday 18:00", "Wed 25 Nov 18:00")
        for past in ("this wednesday 11:00", "today 11:00"):
            self.assertRaisesRegex(
                ValueError, f"'{past}' is past: it is 2026-11-25 12:00 now", untilInstant, past, NOON, UTC
            )

    def test_zone(self):
        """It is the day there, also where that is another one; and a time in a gap moves forward."""
        late = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
        self.assertMeans("tomorrow 8:00", "Fri 27 Nov 08:00", late, zoneFor("Europe/Vienna"))
        self.assertMeans("thursday 8:00", "Thu 26 Nov 08:00", late, zoneFor("Europe/Vienna"))
        before = datetime(2027, 3, 26, 12, tzinfo=UTC)
        self.assertMeans("sunday 2:30", "Sun 28 Mar 03:30", before, zoneFor("Europe/Vienna"))

    def test_refused(self):
        """What leaves open when that is, and what is none, are refused with what would be right."""
        for said, pattern in (
            ("tomorrow morning", "'tomorrow morning' leaves open which hour is meant: write tomorrow 8:00"),
            ("friday in the evening", "write friday 18:00"),
            ("Next Monday night", "write Next Monday 22:00"),
            ("this afternoon", "'this afternoon' leaves open when that is: write today 14:00"),
            ("tonight", "write today 22:00"),
            ("today", "write today 18:00"),
            ("next week", "write next monday"),
            ("friday 8", "'friday 8' is not a time: '8' is not a time of day: write \"8:00\""),
            ("friday 25:00", "'25:00' is not a time of day"),
            ("friday soon", "'friday soon' is not a time: write 18:00, 7pm, tomorrow 8:00, friday 8:00"),
            ("firday 8:00", "'firday 8:00' is not a time: write 18:00"),
            ("next tomorrow", "is not a time"),
            ("8:00 friday", "is not a time"),
            ("", "is not a time"),
        ):
            self.assertRaisesRegex(ValueError, pattern, untilInstant, said, NOON, UTC)

    def test_saidAgain(self):
        """What is written of a moment within a week is read as that moment."""
        for hours in range(1, 7 * 24 - 12, 5):
            instant = datetime.fromtimestamp(NOON.timestamp() + 3600 * hours, UTC)
            self.assertEqual(untilInstant(momentText(instant, NOON, UTC), NOON, UTC), instant)
