"""What holds for every command, whichever: it is asked of all parsers that there are."""

import argparse
import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

from twisted.trial.unittest import SynchronousTestCase

from presence.commands import terminal
from presence.commands.main import COMMANDS, main, makeWholeParser

# What is for people or for a shell, and tells nothing that a program could want to know: they show, make, change or open something here.
FOR_PEOPLE = {"demo", "install", "uninstall", "create-worker", "completion", "open"}


def parsers(parser=None, name=""):
    """(its words, parser) of each command, and of the commands of a command."""
    for action in (parser or makeWholeParser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, each in action.choices.items():
                inner = list(parsers(each, f"{name} {word}"))
                yield from inner or [(f"{name} {word}".strip(), each)]


class EveryCommandTests(SynchronousTestCase):
    def test_all(self):
        """These are all commands."""
        self.assertEqual({name.split()[0] for name, _ in parsers()}, set(COMMANDS))

    def test_json(self):
        """Each prints JSON for programs, but those that are for people."""
        without = {name for name, each in parsers() if "--json" not in each._option_string_actions}
        self.assertEqual(without, FOR_PEOPLE)

    def test_exits(self):
        """Each says in its help what its exit statuses mean."""
        # (buildbot-worker's own help is that of create-worker)
        silent = [
            name
            for name, each in parsers()
            if "exit status"
            not in " ".join(each.format_help().split()).lower().replace("ends with exit status 0", "")
        ]
        self.assertEqual(silent, ["create-worker"])

    def test_unknownOption(self):
        """An option that there is not is a usage error of one line, and nothing is done."""
        for name, each in parsers():
            if each.prefix_chars == "-":
                with redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as end:
                    main([*name.split(), "--no-such-option"])
                self.assertEqual(end.exception.code, 2, name)
                self.assertIn("usage: presence", said.getvalue(), name)

    def test_helpFits(self):
        """No line of a help is wider than the terminal, at 80 columns and at 60; an example is a line to be copied."""
        for columns in (80, 60):
            self.patch(os, "environ", {**os.environ, "COLUMNS": str(columns)})
            for name, each in parsers():
                wide = [
                    line
                    for line in each.format_help().splitlines()
                    if len(line) > columns and "presence " not in line
                ]
                if columns == 80:
                    self.assertEqual(wide, [], name)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TableTests(SynchronousTestCase):
    HEAD = ("WORKER", "STATE", "WHY", "BY", "UNTIL")
    ROWS = (
        (
            "mac-mini",
            "held",
            "new disks, and whatever else has to be done there",
            "Julia Example",
            "tomorrow 08:00",
        ),
        ("a-worker-with-a-name-that-is-longer-than-most-of-them-are", "on a break", "", "master.cfg", ""),
    )

    def table(self, columns):
        self.patch(os, "environ", {**os.environ, "COLUMNS": str(columns)})
        self.patch(sys, "stdout", Terminal())
        return terminal.table(self.HEAD, self.ROWS).splitlines()

    def test_fits(self):
        """On a terminal no line is wider than that, and nothing is left out."""
        for columns in (200, 120, 80, 60, 40, 30):
            lines = self.table(columns)
            self.assertLessEqual(max(map(len, lines)), columns)
            said = "".join("".join(lines).split())
            for word in ["mac-mini", "new", "disks", "whatever", "Julia", "tomorrow", "08:00"]:
                self.assertIn(word[:8], said, (columns, lines))

    def test_wide(self):
        """Where there is room it is as it is in a file."""
        with redirect_stdout(io.StringIO()):
            written = terminal.table(self.HEAD, self.ROWS).splitlines()
        self.assertEqual(self.table(300), written)
        self.assertEqual(len(written), 3)

    def test_below(self):
        """Long texts go on below, in their column."""
        lines = self.table(80)
        column = lines[0].index("WHY")
        self.assertTrue(lines[2][:column].strip() == "" or lines[2][column:].strip(), lines)
        self.assertGreater(len(lines), 3)
