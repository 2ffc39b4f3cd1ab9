"""What there may be beside the hold in the record of a worker: a drain, and holds that are pushed.

(Few records have any: elsewhere it is not in memory.)
"""

from __future__ import annotations

from dataclasses import dataclass

from presence.calendar.instants import checkFinite
from presence.orders.reading import readName
from presence.orders.workers import ON_DEADLINE
from presence.text import oneOf, readText


@dataclass(frozen=True, slots=True)
class Drain:
    """What makes a drain of a hold: see `DrainOrder`. `deadline` is in seconds since the epoch, or None; `onDeadline`
    is one of `ON_DEADLINE`.
    """

    deadline: float | None
    onDeadline: str
    group: str | None

    def __post_init__(self) -> None:
        if self.deadline is not None:
            checkFinite("deadline", self.deadline)
        oneOf(self.onDeadline, ON_DEADLINE)
        readText(self.group)


@dataclass(frozen=True, slots=True)
class Pushed:
    """A hold that `source` has pushed, as the user `by` (or None); instants are seconds since the epoch."""

    source: str
    reason: str | None
    by: str | None
    since: float
    until: float

    def __post_init__(self) -> None:
        readName(self.source)
        readText(self.reason)
        readText(self.by)
        checkFinite("since", self.since)
        checkFinite("until", self.until)
