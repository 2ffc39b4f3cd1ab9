"""An owner who comes again and again is not away and back each time, whatever quiet time is written."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.worker.sensors.quiettime import HASTE, LEAST, LONGER, QuietTime
from presence.worker.sensors.used import Used
from tests.searches.cases import examples
from tests.worker.sensors.test_quiettime import changes

MINUTE, HOUR = 60, 3600


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
    @given(st.lists(st.integers(1, 15 * MINUTE - 1), min_size=1, max_size=300), st.integers(15, 60))
    def test_anyTyping(self, pauses, minutes):
        """Nor does it matter how irregular his pauses are while each is shorter than a quarter of an hour."""
        heard, _ = changes(Used(f"{minutes}m").quiet, accumulate(pauses, initial=0))
        self.assertEqual(heard, [(0, True)])

    @examples(60)
    @given(st.lists(st.integers(1, HOUR - 1), min_size=1, max_size=300), st.integers(15, 60))
    def test_everLonger(self, pauses, minutes):
        """Pauses of up to an hour that get longer and longer: with each return the quiet time grows by half, so there are four at most."""
        heard, _ = changes(Used(f"{minutes}m").quiet, accumulate(pauses, initial=0))
        self.assertLessEqual(len(heard), 1 + 2 * 4)

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
