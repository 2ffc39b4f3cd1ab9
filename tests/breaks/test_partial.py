from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.partial import Limit, PartialInterval
from presence.breaks.schedule import Break
from tests.breaks.breakcase import BERLIN, UTC, schedule, utc

HOUR = timedelta(hours=1)


class BreakTests(SynchronousTestCase):
    def error(self, **more):
        return str(self.assertRaises(ValueError, Break, "19:00", "07:00", **more))

    def test_repr(self):
        """What spares builds, and what limits them, belongs to the break, and can be pasted back."""
        for written, text in [
            (
                Break("19:00", "07:00", finishBefore=True, deadline="30m"),
                "Break('19:00', '07:00', finishBefore=True, deadline=1800)",
            ),
            (Break("19:00", "07:00", deadline=timedelta(0)), "Break('19:00', '07:00', deadline=0)"),
            (
                Break("8:00", "18:00", "weekdays", builds=2, only="quick-*", without=["bench-*", "x"]),
                "Break('08:00', '18:00', 'MO-FR', builds=2, only=['quick-*'], without=['bench-*', 'x'])",
            ),
        ]:
            self.assertEqual(repr(written), text)
            self.assertEqual(eval(text), written)
            self.assertNotEqual(Break(written.start, written.stop, written.days), written)

    def test_mistakes(self):
        """What they are given is checked where it is written."""
        self.assertIn("deadline: ", self.error(deadline="soon"))
        self.assertIn("deadline: ", self.error(deadline=-1))
        self.assertIn("deadline: ", self.error(deadline=True))
        self.assertIn("finishBefore: ", self.error(finishBefore="yes"))
        self.assertIn("builds: ", self.error(builds=0))
        self.assertIn("builds: ", self.error(builds="2"))
        self.assertIn("only: ", self.error(only=[]))
        self.assertIn("without: ", self.error(without=[5]))
        self.assertIn("which builds", self.error(builds=2, finishBefore=True))
        self.assertIn("which builds", self.error(builds=2, deadline="1h"))

    def test_deadlines(self):
        """A deadline is a duration, seconds or a timedelta; at once is one, too."""
        for value, seconds in {"30m": 1800, 90: 90, timedelta(hours=1): 3600, "0": 0, "0m": 0, 0: 0}.items():
            self.assertEqual(Break("19:00", "07:00", deadline=value).deadline, seconds)
        self.assertIsNone(Break("19:00", "07:00").deadline)


class LimitTests(SynchronousTestCase):
    def test_patterns(self):
        """A builder starts if one of `only` matches, or there is none, and none of `without` does."""
        for limit, expected in [
            (Limit(), "quick-a bench-a quick-bench"),
            (Limit(only=("quick-*",)), "quick-a quick-bench"),
            (Limit(without=("bench-*",)), "quick-a quick-bench"),
            (Limit(only=("quick-*", "bench-a"), without=("*-bench",)), "quick-a bench-a"),
            (Limit(only=("Quick-*",)), ""),
            (Limit(builds=2), "quick-a bench-a quick-bench"),
        ]:
            names = [name for name in ("quick-a", "bench-a", "quick-bench") if limit.admits(name)]
            self.assertEqual(names, expected.split(), limit)

    def test_text(self):
        """A limit is told in one line."""
        self.assertEqual(Limit(2, ("a", "b"), ("c",)).text, "at most 2 builds, only a, b, without c")
        self.assertEqual(Limit(1).text, "at most 1 build")


DAYTIME = Break("08:00", "18:00", without="bench-*", reason="office")
LUNCH = Break("12:00", "13:00", builds=1)


