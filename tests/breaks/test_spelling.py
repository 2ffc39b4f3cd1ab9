"""What people write, and what it means: the tables of docs/breaks.rst."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import presence
from presence.breaks.reading.spelling import spelledBreak
from presence.breaks.schedule import Break, BreakSchedule, writtenBreak

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


class AnyTextTests(SynchronousTestCase):
    def test_times(self):
        """A blank more or less changes nothing."""
        for text in ("7PM-7AM MO", "7 PM-7 AM MO", " 7 pm - 7 am  MO ", "MO  7pm–7am"):
            start, stop, days = spelledBreak(text)
            self.assertEqual(Break(start, stop, days), Break("19:00", "07:00", "MO"))
