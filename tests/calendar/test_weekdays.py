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
        """Numbers count as `datetime.weekday()` does, alone, in a list, with names."""
        self.assertEqual(weekdays(2), (WE,))
        self.assertEqual(weekdays(["MO", 2]), (MO, WE))
        self.assertEqual(weekdays({6, 5}), (SA, SU))
        self.assertEqual(weekdays(["TH-FR", 0]), (MO, TH, FR))
        self.assertEqual(weekdays(range(5)), (MO, TU, WE, TH, FR))

    def test_words(self):
        """Words that have one meaning are taken: sets of days, other short forms, plurals, and what stands between."""
        for text, expected in {
            "weekdays": (MO, TU, WE, TH, FR),
            "working days": (MO, TU, WE, TH, FR),
            "Business Days": (MO, TU, WE, TH, FR),
            "weekend": (SA, SU),
            "on weekends": (SA, SU),
            "daily": EVERY_DAY,
            "every day": EVERY_DAY,
            "all week": EVERY_DAY,
            "Mon to Fri": (MO, TU, WE, TH, FR),
            "Monday through Thursday": (MO, TU, WE, TH),
            "Mon–Fri": (MO, TU, WE, TH, FR),
            "Tues, Thurs": (TU, TH),
            "Weds. & Thur": (WE, TH),
            "Mondays": (MO,),
            "every Monday and Wednesday": (MO, WE),
            "Mon/Wed/Fri": (MO, WE, FR),
            "weekdays, Sunday": (MO, TU, WE, TH, FR, SU),
        }.items():
            self.assertEqual(weekdays(text), expected, text)

    def test_digits(self):
        """Digits in a string are refused, as cron counts otherwise; the reason is said."""
        for value in ("0-4", "1-5", "2", "0,6", "1–5", ["MO", "2"], "MO,2", "MO-5"):
            said = str(self.assertRaises(ValueError, weekdays, value))
            self.assertIn("cron", said)
            self.assertIn("0 is Monday", said)

    def test_nth(self):
        """The second Tuesday is not a day of every week, and what it is is said."""
        for value in ("2TU", "-1FR", "2nd Tuesday", "last Friday", "every other Monday"):
            self.assertIn("rule=", str(self.assertRaises(ValueError, weekdays, value)), value)

    def test_noDay(self):
        """No day at all is a mistake: the break would never start."""
        for value in ("", " , ", [], (), set(), [""]):
            self.assertIn("never start", str(self.assertRaises(ValueError, weekdays, value)))

    def test_nothingElse(self):
        """What is not a day is refused, with what would be right."""
        for value in (
            "XX",
            "M",
            "MO-",
            "-MO",
            "MO-XX",
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
