"""An owner who comes again and again is not away and back each time, whatever quiet time is written."""

from twisted.trial.unittest import SynchronousTestCase

from presence.worker.sensors.quiettime import MEMORY, QuietTime
from presence.worker.sensors.used import Used

MINUTE, HOUR = 60, 3600


def changes(written, presses):
    """What a master hears of an owner who presses a key at these instants: [(instant, away)]; and the quiet time at the end."""
    quiet, last, away, heard = QuietTime(written), None, False, []
    for press in presses:
        if away and press >= last + quiet.seconds:
            away = False
            heard.append((last + quiet.seconds, False))
            quiet.letGo(last + quiet.seconds)
        if away:
            quiet.goesOn(press, last)
        else:
            quiet.holds(press, last)
            away = True
            heard.append((press, True))
        last = press
    return heard, quiet.seconds


def typing(begin, until, pause):
    return range(begin * HOUR, until * HOUR, pause)


class QuietTimeTests(SynchronousTestCase):
    def test_typist(self):
        """Who types every so often, all day: with a quiet time that may be written for a person (`Used`) a pause of up to ten minutes is
        never more than the one change when he comes, nor is any up to the quiet time. Who makes longer ones is back once, as he was
        promised, and away for good: no change after the first two pauses.
        """
        for minutes in range(1, 61):
            try:
                quiet = Used(minutes * MINUTE).quiet
            except ValueError:
                self.assertLess(minutes, 15)
                continue
            for pause in range(1, 60):
                heard, _ = changes(quiet, typing(0, 12, pause * MINUTE))
                allowed = 1 if pause * MINUTE < quiet else 3
                self.assertEqual((len(heard), heard[0]), (allowed, (0, True)), (minutes, pause))
                self.assertLessEqual(heard[-1][0], pause * MINUTE, (minutes, pause))

    def test_forgets(self):
        """It is as it is written again when for three days no pause was longer than that."""
        morning = [*typing(9, 12, 10 * MINUTE)]
        after = int(MEMORY // HOUR)
        for presses, seconds in (
            ([*morning], 15 * MINUTE),
            # he types all the time
            ([*morning, *typing(14, 200, MINUTE), *typing(202, 203, MINUTE)], 5 * MINUTE),
            ([*morning, 12 * HOUR + MEMORY - 20 * MINUTE], 15 * MINUTE),
            ([*morning, *typing(12 + after, 13 + after, MINUTE)], 5 * MINUTE),
        ):
            self.assertEqual(changes(5 * MINUTE, presses)[1], seconds)

    def test_growsWithPauses(self):
        """It is half as long again as his pause, and a quarter of an hour at least."""
        for pause, seconds in ((6, 15), (20, 30), (39, 58.5), (50, 60)):
            self.assertEqual(changes(5 * MINUTE, [0, pause * MINUTE])[1], seconds * MINUTE)

    def test_exactEnd(self):
        """What ends exactly is never made longer."""
        self.assertEqual(changes(0, typing(0, 3, MINUTE))[1], 0)

    def test_clockSetBack(self):
        """A clock that is set back makes nothing longer."""
        quiet = QuietTime(300)
        quiet.holds(10_000, None)
        quiet.letGo(10_300)
        quiet.holds(5_000, 5_000)
        self.assertEqual(quiet.seconds, 300)
