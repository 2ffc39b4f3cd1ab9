from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.weekdays import EVERY_DAY, weekdays, weekdaysText

MO, TU, WE, TH, FR, SA, SU = range(7)


class WeekdaysTests(SynchronousTestCase):
    def test_names(self):
        """RFC 5545's two letters, three letters and the full name are the same day, in any case."""
        for text in ("WE", "we", "Wed", "wednesday", "WEDNESDAY"):
            self.assertEqual(weekdays(text), (WE,), text)

    def test_several(self):
        """Commas and blanks divide; the order and repetitions do not matter."""
        for text in ("Sat,Sun", "sun, sat", "SU SA", "SA,,SU,SA"):
            self.assertEqual(weekdays(text), (SA, SU), text)

    def test_ranges(self):
        """A range has both its ends, and may go over the weekend."""
        for text, expected in {
            "MO-FR": (MO, TU, WE, TH, FR),
            "Mon - Wed": (MO, TU, WE),
            "FR-MO": (MO, FR, SA, SU),
            "TU-TU": (TU,),
            "TU-MO": EVERY_DAY,
            "MO-TU,SA": (MO, TU, SA),
        }.items():
            self.assertEqual(weekdays(text), expected, text)

    def test_numbers(self):
        """Numbers count as `datetime.weekday()` does, alone, in a list, with names, in a string."""
        self.assertEqual(weekdays(2), (WE,))
        self.assertEqual(weekdays(["MO", 2]), (MO, WE))
        self.assertEqual(weekdays({6, 5}), (SA, SU))
        self.assertEqual(weekdays(["TH-FR", 0]), (MO, TH, FR))
        self.assertEqual(weekdays("0-4"), (MO, TU, WE, TH, FR))
        self.assertEqual(weekdays(range(5)), (MO, TU, WE, TH, FR))

    def test_noDay(self):
        """No day at all is a mistake: the break would never start."""
        for value in ("", " , ", [], (), set(), [""]):
            self.assertIn("never start", str(self.assertRaises(ValueError, weekdays, value)))

    def test_nothingElse(self):
        """What is no day is refused, with what would be right."""
        for value in (
            "XX",
            "M",
            "MO-",
            "-MO",
            "MO-XX",
            "2TU",
            "MO;TU",
            7,
            -1,
            True,
            1.5,
            None,
            b"MO",
            [None],
            {"MO": 1},
        ):
            self.assertIn('"MO-FR"', str(self.assertRaises(ValueError, weekdays, value)), value)

    def test_text(self):
        """Days are written so that they read back: three or more in a row as a range."""
        for days, text in {
            (MO,): "MO",
            (SA, SU): "SA,SU",
            (MO, TU, WE, TH, FR): "MO-FR",
            (MO, WE, FR, SA, SU): "MO,WE,FR-SU",
        }.items():
            self.assertEqual(weekdaysText(days), text)
            self.assertEqual(weekdays(text), days)
