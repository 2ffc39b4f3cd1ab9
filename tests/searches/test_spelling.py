"""Whatever people write of breaks is read as it is meant, or refused, and written so that it reads back."""

import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break, writtenBreak
from tests.searches.cases import examples

names = st.sampled_from(["Mon", "TU", "wednesday", "Thurs", "fri.", "Saturdays", "SU"])
clocks = st.builds("{}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 59]))
dashes = st.sampled_from(["-", " - ", "–", " to ", " until "])


class SpellingTests(SynchronousTestCase):
    @given(names, clocks, names, clocks, dashes)
    @examples(12)
    def test_fromDayToDay(self, first, start, last, stop, dash):
        """A day and a time, a dash and the same again are one break between them."""
        days = [each.rstrip(".") for each in (first, last)]
        try:
            expected = Break(f"{days[0]} {start}", f"{days[1]} {stop}")
        except ValueError:
            return  # a week that never ends
        self.assertEqual(writtenBreak(f"{first} {start}{dash}{last} {stop}"), expected)

    @given(st.text(st.sampled_from("0123456789:-– /amp.MOTUWEFRSday,*"), max_size=30))
    @examples(24, search=2000)
    def test_nothingElseIsRaised(self, text):
        """Any text is a break, or refused with a sentence that says how one is written; and a break has a repr that reads back."""
        try:
            found = writtenBreak(text)
        except ValueError as problem:
            self.assertTrue(re.search("write|belongs|later|means|not a date", str(problem)), problem)
        else:
            self.assertEqual(eval(repr(found)), found)


class SkipTests(SynchronousTestCase):
    @given(st.sets(st.dates(date(2026, 1, 1), date(2026, 2, 28)), min_size=1, max_size=30))
    @examples(12)
    def test_repr(self, days):
        """Days in a row are written as a span, and read back."""
        written = Break("7:00", "9:00", skip=days)
        self.assertEqual(eval(repr(written)), written)
        self.assertEqual(set(written.skip), days)
