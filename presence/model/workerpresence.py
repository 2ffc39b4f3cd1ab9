"""The presence of one worker: what holds it, who waits for it, how many builds it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from zope.interface import implementer

from presence.model import states
from presence.model.interfaces import IWorkerPresence
from presence.model.states import Hold, PresenceState
from presence.model.waiters import Waiters

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

_log = Logger()

Observer = Callable[["WorkerPresence"], object]


class _Observation:
    """One observer among `others`, and what ends that. It equals nothing but itself, so that one callable may observe
    twice and stop once.
    """

    __slots__ = ("_others", "observer")

    def __init__(self, observer: Observer, others: dict[_Observation, None]) -> None:
        self.observer = observer
        self._others = others

    def __call__(self) -> None:
        self._others.pop(self, None)


@implementer(IWorkerPresence)
class WorkerPresence:
    """See `IWorkerPresence`. `clock` tells the time of day (`seconds()`) and ends the holds that have an end.

    There is no hold at first, so the worker is AVAILABLE.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_holds",
        "_idle",
        "_observers",
        "_ready",
        "_running",
        "_stopped",
        "_timers",
        "name",
    )

    def __init__(self, name: str, clock: IReactorTime) -> None:
        self.name = name
        self._clock = clock
        self._holds: dict[str, Hold] = {}
        self._timers: dict[str, IDelayedCall] = {}
        self._observers: dict[_Observation, None] = {}
        self._running = 0
        self._stopped = False
        # most workers of a farm are waited for by nobody: no waiters before the first one asks
        self._ready: Waiters | None = None
        self._idle: Waiters | None = None

    def __repr__(self) -> str:
        held = ", ".join(hold.source for hold in self.holds)
        return f"<WorkerPresence {self.name!r} {self.state.name}{f' ({held})' if held else ''}>"

    @property
    def ready(self) -> bool:
        return not self._holds

    @property
    def state(self) -> PresenceState:
        return states.stateOf(self._holds.values())

    @property
    def holds(self) -> tuple[Hold, ...]:
        return states.inSourceOrder(self._holds.values())

    @property
    def backAt(self) -> float | None:
        return states.backAt(self._holds.values())

    @property
    def running(self) -> int:
        return self._running

    @property
    def busy(self) -> bool:
        return self._running > 0

    def heldBy(self, source: str) -> Hold | None:
        states.checkSource(source)
        return self._holds.get(source)

    def hold(
        self,
        source: str,
        reason: str | None = None,
        by: str | None = None,
        until: float | None = None,
        since: float | None = None,
    ) -> None:
        now = self._clock.seconds()
        hold = Hold(source, reason, by, now if since is None else since, until)
        if until is not None and until <= now:
            self.release(source)
        elif not self._stopped:
            self._end_timer(source)
            self._holds[source] = hold
            if until is not None:
                self._timers[source] = self._clock.callLater(until - now, self._until_reached, source)
            self._changed()

    def release(self, source: str) -> None:
        if source not in self._holds:
            states.checkSource(source)
        elif not self._stopped:
            del self._holds[source]
            if not self._holds:
                # a dict that has become empty keeps its size
                self._holds.clear()
            if source in self._timers:
                self._end_timer(source)
            self._changed()

    def waitUntilReady(self) -> Deferred[WorkerPresence]:
        if self._ready is None:
            self._ready = self._waiters(self._ready_answer)
        return self._ready.wait()

    def waitUntilIdle(self) -> Deferred[WorkerPresence]:
        if self._idle is None:
            self._idle = self._waiters(self._idle_answer)
        return self._idle.wait()

    def buildStarted(self) -> None:
        self._running += 1

    def buildFinished(self) -> None:
        if self._running == 0:
            raise ValueError(f"no build runs on {self.name}: buildFinished() without a buildStarted()")
        self._running -= 1
        if self._idle is not None:
            self._idle.fire()

    def observe(self, observer: Observer) -> Callable[[], None]:
        observation = _Observation(observer, self._observers)
        self._observers[observation] = None
        return observation

    def stop(self) -> None:
        self._stopped = True
        for source in tuple(self._timers):
            self._end_timer(source)
        self._observers.clear()
        for waiters in (self._ready, self._idle):
            if waiters is not None:
                waiters.stop()

    def _changed(self) -> None:
        if self._observers:
            self._tell_observers()
        if self._ready is not None:
            self._ready.fire()

    def _tell_observers(self) -> None:
        for observation in tuple(self._observers):
            if observation not in self._observers:
                continue  # one that was called before it has stopped it
            try:
                observation.observer(self)
            except Exception:  # noqa: BLE001
                # one observer's mistake is not the others', and none of the worker's
                _log.failure(
                    "while telling {observer} of {presence}", observer=observation.observer, presence=self
                )

    def _until_reached(self, source: str) -> None:
        hold = self._holds[source]
        remaining = (hold.until or 0.0) - self._clock.seconds()
        if remaining > 0:
            # rounding, or a clock that was set back while the reactor collected what is due: never early
            self._timers[source] = self._clock.callLater(remaining, self._until_reached, source)
        else:
            del self._timers[source]
            self.release(source)

    def _end_timer(self, source: str) -> None:
        timer = self._timers.pop(source, None)
        if timer is not None:
            timer.cancel()

    def _waiters(self, answer: Callable[[], Any]) -> Waiters:
        waiters = Waiters(answer, self.name)
        if self._stopped:
            waiters.stop()
        return waiters

    def _ready_answer(self) -> WorkerPresence | None:
        return None if self._holds else self

    def _idle_answer(self) -> WorkerPresence | None:
        return None if self._running else self
