"""The hold `break`, placed and released at the times that a schedule says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.calendar.instants import checkFinite, datetimeOf, secondsOf
from presence.model.states import TimedLimit, checkSource

if TYPE_CHECKING:
    from datetime import datetime

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from presence.breaks.schedule import BreakInterval, BreakSchedule
    from presence.model.workerpresence import WorkerPresence

# How long a break may be that has no end in sight before the schedule is asked about it again, in seconds.
_ENDLESS = 30 * 24 * 3600.0


class BreakTimer:
    """Places and releases the hold ``break`` of one worker, and the limits of partial breaks, as its `schedule` says.
    `clock.seconds()` is the wall clock.

    It never toggles. Whenever it wakes, however late, it asks the schedule what is true now and does that,
    so that it is right after a suspended machine, a clock that was set, or a schedule that was replaced.
    While it is started it is the `breaks` of the presence.
    """

    __slots__ = ("_clock", "_due", "_presence", "_started", "_suspensions", "_wakeup", "schedule")

    # when it wakes up, while there is a wake-up
    _due: float

    def __init__(self, schedule: BreakSchedule, presence: WorkerPresence, clock: IReactorTime) -> None:
        self.schedule = schedule
        # Those that are over are kept: the clock may be set back. Most workers have none, and no dict for them.
        self._suspensions: dict[str, float] | None = None
        self._presence = presence
        self._clock = clock
        self._wakeup: IDelayedCall | None = None
        self._started = False

    def start(self) -> None:
        """Do what the schedule says of this moment, and go on doing so. Starting twice is starting once."""
        self._started = True
        self._presence.breaks = self
        self.reconsider()

    def stop(self) -> None:
        """Release the hold and leave no timer behind."""
        self._started = False
        self._cancel()
        self._presence.limit(())
        self._presence.release("break")
        if self._presence.breaks is self:
            self._presence.breaks = None

    def replace(self, schedule: BreakSchedule) -> None:
        """Go on with another schedule, from this moment."""
        self.schedule = schedule
        self.reconsider()

    @property
    def suspendedUntil(self) -> float | None:
        """Until when the breaks are suspended by anybody, in seconds since the epoch, or None."""
        return self._suspended_until(self._clock.seconds())

    def suspensionBy(self, source: str) -> float | None:
        """Until when `source` has suspended the breaks, in seconds since the epoch, or None."""
        until = (self._suspensions or {}).get(source)
        return until if until is not None and until > self._clock.seconds() else None

    def suspend(self, until: float | None, source: str = "admin") -> None:
        """Accept builds in spite of the breaks until this instant (seconds since the epoch).

        Each source (one of `states.SOURCES`) has a suspension of its own, and the latest of them counts. None,
        or an instant that is past, ends that of `source`. `ValueError` when it is not a finite number.
        """
        checkSource(source)
        before = self._presence.holds, self._presence.backAt
        if until is not None:
            self._suspensions = {**(self._suspensions or {}), source: checkFinite("until", until)}
        elif self._suspensions is not None:
            self._suspensions.pop(source, None)
        self.reconsider()
        holds, back_at = self._presence.holds, self._presence.backAt
        if holds == before[0] and back_at != before[1]:
            self._presence.changed()

    def reconsider(self) -> None:
        """Ask the schedule again: the clock may have jumped."""
        if not self._started:
            return
        now = self._clock.seconds()
        self._cancel()
        suspended = self._suspended_until(now)
        if suspended is not None:
            self._wake_at(suspended, now)
            self._presence.limit(())
            self._presence.release("break")
            return
        instant = datetimeOf(now)
        interval = self.schedule.at(instant)
        limits = self._limits(instant)
        change = self.schedule.nextPartialChange(instant)
        if interval is None:
            changes = [each for each in (change, self.schedule.nextChange(instant)) if each is not None]
            if changes:
                self._wake_at(secondsOf(min(changes)), now)
            # in this order, and the other one below, nobody who waits for a builder is let through in between
            self._presence.limit(limits)
            self._presence.release("break")
        else:
            until = None if interval.stop is None else secondsOf(interval.stop)
            wakeup = now + _ENDLESS if until is None else until
            self._wake_at(wakeup if change is None else min(wakeup, secondsOf(change)), now)
            self._hold(interval, until)
            self._presence.limit(limits)

    def _limits(self, instant: datetime) -> list[TimedLimit]:
        return [
            TimedLimit(each.limit, None if each.stop is None else secondsOf(each.stop))
            for each in self.schedule.partialAt(instant)
        ]

    def catchUp(self) -> None:
        """Do what is due, if the reactor is late or takes its timers in another order."""
        if self._wakeup is not None and self._due <= self._clock.seconds():
            self.reconsider()

    def freeFrom(self, instant: float, builder: str | None = None) -> float | None:
        """The first time from `instant` on that is in no break, nor in a partial one that refuses `builder`, as far as they are
        not suspended; None if none is in sight. All in seconds since the epoch.
        """
        if self.schedule.isEmpty:
            return instant
        # a worker without breaks, as most are, does not need it
        from presence.breaks.forecast import freeFor, freeFrom  # noqa: PLC0415

        if builder is None:
            return freeFrom(self.schedule, instant, self.suspendedUntil)
        return freeFor(self.schedule, builder, instant, self.suspendedUntil)

    def _suspended_until(self, now: float) -> float | None:
        return max((until for until in (self._suspensions or {}).values() if until > now), default=None)

    def _hold(self, interval: BreakInterval, until: float | None) -> None:
        reason = "; ".join(interval.reasons) or None
        since = secondsOf(interval.start)
        held = self._presence.heldBy("break")
        if held is None or (held.reason, held.since, held.until) != (reason, since, until):
            self._presence.hold("break", reason=reason, until=until, since=since)

    def _wake_at(self, when: float, now: float) -> None:
        self._due = when
        self._wakeup = self._clock.callLater(when - now, self._wake)

    def _wake(self) -> None:
        self._wakeup = None
        self.reconsider()

    def _cancel(self) -> None:
        if self._wakeup is not None:
            self._wakeup.cancel()
            self._wakeup = None
