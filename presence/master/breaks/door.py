"""The door of breaks that spare builds: what may start in a partial break, and what is finished before the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.calendar.durations import durationText
from presence.calendar.instants import datetimeOf, secondsOf
from presence.master.builds.estimates import likelyLongest, pastDurations
from presence.master.builds.running import buildsOn, waitingFor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.enrolled import EnrolledWorker
    from presence.master.roster import Roster

#: How long what was worked out of the builds of the past is remembered, and how long after a refusal the requests of the
#: worker's builders are looked at again, in seconds: by then breaks may be suspended, or builds known to be shorter.
REMEMBERED = 60.0


class BreakDoor:
    """A door (see `presence.master.starting.chooser`) to the workers whose breaks are partial, or want builds finished.

    `wake` is called with the name of a worker which may be able to start a build.
    """

    def __init__(self, roster: Roster, wake: Callable[[str], object]) -> None:
        self._roster = roster
        self._wake = wake
        self._guarded: set[str] = set()
        self._timers: dict[str, IDelayedCall] = {}
        # (builder, worker) -> until when it is remembered, and what the next build will hardly exceed
        self._likely: dict[tuple[str, str], tuple[float, float | None]] = {}
        # worker -> builder -> why its builds do not start now
        self._refused: dict[str, dict[str, str]] = {}

    def follow(self, worker: EnrolledWorker) -> None:
        """The worker is new, or its schedule is another one."""
        name = worker.workername
        was_guarded = name in self._guarded
        self.forget(name)
        if worker.schedule.isPartial or worker.schedule.finishes:
            self._guarded.add(name)
        if was_guarded:
            self._wake(name)

    def forget(self, name: str) -> None:
        """The worker is no longer there."""
        self._guarded.discard(name)
        self._refused.pop(name, None)
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """Leave no timer behind."""
        for name in tuple(self._guarded):
            self.forget(name)

    def why(self, worker: str, builder: str) -> str | None:
        """Why builds of `builder` do not start on `worker` although nothing holds that, for people; None if they do."""
        if worker not in self._guarded:
            return None
        enrolled = self._roster.enrolled(worker)
        limited = None if enrolled is None else _limited(enrolled, builder)
        return limited or self._refused.get(worker, {}).get(builder)

    # --- the door

    @property
    def isGuarding(self) -> bool:
        """Whether any worker has such breaks."""
        return bool(self._guarded)

    def onlyChildren(self, _builder: str, _worker: Any) -> bool:
        """Nothing is known of builders as a whole."""
        return False

    def mayStart(self, builder: str, worker: Any, request: Any) -> bool | Deferred[bool]:
        """Whether this request may start on this worker: not in a partial break that refuses it, and not if it would still
        run when a break starts before which builds are to be finished.
        """
        name = worker.workername
        enrolled = self._roster.enrolled(name) if name in self._guarded else None
        if enrolled is None:
            return True
        # a master that was suspended hears of requests before it hears of its timers
        if enrolled.breakTimer is not None:
            enrolled.breakTimer.catchUp()
        if _limited(enrolled, builder) is not None:
            return False
        by = self._finish_by(enrolled, builder)
        return True if by is None else self._is_finished_by(builder, enrolled, request)

    def _finish_by(self, worker: EnrolledWorker, builder: str) -> float | None:
        """When a build that starts now has to be finished, in seconds since the epoch; None if it may take any time."""
        if not worker.schedule.finishes or worker.breakTimer is None:
            return None
        now = self._now()
        # a break that is suspended begins when that ends
        from_ = worker.breakTimer.suspendedUntil or now
        by = worker.schedule.finishBy(datetimeOf(from_), builder)
        return None if by is None else max(secondsOf(by), from_)

    @inlineCallbacks
    def _is_finished_by(
        self, builder: str, worker: EnrolledWorker, request: Any
    ) -> Generator[Deferred[Any], Any, bool]:
        likely = yield self._likely_duration(builder, worker)
        name = worker.workername
        by = self._finish_by(worker, builder)
        refused = self._refused.setdefault(name, {})
        if by is None or likely is None or self._now() + likely <= by:
            refused.pop(builder, None)
            return True
        if request.waitedFor and (yield self._is_awaited_there(worker, request)):
            # what waits for it runs there, and into the break until it is built
            return True
        refused[builder] = (
            f"a build may take {durationText(likely)}, and is to be finished before the break in "
            f"{durationText(by - self._now())}"
        )
        self._look_again(name)
        return False

    @inlineCallbacks
    def _likely_duration(
        self, builder: str, worker: EnrolledWorker
    ) -> Generator[Deferred[Any], Any, float | None]:
        key = builder, worker.workername
        until, likely = self._likely.get(key, (0.0, None))
        if not until - REMEMBERED <= self._now() < until:
            builderid = yield self._roster.master.botmaster.builders[builder].getBuilderId()
            durations = yield pastDurations(self._roster.master, builderid, worker.workerid)
            likely = likelyLongest(durations)
            self._likely[key] = self._now() + REMEMBERED, likely
        return likely

    @inlineCallbacks
    def _is_awaited_there(self, worker: EnrolledWorker, request: Any) -> Generator[Deferred[Any], Any, bool]:
        waiting = yield waitingFor(self._roster.master, request.bsid)
        return not {build.buildid for build in buildsOn(worker)}.isdisjoint(waiting)

    def _look_again(self, name: str) -> None:
        if name in self._guarded and name not in self._timers:
            self._timers[name] = self._roster.master.reactor.callLater(REMEMBERED, self._look, name)

    def _look(self, name: str) -> None:
        del self._timers[name]
        self._wake(name)

    def _now(self) -> float:
        now: float = self._roster.master.reactor.seconds()
        return now


def _limited(worker: EnrolledWorker, builder: str) -> str | None:
    """Why the partial breaks of `worker` that are now let no build of `builder` start; None if they let one."""
    presence = worker.presence
    for each in () if presence is None else presence.limits:
        most = each.limit.builds
        if not each.limit.admits(builder) or (
            most is not None and presence is not None and presence.running >= most
        ):
            return f"in a partial break: {each.limit.text}"
    return None
