"""What the workers of each group do: of a host with 25 workers, one number for each state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.master.metrics.times import STATES, stateOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from presence.model.workerpresence import WorkerPresence

#: So many groups have numbers of their own; those that come later have them together, as the group "other".
MOST_GROUPS, OTHER = 100, "other"


class ByGroup:
    """Adds up seconds by group: `seconds` are those of (group, state), of all workers of the group together.

    `groupsOf` gives the names of the groups of a worker of Buildbot's. A worker that belongs to several counts in each of them.
    """

    def __init__(self, groupsOf: Callable[[Any], Iterable[str]]) -> None:
        self._groups_of = groupsOf
        # of the workers that belong to any, the groups as they are told
        self._told: dict[str, frozenset[str]] = {}
        # those that have numbers of their own
        self._own: set[str] = set()
        self.seconds: dict[tuple[str, str], float] = {}

    def add(self, name: str, state: str, seconds: float) -> None:
        """The worker with this name was in `state` for so long."""
        for group in self._told.get(name, ()):
            self.seconds[group, state] += seconds

    def follow(self, workers: Iterable[Any]) -> None:
        """These are the workers, and their groups may be others than before."""
        groups = {each.workername: found for each in workers if (found := tuple(self._groups_of(each)))}
        present = dict.fromkeys(group for found in groups.values() for group in found)
        self._own &= present.keys()
        for group in present:
            if len(self._own) < MOST_GROUPS:
                self._own.add(group)
        self._told = {
            name: frozenset(group if group in self._own else OTHER for group in found)
            for name, found in groups.items()
        }
        # what has not happened yet is 0: of what is not there Prometheus knows no increase
        told = frozenset[str]().union(*self._told.values())
        self.seconds = {
            (group, state): self.seconds.get((group, state), 0.0)
            for group in sorted(told)
            for state in STATES
        }

    def workers(self, presences: Iterable[WorkerPresence]) -> dict[tuple[str, str], int]:
        """How many of these workers are in each state, by (group, state)."""
        found = dict.fromkeys(self.seconds, 0)
        for each in presences:
            for group in self._told.get(each.name, ()):
                found[group, stateOf(each)[0]] += 1
        return found
