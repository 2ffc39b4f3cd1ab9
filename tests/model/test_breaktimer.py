import math
from datetime import datetime, timedelta, timezone

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, BreakSchedule
from presence.model.breaktimer import BreakTimer
from presence.model.states import PresenceState
from presence.model.workerpresence import WorkerPresence

MONDAY = datetime(2026, 11, 23, tzinfo=timezone.utc)
HOUR = 3600


def schedule(*breaks):
    return BreakSchedule.fromConfig(list(breaks), timezone="UTC")


class BreakTimerTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.setClock(6)
        self.presence = WorkerPresence("mac-mini", self.clock)
        self.flips = []
        self.presence.observe(lambda presence: self.flips.append((self.hour(), presence.ready)))
        self.timer = BreakTimer(schedule(("07:00", "19:00")), self.presence, self.clock)

    def setClock(self, hour):
        self.clock.rightNow = (MONDAY + timedelta(hours=hour)).timestamp()

    def hour(self):
        return (self.clock.seconds() - MONDAY.timestamp()) / HOUR

    def pass_(self, hours, minutes=1):
        """Let hours pass in steps of some minutes, as a reactor with other things to do would."""
        for _ in range(round(hours * 60 / minutes)):
            self.clock.advance(minutes * 60)

    def assertOnBreak(self):
        self.assertIs(self.presence.state, PresenceState.NOT_ACCEPTING_NEW_BUILDS)
        self.assertEqual([hold.source for hold in self.presence.holds], ["break"])

    def assertAvailable(self):
        self.assertIs(self.presence.state, PresenceState.AVAILABLE)

    def test_flipsOnTime(self):
        """It flips at the start of the break and at its end, day after day, and at no other time."""
        self.timer.start()
        self.pass_(48)
        self.assertEqual(self.flips, [(7, False), (19, True), (31, False), (43, True)])

    def test_neverEarly(self):
        """A millisecond before the start it is available; a millisecond before the end it is not."""
        self.timer.start()
        self.clock.advance(HOUR - 0.001)
        self.assertAvailable()
        self.clock.advance(0.001)
        self.assertOnBreak()
        self.clock.advance(12 * HOUR - 0.001)
        self.assertOnBreak()
        self.clock.advance(0.001)
        self.assertAvailable()

    def test_theHoldSaysWhy(self):
        """The hold has the bounds of the break, and its reason, also when it is placed in the middle."""
        self.setClock(12)
        self.timer.start()
        (hold,) = self.presence.holds
        self.assertEqual(hold.since, MONDAY.timestamp() + 7 * HOUR)
        self.assertEqual(hold.until, MONDAY.timestamp() + 19 * HOUR)
        self.assertIsNone(hold.reason)
        office, lunch = Break("07:00", "19:00", reason="office"), Break("12:00", "13:00", reason="lunch")
        self.timer.replace(schedule(office, lunch))
        (hold,) = self.presence.holds
        self.assertEqual(hold.reason, "office; lunch")

    def test_startedInMidBreak(self):
        """Started in the middle of a break it is on a break at once, and back at its end."""
        self.setClock(12)
        self.timer.start()
        self.assertOnBreak()
        self.clock.advance(7 * HOUR)
        self.assertAvailable()

    def test_startTwice(self):
        """Starting twice is starting once."""
        self.timer.start()
        calls = len(self.clock.getDelayedCalls())
        self.timer.start()
        self.assertEqual(len(self.clock.getDelayedCalls()), calls)

    def test_notBeforeStart(self):
        """A timer that was not started holds nothing and has no timers, whatever it is told."""
        self.setClock(12)
        self.timer.reconsider()
        self.timer.replace(schedule(("07:00", "20:00")))
        self.timer.suspend(None)
        self.assertAvailable()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self):
        """stop() releases the hold and leaves no timer, in a break and between two."""
        for hour in (6, 12):
            self.setClock(hour)
            self.timer.start()
            self.timer.stop()
            self.assertAvailable()
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_onlyItsOwnHold(self):
        """The end of a break leaves what others hold."""
        self.timer.start()
        self.clock.advance(2 * HOUR)
        self.presence.hold("worker", reason="away")
        self.clock.advance(11 * HOUR)
        self.assertEqual([hold.source for hold in self.presence.holds], ["worker"])

    def test_noPolling(self):
        """Between two transitions nothing is due: what is timed is the next transition and nothing else."""
        self.timer.start()
        self.assertEqual(self.delays(), [HOUR])
        self.clock.advance(HOUR)
        self.assertEqual(set(self.delays()), {12 * HOUR})

    def delays(self):
        return [call.getTime() - self.clock.seconds() for call in self.clock.getDelayedCalls()]

    def test_manyWorkersDoNotPoll(self):
        """Many workers on breaks wake the reactor at their transitions only."""
        presences = [WorkerPresence(str(number), self.clock) for number in range(30)]
        office_hours = schedule(("07:00", "19:00"))
        for presence in presences:
            BreakTimer(office_hours, presence, self.clock).start()
        self.assertEqual(
            {call.getTime() for call in self.clock.getDelayedCalls()}, {MONDAY.timestamp() + 7 * HOUR}
        )
        self.clock.advance(HOUR)
        self.assertEqual(
            {call.getTime() for call in self.clock.getDelayedCalls()}, {MONDAY.timestamp() + 19 * HOUR}
        )

    def test_neverAgain(self):
        """After the last break that there will ever be, no timer is left."""
        self.timer.replace(schedule(("2026-11-23T07:00", "2026-11-23T08:00")))
        self.timer.start()
        self.clock.advance(2 * HOUR)
        self.assertAvailable()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_endless(self):
        """A break without an end in sight holds for good, and is asked about again in a month."""
        self.timer.replace(schedule(("00:00", "24:00")))
        self.timer.start()
        self.assertOnBreak()
        self.assertIsNone(self.presence.backAt)
        self.assertEqual(self.delays(), [30 * 24 * HOUR])
        flips = len(self.flips)
        self.pass_(24 * 61, minutes=60 * 24)
        self.assertOnBreak()
        self.assertEqual(len(self.flips), flips)

    # --- clocks

    def test_suspendedOverTheStart(self):
        """A machine suspended from 06:00 to 12:00 is on its break as soon as it runs again."""
        self.timer.start()
        self.clock.advance(6 * HOUR)
        self.assertOnBreak()

    def test_suspendedOverAWholeBreak(self):
        """Suspended over a whole break, nothing flips."""
        self.timer.start()
        self.clock.advance(14 * HOUR)
        self.assertAvailable()
        self.assertEqual(self.flips, [])

    def test_suspendedFromBreakToBreak(self):
        """Suspended from one break to the next it is on the next one, with that one's end."""
        self.setClock(12)
        self.timer.start()
        self.clock.advance(24 * HOUR)
        self.assertOnBreak()
        self.assertEqual(self.presence.backAt, MONDAY.timestamp() + 43 * HOUR)

    def test_setBackBeforeTheBreak(self):
        """Set back from mid-break to before the break it is available, and goes on its break again."""
        self.setClock(12)
        self.timer.start()
        self.setClock(6)
        self.timer.reconsider()
        self.assertAvailable()
        self.clock.advance(HOUR)
        self.assertOnBreak()

    def test_setBackIntoTheBreak(self):
        """Set back from after the break into it, it is on its break again."""
        self.setClock(20)
        self.timer.start()
        self.setClock(18)
        self.timer.reconsider()
        self.assertOnBreak()
        self.clock.advance(HOUR)
        self.assertAvailable()

    def test_setForwardIntoTheBreak(self):
        """Set forward into the break it is on its break as soon as anything runs."""
        self.timer.start()
        self.setClock(8)
        self.clock.advance(0)
        self.assertOnBreak()

    def test_anEarlyWakeup(self):
        """A timer that wakes early does nothing but wait for the rest."""
        self.timer.start()
        self.clock.getDelayedCalls()[0].reset(0)
        self.clock.advance(0)
        self.assertAvailable()
        self.assertEqual(self.delays(), [HOUR])

    # --- another schedule

    def test_longer(self):
        """A longer break in mid-break: away without a blink, until the new end."""
        self.setClock(12)
        self.timer.start()
        self.timer.replace(schedule(("07:00", "21:00")))
        self.pass_(9)
        self.assertEqual(self.flips[0], (12, False))
        self.assertEqual([ready for _, ready in self.flips], [False, False, True])
        self.assertEqual(self.flips[-1][0], 21)

    def test_shorter(self):
        """A shorter one: back at the new end, or at once when that is past."""
        self.setClock(12)
        self.timer.start()
        self.timer.replace(schedule(("07:00", "13:00")))
        self.assertOnBreak()
        self.clock.advance(HOUR)
        self.assertAvailable()
        self.setClock(12)
        self.timer.reconsider()
        self.timer.replace(schedule(("07:00", "11:00")))
        self.assertAvailable()

    def test_removed(self):
        """No break any more: back at once, and no timer."""
        self.setClock(12)
        self.timer.start()
        self.timer.replace(schedule())
        self.assertAvailable()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_sameBreakSameHold(self):
        """A schedule that says the same of this break does not touch the hold."""
        self.setClock(12)
        self.timer.start()
        hold = self.presence.heldBy("break")
        self.timer.replace(schedule(("07:00", "19:00"), ("2030-01-01T00:00", "2030-01-02T00:00")))
        self.assertIs(self.presence.heldBy("break"), hold)
        self.assertEqual(len(self.flips), 1)

    # --- work anyway

    def test_suspendBreaks(self):
        """Suspended in mid-break it is available until that instant, and then on its break again."""
        self.setClock(12)
        self.timer.start()
        until = self.clock.seconds() + 2 * HOUR
        self.timer.suspend(until)
        self.assertAvailable()
        self.assertEqual(self.timer.suspendedUntil, until)
        self.pass_(8)
        self.assertEqual(self.flips, [(12, False), (12, True), (14, False), (19, True)])
        self.assertIsNone(self.timer.suspendedUntil)

    def test_suspendAheadOfABreak(self):
        """A break that begins while breaks are suspended does not happen, and one that outlasts it starts late."""
        self.timer.start()
        self.timer.suspend(self.clock.seconds() + 3 * HOUR)
        self.pass_(4)
        self.assertEqual(self.flips, [(9, False)])

    # --- partial breaks

    def limits(self):
        """What may start, and until which hour."""
        return [(each.limit.text, (each.until - MONDAY.timestamp()) / HOUR) for each in self.presence.limits]

    def followLimits(self):
        self.timer.replace(
            schedule(
                ("07:00", "19:00"),
                Break("06:30", "08:00", builds=1),
                Break("18:00", "20:00", without="bench-*"),
            )
        )
        self.timer.start()

    def test_limits(self):
        """A partial break sets its limit when it begins and lifts it when it ends, in a break and beside it."""
        self.followLimits()
        few, no_bench = ("at most 1 build", 8), ("without bench-*", 20)
        for hour, expected in (
            (6, []),
            (6.5, [few]),
            (7, [few]),
            (8, []),
            (18, [no_bench]),
            (19, [no_bench]),
            (20, []),
        ):
            self.clock.advance((hour - self.hour()) * HOUR)
            self.assertEqual(self.limits(), expected, hour)
            self.assertEqual(self.presence.ready, not 7 <= hour < 19)

    def test_limitsEnd(self):
        """Who suspends the breaks lifts the limits for so long, and who stops the timer for good."""
        self.followLimits()
        self.clock.advance(HOUR / 2)
        self.timer.suspend(self.clock.seconds() + HOUR / 4)
        self.assertEqual(self.limits(), [])
        self.clock.advance(HOUR / 4)
        self.assertEqual(self.limits(), [("at most 1 build", 8)])
        self.timer.stop()
        self.assertEqual(self.limits(), [])

    def test_suspendNothing(self):
        """None, or an instant that is past, ends a suspension."""
        self.setClock(12)
        self.timer.start()
        for none in (None, self.clock.seconds() - 1):
            self.timer.suspend(self.clock.seconds() + HOUR)
            self.assertAvailable()
            self.timer.suspend(none)
            self.assertOnBreak()

    def test_suspendOnlyBreaks(self):
        """It suspends breaks and no other hold."""
        self.setClock(12)
        self.presence.hold("admin")
        self.timer.start()
        self.timer.suspend(self.clock.seconds() + HOUR)
        self.assertEqual([hold.source for hold in self.presence.holds], ["admin"])

    def test_suspendedBySeveral(self):
        """Each source has its own suspension: the latest counts, and ending one leaves the others."""
        self.setClock(12)
        self.timer.start()
        now = self.clock.seconds()
        self.timer.suspend(now + 2 * HOUR, "worker")
        self.timer.suspend(now + HOUR, "admin")
        self.assertEqual(self.timer.suspendedUntil, now + 2 * HOUR)
        self.timer.suspend(None, "worker")
        self.assertEqual(self.timer.suspendedUntil, now + HOUR)
        self.assertIsNone(self.timer.suspensionBy("worker"))
        self.assertAvailable()
        self.clock.advance(HOUR)
        self.assertOnBreak()

    def test_suspendedByNobody(self):
        """Who is no source suspends nothing."""
        self.assertRaises(ValueError, self.timer.suspend, self.clock.seconds() + HOUR, "lunch")

    def test_suspendUntilNonsense(self):
        """An instant that is not a number is refused, and nothing is changed."""
        self.setClock(12)
        self.timer.start()
        self.assertRaises(ValueError, self.timer.suspend, float("nan"))
        self.assertOnBreak()

    # --- odd instants

    def test_oddMicroseconds(self):
        """A break that begins and ends between two floats is kept, and its timer does not spin."""
        start, stop = (
            MONDAY + timedelta(hours=7, microseconds=1),
            MONDAY + timedelta(hours=8, microseconds=67),
        )
        self.timer.replace(schedule((start, stop)))
        self.timer.start()
        self.clock.advance(HOUR + 0.0001)
        self.assertOnBreak()
        self.clock.advance(HOUR)
        self.assertAvailable()

    def test_theFloatBefore(self):
        """The last instant before the start is before it, and the last one before the end too, however near they are."""
        for hour, check in ((7, self.assertAvailable), (19, self.assertOnBreak)):
            self.clock.rightNow = math.nextafter(MONDAY.timestamp() + hour * HOUR, 0)
            self.timer.start()
            check()
