from datetime import datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks import forecast
from presence.breaks.forecast import (
    AHEAD,
    ANNOUNCED,
    ComingBreak,
    Forecast,
    breaksToCome,
    comingBreaks,
    finishBy,
    fitsFrom,
    freeFor,
    freeFrom,
    freeOf,
    nextBreak,
)
from presence.breaks.schedule import Break, BreakSchedule

HOUR = 3600.0
DAY = 24 * HOUR
MIDNIGHT = datetime(2026, 11, 23, tzinfo=timezone.utc).timestamp()


def schedule(*breaks):
    return BreakSchedule(breaks, "UTC")


WORKING_HOURS = schedule(Break("07:00", "19:00", reason="office"))


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


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
        self.assertIsNone(nextBreak([ComingBreak(now, now + 1, None)], now))


class BreaksToComeTests(SynchronousTestCase):
    def test_steady(self):
        """They are the next ones that have not begun, and the same ones until one of them begins."""
        for hour in (0, 6.9):
            breaks = breaksToCome(WORKING_HOURS, MIDNIGHT + hour * HOUR)
            self.assertEqual(
                [each.start for each in breaks],
                [MIDNIGHT + 7 * HOUR + day * DAY for day in range(ANNOUNCED)],
            )
            self.assertEqual(breaks[0], ComingBreak(MIDNIGHT + 7 * HOUR, MIDNIGHT + 19 * HOUR, "office"))
        for hour in (7, 18, 19, 20):
            self.assertEqual(
                breaksToCome(WORKING_HOURS, MIDNIGHT + hour * HOUR)[0].start, MIDNIGHT + DAY + 7 * HOUR
            )

    def test_few(self):
        """Those that there are, however far off."""
        once = schedule(Break("2027-06-01T07:00", "2027-06-01T19:00"))
        self.assertEqual([each.start for each in breaksToCome(once, MIDNIGHT)], [at("2027-06-01T07:00")])
        self.assertEqual(breaksToCome(schedule(), MIDNIGHT), ())

    def test_suspended(self):
        """One that a suspension reaches into begins when that ends; one that is suspended as a whole does not come."""
        for hour, start in ((8, 8), (7, 7), (19, 31), (20, 31), (6, 7)):
            found = breaksToCome(WORKING_HOURS, MIDNIGHT, MIDNIGHT + hour * HOUR)
            self.assertEqual(found[0].start, MIDNIGHT + start * HOUR)
            self.assertEqual(len(found), ANNOUNCED)
        self.assertEqual(
            breaksToCome(WORKING_HOURS, MIDNIGHT, MIDNIGHT - 1), breaksToCome(WORKING_HOURS, MIDNIGHT)
        )


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


DAYTIME = schedule(
    Break("08:00", "12:00", without="bench-*"),
    Break("12:00", "13:00"),
    Break("13:00", "14:00", only="quick-*", finishBefore=True, deadline="10m"),
    Break("20:00", "22:00", finishBefore=True, deadline="30m", reason="backup"),
    Break("21:00", "23:00", deadline=0),
)


class FreeForTests(SynchronousTestCase):
    """When builds of a builder may start."""

    def hours(self, function, *args):
        found = function(DAYTIME, *args)
        return None if found is None else (found - MIDNIGHT) / HOUR

    def test_freeFor(self):
        """Not in breaks, nor in partial ones that refuse it, however they follow each other."""
        for builder, at, expected in (
            ("bench-a", 7, 7),
            ("bench-a", 8, 14),
            ("quick-a", 8, 8),
            ("quick-a", 12, 13),
            ("other", 12, 14),
            ("other", 20, 23),
        ):
            self.assertEqual(self.hours(freeFor, builder, MIDNIGHT + at * HOUR), expected, (builder, at))
        self.assertEqual(self.hours(freeFor, "bench-a", MIDNIGHT + 8 * HOUR, MIDNIGHT + 9 * HOUR), 8)
        endless = schedule(Break("00:00", "24:00", only="quick-*"))
        self.assertIsNone(freeFor(endless, "other", MIDNIGHT))

    def test_fitsFrom(self):
        """A build that is too long for the time before a break waits for a time that is long enough; or there is none."""
        for builder, length, at, expected in (
            ("other", 1.5, 11.5, 11.5),
            ("other", 2, 11.5, 14),
            ("other", 6, 12, 14),
            ("other", 6.5, 14, 23),
            ("other", 10, 14, 23),
            ("other", 14.1, 14, None),
            ("quick-a", 9, 11.5, 23),
        ):
            self.assertEqual(
                self.hours(fitsFrom, builder, MIDNIGHT + at * HOUR, length * HOUR),
                expected,
                (builder, length),
            )

    def test_suspended(self):
        """A break that is suspended begins when that ends."""
        at, until = MIDNIGHT + 19.5 * HOUR, MIDNIGHT + 21 * HOUR
        self.assertEqual(finishBy(DAYTIME, "other", at, until), until)
        self.assertEqual(finishBy(DAYTIME, "other", at), MIDNIGHT + 20 * HOUR)
        self.assertEqual(self.hours(fitsFrom, "other", at, HOUR, until), 19.5)
        self.assertEqual(self.hours(fitsFrom, "other", at, 2 * HOUR, until), 23)


