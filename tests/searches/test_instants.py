"""Seconds and datetimes of any year."""

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.calendar.instants import datetimeOf, secondsOf
from tests.searches.cases import examples

UTC = timezone.utc
DATETIMES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


class RoundingTests(SynchronousTestCase):
    @examples(20)
    @given(DATETIMES)
    def test_roundTrip(self, instant):
        """The seconds of a datetime are that datetime, to the microsecond."""
        self.assertEqual(datetimeOf(secondsOf(instant)), instant)

    @examples(20)
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_notBefore(self, instant):
        """In every year the seconds of a datetime are not before it."""
        self.assertGreaterEqual(datetimeOf(secondsOf(instant)), instant)
