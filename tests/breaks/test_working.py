"""`workingDuring` against an oracle that marks the minutes of a week on the wall."""

from datetime import datetime, time, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakErrors, BreakSchedule
from tests.breaks.test_skips import NewYears


def between(*working, zone="UTC"):
    return BreakSchedule.fromConfig(None, zone, list(working))


class WorkingDuringTests(SynchronousTestCase):
    def test_plain(self):
        """The breaks are written as plainly as by hand."""
        for working, expected in [
            (("19:00", "07:00"), [Break("07:00", "19:00")]),
            (("19:00", "07:00", "MO-FR"), [Break("07:00", "19:00", "TU-FR"), Break("SA 07:00", "MO 19:00")]),
            (("FR 18:00", "MO 08:00"), [Break("MO 08:00", "FR 18:00")]),
            ("weekdays 8:00-18:00", [Break("18:00", "08:00", "MO-TH"), Break("FR 18:00", "MO 08:00")]),
            (("00:00", "23:00"), [Break("23:00", "24:00")]),
            ([("8:00", "12:00"), ("13:00", "18:00")], [Break("12:00", "13:00"), Break("18:00", "08:00")]),
        ]:
            made = BreakSchedule.fromConfig(None, "UTC", working)
            self.assertEqual(made.breaks, tuple(each.inZone("UTC") for each in expected))

    def test_zone(self):
        """It is on the clock of timezone=, with its changes: the owner never loses break time."""
        schedule = between(("03:00", "02:00"), zone="Europe/Berlin")
        found = schedule.between(*(datetime(2026, 10, 25, hour, tzinfo=timezone.utc) for hour in (0, 12)))
        self.assertEqual([each.stop - each.start for each in found], [timedelta(hours=2)])

    def test_mistakes(self):
        """It excludes onBreakDuring, and what is not the same every week; no time of work, and all, are mistakes."""
        for value, said in [
            ([], "no time in which it works"),
            (("00:00", "24:00"), "works all week"),
            (("25:00", "07:00"), "start: '25:00'"),
            (Break("19:00", "07:00", rule="FREQ=DAILY"), "not the same every week"),
            (Break("19:00", "07:00", skip="2026-12-24"), "not the same every week"),
            (Break("19:00", "07:00", skip=NewYears()), "not the same every week"),
            ("2026-12-24T12:00/2026-12-27T00:00", "not the same every week"),
            (Break("19:00", "07:00", builds=1), "says more than when it works"),
            (Break(time(8, 0, 0, 5), "9:00"), "write whole seconds"),
            ([Break("1:00", "2:00", tz="UTC"), Break("1:00", "2:00", tz="Asia/Tokyo")], "several zones"),
        ]:
            error = self.assertRaises(BreakErrors, BreakSchedule.fromConfig, None, "UTC", value)
            [message] = error.messages
            self.assertTrue(message.startswith("workingDuring: "), message)
            self.assertIn(said, message)
        error = self.assertRaises(
            BreakErrors, BreakSchedule.fromConfig, ("1:00", "2:00"), "UTC", ("3:00", "4:00")
        )
        self.assertIn("exclude each other", str(error))

    def test_ownZone(self):
        """A window with a zone of its own keeps it."""
        made = between(Break("19:00", "07:00", tz="Asia/Tokyo"))
        self.assertEqual(made.breaks, (Break("07:00", "19:00", tz="Asia/Tokyo"),))
