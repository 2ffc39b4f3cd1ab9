from datetime import datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakSchedule
from presence.master.api import breakdays as forecast
from presence.master.api.breakdays import Forecast

HOUR = 3600
DAY = 24 * HOUR


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


class CountingSchedule(BreakSchedule):
    """Counts the questions that cost something."""

    __slots__ = ("asked",)

    def between(self, start, stop):
        self.asked = [*getattr(self, "asked", ()), (start, stop)]
        return super().between(start, stop)


class ForecastTests(SynchronousTestCase):
    def zone(self, name):
        self.patch(forecast, "localZone", lambda: name)

    def test_sharedSchedule(self):
        """Equal schedules are asked once a day, however many workers have them."""
        self.zone("UTC")
        schedules = [CountingSchedule([Break("07:00", "19:00", tz="UTC")]) for _ in range(500)]
        told = Forecast()
        now = at("2026-11-23T06:00")
        for _ in range(3):
            for schedule in schedules:
                self.assertEqual(len(told.days(schedule, now)), 8)
        self.assertEqual(sum(len(getattr(each, "asked", ())) for each in schedules), 1)
        told.days(schedules[7], now + DAY)
        self.assertEqual(sum(len(getattr(each, "asked", ())) for each in schedules), 2)

    def test_clockSetBack(self):
        """After the clock was set back the answers are those of then."""
        self.zone("UTC")
        schedule = BreakSchedule([Break("07:00", "19:00", tz="UTC")])
        told = Forecast()
        later = told.next(schedule, at("2026-11-25T08:00")), told.days(schedule, at("2026-11-25T08:00"))
        now = at("2026-11-23T06:00")
        self.assertEqual(told.next(schedule, now)["start"], at("2026-11-23T07:00"))
        self.assertEqual(told.days(schedule, now)[0]["start"], at("2026-11-23T07:00"))
        self.assertNotEqual((told.next(schedule, now), told.days(schedule, now)), later)

    def test_next(self):
        """The next break begins after now: in a break it is the one after that; at its very start too."""
        schedule = BreakSchedule(
            [Break("07:00", "19:00", tz="UTC"), Break("2026-11-24T20:00", "2026-11-24T21:00", tz="UTC")]
        )
        told = Forecast()
        for now, start in (
            ("2026-11-23T06:59", "2026-11-23T07:00"),
            ("2026-11-23T07:00", "2026-11-24T07:00"),
            ("2026-11-23T18:59", "2026-11-24T07:00"),
            ("2026-11-24T19:00", "2026-11-24T20:00"),
            ("2026-11-24T20:30", "2026-11-25T07:00"),
        ):
            self.assertEqual(told.next(schedule, at(now))["start"], at(start), now)

    def test_noneToCome(self):
        """A schedule whose breaks are over, or never end, has no next one."""
        told = Forecast()
        over = BreakSchedule([Break("2026-01-01T00:00", "2026-01-02T00:00", tz="UTC")])
        self.assertIsNone(told.next(over, at("2026-11-23T06:00")))
        self.assertEqual(told.days(over, at("2026-11-23T06:00")), [])
        endless = BreakSchedule([Break("00:00", "24:00", tz="UTC")])
        self.assertIsNone(told.next(endless, at("2026-11-23T06:00")))

    def test_daysOfSummerTime(self):
        """Eight days over the end of daylight saving have an hour more; all their breaks are there."""
        self.zone("Europe/Berlin")
        schedule = BreakSchedule([Break("23:00", "23:30", tz="Europe/Berlin")])
        now = at("2026-10-24T12:00")
        starts = [each["start"] for each in Forecast().days(schedule, now)]
        self.assertEqual(len(starts), 8)
        self.assertEqual(starts[1] - starts[0], timedelta(hours=25).total_seconds())

    def test_nobodySharesAnAnswer(self):
        """Whoever changes an answer changes nobody else's."""
        self.zone("UTC")
        schedule = BreakSchedule([Break("07:00", "19:00", tz="UTC")])
        told = Forecast()
        now = at("2026-11-23T06:00")
        told.days(schedule, now)[0].clear()
        told.next(schedule, now).clear()
        self.assertIn("start", told.days(schedule, now)[0])
        self.assertIn("start", told.next(schedule, now))
