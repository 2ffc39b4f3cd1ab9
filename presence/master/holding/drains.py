"""Draining workers: no builds any more, but what runs, and what that waits for, is finished; up to a deadline.

A drain is the hold ``admin`` with more to it (`presence.orders.record.Drain`), and is stored with it. Here is what
becomes of it on this master.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.builds.running import buildsOn, waitingFor
from presence.master.compat import isWaitedFor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.builds.requeue import Requeue
    from presence.master.enrolled import EnrolledWorker
    from presence.master.roster import Roster
    from presence.model.workerpresence import WorkerPresence
    from presence.orders.placed import Drain

_log = Logger()


@dataclass(eq=False)
class _Drained:
    """A worker that is drained: how, its timer for the deadline, and the requests (ids) that may start there."""

    worker: EnrolledWorker
    drain: Drain
    timer: IDelayedCall | None = None
    admitted: set[int] = field(default_factory=set)


class Census(Protocol):
    """What runs on drained workers at whichever master; see `presence.master.farm.census`."""

    def watch(
        self, key: object, names: Iterable[str], group: str | None, changed: Callable[[], object]
    ) -> None:
        """Count what runs on these workers, from now on anew: `changed` is called when it is known that nothing does."""

    def forget(self, key: object) -> None:
        """They are not drained any more."""

    def isBusy(self, key: object) -> bool:
        """Whether something runs on the workers that are watched as `key`, as far as is known."""

    def waitsIn(self, group: str, builds: Iterable[int]) -> Deferred[bool]:
        """Whether one of these builds (ids) runs on a worker that is drained in `group`."""


_NONE: frozenset[str] = frozenset()
_ADMIN = frozenset({"admin"})


class Drains:
    """The drains of the workers of a master, and the door (see `presence.master.starting.chooser`) to those workers.

    `announce` is called with the name of a worker whose drain has changed, `wake` with that of one
    which may be able to start a build, and `giveUp` with a worker that is to be released. `census` knows what runs at other masters;
    None where there are none.
    """

    def __init__(
        self,
        roster: Roster,
        requeue: Requeue,
        announce: Callable[[str], object],
        wake: Callable[[str], object],
        giveUp: Callable[[EnrolledWorker], object],
        *,
        census: Census | None = None,
    ) -> None:
        self._roster = roster
        self._announce = announce
        self._wake = wake
        self._give_up = giveUp
        self._drained: dict[str, _Drained] = {}
        self._busy: dict[object, bool] = {}
        self._requeue = requeue
        self._census = census

    def stop(self) -> None:
        """Forget them; what is stored stays."""
        for name in tuple(self._drained):
            self.forget(name)

    # --- which workers are drained

    def follow(self, worker: EnrolledWorker) -> None:
        """Something was ordered of this worker, which is in its `adminRecord`."""
        drain = worker.adminRecord.drain
        before = self._drained.get(worker.workername)
        if before is not None and before.worker is worker and before.drain == drain:
            return
        self.forget(worker.workername)
        if drain is not None:
            self._drained[worker.workername] = entry = _Drained(worker, drain)
            self._arm(entry)
            self._watch(_group(entry))
            self.changed(worker)
            # what a build waits for may be in the queue already, and had another worker until now
            self._wake(worker.workername)

    def forget(self, name: str) -> None:
        """The worker is not drained any more, or no longer there."""
        entry = self._drained.pop(name, None)
        if entry is not None:
            if entry.timer is not None:
                entry.timer.cancel()
            self._watch(_group(entry))
            self._regroup(_group(entry))

    def isBusy(self, name: str) -> bool:
        """Whether the drain of this worker is not done: something runs on it, or on another one of its group."""
        entry = self._drained.get(name)
        return entry is not None and self._is_busy(_group(entry), self._members(entry))

    def changed(self, worker: EnrolledWorker) -> None:
        """A build has started or ended on this worker."""
        entry = self._drained.get(worker.workername)
        if entry is not None:
            self._regroup(_group(entry))

    def _members(self, entry: _Drained) -> list[_Drained]:
        return self._group_of(_group(entry))

    def _group_of(self, group: object) -> list[_Drained]:
        return [each for each in self._drained.values() if _group(each) == group]

    def _regroup(self, group: object) -> None:
        """Announce all workers of a group when the last build has ended, or when one has begun."""
        members = self._group_of(group)
        busy = self._is_busy(group, members)
        if self._busy.pop(group, None) != busy:
            for each in members:
                self._announce(each.worker.workername)
        if members:
            self._busy[group] = busy

    def _watch(self, group: object) -> None:
        """Count anew what runs on the workers of this group, at whichever master."""
        if self._census is None:
            return
        members = self._group_of(group)
        if members:
            names = [each.worker.workername for each in members]
            self._census.watch(group, names, members[0].drain.group, lambda: self._regroup(group))
        else:
            self._census.forget(group)

    def _is_busy(self, group: object, members: list[_Drained]) -> bool:
        return _is_busy(members) or (self._census is not None and self._census.isBusy(group))

    # --- the deadline

    def _arm(self, entry: _Drained) -> None:
        deadline = entry.drain.deadline
        if deadline is not None and not self._is_over(entry):
            remaining = deadline - self._roster.clock.seconds()
            entry.timer = self._roster.clock.callLater(remaining, self._due, entry)

    def _is_over(self, entry: _Drained) -> bool:
        deadline = entry.drain.deadline
        return deadline is not None and deadline <= self._roster.clock.seconds()

    def _due(self, entry: _Drained) -> None:
        entry.timer = None
        if not self._is_over(entry):
            self._arm(entry)
        elif entry.drain.onDeadline == "interrupt":
            self._requeue.send(buildsOn(entry.worker), "drained, and the deadline has come")
        else:
            members = self._members(entry)
            if self._is_busy(_group(entry), members):
                _log.info("{worker} is not drained at its deadline: released", worker=entry.worker.workername)
                # all of them, and now: when one has gone the others may look idle
                for each in members:
                    if each.drain.onDeadline == "release" and self._is_over(each):
                        self._give_up(each.worker)

    # --- the door: what builds wait for may start

    @property
    def isGuarding(self) -> bool:
        """Whether any worker is drained."""
        return bool(self._drained)

    def onlyChildren(self, _builder: str, worker: Any) -> bool:
        """Whether this worker is drained."""
        return worker.workername in self._drained

    def mayStart(self, builder: str, worker: Any, request: Any) -> bool | Deferred[bool]:
        """Whether this request may start on this worker: if that is drained, only what a build there waits for."""
        return worker.workername not in self._drained or self._may_start(builder, worker, request)

    def exempts(self, worker: EnrolledWorker, *, child: bool) -> frozenset[str]:
        """The sources of holds that do not refuse a build on this worker, or a child, for which a build there waits."""
        return _ADMIN if child and self.admits(worker) else _NONE

    def admits(self, worker: EnrolledWorker) -> bool:
        """Whether a build may start on this worker if one waits for it that runs there, or on another one of its group.

        Nothing but the drain may hold it (about a reconfiguration that waits others decide), and the deadline lies ahead.
        """
        entry = self._drained.get(worker.workername)
        return (
            entry is not None
            and self._admits_while_busy(entry)
            and self._is_busy(_group(entry), self._members(entry))
        )

    def _admits_while_busy(self, entry: _Drained) -> bool:
        """What `admits()` says while something runs on one of the group."""
        presence = entry.worker.presence
        return (
            not self._is_over(entry)
            and presence is not None
            and all(hold.source in {"admin", "reconfig"} for hold in presence.holds)
        )

    @inlineCallbacks
    def _may_start(self, builder: str, worker: Any, request: Any) -> Generator[Deferred[Any], Any, bool]:
        if not isWaitedFor(request) or not self.admits(worker) or self._has_another(builder):
            return False
        waiting = yield waitingFor(self._roster.master, request.bsid)
        entry = self._drained.get(worker.workername)
        if entry is None or not self.admits(worker):
            return False
        running = {build.buildid for each in self._members(entry) for build in buildsOn(each.worker)}
        if running.isdisjoint(waiting) and not (yield self._waits_elsewhere(entry, waiting)):
            return False
        entry.admitted.add(request.id)
        return True

    @inlineCallbacks
    def _waits_elsewhere(self, entry: _Drained, waiting: list[int]) -> Generator[Deferred[Any], Any, bool]:
        """Whether one of these builds runs at another master on a worker of the same group."""
        group = entry.drain.group
        if self._census is None or group is None:
            return False
        found = yield self._census.waitsIn(group, waiting)
        # (it may have been released meanwhile)
        return (
            bool(found) and self._drained.get(entry.worker.workername) is entry and self.admits(entry.worker)
        )

    def wasAdmitted(self, worker: EnrolledWorker, build: Any) -> bool:
        """Whether `build` (of Buildbot) starts on this worker because another one waits for it."""
        entry = self._drained.get(worker.workername)
        return entry is not None and any(request.id in entry.admitted for request in build.requests)

    def holdsChanged(self, presence: WorkerPresence) -> None:
        """The holds of a worker, any one, have changed: a drained one may have to build what that would have built."""
        if not presence.ready:
            self.anotherIsAway()

    def anotherIsAway(self) -> None:
        """A worker, here or at another master, is not ready any longer: a drained one may have to build what that would have built."""
        # (five hundred may be drained with one order, and each of them is such a change)
        busy = {_group(each) for each in self._drained.values() if self._is_busy(_group(each), [each])}
        for entry in tuple(self._drained.values()) if busy else ():
            if _group(entry) in busy and self._admits_while_busy(entry):
                self._wake(entry.worker.workername)

    def _has_another(self, builder: str) -> bool:
        """Whether there is a worker, here or at another master, that is not held, and will do it sooner or later."""
        presence = self._roster.findBuilder(builder)
        return presence is not None and (
            presence.isReadyElsewhere
            or any(all(hold.source == "reconfig" for hold in worker.holds) for worker in presence.workers)
        )


def _group(entry: _Drained) -> object:
    # a worker of its own has a group of its own, that no name of a group can be
    return ("", entry.worker.workername) if entry.drain.group is None else entry.drain.group


def _is_busy(members: list[_Drained]) -> bool:
    return any(each.worker.presence is not None and each.worker.presence.busy for each in members)
