from datetime import datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakSchedule
from presence.master.holding.shortbreaks import shortfalls

MONDAY = datetime(2026, 11, 23, tzinfo=timezone.utc)


def schedule(*breaks):
    return BreakSchedule.fromConfig([Break(*each, tz="UTC") for each in breaks] or None)


class ShortfallTests(SynchronousTestCase):
    def hours(self, *schedules, least=1, days=1):
        found = shortfalls(schedules, least, MONDAY, MONDAY + timedelta(days=days))
        return [
            (
                (each.start - MONDAY) / timedelta(hours=1),
                (each.stop - MONDAY) / timedelta(hours=1),
                each.ready,
            )
            for each in found
        ]

    def test_together(self):
        """Where breaks overlap so much that too few are left, from when to when, and how few."""
        day, noon = schedule(("07:00", "19:00")), schedule(("12:00", "13:00"))
        self.assertEqual(self.hours(day, noon), [(12, 13, 0)])
        self.assertEqual(self.hours(day, noon, least=2), [(7, 19, 0)])
        self.assertEqual(self.hours(day, schedule()), [])

    def test_edges(self):
        """One that ends as another begins leaves no gap that is none; and the span cuts what is longer."""
        before, after = schedule(("07:00", "12:00")), schedule(("12:00", "19:00"))
        self.assertEqual(self.hours(before, after), [])
        self.assertEqual(self.hours(before, after, least=2), [(7, 19, 1)])
        night = schedule(("19:00", "07:00"))
        self.assertEqual(self.hours(night), [(0, 7, 0), (19, 24, 0)])
        self.assertEqual(self.hours(schedule(("00:00", "24:00"))), [(0, 24, 0)])

    def test_tooFew(self):
        """More than there are are never there."""
        self.assertEqual(self.hours(schedule(), least=2), [(0, 24, 1)])
