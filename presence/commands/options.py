"""Durations and times, as the owner writes them on the command line."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from presence.calendar.durations import duration
from presence.calendar.moments import untilInstant
from presence.calendar.zones import localZone, zoneFor

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def addUntil(parser: ArgumentParser, *, required: bool = False) -> None:
    """Let the command be told how long, or until when."""
    group = parser.add_mutually_exclusive_group(required=required)
    group.add_argument(
        "--for", dest="for_", metavar="DURATION", type=durationOption, help="for so long: 2h, 90m, 1h30m, 1d"
    )
    group.add_argument(
        "--until",
        metavar="TIME",
        type=instantOption,
        help='until then: 18:00 (the next one), "tomorrow 8:00", 2026-12-24T18:00',
    )


def untilOf(options: Namespace) -> float | None:
    """The instant that was given, in seconds since the epoch."""
    if options.for_ is not None:
        return time.time() + float(options.for_)
    return None if options.until is None else float(options.until)


def addDeadline(parser: ArgumentParser, text: str) -> None:
    """Let the command be told how long to wait, or until when."""
    parser.add_argument(
        "--deadline", metavar="DURATION", type=deadlineOption, help=f"{text}: 2h, 90m, or a time: 18:00"
    )


def deadlineOption(text: str) -> float:
    """A duration from now on, or a time, as an instant in seconds since the epoch."""
    now = time.time()
    try:
        return now + duration(text)
    except ValueError as problem:
        try:
            moment = datetime.fromtimestamp(now, timezone.utc)
            return untilInstant(text, moment, zoneFor(localZone())).timestamp()
        except ValueError:
            raise ArgumentTypeError(f"{problem}, and no time (18:00)") from None


def durationOption(text: str) -> int:
    """A duration, in seconds."""
    try:
        return duration(text)
    except ValueError as problem:
        raise ArgumentTypeError(str(problem)) from None


def instantOption(text: str) -> float:
    """An instant, in seconds since the epoch."""
    try:
        return untilInstant(text, datetime.now(timezone.utc), zoneFor(localZone())).timestamp()
    except ValueError as problem:
        raise ArgumentTypeError(str(problem)) from None
