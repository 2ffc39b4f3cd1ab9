"""Breaks from iCalendar files. Those in calendars/ have the form in which three programs export: Google Calendar, Outlook
with Exchange, and Nextcloud (with what Thunderbird writes into it).
"""

import sys
from datetime import date, datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.ics.reader import MAX_BYTES, CalendarFile
from presence.breaks.ics.writer import calendarText, entriesOf
from presence.breaks.schedule import Break, BreakErrors, BreakSchedule
from tests.breaks.breakcase import BERLIN, schedule, utc
from tests.missing import missing

CALENDARS = Path(__file__).parent / "calendars"
UTC = timezone.utc
DAY = timedelta(days=1)

EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
{lines}
END:VEVENT
"""


def calendar(*events):
    """The text of a calendar whose events have these lines."""
    body = "".join(EVENT.format(uid=f"{number}@x", lines=lines) for number, lines in enumerate(events))
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{body}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


class CalendarCase(SynchronousTestCase):
    def file(self, *events):
        path = Path(self.mktemp())
        path.write_bytes(calendar(*events))
        return path

    def shown(self, breaks, first, last, zone=BERLIN):
        return [
            f"{each.start.astimezone(ZoneInfo(zone)):%a %d %H:%M} – {each.stop.astimezone(ZoneInfo(zone)):%a %d %H:%M}"
            for each in breaks.between(utc(first), utc(last))
        ]


class ProgramsTests(CalendarCase):
    def breaks(self, name):
        return BreakSchedule([Break.fromCalendar(CALENDARS / name, tz=BERLIN)])

    def test_google(self):
        """Google Calendar: a weekly event with EXDATEs, one that was moved and one that was cancelled, whole days, free ones."""
        self.assertEqual(
            self.shown(self.breaks("google.ics"), "2026-10-16", "2026-11-03"),
            [
                "Sun 18 07:00 – Sun 18 08:00",
                "Mon 19 09:00 – Mon 19 17:00",
                "Tue 20 09:00 – Tue 20 17:00",
                "Wed 21 11:00 – Wed 21 19:30",  # moved; Thursday is taken out, Friday cancelled
                "Sat 24 00:00 – Mon 26 00:00",  # whole days, with a change of the clocks; the birthday is free
                "Mon 26 09:00 – Mon 26 17:00",
                "Wed 28 09:00 – Wed 28 17:00",
                "Thu 29 09:00 – Thu 29 17:00",
                "Fri 30 09:00 – Fri 30 17:00",
                "Mon 02 09:00 – Mon 02 17:00",
            ],
        )

    def test_outlook(self):
        """Outlook: zones of Windows, several EXDATEs in a line, every other week from Sunday on, a day of 24 hours, UNTIL."""
        breaks = self.breaks("outlook.ics")
        self.assertEqual(
            self.shown(breaks, "2026-10-16", "2026-12-31"),
            [
                "Tue 20 18:00 – Tue 20 22:00",
                "Mon 26 00:00 – Thu 29 00:00",
                "Fri 06 06:00 – Fri 06 08:00",  # moved from the evening
                "Tue 17 18:00 – Tue 17 22:00",
                "Fri 20 18:00 – Fri 20 22:00",
                "Tue 01 18:00 – Tue 01 22:00",
                "Fri 04 18:00 – Fri 04 22:00",
            ],
        )

    def test_nextcloud(self):
        """Nextcloud: COUNT over a change of the clocks elsewhere, days without an end, floating times, DURATION and RDATE."""
        breaks = self.breaks("nextcloud.ics")
        self.assertEqual(
            self.shown(breaks, "2026-10-16", "2026-11-12"),
            [
                "Sat 31 04:00 – Sat 31 10:00",
                "Sun 01 04:00 – Sun 01 11:00",
                "Mon 02 05:00 – Mon 02 11:00",
                "Tue 03 00:00 – Wed 04 00:00",
                "Thu 05 10:00 – Thu 05 11:30",
                "Sat 07 10:00 – Sat 07 11:30",
                "Sun 08 10:00 – Sun 08 11:30",
            ],
        )
        self.assertEqual(breaks.nextChange(utc("2030-11-12")), utc("2030-12-02T23:00"))


class LawsTests(CalendarCase):
    def test_answersAgree(self):
        """`at` and `nextChange` say what `between` says, in an event that is months long, too."""
        breaks = BreakSchedule(
            [Break.fromCalendar(self.file("DTSTART:20260310T100000Z\nDTEND:20261201T100000Z"), tz="UTC")]
        )
        [interval] = breaks.between(utc("2026-08-01"), utc("2026-08-02"))
        self.assertEqual((interval.start, interval.stop), (utc("2026-03-10T10:00"), utc("2026-12-01T10:00")))
        self.assertEqual(breaks.at(utc("2026-08-01")), interval)
        self.assertEqual(breaks.nextChange(utc("2026-08-01")), interval.stop)
        self.assertEqual(breaks.nextChange(utc("2026-01-01")), interval.start)
        self.assertIsNone(breaks.nextChange(interval.stop))

    def test_farAway(self):
        """The next event is found although it is many years away, and whatever was asked before."""
        path = self.file(
            "DTSTART:20260310T100000Z\nDTEND:20260310T110000Z",
            "DTSTART:20910310T100000Z\nDTEND:20910310T110000Z",
            "DTSTART:20300229T100000Z\nDTEND:20300229T110000Z".replace("2030", "2028")
            + "\nRRULE:FREQ=YEARLY;INTERVAL=4;UNTIL=20500101T000000Z",
        )
        breaks = BreakSchedule([Break.fromCalendar(path, tz="UTC")])
        for year, expected in [
            (1, 2026),
            (2026, 2026),
            (2027, 2028),
            (2029, 2032),
            (2049, 2091),
            (2092, None),
        ]:
            change = breaks.nextChange(utc(f"{year:04}-01-01"))
            self.assertEqual(None if change is None else change.year, expected, year)

    def test_repr(self):
        """It is a value: pasted back it is equal as long as the file is the same; the reason and the zone belong to it."""
        path = self.file("DTSTART:20260310T100000Z\nDTEND:20260310T110000Z")
        written = Break.fromCalendar(path, tz=BERLIN, reason="office", finishBefore=True, deadline="30m")
        again = eval(repr(written))
        self.assertEqual((again, hash(again)), (written, hash(written)))
        path.write_bytes(calendar("DTSTART:20260310T100000Z\nDTEND:20260310T120000Z"))
        self.assertNotEqual(eval(repr(written)), written)

    def test_reread(self):
        """A file that has not changed is itself; one that has is read; one that is unreadable says so, and nothing changes."""
        path = self.file("DTSTART:20260310T100000Z\nDTEND:20260310T110000Z")
        [file] = BreakSchedule([Break.fromCalendar(path, tz="UTC")]).calendars
        self.assertIs(file.reread(), file)
        path.write_bytes(b"BEGIN:VCALENDAR\r\nnonsense")
        self.assertIn(str(path), str(self.assertRaises(ValueError, file.reread)))
        path.unlink()
        self.assertIn("cannot be read", str(self.assertRaises(ValueError, file.reread)))

    def test_withCalendar(self):
        """A schedule takes over what is in a file now, in all its breaks and days to skip, and only there."""
        path = self.file("DTSTART;VALUE=DATE:20260310")
        breaks = [
            Break.fromCalendar(path, tz="UTC"),
            Break("12:00", "13:00", skip=str(path), tz="UTC")
            if path.suffix == ".ics"
            else ("12:00", "13:00"),
        ]
        before = schedule(*breaks)
        path.write_bytes(calendar("DTSTART;VALUE=DATE:20260311"))
        after = before.withCalendar(before.calendars[0].reread())
        self.assertIsNotNone(before.at(utc("2026-03-10T10:00")))
        self.assertIsNone(after.at(utc("2026-03-10T10:00")))
        self.assertIsNotNone(after.at(utc("2026-03-11T10:00")))
        self.assertIsNotNone(after.at(utc("2026-03-10T12:30")))

    def test_skip(self):
        """The days of a calendar are skipped: those of whole days, and those on which something is at any time."""
        path = Path(f"{self.mktemp()}.ics")
        path.write_bytes(
            calendar(
                "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261226",
                "DTSTART;TZID=Europe/Berlin:20261229T220000\nDTEND;TZID=Europe/Berlin:20261230T010000",
            )
        )
        written = Break("07:00", "08:00", skip=[str(path), "2026-12-31"], tz=BERLIN)
        found = schedule(written).between(utc("2026-12-22"), utc("2027-01-02"))
        self.assertEqual([each.start.day for each in found], [22, 23, 26, 27, 28, 1])
        self.assertEqual(eval(repr(written)), written)
        self.assertEqual([each.path for each in BreakSchedule([written]).calendars], [str(path)])

    def test_mistakes(self):
        """What is no calendar, what recurs every minute, and what is too much is refused where it is written."""
        for content, said in [
            (b"", "no BEGIN:VCALENDAR"),
            (b"\x00\xff", "no BEGIN:VCALENDAR"),
            (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "is not understood"),
            (calendar("DTSTART:20260310T100000Z\nRRULE:FREQ=MINUTELY"), "more often than once a day"),
            # (6.0, which Debian stable has, leaves such an end out)
            *(
                [(calendar("DTSTART:20260310T100000Z\nDTEND:2026"), "is not understood")]
                if not version("icalendar").startswith("6.0.")
                else []
            ),
            (calendar() + b" " * MAX_BYTES, "bytes"),
        ]:
            path = Path(self.mktemp())
            path.write_bytes(content)
            error = self.assertRaises(BreakErrors, Break.fromCalendar, path)
            [message] = error.messages
            self.assertIn(said, message)
            self.assertIn(str(path), message)
        self.assertIn(
            "'x.ics' cannot be read", str(self.assertRaises(ValueError, Break.fromCalendar, "x.ics"))
        )
        self.assertIn("not the name of a file", str(self.assertRaises(ValueError, Break.fromCalendar, 5)))

    def test_withoutAStart(self):
        """An event that does not say when it starts is at no time, and the others are breaks."""
        file = Path(self.mktemp())
        event = "BEGIN:VEVENT\nUID:{}\nDTSTAMP:20260101T000000Z\n{}END:VEVENT\n"
        dated = "DTSTART:20261124T120000Z\nDTEND:20261124T130000Z\n"
        file.write_text(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n"
            + event.format("a", "")
            + event.format("b", dated)
            + "END:VCALENDAR\n"
        )
        found = BreakSchedule([Break.fromCalendar(file, tz="UTC")])
        self.assertEqual(found.nextChange(utc("2026-11-01")), utc("2026-11-24T12:00"))
        self.assertIsNone(found.nextChange(utc("2026-11-24T13:00")))

    def test_everyMistake(self):
        """All that is wrong is told at once."""
        error = self.assertRaises(BreakErrors, Break.fromCalendar, "x.ics", tz="ABC5", builds=0)
        self.assertEqual([each.split(":")[0] for each in error.messages], ["file", "tz", "builds"])

    def test_noPackages(self):
        """Where the packages are missing that is said, with how they are installed."""
        path = self.file("DTSTART:20260311T100000Z\nDTEND:20260311T110000Z")
        for name in ("icalendar", "recurring_ical_events"):
            # another file: what was read is remembered
            path.write_bytes(path.read_bytes() + b"\r\n" * (1 + len(name)))
            with missing(name), missing("presence.breaks.ics.expanded"):
                # (not missing, but as if nobody had read a file)
                del sys.modules["presence.breaks.ics.expanded"]
                said = str(self.assertRaises(ValueError, Break.fromCalendar, path))
            self.assertIn("pip install 'buildbot-presence[calendar]'", said)

    def test_endsOfTheCalendar(self):
        """In the years 1 and 9999 there is an answer, and events there are left out."""
        path = self.file(
            "DTSTART:20260310T100000Z\nDTEND:20260310T110000Z\nRRULE:FREQ=YEARLY;INTERVAL=25",
            "DTSTART:99991231T000000Z\nDTEND:99991231T110000Z",
        )
        breaks = BreakSchedule([Break.fromCalendar(path, tz="America/New_York")])
        for instant in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
            breaks.at(instant)
            breaks.nextChange(instant)
            breaks.between(instant, instant)
        self.assertEqual(breaks.nextChange(utc("2050-04-01")), utc("2051-03-10T10:00"))


class OracleTests(CalendarCase):
    def test_uid(self):
        """The same break has the same UID whenever it is asked for, and another one another."""
        made = schedule(("12:00", "13:00"))
        texts = [
            calendarText(
                "x", entriesOf("w", made, utc("2026-11-23"), utc(last), reasons=False), utc(last), utc(last)
            )
            for last in ("2026-11-24", "2026-11-25")
        ]
        uids = [[line for line in text.splitlines() if line.startswith("UID:")] for text in texts]
        self.assertEqual(uids[0], uids[1][:1])
        self.assertEqual(len(set(uids[1])), 2)

    def test_days(self):
        """The days of a calendar are dates of its own clock, as RFC 5545 says."""
        file = CalendarFile("x", calendar("DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270102"))
        self.assertEqual(file.daysOf(2026), {date(2026, 12, 31).toordinal()})
        self.assertEqual(file.daysOf(2027), {date(2027, 1, 1).toordinal()})
