from datetime import time

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakErrors

MONTHLY = {"rule": "FREQ=WEEKLY;INTERVAL=4;BYDAY=MO", "since": "2026-01-05"}


class SeveralDaysTests(SynchronousTestCase):
    """Breaks whose start and stop say days, as they are written and read."""

    def test_written(self):
        """They are written as they are read; weeks only where they are needed."""
        for start, stop, more, nights in (
            ("FR 18:00", "MO 08:00", {}, 3),
            ("FR 18:00", "SU 24:00", {}, 3),
            ("MO 08:00", "TU 08:00", {}, 1),
            ("MO 08:00", "TU 08:00", {"rule": "FREQ=MONTHLY;BYDAY=2MO"}, 1),
            ("MO 08:00", "MO 07:00", MONTHLY, 7),
            ("MO 08:00", "MO 09:00 +1w", MONTHLY, 7),
            ("MO 08:00", "TU 08:00 +1w", MONTHLY, 8),
            ("MO 18:00", "SU 24:00 +1w", MONTHLY, 14),
        ):
            written = Break(start, stop, **more)
            self.assertEqual(written.nights, nights, (start, stop))
            self.assertTrue(repr(written).startswith(f"Break({start!r}, {stop!r}"), repr(written))
            self.assertEqual(eval(repr(written)), written)
        self.assertEqual(Break("MO 08:00", "MO 08:00", **MONTHLY).nights, 7)

    def test_mistakes(self):
        """Each mistake says what would be right."""
        for start, stop, more, said in (
            ("FR 18:00 +1w", "MO 08:00", {}, "weeks are added to the stop"),
            ("FR 18:00", "08:00", {}, "'FR 18:00' has a day and '08:00' has none: write both"),
            ("18:00", "MO 08:00", {}, "'MO 08:00' has a day and '18:00' has none: write both"),
            ("18:00", "08:00 +1w", {}, 'weeks are added to a day, as in "MO 08:00 +1w"'),
            ("FR 18:00", "MO 08:00 +51w", {}, "at most 50 weeks are added"),
            ("FR 18:00", "MO 08:00", {"days": "MO"}, "the start 'FR 18:00' says the day already"),
            ("MO 08:00", "MO 08:00", {}, "it lasts until it begins again, a week later"),
            ("MO 08:00", "MO 09:00 +1w", {}, "it lasts until it begins again, a week later"),
            ("MO 08:00", "TU 07:00 +1w", {}, "it lasts until it begins again, a week later"),
            ("FR 18:00", "MO 08:00", {"rule": "FREQ=WEEKLY;BYDAY=MO"}, "never yields a Friday, on which"),
        ):
            error = self.assertRaises(BreakErrors, Break, start, stop, **more)
            self.assertIn(said, str(error), (start, stop))

    def test_otherArguments(self):
        """Arguments that contradict each other are mistakes, also where each is right by itself."""
        for more in ({"finishBefore": True}, {"deadline": "1h"}):
            error = self.assertRaises(BreakErrors, Break, "8:00", "9:00", builds=1, **more)
            self.assertIn("builds= does not go with finishBefore= and deadline=", str(error))
        self.assertIn("datetime.time(8, 0, 0, 5)", repr(Break(time(8, 0, 0, 5), "9:00")))
