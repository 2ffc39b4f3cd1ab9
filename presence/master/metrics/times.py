"""How long each worker has been in which state, in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.model.states import SOURCES
from presence.words.holds import SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import IReactorTime

    from presence.model.workerpresence import WorkerPresence

#: What a worker does: it builds, it would, or it does not accept builds, and builds still or not.
STATES = ("working", "idle", "draining", "away")

#: The sources of holds, as they are told.
KINDS = (*SOURCES, "sensor")

#: So many workers have times of their own; those that come later have them together, as the worker "other".
MOST_WORKERS, OTHER = 1000, "other"

# What a period adds at most, in seconds: it is looked at more often, so a longer one is a clock that was set or a machine that has slept.
_LONGEST = 60.0


def stateOf(presence: WorkerPresence) -> tuple[str, str]:
    """What a worker does, and the source of its first hold, or ""."""
    holds = presence.holds
    if not holds:
        return ("working" if presence.busy else "idle"), ""
    first = holds[0]
    source = "sensor" if first.source == "worker" and first.by == SENSOR else first.source
    return ("draining" if presence.busy else "away"), source


class Times:
    """Adds up seconds as the workers change: `seconds` are those of (worker, state, source).

    Each period is told to `spent` as well, with the name of the worker, its state, and the seconds.
    """

    def __init__(self, clock: IReactorTime, spent: Callable[[str, str, float], None] | None = None) -> None:
        self._clock = clock
        self._spent = spent
        self._states: dict[str, tuple[float, tuple[str, str]]] = {}
        # those that have times of their own
        self._own: set[str] = set()
        self.seconds: dict[tuple[str, str, str], float] = {}

    def changed(self, presence: WorkerPresence) -> None:
        """A worker may have changed: what it did until now is added, and what it does from now on is looked at."""
        now = self._clock.seconds()
        since, state = self._states.get(presence.name, (now, None))
        if state is not None:
            key = (self._label(presence.name), *state)
            passed = min(max(0.0, now - since), _LONGEST)
            self.seconds[key] = self.seconds.get(key, 0.0) + passed
            if self._spent is not None:
                self._spent(presence.name, state[0], passed)
        self._states[presence.name] = now, stateOf(presence)

    def settle(self, presences: Iterable[WorkerPresence]) -> None:
        """Look at all of them; those that are not among them have gone."""
        names = set()
        for each in presences:
            self.changed(each)
            names.add(each.name)
        for gone in self._states.keys() - names:
            del self._states[gone]
            self._own.discard(gone)
            for key in [key for key in self.seconds if key[0] == gone]:
                del self.seconds[key]

    def _label(self, name: str) -> str:
        if name not in self._own and len(self._own) < MOST_WORKERS:
            self._own.add(name)
        return name if name in self._own else OTHER
