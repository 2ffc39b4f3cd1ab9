"""The door of breaks that spare builds: what may start in a partial break, and what is finished before the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master.builds.running import buildsOn, waitingFor
from presence.master.compat import isWaitedFor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.enrolled import EnrolledWorker
    from presence.master.roster import Roster

#: How long what was worked out of the builds of the past is remembered, and how long after a refusal the requests of the
#: worker's builders are looked at again, in seconds: by then breaks may be suspended, or builds known to be shorter.
REMEMBERED = 60.0


@dataclass(frozen=True)
class Refusal:
    """Why builds of a builder do not start on a worker because of its breaks, though no hold says so.

    `reason` is for people. `until` is the first instant at which such a build may start, as far as one knows now; None where
    that is not known (a build has to end first, or no time is long enough). `finishBy` is when it would have to be finished,
    None where that is not the reason. Instants are seconds since the epoch.
    """

    reason: str
    until: float | None
    finishBy: float | None = None


@dataclass(frozen=True)
class _TooLong:
    """A build was refused at an instant, as it might take so many seconds."""

    at: float
    likely: float


class BreakDoor:
    """A door (see `presence.master.starting.chooser`) to the workers whose breaks are partial, or want builds finished.

    `wake` is called with the name of a worker which may be able to start a build, and `announce` with one of which `why()`
    says something else.
    """

    def __init__(
        self, roster: Roster, wake: Callable[[str], object], announce: Callable[[str], object]
    ) -> None:
        self._roster = roster
        self._wake = wake
        self._announce = announce
        self._guarded: set[str] = set()
        self._timers: dict[str, IDelayedCall] = {}
        # (builder, worker) -> until when it is remembered, and what the next build will hardly exceed
        self._likely: dict[tuple[str, str], tuple[float, float | None]] = {}
        # worker -> builder -> what was refused last
        self._refused: dict[str, dict[str, _TooLong]] = {}

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
        if self._refused.pop(name, None):
            self._announce(name)
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def clockJumped(self) -> None:
        """The clock has been set: the next look at what was refused may be hours away."""
        for timer in self._timers.values():
            timer.reset(REMEMBERED)

    def stop(self) -> None:
        """Leave no timer behind."""
        for name in tuple(self._guarded):
            self.forget(name)

    # --- why

    def isGuarded(self, worker: str) -> bool:
        """Whether `worker` has such breaks."""
        return worker in self._guarded

    def refusals(self, worker: str) -> dict[str, Refusal]:
        """Of `worker`, by builder, the builds that wait and were refused since they would not be finished before a break."""
        found = ((builder, self.why(worker, builder)) for builder in sorted(self._refused.get(worker, {})))
        return {builder: why for builder, why in found if why is not None and why.finishBy is not None}

    def why(self, worker: str, builder: str) -> Refusal | None:
        """Why builds of `builder` do not start now on `worker`, both given by name, because of its breaks; None if they do, as
        far as one knows without a question to the database: a build that would not be finished before a break is known here
        when one was refused. What holds the worker is not asked.
        """
        enrolled = self._roster.enrolled(worker) if worker in self._guarded else None
        if enrolled is None:
            return None
        limited = self._limited(enrolled, builder)
        known = self._refused.get(worker, {}).get(builder)
        if limited is not None or known is None:
            return limited
        return self._too_long(enrolled, builder, known.likely)

    @inlineCallbacks
    def whyNot(self, worker: str, builder: str) -> Generator[Deferred[Any], Any, Refusal | None]:
        """The same, in a Deferred, for a builder of which nothing was refused yet: the builds of the past are asked."""
        enrolled = self._roster.enrolled(worker) if worker in self._guarded else None
        if enrolled is None or builder not in self._roster.master.botmaster.builders:
            return None
        limited = self._limited(enrolled, builder)
        if limited is not None or self._finish_by(enrolled, builder) is None:
            return limited
        likely = yield self._likely_duration(builder, enrolled)
        return None if likely is None else self._too_long(enrolled, builder, likely)

    def _too_long(self, worker: EnrolledWorker, builder: str, likely: float) -> Refusal | None:
        by, now = self._finish_by(worker, builder), self._now()
        # (when the break has begun it is the hold, or the limit, that tells)
        if by is None or by <= now or now + likely <= by:
            return None
        # here and below: a farm whose breaks spare no builds has not got it in memory
        from presence.breaks.forecast import fitsFrom  # noqa: PLC0415
        from presence.words.breaks import tooLongText  # noqa: PLC0415

        timer = worker.breakTimer
        suspended = None if timer is None else timer.suspendedUntil
        until = fitsFrom(worker.schedule, builder, by, likely, suspended)
        return Refusal(tooLongText(likely, fits=until is not None), until, by)

    def _limited(self, worker: EnrolledWorker, builder: str) -> Refusal | None:
        """What the partial breaks of `worker` that are now refuse."""
        presence, timer = worker.presence, worker.breakTimer
        if presence is None or timer is None or not presence.limits:
            return None
        from presence.breaks.forecast import freeFor  # noqa: PLC0415
        from presence.words.breaks import limitText  # noqa: PLC0415

        for each in presence.limits:
            if not each.limit.admits(builder):
                until = freeFor(worker.schedule, builder, self._now(), timer.suspendedUntil)
                return Refusal(limitText(each.limit.text), until)
        for each in presence.limits:
            most = each.limit.builds
            if most is not None and presence.running >= most:
                return Refusal(limitText(each.limit.text, presence.running), None)
        return None

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
        if self._limited(enrolled, builder) is not None:
            return False
        by = self._finish_by(enrolled, builder)
        return True if by is None else self._is_finished_by(builder, enrolled, request)

    def _finish_by(self, worker: EnrolledWorker, builder: str) -> float | None:
        """When a build that starts now has to be finished, in seconds since the epoch; None if it may take any time."""
        if not worker.schedule.finishes or worker.breakTimer is None:
            return None
        from presence.breaks.forecast import finishBy  # noqa: PLC0415

        return finishBy(worker.schedule, builder, self._now(), worker.breakTimer.suspendedUntil)

    @inlineCallbacks
    def _is_finished_by(
        self, builder: str, worker: EnrolledWorker, request: Any
    ) -> Generator[Deferred[Any], Any, bool]:
        likely = yield self._likely_duration(builder, worker)
        name = worker.workername
        by = self._finish_by(worker, builder)
        if by is None or likely is None or self._now() + likely <= by:
            self._remember(name, builder, None)
            return True
        if isWaitedFor(request) and (yield self._is_awaited_there(worker, request)):
            # what waits for it runs there, and into the break until it is built
            return True
        if name in self._guarded:
            self._remember(name, builder, _TooLong(self._now(), likely))
            self._look_again(name)
        return False

    def _remember(self, worker: str, builder: str, refused: _TooLong | None) -> None:
        known = self._refused.get(worker, {})
        before = known.pop(builder, None)
        if refused is not None:
            self._refused.setdefault(worker, {})[builder] = refused
        if (before and before.likely) != (refused and refused.likely):
            self._announce(worker)

    @inlineCallbacks
    def _likely_duration(
        self, builder: str, worker: EnrolledWorker
    ) -> Generator[Deferred[Any], Any, float | None]:
        key = builder, worker.workername
        until, likely = self._likely.get(key, (0.0, None))
        if not until - REMEMBERED <= self._now() < until:
            from presence.master.builds.estimates import likelyLongest, pastDurations  # noqa: PLC0415

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
            self._timers[name] = self._roster.clock.callLater(REMEMBERED, self._look, name)

    def _look(self, name: str) -> None:
        """Ask again about what was refused; what was not asked about since the last time waits no longer."""
        del self._timers[name]
        old = self._now() - 1.5 * REMEMBERED
        for builder, each in tuple(self._refused.get(name, {}).items()):
            if not old <= each.at <= self._now():
                self._remember(name, builder, None)
        if self._refused.get(name):
            self._look_again(name)
        self._wake(name)

    def _now(self) -> float:
        now: float = self._roster.clock.seconds()
        return now
