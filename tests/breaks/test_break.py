import copy
import datetime  # noqa: ICN001 (a repr says "datetime.")
import pickle
from datetime import date, time, timezone
from zoneinfo import ZoneInfo

from dateutil import tz as dateutil_tz
from dateutil.tz import tzstr
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakErrors, BreakSchedule
from presence.calendar import zones
from tests.breaks.breakcase import BERLIN, utc

CHRISTMAS_EVE = datetime.datetime(2026, 12, 24, 19)


class BreakTests(SynchronousTestCase):
    def error(self, *args, **kwargs):
        return str(self.assertRaises(ValueError, Break, *args, **kwargs))

    def test_sameMeaning(self):
        """Breaks that mean the same are equal and hash alike, however they were written."""
        for one, other in [
            (Break("19:00", "07:00"), Break("7PM", time(7))),
            (Break("19:00", "00:00"), Break("19:00", "24:00")),
            (Break("19:00", "07:00", "MO-SU"), Break("19:00", "07:00")),
            (Break("19:00", "07:00", "Sat,Sun"), Break("19:00", "07:00", [6, 5])),
            (Break("19:00", "07:00", tz=ZoneInfo(BERLIN)), Break("19:00", "07:00", tz=BERLIN)),
            (Break("19:00", "07:00", skip="2026-12-24"), Break("19:00", "07:00", skip=[date(2026, 12, 24)])),
            (
                Break("2026-12-24T19:00Z", "2026-12-25T19:00Z"),
                Break("2026-12-24T20:00+01:00", "2026-12-25T20:00+01:00"),
            ),
            (Break("2026-12-24 19:00", "2026-12-25"), Break(CHRISTMAS_EVE, datetime.datetime(2026, 12, 25))),
            (Break("19:00", "07:00", rule="freq=daily"), Break("19:00", "07:00", rule="FREQ=DAILY")),
            (Break("19:00", "07:00", reason=""), Break("19:00", "07:00")),
        ]:
            self.assertEqual(one, other)
            self.assertEqual(hash(one), hash(other))

    def test_otherMeaning(self):
        """Breaks that differ in anything are not equal, the reason included."""
        plain = Break("19:00", "07:00")
        for other in (
            Break("19:00", "07:01"),
            Break("19:00", "07:00", "MO"),
            Break("19:00", "07:00", tz="UTC"),
            Break("19:00", "07:00", rule="FREQ=DAILY"),
            Break("19:00", "07:00", rule="FREQ=DAILY", since="2026-01-01"),
            Break("19:00", "07:00", skip="2026-12-24"),
            Break("19:00", "07:00", reason="backup"),
            ("19:00", "07:00"),
        ):
            self.assertNotEqual(plain, other)

    def test_repr(self):
        """The repr can be pasted back."""
        for text in (
            "Break('19:00', '07:00')",
            "Break('19:00:30', '24:00', 'MO-FR')",
            "Break('22:00', '08:00', tz='UTC', reason=\"owner's\")",
            "Break('19:00', '21:00', rule='FREQ=DAILY;INTERVAL=2', since='2026-01-13', skip=('2026-12-24',))",
            "Break('2026-12-24T19:00', '2026-12-27T07:00', tz='Europe/Berlin')",
            "Break('2026-12-24T19:00+00:00', '2026-12-27T07:00:30+00:00')",
            "Break('19:00', '07:00', tz=datetime.timezone(datetime.timedelta(seconds=7200)))",
            "Break(datetime.time(19, 0, 0, 5), '07:00')",
        ):
            written = eval(text)
            self.assertEqual(eval(repr(written)), written)

    def test_reprIsPlain(self):
        """The repr says what was meant in the plainest form."""
        for written, text in [
            (Break("7PM", "7 am", "Mon-Fri"), "Break('19:00', '07:00', 'MO-FR')"),
            (Break("00:00", "24:00", tz=ZoneInfo(BERLIN)), "Break('00:00', '24:00', tz='Europe/Berlin')"),
            (
                Break("1:00", "2:00", tz=dateutil_tz.gettz(BERLIN)),
                "Break('01:00', '02:00', tz='Europe/Berlin')",
            ),
            (Break("1:00", "2:00", tz=timezone.utc), "Break('01:00', '02:00', tz='UTC')"),
        ]:
            self.assertEqual(repr(written), text)

    def test_reprOfOtherZones(self):
        """A zone without a name is written as itself."""
        written = Break("19:00", "07:00", tz=tzstr("CET-1CEST"))
        self.assertEqual(eval(repr(written)), written)
        self.assertEqual(hash(eval(repr(written))), hash(written))

    def test_frozen(self):
        """A break cannot be changed."""
        written = Break("19:00", "07:00")
        with self.assertRaises(AttributeError):
            written.start = time(18)
        with self.assertRaises((AttributeError, TypeError)):
            written.other = 1

    def test_copied(self):
        """A break can be copied and pickled."""
        written = Break("19:00", "07:00", "FR", tz=BERLIN, reason="x")
        self.assertEqual(copy.deepcopy(written), written)
        self.assertEqual(pickle.loads(pickle.dumps(written)), written)

    def test_sameTime(self):
        """A break from a time to the same time is a mistake: the whole day is said otherwise."""
        for start, stop in (("19:00", "7PM"), ("00:00", "00:00"), ("00:00", "12AM"), (time(7), time(7))):
            self.assertIn('("00:00", "24:00")', self.error(start, stop))

    def test_endOfDayIsNoStart(self):
        """24:00 is a stop only."""
        self.assertIn("only be a stop", self.error("24:00", "07:00"))

    def test_badTimes(self):
        """Which of the two is wrong is said, and what would be right."""
        self.assertIn("start: '25:00'", self.error("25:00", "07:00"))
        self.assertIn("stop: '7'", self.error("19:00", "7"))
        self.assertIn('"7PM"', self.error("19:00", "nineteen"))

    def test_everyMistake(self):
        """Every argument that is wrong is told, not just the first."""
        error = self.assertRaises(BreakErrors, Break, "25:00", "7", "XX", tz="ABC5", skip="never", reason=5)
        self.assertEqual(
            [message.split(":")[0] for message in error.messages],
            ["start", "stop", "days", "tz", "reason", "skip"],
        )
        self.assertIsInstance(error, ValueError)

    def test_mixed(self):
        """A time of day and a datetime do not go together, nor do a naive and an aware one."""
        self.assertIn("do not go together", self.error("19:00", CHRISTMAS_EVE))
        self.assertIn("do not go together", self.error("2026-12-24T19:00", "07:00"))
        self.assertIn("do not go together", self.error("2026-12-24T19:00", "2026-12-25T07:00Z"))

    def test_backwards(self):
        """One break ends after it began."""
        self.assertIn("not later", self.error("2026-12-24T19:00", "2026-12-24T19:00"))
        self.assertIn("not later", self.error(CHRISTMAS_EVE, datetime.datetime(2026, 12, 24, 18)))
        self.assertIn("not later", self.error("2026-12-24T19:00Z", "2026-12-24T20:00+02:00"))

    def test_badDatetimes(self):
        """A datetime that does not exist is a mistake."""
        self.assertIn("2026-13-24", self.error("2026-13-24T19:00", "2026-12-25T07:00"))

    def test_oneBreakDoesNotRecur(self):
        """What is for breaks that recur does not go with two datetimes."""
        for more in (
            {"days": "FR"},
            {"days": "MO-SU"},
            {"rule": "FREQ=DAILY"},
            {"since": "2026-01-01"},
            {"skip": "2026-12-24"},
        ):
            self.assertIn("recur", self.error("2026-12-24T19:00", "2026-12-25T07:00", **more))

    def test_noDay(self):
        """No day at all is a mistake."""
        self.assertIn("days", self.error("19:00", "07:00", []))
        self.assertIn("days", self.error("19:00", "07:00", "XX"))

    def test_zones(self):
        """A zone that nobody knows is a mistake."""
        self.assertIn("tz: 'ABC5'", self.error("19:00", "07:00", tz="ABC5"))
        self.assertIn("tz", self.error("19:00", "07:00", tz=5))

    def test_rules(self):
        """A rule is checked where it is written, and needs `since` where it counts."""
        self.assertIn("since=", self.error("19:00", "07:00", rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"))
        self.assertIn("DAILY", self.error("19:00", "07:00", rule="FREQ=HOURLY"))
        self.assertIn("never", self.error("19:00", "07:00", rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"))
        self.assertIn("exclude", self.error("19:00", "07:00", "FR", rule="FREQ=DAILY"))
        self.assertIn("no rule", self.error("19:00", "07:00", since="2026-01-01"))
        self.assertIn("since: ", self.error("19:00", "07:00", rule="FREQ=DAILY", since=CHRISTMAS_EVE))

    def test_datesOfARule(self):
        """Times in the dates of a rule are those of its start, or midnight, or a mistake."""
        Break("19:00", "21:00", rule="FREQ=DAILY\nEXDATE:20261224T190000")
        Break("19:00", "21:00", rule="FREQ=DAILY\nEXDATE:20261224T000000")
        self.assertIn("18:00", self.error("19:00", "21:00", rule="FREQ=DAILY\nEXDATE:20261224T180000"))

    def test_reason(self):
        """A reason is text, and short enough for the protocol."""
        self.assertEqual(Break("19:00", "07:00", reason=" backup ").reason, "backup")
        self.assertIn("512", self.error("19:00", "07:00", reason="x" * 513))
        self.assertIn("reason", self.error("19:00", "07:00", reason=5))
        for written in ("back\nup", "back\x1b[2Jup", "\u2028backup\u2028."):
            self.assertIn("plain text on one line", self.error("19:00", "07:00", reason=written))

    def test_skip(self):
        """Days to skip are dates."""
        self.assertIn("skip", self.error("19:00", "07:00", skip=["Christmas"]))
        self.assertIn("skip", self.error("19:00", "07:00", skip=[CHRISTMAS_EVE]))
        self.assertIn("skip", self.error("19:00", "07:00", skip=5))


class FromConfigTests(SynchronousTestCase):
    def errors(self, value, timezone=None):
        error = self.assertRaises(BreakErrors, BreakSchedule.fromConfig, value, timezone)
        self.assertIsInstance(error, ValueError)
        for message in error.messages:
            self.assertIn(message, str(error))
        return error.messages

    def test_none(self):
        """None is never a break, and so is an empty list."""
        for value in (None, []):
            empty = BreakSchedule.fromConfig(value)
            self.assertTrue(empty.isEmpty)
            self.assertIsNone(empty.at(utc("2026-11-23")))
            self.assertIsNone(empty.nextChange(utc("2026-11-23")))
            self.assertEqual(empty.between(utc("2026-11-23"), utc("2027-11-23")), [])

    def test_forms(self):
        """A tuple, a Break and a list of those are the same schedule."""
        expected = BreakSchedule([Break("19:00", "07:00", "FR", tz=BERLIN)])
        for value in (
            ("19:00", "07:00", "FR"),
            Break("19:00", "07:00", "FR"),
            [("7PM", "7AM", ["FR"])],
            [Break("19:00", "07:00", "FR", tz=BERLIN)],
        ):
            made = BreakSchedule.fromConfig(value, BERLIN)
            self.assertEqual(made, expected)
            self.assertEqual(hash(made), hash(expected))
            self.assertEqual(eval(repr(made)), expected)
        self.assertNotEqual(expected, BreakSchedule())
        self.assertNotEqual(expected, "expected")

    def test_timezone(self):
        """The zone is for those breaks that have none."""
        made = BreakSchedule.fromConfig(
            [("1:00", "2:00"), Break("1:00", "2:00", tz="UTC")], ZoneInfo("Asia/Tokyo")
        )
        self.assertEqual([each.tz for each in made.breaks], ["Asia/Tokyo", "UTC"])

    def test_localZone(self):
        """Without a zone it is that of this host."""
        self.patch(zones, "localZone", lambda: "Asia/Tokyo")
        self.assertEqual(BreakSchedule.fromConfig(("1:00", "2:00")).breaks[0].tz, "Asia/Tokyo")

    def test_nothingElse(self):
        """What is not a break is refused, with what would be right."""
        for value in (
            "19:00",
            5,
            {},
            ("19:00",),
            ("19:00", "07:00", "FR", "UTC"),
            (("1:00", "2:00"),),
            {"a"},
        ):
            [message] = self.errors(value)
            self.assertIn("19:00-07:00" if isinstance(value, str) else '("19:00", "07:00")', message)

    def test_everyMistake(self):
        """Every mistake is told, each with its place in the list."""
        zone, second, third, fourth = self.errors(
            [("19:00", "07:00"), ("25:00", "07:00"), ("19:00", "7", "XX"), Break("1:00", "2:00")], "ABC5"
        )
        self.assertTrue(zone.startswith("timezone: 'ABC5'"), zone)
        self.assertTrue(second.startswith("item 2, ('25:00', '07:00'): start: '25:00'"), second)
        self.assertTrue(third.startswith("item 3, ('19:00', '7', 'XX'): stop: '7'"), third)
        self.assertTrue(fourth.startswith("item 3, ('19:00', '7', 'XX'): days: 'XX'"), fourth)

    def test_badTimezone(self):
        """A bad zone is a mistake although no break needs it."""
        self.assertEqual(len(self.errors(None, "ABC5")), 1)
        self.assertEqual(len(self.errors(Break("1:00", "2:00", tz="UTC"), 5)), 1)
