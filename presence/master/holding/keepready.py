"""`keepReady=` of `PresenceService`: how many workers are to stay ready, read, and what its names mean on this master."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from buildbot import config

from presence.words.holds import holdText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from presence.master.roster import Roster
    from presence.orders.floor import Floor, FloorDecision
    from presence.orders.workers import Order

_EXAMPLE = 'keepReady={"runtests": 2, "mac-*": "50%"}'


class KeepReady:
    """The floors of a farm, by names of builders, of groups, or of workers (or patterns). Each mistake is a `config.error`."""

    def __init__(self, keepReady: Any = None) -> None:
        self.floors: list[Floor] = []
        if keepReady is None:
            return
        if not isinstance(keepReady, dict) or not all(isinstance(each, str) and each for each in keepReady):
            config.error(
                f"PresenceService: keepReady={keepReady!r} is not right: give a dictionary with names of builders, groups or "
                f"workers, or patterns of the latter, as in {_EXAMPLE}"
            )
            return
        for name, value in keepReady.items():
            floor = _read(name, value)
            if floor is not None:
                self.floors.append(floor)

    def members(
        self, builders: Mapping[str, Iterable[str]], workers: Mapping[str, Iterable[str]]
    ) -> list[tuple[Floor, tuple[str, ...]]]:
        """Each floor with the names of its workers. `builders` are their workers by their names, `workers` their groups."""
        return [(floor, _members(floor.name, builders, workers)) for floor in self.floors]

    def check(
        self,
        builders: Mapping[str, Iterable[str]],
        workers: Mapping[str, Iterable[str]],
        *,
        several: bool = False,
    ) -> None:
        """Whether each name means one thing, and somebody, in a configuration with these; of one of `several` masters another one
        may have them.
        """
        groups = {group for each in workers.values() for group in each}
        for floor, members in self.members(builders, workers):
            who = f"PresenceService: keepReady={{{floor.name!r}: …}}"
            if floor.name in builders and (floor.name in groups or floor.name in workers):
                other = "worker" if floor.name in workers else "group"
                config.error(
                    f"{who}: there is a builder and a {other} of this name: name the workers by a pattern, or a group"
                )
            elif several:
                continue
            elif not members:
                config.error(
                    f"{who}: there is no builder, no group and no worker of this name, nor one that it matches"
                )
            elif floor.of(len(members)) > len(members):
                config.error(f"{who}: there are only {len(members)} workers of it: give at most that many")


def _read(name: str, value: Any) -> Floor | None:
    # here and below: a farm without floors has not got it in memory
    from presence.orders.floor import Floor  # noqa: PLC0415

    try:
        return Floor.read(name, value)
    except ValueError as problem:
        config.error(f"PresenceService: keepReady={{{name!r}: {value!r}}} is not right: {problem}")
        return None


def _members(
    name: str, builders: Mapping[str, Iterable[str]], workers: Mapping[str, Iterable[str]]
) -> tuple[str, ...]:
    if name in builders:
        return tuple(dict.fromkeys(builders[name]))
    if name in workers:
        return (name,)
    return tuple(worker for worker, groups in workers.items() if name in groups or fnmatchcase(worker, name))


def _named(
    entities: Iterable[Mapping[str, Any]], builderName: Callable[[int], str | None]
) -> tuple[dict[str, list[str]], dict[str, Iterable[str]]]:
    """The workers of each builder of a farm, and the groups of each worker."""
    builders: dict[str, list[str]] = {}
    workers: dict[str, Iterable[str]] = {}
    for each in entities:
        workers[each["name"]] = each["groups"]
        for builderid in each["builders"]:
            name = builderName(builderid)
            if name is not None:
                builders.setdefault(name, []).append(each["name"])
    return builders, workers


class FloorGuard:
    """Makes the decisions about orders, for `presence.master.holding.storedorders`.

    `groupsOf` gives the groups of a worker of Buildbot's. `elsewhere` gives the entity of a worker that another master has; None where
    nothing is known of it. `farm` gives the entities of all workers of the farm, and what names a builder by
    its id; it is asked where this master is one of several.
    """

    def __init__(
        self,
        roster: Roster,
        groupsOf: Callable[[Any], Iterable[str]],
        elsewhere: Callable[[str], Mapping[str, Any] | None],
        farm: Callable[[], tuple[Iterable[Mapping[str, Any]], Callable[[int], str | None]]],
    ) -> None:
        self._roster = roster
        self._groups_of = groupsOf
        self._elsewhere = elsewhere
        self._farm = farm
        self.keepReady = KeepReady()

    def decision(self, workers: Iterable[str], order: Order) -> FloorDecision | None:
        """What decides about this order; None where no floor concerns it."""
        if not self.keepReady.floors:
            return None
        from presence.orders.floor import FloorDecision, concerns, floorsOf  # noqa: PLC0415

        names = frozenset(workers)
        if not concerns(order):
            return None
        floors = floorsOf(self._floors(), names)
        if not floors:
            return None
        members = {name for _, listed in floors for name in listed}
        away = {name: why for name in members if (why := self._why_away(name)) is not None}
        return FloorDecision(names, floors, away, self._roster.master.reactor.seconds)

    def _floors(self) -> list[tuple[Floor, tuple[str, ...]]]:
        if self._roster.master.config.multiMaster:
            return self.keepReady.members(*_named(*self._farm()))
        builders = {
            name: [each.name for each in builder.workers] for name, builder in self._roster.builders.items()
        }
        configured = self._roster.master.workers.workers
        workers = {
            name: self._groups_of(configured[name]) for name in self._roster.workers if name in configured
        }
        return self.keepReady.members(builders, workers)

    def _why_away(self, name: str) -> str | None:
        """Why a worker is not ready, as far as that is not stored as an order of an admin's."""
        worker = self._roster.master.workers.workers.get(name)
        presence = self._roster.findWorker(name)
        if presence is None or worker is None:
            return self._why_elsewhere(name)
        holds = [{"source": each.source, "reason": each.reason, "by": each.by} for each in presence.holds]
        if {each["source"] for each in holds} - {"admin"} == {
            "offline"
        } and self._roster.master.config.multiMaster:
            # it may be connected to another master
            return self._why_elsewhere(name)
        return _why(holds)

    def _why_elsewhere(self, name: str) -> str | None:
        entity = self._elsewhere(name)
        return None if entity is None or entity["state"] == "AVAILABLE" else _why(entity["holds"])


def _why(holds: Iterable[Mapping[str, Any]]) -> str | None:
    """What holds a worker, but for what is stored as an order of an admin's."""
    return ", ".join(holdText(each) for each in holds if each["source"] != "admin") or None