class SparedTests(SynchronousTestCase):
    """What is told of breaks that spare builds, or interrupt them."""

    def test_breaks(self):
        """Each break says whether builds are finished before it, and when those that run in it are first interrupted."""
        found = [
            ((each.start - MIDNIGHT) / HOUR, each.finishBefore, each.interruptsAt)
            for each in comingBreaks(DAYTIME, MIDNIGHT)[:2]
        ]
        self.assertEqual(found, [(12, False, None), (20, True, MIDNIGHT + 20.5 * HOUR)])

    def test_partial(self):
        """So does a partial one: of those with the same limit."""
        found = [
            (each.limit, each.finishBefore, each.interruptsAt)
            for each in Forecast().partials(DAYTIME, MIDNIGHT)[:2]
        ]
        self.assertEqual(
            found,
            [("without bench-*", False, None), ("only quick-*", True, MIDNIGHT + 13 * HOUR + 600)],
        )

    def test_overBefore(self):
        """A break that is over at its deadline interrupts nobody; one that has no end does."""
        [coming] = comingBreaks(
            schedule(Break("2026-11-23T08:00", "2026-11-23T08:10", deadline="10m")), MIDNIGHT
        )
        self.assertIsNone(coming.interruptsAt)
        [coming] = comingBreaks(schedule(Break("00:00", "24:00", deadline="10m")), MIDNIGHT)
        self.assertIsNotNone(coming.interruptsAt)


class FreeOfTests(SynchronousTestCase):
    def test_severalSchedules(self):
        """Breaks that overlap or touch are followed to the last one's end, in whatever order they are given."""
        breaks = [
            ComingBreak(30, 40, None),
            ComingBreak(10, 20, None),
            ComingBreak(20, 25, None),
            ComingBreak(15, 18, None),
        ]
        for instant, free in ((9, 9), (10, 25), (17, 25), (20, 25), (25, 25), (30, 40), (40, 40)):
            self.assertEqual(freeOf(breaks, instant), free)

    def test_endless(self):
        """Where no end is in sight it is never free."""
        breaks = [ComingBreak(10, 20, None), ComingBreak(20, None, None)]
        self.assertEqual(freeOf(breaks, 9), 9)
        for instant in (10, 20, 30):
            self.assertIsNone(freeOf(breaks, instant))


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
        schedules = [CountingSchedule([Break("07:00", "19:00", tz="UTC")]) for _ in range(50)]
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
        self.assertEqual(told.next(schedule, now).start, at("2026-11-23T07:00"))
        self.assertEqual(told.days(schedule, now)[0].start, at("2026-11-23T07:00"))
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
            self.assertEqual(told.next(schedule, at(now)).start, at(start), now)

    def test_noneToCome(self):
        """A schedule whose breaks are over, or never end, has no next one."""
        told = Forecast()
        over = BreakSchedule([Break("2026-01-01T00:00", "2026-01-02T00:00", tz="UTC")])
        self.assertIsNone(told.next(over, at("2026-11-23T06:00")))
        self.assertEqual(told.days(over, at("2026-11-23T06:00")), ())
        endless = BreakSchedule([Break("00:00", "24:00", tz="UTC")])
        self.assertIsNone(told.next(endless, at("2026-11-23T06:00")))

    def test_askedAgain(self):
        """Where there was no next break it is asked again a day later."""
        asked = []

        class Schedule(BreakSchedule):
            __slots__ = ()

            def nextChange(self, instant):
                asked.append(instant)

        told, now = Forecast(), at("2026-11-23T06:00")
        schedule = Schedule([Break("07:00", "19:00", tz="UTC")])
        for instant, times in ((now, 1), (now + DAY - 1, 1), (now + DAY, 2)):
            self.assertIsNone(told.next(schedule, instant))
            self.assertEqual(len(asked), times)

    def test_daysOfSummerTime(self):
        """Eight days over the end of daylight saving have an hour more; all their breaks are there."""
        self.zone("Europe/Berlin")
        schedule = BreakSchedule([Break("23:00", "23:30", tz="Europe/Berlin")])
        now = at("2026-10-24T12:00")
        starts = [each.start for each in Forecast().days(schedule, now)]
        self.assertEqual(len(starts), 8)
        self.assertEqual(starts[1] - starts[0], timedelta(hours=25).total_seconds())
