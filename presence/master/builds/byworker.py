"""Which builders a worker builds for, found once for all workers.

Buildbot (`getBuildersForWorker`) looks through the workers of every builder, for each worker that connects or is told a
configuration: with a thousand builders of a hundred workers each that takes a millisecond.
"""

from __future__ import annotations

from collections import defaultdict
from operator import is_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class BuildersByWorker:
    """Lets the botmaster of `master` look up what it has found before, from `start()` to `stop()`, if nobody else has an answer."""

    def __init__(self, master: Any) -> None:
        self._botmaster = master.botmaster
        # the builders among which they were found, and the configurations that these had
        self._builders: list[Any] = []
        self._configs: list[Any] = []
        self._found: dict[str, list[Any]] = {}

    def start(self) -> None:
        """From now on they are looked up."""
        vars(self._botmaster).setdefault("getBuildersForWorker", self._of)

    def stop(self) -> None:
        """As Buildbot does it."""
        if vars(self._botmaster).get("getBuildersForWorker") == self._of:
            del self._botmaster.getBuildersForWorker

    def _of(self, workername: str) -> list[Any]:
        builders = list(self._botmaster.builders.values())
        configs = [builder.config for builder in builders]
        if not (_are_same(builders, self._builders) and _are_same(configs, self._configs)):
            self._builders, self._configs = builders, configs
            self._find()
        return list(self._found.get(workername, ()))

    def _find(self) -> None:
        found = defaultdict(list)
        for builder, config in zip(self._builders, self._configs, strict=True):
            for workername in dict.fromkeys(config.workernames if config is not None else ()):
                found[workername].append(builder)
        self._found = dict(found)


def _are_same(some: Sequence[object], others: Sequence[object]) -> bool:
    """Whether they are the same objects, which are compared with nothing else."""
    return len(some) == len(others) and all(map(is_, some, others))
