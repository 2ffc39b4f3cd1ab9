"""Many breaks against few: what is kept day by day says the same as what is worked out for each question."""

from datetime import date, datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks import recurrences, sources, timeline
from presence.breaks.schedule import Break, BreakSchedule

DAY = timedelta(days=1)
BEGIN = datetime(2026, 3, 20, tzinfo=timezone.utc)  # and the clocks change on 29 March in Europe


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


class ManyTests(SynchronousTestCase):
    def test_thousands(self):
        """Seventeen breaks of a minute on each day, each of its own: each is found, and the list is not looked
        through for the next ones.
        """
        self.patch(timeline, "_ENOUGH", 1000)
        listed = [Break(clock(minute), clock(minute + 1), reason="each") for minute in range(0, 17 * 80, 80)]
        schedule = BreakSchedule(listed, "UTC")
        instant = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
        self.assertEqual(schedule.at(instant).stop, instant + timedelta(minutes=1))
        self.assertEqual(len(schedule.between(instant, instant + 8 * DAY)), 8 * 17)
        asked = []
        self.patch(
            type(listed[0].inZone("UTC").occurrences()), "startingBetween", lambda *days: asked.append(days)
        )
        self.patch(type(listed[0].inZone("UTC").occurrences()), "nextStart", lambda *days: asked.append(days))
        for day in range(30):
            later = instant + day * DAY
            self.assertEqual(schedule.nextChange(later), later + timedelta(minutes=1))
        self.assertEqual(asked, [])

    def test_prepared(self):
        """When the first question has been answered those about the next two years look at no break any more."""
        listed = [
            Break(
                clock(number),
                clock(number + 30),
                rule=f"FREQ=DAILY;INTERVAL={number + 2}",
                since="2025-01-01",
            )
            for number in range(17)
        ]
        schedule = BreakSchedule(listed, "UTC")
        schedule.nextChange(BEGIN)
        self.patch(sources, "_onDay", None)
        for day in range(0, 700, 7):
            at = BEGIN + day * DAY
            self.assertLessEqual(at, schedule.nextChange(at))
        self.assertRaises(TypeError, schedule.nextChange, BEGIN + 5000 * DAY)

    def test_rulesTogether(self):
        """What rules that start on the same days are together is worked out once, and dateutil is asked once about those
        that differ in their first day only, and are in phase.
        """
        listed = [
            Break(
                clock(9 * number),
                clock(9 * number + 30),
                rule="FREQ=DAILY;INTERVAL=2",
                since=date(2020, 1, 1) + number % 8 * DAY,
            )
            for number in range(20)
        ]
        schedule = BreakSchedule(listed, "UTC")
        made = []
        together = sources._mergedOnTheWall
        self.patch(sources, "_mergedOnTheWall", lambda spans: made.append(None) or together(spans))
        asked = recurrences._walked.cache_info().misses
        for day in range(0, 300, 10):
            schedule.nextChange(BEGIN + day * DAY)
        self.assertEqual(len(made), 2)
        self.assertLess(recurrences._walked.cache_info().misses - asked, 10)

    def test_forgotten(self):
        """What has been asked about long ago is not kept: where there is much of it, nothing that is over is."""
        self.patch(timeline, "_MOST_PIECES", 80)
        listed = [Break(clock(minute), clock(minute + 1)) for minute in range(0, 17 * 80, 80)]
        schedule = BreakSchedule(listed, "UTC")
        for day in range(40):
            schedule.nextChange(BEGIN + day * DAY)
        self.assertLess(len(schedule._coverage._timeline._pieces), 240)
        self.assertEqual(schedule.nextChange(BEGIN), BEGIN + timedelta(minutes=1))

    def test_countsTheCycles(self):
        """The last day of a rule with a high COUNT is found by the cycle of the calendar, as if by counting."""
        # (in our century it repeats sooner; `tests.searches` goes through a whole one)
        self.patch(recurrences, "_CALENDAR_CYCLE", 28)
        rule = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT="
        for count, last in ((1, 2024), (2, 2028), (8, 2052), (9, 2056), (19, 2096)):
            break_ = Break("07:00", "19:00", tz="UTC", rule=f"{rule}{count}", since="2024-02-29")
            self.assertEqual(break_.occurrences().turns[-1], date(last, 2, 29).toordinal())
