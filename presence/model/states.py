"""States, holds and the order of their sources: data and nothing else.

A worker is `PresenceState.AVAILABLE` exactly when nothing holds it. Each reason not to accept builds is one
`Hold`, and only the source that placed a hold releases it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from presence.calendar.instants import checkFinite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from presence.breaks.partial import Limit

#: Who may place a hold, in the order in which holds are shown. All sources are equal in force.
SOURCES: tuple[str, ...] = (
    "offline",  # not connected; a latent worker never has it
    "break",  # a scheduled break
    "worker",  # the owner of the machine said so
    "sensor",  # the machine knows by itself that its owner needs it; on the worker's side only
    "admin",  # the admin of the master said so
    "condition",  # what a site measures, asked by the master or pushed to it with an end
    "pause",  # Buildbot's own pause, mirrored
    "quarantine",  # Buildbot's own quarantine, mirrored
    "graceful",  # Buildbot's own graceful shutdown, mirrored
    "reconfig",  # the whole master is being quiesced
)

#: The sources that may place several holds at once, each under a name of its own.
NAMED: tuple[str, ...] = ("sensor", "condition")

_ORDER = {source: place for place, source in enumerate(SOURCES)}


class PresenceState(enum.Enum):
    """Whether the next build may start. A build that runs is never touched by it."""

    AVAILABLE = "AVAILABLE"
    NOT_ACCEPTING_NEW_BUILDS = "NOT_ACCEPTING_NEW_BUILDS"


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason why a worker does not accept builds.

    `source` is one of `SOURCES`; `reason` and `by` are for people, or None. `since` and `until` are seconds
    since the epoch; the hold ends by itself at `until`, or never when that is None. `name` distinguishes the holds of a
    source that is one of `NAMED`.

    Raises `ValueError` for an unknown source, a name that it does not take, and instants that are not finite numbers.
    """

    source: str
    reason: str | None
    by: str | None
    since: float
    until: float | None
    name: str | None = None

    def __post_init__(self) -> None:
        checkSource(self.source)
        if self.name is not None and self.source not in NAMED:
            raise ValueError(f"a hold of {self.source!r} has no name: those of {', '.join(NAMED)} have")
        checkFinite("since", self.since)
        if self.until is not None:
            checkFinite("until", self.until)


class TimedLimit(NamedTuple):
    """What may start in a partial break that is now, and until when (seconds since the epoch; None: no end in sight)."""

    limit: Limit
    until: float | None


def checkSource(source: str) -> None:
    """Raise `ValueError` unless `source` is one of `SOURCES`."""
    if source not in _ORDER:
        raise ValueError(f"{source!r} is not a source of holds: one of {', '.join(SOURCES)} is")


def stateOf(holds: Iterable[Hold]) -> PresenceState:
    """The state that these holds make."""
    for _ in holds:
        return PresenceState.NOT_ACCEPTING_NEW_BUILDS
    return PresenceState.AVAILABLE


def inSourceOrder(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    """The holds in the order in which they are shown."""
    return tuple(sorted(holds, key=lambda hold: _ORDER[hold.source]))


def backAt(holds: Iterable[Hold]) -> float | None:
    """When all of these holds have ended, in seconds since the epoch.

    None when that is unknown, because one of them has no end, and when there is no hold at all.
    """
    latest: float | None = None
    for hold in holds:
        if hold.until is None:
            return None
        if latest is None or hold.until > latest:
            latest = hold.until
    return latest
