"""The presence of one worker: what holds it, who waits for it, how many builds it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from twisted.logger import Logger

from presence.model import states
from presence.model.states import Hold, PresenceState, TimedLimit
from presence.model.waiters import Waiters

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

_log = Logger()

Observer = Callable[["WorkerPresence"], object]


class Breaks(Protocol):
    """What places the hold of a break, and knows those that are to come: a `BreakTimer`, or what the owner has announced."""

    def catchUp(self) -> None:
        """Place the hold now, if it is due and its timer, or its message, is late."""

    def freeFrom(self, instant: float, builder: str | None = None) -> float | None:
        """The first time from `instant` on that is in no break, nor in a partial one that refuses `builder`; None when none is
        in sight.
        """


class _Observation:
    """One observer of `presence`, and what ends that. It equals nothing but itself, so that one callable may observe
    twice and stop once.
    """

    __slots__ = ("_presence", "observer")

    def __init__(self, observer: Observer, presence: WorkerPresence) -> None:
        self.observer = observer
        self._presence = presence

    def __call__(self) -> None:
        self._presence.unobserve(self)


class WorkerPresence:
    """Whether one worker accepts new builds, why it does not, and until when.

    `name` is the name of the worker. `clock` tells the time of day (`seconds()`) and ends the holds that have an end.
    There is no hold at first, so the worker is AVAILABLE.

    `breaks` is what places the hold ``break``, if anything does; `ownersBreaks` are those that the owner's side has
    announced, and which it places by the hold ``worker``. They are asked before the last hold of another source goes: one
    that ends at the instant at which a break begins lets nobody through, whichever timer or message comes first.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_ended",
        "_holds",
        "_idle",
        "_limits",
        "_observers",
        "_ready",
        "_running",
        "_stopped",
        "_timers",
        "breaks",
        "name",
        "ownersBreaks",
    )

    def __init__(self, name: str, clock: IReactorTime) -> None:
        self.name = name
        self.breaks: Breaks | None = None
        self.ownersBreaks: Breaks | None = None
        self._clock = clock
        # tuples: a farm has many of these, and of either most have one or two, for which a dict takes four times as much
        self._holds: tuple[Hold, ...] = ()
        self._observers: tuple[_Observation, ...] = ()
        # of holds that have an end, but for the break's; most workers have none
        self._timers: dict[str, IDelayedCall] | None = None
        # the holds that have reached their ends, of sources that have said nothing since; most workers have none
        self._ended: dict[str, Hold] | None = None
        # what may start in the partial breaks that are now; most workers have none
        self._limits: tuple[TimedLimit, ...] = ()
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
        """Whether it is AVAILABLE."""
        return not self._holds

    @property
    def state(self) -> PresenceState:
        """AVAILABLE exactly when there is no hold."""
        return states.stateOf(self._holds)

    @property
    def holds(self) -> tuple[Hold, ...]:
        """The holds, in the order of `states.SOURCES`."""
        return states.inSourceOrder(self._holds)

    @property
    def backAt(self) -> float | None:
        """The first instant at which nothing that is known now holds it, in seconds since the epoch: the holds, and the
        breaks that follow them without a gap. None when that is unknown, and when nothing holds it.
        """
        at = states.backAt(self._holds)
        on_break = self._held("break", None)
        # (overlapping and adjacent breaks are one, so that no other one follows the present one)
        if at is None:
            return None
        if self.ownersBreaks is None and on_break is not None and on_break.until == at:
            return at
        return self._free_from(at)

    @property
    def running(self) -> int:
        """How many builds run."""
        return self._running

    @property
    def busy(self) -> bool:
        """Whether a build runs."""
        return self._running > 0

    @property
    def limits(self) -> tuple[TimedLimit, ...]:
        """What may start in the partial breaks that are now, and until when. They do not make it unready."""
        return self._limits

    def limit(self, limits: Iterable[TimedLimit]) -> None:
        """From now on these limits apply, and no others."""
        limits = tuple(limits)
        if limits != self._limits and not self._stopped:
            self._limits = limits
            self._changed()

    def admits(self, builder: str) -> bool:
        """Whether the limits let builds of `builder` start at all. How many run is not asked."""
        return all(each.limit.admits(builder) for each in self._limits)

    def backFor(self, builder: str) -> float | None:
        """When a build of `builder` may start: `backAt`, the end of the limits that refuse that builder, and of the breaks that
        follow these without a gap, in seconds since the epoch. None when that is unknown, and when it may start now.
        """
        ends = [each.until for each in self._limits if not each.limit.admits(builder)]
        if self._holds:
            ends.append(self.backAt)
        known = [each for each in ends if each is not None]
        if not known or len(known) < len(ends):
            return None
        return self._free_from(max(known), builder)

    def heldBy(self, source: str, name: str | None = None) -> Hold | None:
        """The hold that `source` has placed (under this name), or None. `ValueError` for an unknown source."""
        states.checkSource(source)
        return self._held(source, name)

    def hold(
        self,
        source: str,
        reason: str | None = None,
        by: str | None = None,
        until: float | None = None,
        since: float | None = None,
        *,
        name: str | None = None,
    ) -> None:
        """Stop accepting builds on behalf of `source`, one of `states.SOURCES`.

        Replaces the hold which that source may have placed before, under the same `name` if it is one of `states.NAMED`.
        `reason` and `by` are for people. `until` is in seconds since the epoch: the hold then ends by itself at that
        instant. A hold that has ended already is not placed before the clock is set back. `since` is when it began, by default now.

        Raises `ValueError` for an unknown source or an instant that is not a finite number, and has then changed
        nothing.
        """
        now = self._clock.seconds()
        hold = Hold(source, reason, by, now if since is None else since, until, name)
        key = _key(source, name)
        if until is not None and until <= now:
            self.release(source, name)
            if self._held(source, name) is None:  # who observes may have placed another one
                self._remember_ended(hold)
        elif not self._stopped:
            self._end_timer(key)
            self._forget_ended(key)
            before = self._held(source, name)
            self._holds = (
                (*self._holds, hold)
                if before is None
                else tuple([hold if each is before else each for each in self._holds])
            )
            # a break is ended by its own timer
            if until is not None and (source != "break" or self.breaks is None):
                self._end_later(hold, until - now)
            self._changed()

    def release(self, source: str, name: str | None = None) -> None:
        """End the hold of `source` (under this name). Does nothing when there is none; `ValueError` for an unknown source."""
        if self._ended is not None:
            self._forget_ended(_key(source, name))
        for hold in self._holds:
            if hold.source == source and hold.name == name:
                if not self._stopped:
                    self._let_go(hold)
                return
        states.checkSource(source)

    def waitUntilReady(self) -> Deferred[WorkerPresence]:
        """A Deferred that fires with this presence: at once when it is ready, else on the flip.

        Those who wait are fired in the order in which they asked, and only while the worker is ready. The Deferred
        fails with `PresenceStopped` on `stop()`. Cancelling it withdraws the question.
        """
        ready = self._ready
        if ready is None:
            ready = self._ready = self._waiters(self._ready_answer)
        return ready.wait()

    def waitUntilIdle(self) -> Deferred[WorkerPresence]:
        """A Deferred that fires with this presence when no build runs: at once, or when the last finishes.

        It fails with `PresenceStopped` on `stop()`. Cancelling it withdraws the question.
        """
        if self._idle is None:
            self._idle = self._waiters(self._idle_answer)
        return self._idle.wait()

    def buildStarted(self) -> None:
        """One more build runs."""
        self._running += 1

    def buildFinished(self) -> None:
        """One build less runs. `ValueError` when none did."""
        if self._running == 0:
            raise ValueError(f"no build runs on {self.name}: buildFinished() without a buildStarted()")
        self._running -= 1
        if self._idle is not None:
            self._idle.fire()

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer(presence)` after every change of the holds, of the limits, and of `backAt`. Returns a callable that
        ends it.
        """
        observation = _Observation(observer, self)
        self._observers = (*self._observers, observation)
        return observation

    def unobserve(self, observation: object) -> None:
        """End what `observe()` has begun; what has ended before stays so."""
        self._observers = tuple(each for each in self._observers if each is not observation)

    def changed(self) -> None:
        """`backAt` has changed, and no hold: tell the observers."""
        self._changed()

    def clockJumped(self) -> None:
        """The clock has been set: a hold whose end is to come again comes back, unless its source has said otherwise.

        (What is over by the new time ends by its timer: the reactor has been woken.)
        """
        for hold in tuple((self._ended or {}).values()):
            if hold.until is not None and hold.until > self._clock.seconds():
                self.hold(hold.source, hold.reason, hold.by, hold.until, hold.since, name=hold.name)

    def stop(self) -> None:
        """The worker is gone: end all timers and observations, and fail all waiters with `PresenceStopped`.

        What is held or released afterwards changes nothing.
        """
        self._stopped = True
        for key in tuple(self._timers or ()):
            self._end_timer(key)
        self._observers = ()
        for waiters in (self._ready, self._idle):
            if waiters is not None:
                waiters.stop()

    def _held(self, source: str, name: str | None) -> Hold | None:
        for hold in self._holds:
            if hold.source == source and hold.name == name:
                return hold
        return None

    def _let_go(self, hold: Hold) -> None:
        holds = self._holds
        if len(holds) == 1 and (self.breaks is not None or self.ownersBreaks is not None):
            self._catch_up(hold.source)
            found = self._held(hold.source, hold.name)
            if found is None:
                return  # whoever observed what was caught up with has released it
            hold, holds = found, self._holds
        self._holds = () if len(holds) == 1 else tuple([each for each in holds if each is not hold])
        if self._timers is not None:
            self._end_timer(_key(hold.source, hold.name))
        self._changed()

    def _catch_up(self, source: str) -> None:
        """Place what is due, and late, before the hold of `source`, the last one, goes."""
        if self.breaks is not None and source != "break":
            self.breaks.catchUp()
        if self.ownersBreaks is not None and source != "worker":
            self.ownersBreaks.catchUp()

    def _free_from(self, instant: float, builder: str | None = None) -> float | None:
        """The first time from `instant` on that is in no break (of `builder`), whoever scheduled it; None if none is in sight."""
        before, at = None, instant
        while at != before:
            before = at
            for breaks in (self.breaks, self.ownersBreaks):
                free = at if breaks is None else breaks.freeFrom(at, builder)
                if free is None:
                    return None
                at = free
        return at

    def _remember_ended(self, hold: Hold) -> None:
        self._ended = {**(self._ended or {}), _key(hold.source, hold.name): hold}

    def _forget_ended(self, key: str) -> None:
        if self._ended is not None:
            self._ended.pop(key, None)

    def _changed(self) -> None:
        if self._observers:
            self._tell_observers()
        if self._ready is not None:
            self._ready.fire()

    def _tell_observers(self) -> None:
        for observation in self._observers:
            if observation not in self._observers:
                continue  # one that was called before it has stopped it
            try:
                observation.observer(self)
            except Exception:  # noqa: BLE001
                # one observer's mistake is not the others', and none of the worker's
                _log.failure(
                    "while telling {observer} of {presence}", observer=observation.observer, presence=self
                )

    def _end_later(self, hold: Hold, seconds: float) -> None:
        if self._timers is None:
            self._timers = {}
        self._timers[_key(hold.source, hold.name)] = self._clock.callLater(seconds, self._until_reached, hold)

    def _until_reached(self, hold: Hold) -> None:
        assert self._timers is not None  # noqa: S101 (one of them calls this)
        del self._timers[_key(hold.source, hold.name)]
        remaining = (hold.until or 0.0) - self._clock.seconds()
        if remaining > 0:
            # rounding, or a clock that was set back while the reactor collected what is due: never early
            self._end_later(hold, remaining)
        else:
            self._remember_ended(hold)
            self._let_go(hold)

    def _end_timer(self, key: str) -> None:
        timer = None if self._timers is None else self._timers.pop(key, None)
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


def _key(source: str, name: str | None) -> str:
    """What the timer of a hold, and one that has ended, are kept under. No source has a blank in it."""
    return source if name is None else f"{source} {name}"
