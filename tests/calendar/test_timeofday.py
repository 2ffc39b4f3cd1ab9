from datetime import time, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.timeofday import isEndOfDay, timeOfDay, timeText


class TimeOfDayTests(SynchronousTestCase):
    def test_24Hours(self):
        """Hours and minutes, and seconds if one likes, are a time of day."""
        for text, expected in {
            "19:00": time(19),
            "7:05": time(7, 5),
            "00:00": time(0),
            "23:59:59": time(23, 59, 59),
            " 19:00 ": time(19),
        }.items():
            self.assertEqual(timeOfDay(text), expected, text)

    def test_12Hours(self):
        """AM and PM in the ways people write them; 12 AM is midnight, 12 PM is noon."""
        for text, expected in {
            "7PM": time(19),
            "7 pm": time(19),
            "7:30 pm": time(19, 30),
            "7:30:15AM": time(7, 30, 15),
            "7 p.m.": time(19),
            "12AM": time(0),
            "12:30 am": time(0, 30),
            "12PM": time(12),
            "11PM": time(23),
        }.items():
            self.assertEqual(timeOfDay(text), expected, text)

    def test_time(self):
        """A `datetime.time` is itself; which of two it was (its fold) is not part of it."""
        self.assertEqual(timeOfDay(time(19, 30)), time(19, 30))
        self.assertEqual(timeOfDay(time(2, 30, fold=1)).fold, 0)

    def test_nothingElse(self):
        """What says more or less than a time of day is refused, with what would be right."""
        for value in (
            "7", "Monday 7PM", "19:00+02:00", "19:00Z", "25:00", "19:60", "19:00:60", "13PM", "0AM", "0:30 pm",
            "19.00", "1900", "19:0", "", "PM", "noonish", "-1:00", "19:00:00.5", "\u0661\u0669:00", "24:01", 19, 7.5,
            None, b"19:00", ("19:00",),
        ):  # fmt: skip
            error = self.assertRaises(ValueError, timeOfDay, value)
            self.assertIn(repr(value), str(error))
            self.assertIn("write", str(error))

    def test_words(self):
        """Noon is twelve, and midnight the beginning of a day (its end, where it is a stop)."""
        for text, expected in {"noon": time(12), "Midnight": time(0), "midday": time(12)}.items():
            self.assertEqual(timeOfDay(text), expected, text)

    def test_hints(self):
        """What is a time of day but for how it is written is told in the right form."""
        for text, hint in {
            "7": '"7:00" (or "7PM"',
            "19": '"19:00"',
            "19.30": '"19:30"',
            "1930": '"19:30"',
            "19h": '"19:00"',
            "9 o'clock": '"9:00"',
        }.items():
            self.assertIn(f"write {hint}", str(self.assertRaises(ValueError, timeOfDay, text)), text)

    def test_noZone(self):
        """A time with a zone is refused: the zone is another argument."""
        error = self.assertRaises(ValueError, timeOfDay, time(19, tzinfo=timezone.utc))
        self.assertIn("tz=", str(error))

    def test_endOfDay(self):
        """24:00 is the end of a day, and no time of day."""
        self.assertTrue(isEndOfDay("24:00"))
        self.assertTrue(isEndOfDay(" 24:00:00 "))
        self.assertFalse(isEndOfDay("00:00"))
        self.assertFalse(isEndOfDay(time(0)))
        self.assertIn("only be a stop", str(self.assertRaises(ValueError, timeOfDay, "24:00")))

    def test_text(self):
        """A time of day is written so that it reads back, with seconds only if there are any."""
        self.assertEqual(timeText(time(7, 5)), "07:05")
        self.assertEqual(timeText(time(19, 0, 30)), "19:00:30")
