"""Durations and times, as people write them on the command line."""

from __future__ import annotations

import textwrap
import time
from argparse import ArgumentTypeError, HelpFormatter
from typing import TYPE_CHECKING

from presence.calendar.durations import duration
from presence.calendar.instants import datetimeOf, secondsOf
from presence.calendar.moments import untilInstant
from presence.calendar.zones import localZone, zoneFor

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable


class UsageError(Exception):
    """Usage error: the command line says what cannot be meant; nothing was done."""


class Paragraphs(HelpFormatter):
    """Of a text in a help the paragraphs are kept, and filled as wide as the terminal is; one with lines that begin with spaces is left as
    it is: examples are copied.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = textwrap.dedent(text).strip("\n").split("\n\n")
        return "\n\n".join(
            textwrap.indent(each, indent)
            if "\n " in f"\n{each}"
            else textwrap.fill(" ".join(each.split()), width, initial_indent=indent, subsequent_indent=indent)
            for each in paragraphs
        )


def addUntil(parser: ArgumentParser, *, required: bool = False) -> None:
    """Let the command be told how long, or until when."""
    group = parser.add_mutually_exclusive_group(required=required)
    group.add_argument(
        "--for", dest="for_", metavar="DURATION", type=durationOption, help="for so long: 2h, 90m, 1h30m, 1d"
    )
    group.add_argument(
        "--until",
        metavar="TIME",
        type=endOption,
        help='until then: 18:00 (the next one), "tomorrow 8:00", "friday 8:00", 2026-12-24T18:00, or in so long: 2h',
    )


def untilOf(options: Namespace) -> float | None:
    """The instant that was given, in seconds since the epoch."""
    if options.for_ is not None:
        return time.time() + float(options.for_)
    return None if options.until is None else float(options.until)


def addDeadline(parser: ArgumentParser, text: str, then: tuple[Iterable[str], str] | None = None) -> None:
    """Let the command be told by when: `options.deadline`, an instant; and with `then`, choices and what they are, what
    is to happen then: `options.on_deadline`, for which `checkDeadline` has to be asked.
    """
    parser.add_argument(
        "--deadline", metavar="DURATION|TIME", type=endOption, help=f"{text}: 2h, 90m, or a time: 18:00"
    )
    if then is not None:
        choices, what = then
        parser.add_argument("--on-deadline", choices=tuple(choices), help=what)


def checkDeadline(options: Namespace) -> None:
    """Raise `UsageError` when the command is told what is to happen at a deadline, and there is none."""
    if options.on_deadline is not None and options.deadline is None:
        raise UsageError("--on-deadline says what happens at the deadline: give --deadline as well")


def durationOption(text: str) -> int:
    """A duration, in seconds."""
    try:
        return duration(text)
    except ValueError as problem:
        raise ArgumentTypeError(str(problem)) from None


def endOption(text: str) -> float:
    """An end, in seconds since the epoch: a time, or a duration from now on."""
    now = time.time()
    try:
        return now + duration(text)
    except ValueError as problem:
        # "90" is neither, and is rather a duration
        wrong = problem if text.strip().isdecimal() else None
    try:
        return secondsOf(untilInstant(text, datetimeOf(now), zoneFor(localZone())))
    except ValueError as problem:
        raise ArgumentTypeError(f"{wrong or problem}, or a duration such as 2h") from None
