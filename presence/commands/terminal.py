"""What all commands write at a terminal: times, tables, and complaints. What others have written is made harmless."""

from __future__ import annotations

import sys
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
    """The rows in columns, as wide as they need to be; a column in which nothing is, is left out."""
    kept = [column for column in range(len(head)) if not rows or any(row[column] for row in rows)]
    lines = [[plain(line[column]) for column in kept] for line in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(kept))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
