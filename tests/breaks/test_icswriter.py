from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.ics.writer import Entry, calendarText, entriesOf
from presence.breaks.schedule import Break
from tests.breaks.breakcase import schedule, utc

NOW = utc("2026-11-23T06:00")
EIGHT, NINE, UNTIL = utc("2026-11-23T08:00"), utc("2026-11-23T09:00"), utc("2026-12-01")


class CalendarTextTests(SynchronousTestCase):
    """What a phone that subscribes is given, to the letter."""

    def lines(self, *entries):
        """The lines without the identifiers, and these."""
        text = calendarText("farm, north", entries, NOW, UNTIL)
        self.assertTrue(text.endswith("\r\n"))
        lines = text.removesuffix("\r\n").split("\r\n")
        return [line for line in lines if not line.startswith("UID:")], [
            line for line in lines if line.startswith("UID:")
        ]

    def test_text(self):
        """Each break as an event, in UTC, that blocks nobody's own calendar; one without an end goes on until then."""
        lines, _ = self.lines(
            Entry("mac", EIGHT, NINE, "office; all\r\nof it"), Entry("arm", EIGHT, None, None)
        )
        self.assertEqual(
            lines,
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//buildbot-presence//breaks//EN",
                "METHOD:PUBLISH",
                "NAME:farm\\, north",
                "X-WR-CALNAME:farm\\, north",
                "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
                "X-PUBLISHED-TTL:PT1H",
                "BEGIN:VEVENT",
                "DTSTAMP:20261123T060000Z",
                "DTSTART:20261123T080000Z",
                "DTEND:20261123T090000Z",
                "SUMMARY:mac: office\\; all\\nof it",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
                "BEGIN:VEVENT",
                "DTSTAMP:20261123T060000Z",
                "DTSTART:20261123T080000Z",
                "DTEND:20261201T000000Z",
                "SUMMARY:arm: break",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
                "END:VCALENDAR",
            ],
        )

    def test_identifiers(self):
        """The same break has the same identifier whenever it is asked for, and no other one has it."""
        break_ = Entry("mac", EIGHT, NINE, "office")
        _, (one,) = self.lines(break_)
        self.assertEqual(self.lines(break_._replace(stop=None))[1], [one])
        self.assertRegex(one, "^UID:[0-9a-f]{32}@buildbot-presence$")
        for other in (break_._replace(worker="arm"), break_._replace(start=NINE), break_._replace(note="")):
            self.assertNotEqual(self.lines(other)[1], [one])

    def test_folded(self):
        """No line is longer than 75 octets, none divides a character, and put together they are what they were."""
        note = "ä" * 100
        text = calendarText("farm", [Entry("mac", EIGHT, NINE, note)], NOW, UNTIL)
        pieces = text.encode().split(b"\r\n")
        self.assertEqual(max(map(len, pieces)), 75)
        for piece in pieces:
            piece.decode()
        self.assertIn(f"SUMMARY:mac: {note}\r\n", text.replace("\r\n ", ""))


class EntriesTests(SynchronousTestCase):
    def test_reasons(self):
        """Reasons are told to those only who may read them; what may start in a partial break to everybody."""
        breaks = schedule(
            Break("08:00", "09:00", reason="office"),
            Break("10:00", "11:00", builds=1, reason="noise"),
            Break("12:00", "13:00"),
        )
        for reasons, notes in (
            (True, ["office", "at most 1 build; noise", None]),
            (False, [None, "at most 1 build", None]),
        ):
            found = entriesOf("mac", breaks, NOW, utc("2026-11-23T18:00"), reasons=reasons)
            self.assertEqual([each.note for each in found], notes)
            self.assertEqual([each.start.hour for each in found], [8, 10, 12])
            self.assertEqual({each.worker for each in found}, {"mac"})
