"""Workers that are connected to other masters, for whoever waits on this one until a builder has a worker that is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.model.states import PresenceState
from presence.model.workerpresence import WorkerPresence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from presence.master.farm.seen.snapshots import Snapshots
    from presence.master.roster import Roster


class Shadows:
    """A presence for each worker of which another master tells: AVAILABLE when that one says so, and else held as `offline`.

    They are among those that the builders of this master know as elsewhere (`BuilderPresence.addElsewhere`). `away` is called when a
    builder has one that is ready no longer.
    """

    def __init__(self, roster: Roster, snapshots: Snapshots, away: Callable[[], object]) -> None:
        self._away = away
        self._roster = roster
        self._snapshots = snapshots
        self._shadows: dict[str, WorkerPresence] = {}
        # of each, the names of the builders that know it
        self._builders: dict[str, set[str]] = {}

    def follow(self, names: Iterable[str]) -> None:
        """Something else may be told of these workers."""
        for name in names:
            self._follow(name)

    def followAll(self) -> None:
        """The configuration of this master has changed: its builders may be others."""
        self._builders.clear()
        self.follow(self._snapshots.names | self._shadows.keys())

    def stop(self) -> None:
        """Leave nobody waiting for them."""
        for name in tuple(self._shadows):
            self._shadows.pop(name).stop()

    def _follow(self, name: str) -> None:
        entity, known = self._snapshots.elsewhere(name), self._snapshots.known.get(name)
        wanted: set[str] = set()
        if entity is not None and known is not None:
            names = (
                self._snapshots.known.builderName(each)
                for each in entity["builders"]
                if str(each) not in known.unusable
            )
            wanted = {
                each for each in names if each is not None and self._roster.findBuilder(each) is not None
            }
        shadow = self._shadows.get(name)
        if shadow is None:
            if not wanted:
                return
            shadow = self._shadows[name] = WorkerPresence(name, self._roster.clock)
            shadow.hold("offline")
        before, was_ready = self._builders.get(name, set()), shadow.ready
        self._builders[name] = wanted
        for each in before - wanted:
            builder = self._roster.findBuilder(each)
            if builder is not None:
                builder.removeElsewhere(shadow)
        # (who waits is fired when it is ready: the builders are to know it before)
        for each in wanted - before:
            self._roster.builder(each).addElsewhere(shadow)
        if entity is not None and entity["state"] == PresenceState.AVAILABLE.name:
            shadow.release("offline")
        elif shadow.ready:
            shadow.hold("offline", reason="another master says that it does not accept builds")
        if was_ready and (before - wanted or not shadow.ready):
            self._away()