class ScheduleTests(SynchronousTestCase):
    def test_notAway(self):
        """A partial break does not make a worker unready: only the other questions know it."""
        breaks = schedule(DAYTIME, LUNCH, ("12:30", "14:00"))
        self.assertIsNone(breaks.at(utc("2026-11-23T12:00")))
        self.assertEqual(breaks.nextChange(utc("2026-11-23T08:00")), utc("2026-11-23T12:30"))
        self.assertEqual(len(breaks.between(utc("2026-11-23"), utc("2026-11-24"))), 1)
        self.assertFalse(breaks.isEmpty)

    def test_limits(self):
        """Each limit is told by itself, with its times and reasons; those with the same limit are merged."""
        breaks = schedule(DAYTIME, LUNCH, Break("18:00", "20:00", without="bench-*", reason="evening"))
        day = PartialInterval(
            utc("2026-11-23T08:00"),
            utc("2026-11-23T20:00"),
            Limit(without=("bench-*",)),
            ("office", "evening"),
        )
        lunch = PartialInterval(utc("2026-11-23T12:00"), utc("2026-11-23T13:00"), Limit(1))
        self.assertEqual(breaks.partialAt(utc("2026-11-23T12:00")), (day, lunch))
        self.assertEqual(breaks.partialAt(utc("2026-11-23T07:59")), ())
        self.assertEqual(breaks.partialBetween(utc("2026-11-23"), utc("2026-11-24")), [day, lunch])
        changes = [utc("2026-11-23")]
        for _ in range(4):
            changes.append(breaks.nextPartialChange(changes[-1]))
        self.assertEqual([each.hour for each in changes[1:]], [8, 12, 13, 20])

    def test_none(self):
        """Where there are none there is no answer, at no cost."""
        breaks = schedule(("12:30", "14:00"))
        self.assertEqual(breaks.partialAt(utc("2026-11-23T13:00")), ())
        self.assertEqual(breaks.partialBetween(utc("2026-11-23"), utc("2026-11-24")), [])
        self.assertIsNone(breaks.nextPartialChange(utc("2026-11-23")))
        self.assertFalse(breaks.isPartial or breaks.finishes or breaks.interrupts)

    def test_kinds(self):
        """A schedule says what its breaks ask for, so that nobody else is asked about it."""
        for kind in ({"builds": 1}, {"finishBefore": True}, {"deadline": "1h"}):
            breaks = schedule(("1:00", "2:00"), Break("08:00", "12:00", **kind))
            self.assertEqual(
                (breaks.isPartial, breaks.finishes, breaks.interrupts),
                ("builds" in kind, "finishBefore" in kind, "deadline" in kind),
            )

    def test_finishBy(self):
        """Builds have to be finished when the next break that says so starts, and those of others need not be."""
        breaks = schedule(
            ("06:00", "06:30"),
            Break("08:00", "12:00", finishBefore=True),
            Break("07:00", "08:00", without="bench-*", finishBefore=True),
        )
        now = utc("2026-11-23T05:00")
        self.assertEqual(breaks.finishBy(now, "quick"), utc("2026-11-23T08:00"))
        self.assertEqual(breaks.finishBy(now, "bench-1"), utc("2026-11-23T07:00"))
        within = utc("2026-11-23T09:00")
        self.assertEqual(breaks.finishBy(within, "quick"), within)
        self.assertIsNone(schedule(("8:00", "9:00")).finishBy(now, "quick"))

    def test_deadlines(self):
        """A deadline counts from the start of its break, and concerns whom the break does not admit; one that is over by
        then has none.
        """
        breaks = schedule(
            Break("08:00", "12:00", deadline="1h"),
            Break("08:00", "12:00", only="quick-*", deadline=0),
            Break("08:00", "08:10", deadline="30m"),
        )
        found = breaks.deadlines(utc("2026-11-23T08:05"))
        self.assertEqual(
            [
                (each.start.hour, each.after, each.concerns("quick-1"), each.concerns("slow"))
                for each in found
            ],
            [(8, HOUR, True, True), (8, 0 * HOUR, False, True)],
        )
        self.assertEqual(breaks.deadlines(utc("2026-11-23T12:00")), [])

    def test_zones(self):
        """They are on the clock of their zone, and instants are UTC."""
        breaks = schedule(DAYTIME, timezone=BERLIN)
        [interval] = breaks.partialAt(utc("2026-11-23T07:00"))
        self.assertEqual(interval.stop, utc("2026-11-23T17:00"))
        self.assertIs(interval.start.tzinfo, UTC)
        self.assertRaises(ValueError, breaks.partialAt, interval.start.replace(tzinfo=None))
