from twisted.trial.unittest import SynchronousTestCase

from presence.text import MAX_REASON, cut, oneOf, readLine, readReason, shown, suggestion


class LineTests(SynchronousTestCase):
    def test_reason(self):
        """A reason is one line without blanks around it; none at all is None."""
        self.assertEqual(readReason("  rendering, 3\u202f\xa0h "), "rendering, 3\u202f\xa0h")
        self.assertEqual(readReason("x" * MAX_REASON), "x" * MAX_REASON)
        for nothing in ("", " ", "\n\t"):
            self.assertIsNone(readReason(nothing))

    def test_notALine(self):
        """What is not text, too long, or not readable is refused, with what would be right."""
        for value, said in (
            (7, "7 is not text: write a string"),
            (b"x", "(a bytes) is not text"),
            ("x" * 11, "it has 11 characters, and at most 10 are allowed"),
            *(
                (f"a{bad}b", f"it contains {bad!a}: write plain text on one line")
                for bad in "\n\0\x1f\x7f\x9b\x9f\ud800\udfff\u2028\u2029"
            ),
        ):
            self.assertIn(said, str(self.assertRaises(ValueError, readLine, value, 10)))

    def test_readable(self):
        """Everything else is readable, to the last character beside the ones that are not."""
        text = " ~\xa0\ud7ff\ue000\u2027\u202a\U0010ffff"
        self.assertEqual(readLine(text, len(text)), text)

    def test_cut(self):
        """What is made fit is one readable line that is not too long."""
        self.assertEqual(cut("a\nb\ud800", 10), "a b ")
        self.assertEqual(cut("x" * 10, 10), "x" * 10)
        self.assertEqual(cut("x" * 11, 10), "x" * 9 + "…")
        self.assertIsNone(cut(None, 10))


class ShownTests(SynchronousTestCase):
    def test_short(self):
        """Whatever is wrong, it is shown short and in ASCII, and its own code is not run."""

        class Evil:
            def __repr__(self):
                raise AssertionError

        for value, text in (
            (None, "None"),
            (True, "True"),
            (1.5, "1.5"),
            (2**128 - 1, str(2**128 - 1)),
            (2**128, "(a huge number)"),
            ("ü\n", r"'\xfc\n'"),
            ([1], "(a list)"),
            (Evil(), "(a Evil)"),
            (type("x" * 99 + "ü", (), {})(), f"(a {'x' * 60})"),
            ("x" * 58, "'" + "x" * 58 + "'"),
            ("x" * 60, "'" + "x" * 59 + "..."),
            ("x" * 61, "'" + "x" * 59 + "..."),
            ("\U0010ffff" * 60, ascii("\U0010ffff" * 60)[:60] + "..."),
        ):
            self.assertEqual(shown(value), text)


class NameTests(SynchronousTestCase):
    def test_suggestion(self):
        """An unknown name that is nearly right is answered with the right one, in its own case."""
        self.assertEqual(suggestion("PASWD", ["passwd", "onBreakDuring"], "="), ": did you mean passwd=?")
        self.assertEqual(suggestion("onbreakduring", ["onBreakDuring"]), ": did you mean onBreakDuring?")

    def test_nothingNear(self):
        """Any other one is answered with all that there are."""
        self.assertEqual(suggestion("x", ["all", "deadline"]), ": there are all, deadline")
        self.assertEqual(suggestion("x", ["all"]), ": there is all")
        self.assertEqual(suggestion("x" * 10**6, []), ": there are none")

    def test_oneOf(self):
        """A choice is one of the strings that there are, and nothing else."""
        self.assertEqual(oneOf("abort", ("abort", "stop")), "abort")
        for value in ("Abort", None, ["abort"], 7):
            problem = self.assertRaises(ValueError, oneOf, value, ("abort", "stop"))
            self.assertIn("is not one of abort, stop", str(problem))
