"""What people write, and what it means: the tables of docs/breaks.rst."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

import presence
from presence.breaks.reading.spelling import spelledBreak
from presence.breaks.schedule import Break, BreakSchedule, writtenBreak
from tests.searches import examples

DOCS = Path(presence.__file__).parent.parent / "docs" / "breaks.rst"


def table(name):
    """The rows of the table `name`: pairs of what is written in its cells."""
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    first = lines.index(f"   :name: {name}") + 2
    rows = []
    for line in lines[first:]:
        if not line.strip():
            break
        left, right = line.split(" | ")
        rows.append((left.strip().strip("`"), right.strip().strip("`")))
    return rows


class TableTests(SynchronousTestCase):
    def test_taken(self):
        """Each of the spellings in the documentation means what stands beside it."""
        rows = table("spellings")
        for text, meaning in rows:
            self.assertEqual(repr(writtenBreak(text)), meaning, text)
            self.assertEqual(eval(meaning), writtenBreak(text), text)
        self.assertGreaterEqual(len({text for text, _ in rows}), 40)

    def test_refused(self):
        """Each of those that are refused there is told what stands beside it, and so is a list with it."""
        rows = table("refused")
        for text, said in rows:
            self.assertIn(said, str(self.assertRaises(ValueError, writtenBreak, text)), text)
            self.assertIn(
                "item 1", str(self.assertRaises(ValueError, BreakSchedule.fromConfig, [text], "UTC"))
            )
        self.assertGreaterEqual(len(rows), 15)

    def test_brackets(self):
        """One break in the brackets of a list, and several in those of a tuple, are told apart."""
        for value, said in [
            (["19:00", "07:00"], "( ) instead of [ ]"),
            (["7PM", "24:00", "MO"], "( ) instead of [ ]"),
            (("19:00-07:00", "12:00-13:00 MO"), "[ ] instead of ( )"),
            # these are lists, with a mistake in one of their items
            (["19:00-07:00", "12:00"], "item 2, '12:00'"),
            (["12:00", "19:00-07:00"], "item 1, '12:00'"),
        ]:
            self.assertIn(said, str(self.assertRaises(ValueError, BreakSchedule.fromConfig, value, "UTC")))
        both = BreakSchedule.fromConfig(["19:00-07:00", ("12:00", "13:00")], "UTC")
        self.assertEqual([each.start.hour for each in both.breaks], [19, 12])


names = st.sampled_from(["Mon", "TU", "wednesday", "Thurs", "fri.", "Saturdays", "SU"])
clocks = st.builds("{}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 59]))
dashes = st.sampled_from(["-", " - ", "–", " to ", " until "])


class AnyTextTests(SynchronousTestCase):
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

    def test_times(self):
        """A blank more or less changes nothing."""
        for text in ("7PM-7AM MO", "7 PM-7 AM MO", " 7 pm - 7 am  MO ", "MO  7pm–7am"):
            start, stop, days = spelledBreak(text)
            self.assertEqual(Break(start, stop, days), Break("19:00", "07:00", "MO"))
