"""What all commands write at a terminal: times, tables, and complaints. What others have written is made harmless."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from typing import TYPE_CHECKING

from presence.calendar.instants import datetimeOf
from presence.calendar.moments import momentText
from presence.calendar.zones import localZone, zoneFor
from presence.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from typing_extensions import Self

AVAILABLE = "AVAILABLE"

# How much of an error is shown, in characters: it may come from a master that means no good.
_LONGEST = 2000

# Between the columns of a table; and narrower than this none is made to fit a terminal, so that words stay whole.
_GAP, _NARROWEST = 2, 8


class Clocks:
    """Instants at a moment: `now` is in seconds since the epoch, and times are on the clocks of `zone`."""

    def __init__(self, now: float, zone: tzinfo) -> None:
        self.now = now
        self._now = datetimeOf(now)
        self._zone = zone

    @classmethod
    def here(cls) -> Self:
        """Those of this host, now."""
        return cls(time.time(), zoneFor(localZone()))

    def moment(self, at: float | None) -> str:
        """An instant; "" for None."""
        if at is None:
            return ""
        return momentText(datetimeOf(at), self._now, self._zone)

    def stamp(self, at: float) -> str:
        """An instant of the past, with its day: as wide as any other, so that a log stands in columns."""
        return f"{datetimeOf(at).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"

    def clock(self) -> str:
        """The time of day."""
        return f"{self._now.astimezone(self._zone):%H:%M:%S}"


def complain(why: object, status: int) -> int:
    """Say on stderr what is wrong, in a line that is not too long; `status`, for the exit."""
    text = plain(str(why))
    print(f"presence: {text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}", file=sys.stderr)
    return status


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The rows in columns, as wide as they need to be; a column in which nothing is, is left out.

    On a terminal they are no wider than that: long texts go on below, and where there is no room for columns there is a line for each.
    """
    kept = [column for column in range(len(head)) if not rows or any(row[column] for row in rows)]
    lines = [[plain(line[column]) for column in kept] for line in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(kept))]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns
        fitting = _fitting(widths, room)
        if fitting is None:
            return "\n".join(_below(lines[0], line, room) for line in lines[1:])
        widths = fitting
        lines = [part for line in lines for part in _wrapped(line, widths)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _fitting(widths: Sequence[int], room: int) -> list[int] | None:
    """The widths of columns that fit: the widest of them are narrower; None where there are too many."""
    found = list(widths)
    while sum(found) + _GAP * (len(found) - 1) > room:
        widest = max(range(len(found)), key=found.__getitem__)
        if found[widest] <= _NARROWEST:
            return None
        found[widest] -= 1
    return found


def _wrapped(line: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    """A row as the lines that it takes."""
    cells = [
        textwrap.wrap(text, width, break_on_hyphens=False) for text, width in zip(line, widths, strict=True)
    ]
    return [
        [cell[number] if number < len(cell) else "" for cell in cells]
        for number in range(max(map(len, cells)))
    ]


def _below(head: Sequence[str], line: Sequence[str], room: int) -> str:
    """A row, each of its texts in lines of its own."""
    first, *rest = (
        textwrap.fill(f"{name}: {text}", max(room - _GAP, _NARROWEST), subsequent_indent="    ")
        for name, text in zip(head, line, strict=True)
        if text
    )
    return "\n".join([first, *(textwrap.indent(each, "  ") for each in rest)])
