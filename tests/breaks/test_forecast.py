from datetime import datetime, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.forecast import AHEAD, comingBreaks, freeFrom, nextBreak
from presence.breaks.schedule import Break, BreakSchedule
from presence.wire.messages import ComingBreak

HOUR = 3600.0
DAY = 24 * HOUR
MIDNIGHT = datetime(2026, 11, 23, tzinfo=timezone.utc).timestamp()


def schedule(*breaks):
    return BreakSchedule(breaks, "UTC")


WORKING_HOURS = schedule(Break("07:00", "19:00", reason="office"))


class ComingBreaksTests(SynchronousTestCase):
    def test_eightDays(self):
        """The break that is on and those of the coming eight days are shown, in order."""
        breaks = comingBreaks(WORKING_HOURS, MIDNIGHT + 8 * HOUR)
        self.assertEqual(
            [each.start for each in breaks], [MIDNIGHT + 7 * HOUR + day * DAY for day in range(9)]
        )
        self.assertEqual(breaks[0], ComingBreak(MIDNIGHT + 7 * HOUR, MIDNIGHT + 19 * HOUR, "office"))

    def test_suspended(self):
        """A break that is suspended as a whole is left out; of another one what is left is shown."""
        breaks = comingBreaks(WORKING_HOURS, MIDNIGHT, MIDNIGHT + DAY + 8 * HOUR)
        self.assertEqual(
            breaks[0], ComingBreak(MIDNIGHT + DAY + 8 * HOUR, MIDNIGHT + DAY + 19 * HOUR, "office")
        )

    def test_allSuspended(self):
        """A suspension that is longer than what is looked at leaves none."""
        self.assertEqual(comingBreaks(WORKING_HOURS, MIDNIGHT, MIDNIGHT + AHEAD + 1), ())

    def test_none(self):
        """No breaks, none shown."""
        self.assertEqual(comingBreaks(schedule(), MIDNIGHT), ())

    def test_next(self):
        """The next break is the first that has not begun."""
        now = MIDNIGHT + 8 * HOUR
        self.assertEqual(nextBreak(comingBreaks(WORKING_HOURS, now), now).start, MIDNIGHT + DAY + 7 * HOUR)
        self.assertIsNone(nextBreak((), now))


class FreeFromTests(SynchronousTestCase):
    def test_free(self):
        """An instant in a break is free from its end on, another one at once."""
        self.assertEqual(freeFrom(WORKING_HOURS, MIDNIGHT), MIDNIGHT)
        self.assertEqual(freeFrom(WORKING_HOURS, MIDNIGHT + 7 * HOUR), MIDNIGHT + 19 * HOUR)
        self.assertEqual(freeFrom(WORKING_HOURS, MIDNIGHT + 19 * HOUR), MIDNIGHT + 19 * HOUR)

    def test_suspended(self):
        """What lies in a suspension is free."""
        at = MIDNIGHT + 8 * HOUR
        self.assertEqual(freeFrom(WORKING_HOURS, at, at + 1), at)
        self.assertEqual(freeFrom(WORKING_HOURS, at, at), MIDNIGHT + 19 * HOUR)

    def test_endless(self):
        """Where no end is in sight it is never free."""
        self.assertIsNone(freeFrom(schedule(Break("00:00", "24:00")), MIDNIGHT))
