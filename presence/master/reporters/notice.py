"""One notice, and what somebody wants to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import time


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is to know. `key` is the same for what needs not be told twice, and `kind` is one of the names of the terms.

    `text` is a sentence without its instants: `since` and `until` (seconds since the epoch, or None). It is about `workers` (names), whose
    owners are meant, and `builder` (or None).
    """

    key: str
    kind: str
    text: str
    workers: tuple[str, ...] = ()
    builder: str | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class NoticeTerms:
    """What is told, to whom, and how often. All times are in seconds; None: that is not told. See `PresenceGenerator`."""

    workers: tuple[str, ...] | None = None
    builders: tuple[str, ...] | None = None
    awayLongerThan: float | None = None
    endsWithin: float | None = None
    backEarly: bool = False
    backLate: bool = False
    starvingAfter: float | None = None
    drains: bool = False
    reconfigLongerThan: float | None = None
    breaksLeft: int | None = None
    absent: bool = False
    owners: bool = True
    to: tuple[str, ...] = ()
    digest: time | None = None
    mostADay: int = 10

    @property
    def wantsNothing(self) -> bool:
        """Whether nothing is told at all."""
        wanted = (
            self.awayLongerThan,
            self.endsWithin,
            self.starvingAfter,
            self.reconfigLongerThan,
            self.breaksLeft,
        )
        return all(each is None for each in wanted) and not (
            self.backEarly or self.backLate or self.drains or self.absent
        )
