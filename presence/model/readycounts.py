"""How many workers of each builder are ready, counted as they flip."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from presence.model.builderpresence import BuilderPresence
    from presence.model.workerpresence import WorkerPresence


class ReadyCounts:
    """Counts as the workers flip, so that a flip costs its own builders and no look at the other workers."""

    def __init__(self) -> None:
        self._builders: dict[str, list[str]] = {}
        self._ready: dict[str, int] = {}
        self._counted: dict[str, bool] = {}

    def follow(self, builders: Mapping[str, BuilderPresence]) -> None:
        """Count again, after the configuration has changed."""
        self._builders = {}
        self._ready = {}
        self._counted = {}
        for name, builder in builders.items():
            for worker in builder.workers:
                self._builders.setdefault(worker.name, []).append(name)
                self._counted[worker.name] = worker.ready
            self._ready[name] = sum(self._counted[worker.name] for worker in builder.workers)

    def buildersOf(self, worker: str) -> list[str]:
        """The names of the builders that may use this worker."""
        return self._builders.get(worker, [])

    def readyOf(self, builder: str) -> int:
        """How many workers of the builder are ready."""
        return self._ready.get(builder, 0)

    def changed(self, worker: WorkerPresence) -> list[str]:
        """The builders for which it matters that the holds of `worker` have changed."""
        builders = self.buildersOf(worker.name)
        step = worker.ready - self._counted.get(worker.name, worker.ready)
        if step:
            self._counted[worker.name] = worker.ready
            for builder in builders:
                self._ready[builder] += step
            return builders
        # where another one is ready nobody asks why this one is not
        return [builder for builder in builders if not self._ready[builder]]
