"""What is told of the workers of a farm, by name, by id, and by builder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from presence.master.farm.seen.snapshottable import Snapshot
    from presence.model.states import Hold


class Known:
    """The last snapshot of each worker of the farm."""

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}
        self._names: dict[int, str] = {}
        self._by_builder: dict[int, set[str]] = {}
        self._builder_names: dict[int, str] = {}
        #: whether there are builders of which it is not known what they are called
        self.hasUnnamed = False

    def get(self, name: str) -> Snapshot | None:
        """That of the worker `name`, or None."""
        return self._snapshots.get(name)

    def isConnecting(self, name: str, holds: Iterable[Hold]) -> bool:
        """Whether it is told of a worker that it is not connected, and that just these hold it: what it does may be to connect."""
        known = self._snapshots.get(name)
        return (
            known is not None
            and not known.entity["connected"]
            and [(each["source"], each["reason"], each["until"]) for each in known.entity["holds"]]
            == [(each.source, each.reason, each.until) for each in holds]
        )

    @property
    def all(self) -> tuple[Snapshot, ...]:
        """All of them."""
        return tuple(self._snapshots.values())

    @property
    def names(self) -> set[str]:
        """The names of all workers."""
        return set(self._snapshots)

    def nameOf(self, workerid: int) -> str | None:
        """The name of the worker with this id, or None."""
        return self._names.get(workerid)

    def ofBuilder(self, builderid: int) -> list[Snapshot]:
        """Those of the workers of a builder, by name."""
        return [self._snapshots[name] for name in sorted(self._by_builder.get(builderid, ()))]

    @property
    def builders(self) -> dict[int, str]:
        """The names of all builders that have workers, by their ids."""
        return {
            each: self._builder_names[each]
            for each, workers in self._by_builder.items()
            if workers and each in self._builder_names
        }

    def builderName(self, builderid: int) -> str | None:
        """The name of the builder with this id, if it has workers."""
        return self._builder_names.get(builderid) if self._by_builder.get(builderid) else None

    def nameBuilders(self, names: Mapping[int, str]) -> None:
        """What the builders of the farm are called, by their ids."""
        self._builder_names = dict(names)
        self.hasUnnamed = False

    def put(self, snapshot: Snapshot) -> bool:
        """Take it for the last one of its worker. Whether it says something else of its builders."""
        name, builders = snapshot.name, set(snapshot.entity["builders"])
        before = self._snapshots.get(name)
        for builderid in (set() if before is None else set(before.entity["builders"])) - builders:
            self._by_builder[builderid].discard(name)
        for builderid in builders:
            self._by_builder.setdefault(builderid, set()).add(name)
        self.hasUnnamed = self.hasUnnamed or not builders <= self._builder_names.keys()
        self._snapshots[name] = snapshot
        self._names[snapshot.entity["workerid"]] = name
        return before is None or _of_builders(before) != _of_builders(snapshot)

    def drop(self, name: str) -> None:
        """Nothing is told of this worker any more."""
        known = self._snapshots.pop(name)
        self._names.pop(known.entity["workerid"], None)
        for builderid in known.entity["builders"]:
            self._by_builder[builderid].discard(name)


def _of_builders(snapshot: Snapshot) -> tuple[object, ...]:
    """What is told of a worker that matters to its builders: not what it builds."""
    entity = snapshot.entity
    return entity["state"], entity["holds"], entity["back_at"], entity["builders"], snapshot.unusable
