"""An owner who comes again and again is not away and back each time, whatever quiet time is written."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.worker.sensors.quiettime import HASTE, LEAST, LONGER, MEMORY, QuietTime
from tests.searches import examples

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


pauses = st.lists(st.integers(1, 10 * MINUTE), min_size=1, max_size=60)
written = st.integers(1, 4 * HOUR)


class QuietTimeTests(SynchronousTestCase):
    @examples(60)
    @given(written, pauses)
    def test_anyQuietTime(self, written, pauses):
        """Who makes no pause of more than ten minutes is away, with a quiet time that is too short once back, and away for good."""
        heard, _ = changes(written, accumulate(pauses, initial=0))
        self.assertLessEqual(len(heard), 3)

    @examples(60)
    @given(written, st.lists(st.tuples(pauses, st.integers(HOUR, 60 * HOUR)), min_size=1, max_size=8))
    def test_dayByDay(self, written, days):
        """Nor on the days after that, over a weekend too: each time he is away once, and back once, when he has gone."""
        presses, now = [], 0
        for number, (pauses, leaves) in enumerate(days):
            # each day he makes one pause of ten minutes
            presses += accumulate([10 * MINUTE, *pauses], initial=now)
            now = presses[-1] + leaves
            if number == 0:
                first = len(changes(written, presses)[0])
        heard, _ = changes(written, presses)
        self.assertLessEqual(len(heard), first + 2 * (len(days) - 1))

    @examples(60)
    @given(written, st.lists(st.integers(1, 3 * HOUR), min_size=1, max_size=60))
    def test_bounds(self, written, pauses):
        """It is never shorter than what is written, never longer than that and an hour, and never shorter than it was in the same
        hour; he is away at each key press at once.
        """
        quiet, last, let_go, now = QuietTime(written), None, None, 0
        for pause in pauses:
            before = quiet.seconds
            quiet.holds(now, last)
            self.assertTrue(written <= quiet.seconds <= max(written, HASTE))
            if let_go is not None and now - let_go < HASTE:
                self.assertGreaterEqual(quiet.seconds, max(before, LEAST, min(HASTE, LONGER * (now - last))))
            last, let_go = now, now + quiet.seconds
            quiet.letGo(let_go)
            now = let_go + pause

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
