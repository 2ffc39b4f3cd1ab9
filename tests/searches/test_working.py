"""`workingDuring` against an oracle that marks the minutes of a week on the wall."""

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import BreakErrors
from tests.breaks.test_working import between
from tests.searches.cases import examples

CODES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
MINUTE = timedelta(minutes=1)
WEEK = 7 * 24 * 60
MONDAY = datetime(2026, 11, 23, tzinfo=timezone.utc)


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


times = st.integers(0, 95).map(lambda quarter: quarter * 15)


@st.composite
def windows(draw):
    """A time of work, and the minutes of a week that it has."""
    start, stop = draw(times), draw(times)
    if draw(st.booleans()):
        days = draw(st.sets(st.integers(0, 6), min_size=1))
        if start == stop:
            stop = 24 * 60
            start = 0
        length = stop - start if stop > start else stop + 24 * 60 - start
        written = (clock(start), clock(stop), sorted(days))
        minutes = {(day * 24 * 60 + start + minute) % WEEK for day in days for minute in range(length)}
        return written, minutes
    first, last = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    begin, end = first * 24 * 60 + start, last * 24 * 60 + stop
    length = (end - begin) % WEEK or 15
    end = begin + length
    last_day, stop = divmod(end, 24 * 60)
    written = (f"{CODES[first]} {clock(start)}", f"{CODES[last_day % 7]} {clock(stop)}")
    return written, {(begin + minute) % WEEK for minute in range(length)}


class WorkingDuringTests(SynchronousTestCase):
    @given(st.lists(windows(), min_size=1, max_size=3))
    @examples(16)
    def test_everyMinute(self, drawn):
        """The worker is away in those minutes of the week in which it does not work, and in no other."""
        works = set().union(*(minutes for _, minutes in drawn))
        written = [each for each, _ in drawn]
        if len(works) == WEEK:
            self.assertRaises(BreakErrors, between, *written)
            return
        schedule = between(*written)
        for minute in range(0, WEEK, 15):
            found = schedule.at(MONDAY + minute * MINUTE)
            self.assertEqual(found is None, minute in works, (minute, written, schedule))
