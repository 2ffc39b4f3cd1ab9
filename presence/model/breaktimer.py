"""The hold `break`, placed and released at the times that a schedule says."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from zope.interface import implementer

from presence.model.interfaces import IBreakTimer
from presence.model.states import checkSource

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from presence.breaks.schedule import BreakInterval, BreakSchedule
    from presence.model.workerpresence import WorkerPresence

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

# How long a break may be that has no end in sight before the schedule is asked about it again, in seconds.
_ENDLESS = 30 * 24 * 3600.0


@implementer(IBreakTimer)
class BreakTimer:
    """See `IBreakTimer`. `clock.seconds()` is the wall clock.

    It never toggles. Whenever it wakes, however late, it asks the schedule what is true now and does that,
    so that it is right after a suspended machine, a clock that was set, or a schedule that was replaced.
    """

    __slots__ = ("_clock", "_presence", "_started", "_suspensions", "_wakeup", "schedule")

    def __init__(self, schedule: BreakSchedule, presence: WorkerPresence, clock: IReactorTime) -> None:
        self.schedule = schedule
        self._suspensions: dict[str, float] = {}
        self._presence = presence
        self._clock = clock
        self._wakeup: IDelayedCall | None = None
        self._started = False

    def start(self) -> None:
        self._started = True
        self.reconsider()

    def stop(self) -> None:
        self._started = False
        self._cancel()
        self._presence.release("break")

    def replace(self, schedule: BreakSchedule) -> None:
        self.schedule = schedule
        self.reconsider()

    @property
    def suspendedUntil(self) -> float | None:
        return max(self._suspensions.values(), default=None)

    def suspensionBy(self, source: str) -> float | None:
        return self._suspensions.get(source)

    def suspend(self, until: float | None, source: str = "admin") -> None:
        checkSource(source)
        if until is None:
            self._suspensions.pop(source, None)
        elif math.isfinite(until):
            self._suspensions[source] = until
        else:
            raise ValueError(f"{until!r} is not an instant: give seconds since the epoch, a finite number")
        self.reconsider()

    def reconsider(self) -> None:
        if not self._started:
            return
        now = self._clock.seconds()
        for source in [each for each, until in self._suspensions.items() if until <= now]:
            del self._suspensions[source]
        self._cancel()
        suspended = self.suspendedUntil
        if suspended is not None:
            self._wake_at(suspended, now)
            self._presence.release("break")
            return
        instant = _instant(now)
        interval = self.schedule.at(instant)
        if interval is None:
            change = self.schedule.nextChange(instant)
            if change is not None:
                self._wake_at(_seconds(change), now)
            self._presence.release("break")
        else:
            until = None if interval.stop is None else _seconds(interval.stop)
            self._wake_at(now + _ENDLESS if until is None else until, now)
            self._hold(interval, until)

    def _hold(self, interval: BreakInterval, until: float | None) -> None:
        reason = "; ".join(interval.reasons) or None
        since = _seconds(interval.start)
        held = self._presence.heldBy("break")
        if held is None or (held.reason, held.since, held.until) != (reason, since, until):
            self._presence.hold("break", reason=reason, until=until, since=since)

    def _wake_at(self, when: float, now: float) -> None:
        # never negative: a change that rounding puts just before now is due now
        self._wakeup = self._clock.callLater(max(0.0, when - now), self._wake)

    def _wake(self) -> None:
        self._wakeup = None
        self.reconsider()

    def _cancel(self) -> None:
        if self._wakeup is not None:
            self._wakeup.cancel()
            self._wakeup = None


def _instant(seconds: float) -> datetime:
    """The instant, cut off to the microsecond: rounding up could be early."""
    return _EPOCH + timedelta(microseconds=math.floor(seconds * 1_000_000))


def _seconds(instant: datetime) -> float:
    return (instant - _EPOCH).total_seconds()
