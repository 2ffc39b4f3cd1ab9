"""Makes happenings of what changes on a master: somebody has to want them, for of each worker something is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.master.happenings.happening import Happening
from presence.model.states import NAMED
from presence.words.holds import SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from presence.master.roster import Roster
    from presence.model.states import Hold
    from presence.model.workerpresence import WorkerPresence

# How much is kept of what people, or a configuration, say is wrong.
_SHOWN = 300


class Watch:
    """Calls `tell` with each happening from `start()` on. It is told of changes by whoever has wired it.

    `isBusy` says by a worker's name whether its drain is not done, and `lastReconfig` is asked how the last one has ended.
    """

    def __init__(
        self,
        roster: Roster,
        tell: Callable[[Happening], object],
        *,
        isBusy: Callable[[str], bool],
        lastReconfig: Callable[[], Any],
    ) -> None:
        self._roster = roster
        self._tell = tell
        self._is_busy = isBusy
        self._last_reconfig = lastReconfig
        # of each worker that was seen, by source and name; and those whose drains are not done
        self._holds: dict[str, dict[tuple[str, str | None], Hold]] = {}
        self._draining: set[str] = set()
        # what holds builders themselves
        self._builder_holds: dict[str, Hold] = {}
        self._reconfig: Any = None

    def start(self) -> None:
        """What there is now has happened before."""
        for name, presence in self._roster.workers.items():
            self._holds[name] = _by_key(presence)
            if self._is_drained(name) is False:
                self._draining.add(name)
        self._reconfig = self._last_reconfig()

    # --- what changes

    def workerChanged(self, presence: WorkerPresence) -> None:
        """The holds of a worker may have changed."""
        before, now = self._holds.get(presence.name), _by_key(presence)
        self._holds[presence.name] = now
        if before is None or before == now:
            return
        for key, hold in before.items():
            if key not in now:
                self._ended(presence.name, hold)
        for key, hold in now.items():
            if key not in before:
                self._say("begin", presence.name, hold)
            elif _differ(before[key], hold):
                self._say("change", presence.name, hold)

    def announced(self, name: str) -> None:
        """Something of a worker has changed, perhaps how its drain is."""
        drained = self._is_drained(name)
        if drained is False:
            self._draining.add(name)
        elif name in self._draining:
            self._draining.discard(name)
            if drained:
                self._drained(name)

    def builderChanged(self, name: str, hold: Hold | None) -> None:
        """A builder is held itself, or no longer: that this is over is told, what is ordered is an order."""
        now = self._roster.clock.seconds()
        before = self._builder_holds.pop(name, None)
        if hold is not None:
            self._builder_holds[name] = hold
        elif before is not None and before.until is not None and before.until <= now:
            self._tell(
                Happening(
                    now,
                    "end",
                    "admin",
                    by=before.by,
                    reason=before.reason,
                    since=before.since,
                    until=before.until,
                    outcome="over",
                    builders=(name,),
                )
            )

    def ordered(self, order: Happening) -> None:
        """Somebody has ordered something, or was refused it."""
        self._tell(order)
        if order.what == "drain" and order.outcome == "done":
            for name in order.workers:
                # if nothing ran there, that is known only now
                if name not in self._draining and self._is_drained(name):
                    self._drained(name)

    def gaveUp(self, name: str, by: str | None) -> None:
        """A drain that ends at its deadline has ended so."""
        now = self._roster.clock.seconds()
        self._tell(Happening(now, "result", "drain", (name,), by, outcome="deadline"))

    def reconfigChanged(self) -> None:
        """A reconfiguration may have ended."""
        last = self._last_reconfig()
        if last is not None and last is not self._reconfig:
            self._reconfig = last
            problem = last.mistakes[0][:_SHOWN] if last.mistakes else None
            self._tell(
                Happening(last.at, "result", "reconfig", by=last.by, outcome=last.result, problem=problem)
            )

    def configurationChanged(self) -> None:
        """Forget who is no longer there."""
        known = self._roster.workers.keys()
        for name in self._holds.keys() - known:
            del self._holds[name]
        self._draining &= known

    # --- and is told

    def _ended(self, name: str, hold: Hold) -> None:
        over = hold.until is not None and hold.until <= self._roster.clock.seconds()
        self._say("end", name, hold, "over" if over else "released")

    def _say(self, kind: str, name: str, hold: Hold, outcome: str | None = None) -> None:
        # a reconfiguration is one thing, and not one of each worker
        if hold.source == "reconfig" or (
            hold.source == "admin" and self._is_order(kind, name, hold, outcome)
        ):
            return
        what = "sensor" if hold.source == "worker" and hold.by == SENSOR else hold.source
        now = self._roster.clock.seconds()
        self._tell(Happening(now, kind, what, (name,), hold.by, hold.reason, hold.since, hold.until, outcome))

    def _is_order(self, kind: str, name: str, hold: Hold, outcome: str | None) -> bool:
        """Whether a hold of an admin has begun or ended with an order, of which somebody else tells."""
        worker = self._roster.enrolled(name)
        ordered = None if worker is None else worker.adminRecord.hold
        if kind == "end":
            return outcome == "released" and ordered is None
        return ordered == hold

    def _is_drained(self, name: str) -> bool | None:
        """Whether its drain is done; None where there is none."""
        worker = self._roster.enrolled(name)
        if worker is None or worker.adminRecord.drain is None:
            return None
        return not self._is_busy(name)

    def _drained(self, name: str) -> None:
        worker = self._roster.enrolled(name)
        record = None if worker is None else worker.adminRecord
        if record is None or record.drain is None or record.hold is None:
            return
        now, deadline, hold = self._roster.clock.seconds(), record.drain.deadline, record.hold
        outcome = "late" if deadline is not None and deadline < now else None
        self._tell(
            Happening(now, "drained", "drain", (name,), hold.by, hold.reason, hold.since, deadline, outcome)
        )


def _by_key(presence: WorkerPresence) -> dict[tuple[str, str | None], Hold]:
    return {(hold.source, hold.name): hold for hold in presence.holds}


def _differ(before: Hold, now: Hold) -> bool:
    # what holds by name is placed anew all the time, to go on
    ends = before.source not in NAMED and before.until != now.until
    return ends or (before.reason, before.by) != (now.reason, now.by)
