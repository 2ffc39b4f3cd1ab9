"""What is told at once while many workers connect, or go, one after the other, and what when that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.model.states import PresenceState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from presence.master.listening.lastsent import LastSent
    from presence.model.readycounts import ReadyCounts
    from presence.model.states import Hold
    from presence.model.wave import Wave
    from presence.model.workerpresence import WorkerPresence


class PutOff:
    """Those that have changed and are told of when the wave is over, unless it is news that they can build, or no longer.

    `findWorker` gives a worker by its name, `sent` is what was told last, by type.
    """

    #: Of several masters, whether a worker that just these hold may do no more than connect: the others are told at once, too,
    #: what else changes of it, as they know it from nobody else.
    mayBeConnecting: Callable[[str, Iterable[Hold]], bool] | None = None

    def __init__(
        self,
        findWorker: Callable[[str], WorkerPresence | None],
        counts: ReadyCounts,
        sent: Mapping[str, LastSent],
        wave: Wave,
    ) -> None:
        self._find_worker = findWorker
        self._counts = counts
        self._sent = sent
        self._wave = wave
        self._names: dict[str, set[str]] = {rtype: set() for rtype in sent}

    def __bool__(self) -> bool:
        return any(self._names.values())

    def dueWorkers(self, changed: set[str]) -> set[str]:
        """Those of the workers that have changed, and of those that were put off, that are due now."""
        return self._due("presence", changed, self._is_worker_due)

    def dueBuilders(self, changed: set[str]) -> set[str]:
        """The same of builders."""
        return self._due("builderpresence", changed, self._is_builder_due)

    def _due(self, rtype: str, changed: set[str], is_due: Callable[[str], bool]) -> set[str]:
        names, size = self._names[rtype], self._wave.size
        if size <= 1:
            # it is over, and another one may have begun
            changed |= names
        due = {name for name in changed if is_due(name)} if size else set(changed)
        names |= changed
        names -= due
        return due

    def _is_worker_due(self, name: str) -> bool:
        presence = self._find_worker(name)
        # the first of a wave may be the only one
        return (
            presence is None
            or (self._wave.size == 1 and not self._is_connecting(name, presence))
            or self._is_flip("presence", name, ready=presence.ready)
            or (self.mayBeConnecting is not None and not self.mayBeConnecting(name, presence.holds))
        )

    def _is_connecting(self, name: str, presence: WorkerPresence) -> bool:
        """Whether no more is new of it than that it has a connection: it will be told when that is taken."""
        last = self._sent["presence"].last
        return (
            presence.heldBy("offline") is not None
            and last(name, "connected") is False
            and [each["source"] for each in last(name, "holds")] == [each.source for each in presence.holds]
        )

    def _is_builder_due(self, name: str) -> bool:
        ready = self._counts.readyOf(name)
        if self._is_flip("builderpresence", name, ready=ready > 0):
            return True
        return self._wave.size == 1 and self._sent["builderpresence"].last(name, "ready") != ready

    def _is_flip(self, rtype: str, name: str, *, ready: bool) -> bool:
        """Whether it is news that this worker or builder is, or is not, ready."""
        return (self._sent[rtype].last(name, "state") == PresenceState.AVAILABLE.name) != ready
