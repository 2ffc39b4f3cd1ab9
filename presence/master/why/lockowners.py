"""Who has a lock of Buildbot's: it keeps no more than the `id()` of each owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Contention(NamedTuple):
    """A lock that is not available: its name, the builds (Buildbot's) that have it or are ahead, and whether the request
    needs it for itself, so that all of them have to release it.
    """

    name: str
    owners: tuple[Any, ...]
    all: bool


class LockOwners:
    """Finds the builds that have locks, among `builds`, which are all that run."""

    def __init__(self, builds: Iterable[Any]) -> None:
        self._builds = tuple(builds)
        self._known: dict[int, list[Any]] | None = None

    def contentions(self, locks: Iterable[tuple[Any, Any]], requester: Any) -> list[Contention]:
        """Those of the locks (pairs of a lock and the access to it) that `requester` cannot have now."""
        return [
            Contention(lock.lockName, self._of(lock), access.mode == "exclusive")
            for lock, access in locks
            if not lock.isAvailable(requester, access)
        ]

    def _of(self, lock: Any) -> tuple[Any, ...]:
        if self._known is None:
            self._known = self._index()
        owners = [owner for owner, *_ in (*lock.owners, *lock.waiting)]
        found = {id(build): build for owner in owners for build in self._known.get(owner, ())}
        return tuple(found.values())

    def _index(self) -> dict[int, list[Any]]:
        """The builds by the `id()` of what may own a lock: the build, the worker, or the step that it is at."""
        known: dict[int, list[Any]] = {}
        for build in self._builds:
            worker = None if build.workerforbuilder is None else build.workerforbuilder.worker
            for owner in (build, worker, build.currentStep, *build.executedSteps):
                if owner is not None:
                    known.setdefault(id(owner), []).append(build)
        return known
