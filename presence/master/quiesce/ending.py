"""Waiting until builds have ended: which of them are waited for, and what interrupts them when the deadline has come.

It is the same for a reconfiguration and for a shutdown that wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.master.builds.requeue import GRACE, Requeue
from presence.master.builds.running import allBuilds, isLost, workerOf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.internet.interfaces import IReactorTime

    from presence.master.quiesce.plan import Plan

#: How long a build is waited for that has ended, or lost its worker, in seconds: Buildbot never removes some of them.
LOST = 60.0


def affectedBuilds(master: Any, plan: Plan) -> list[Any]:
    """The builds (Buildbot's) that `plan` covers and that are not over, in no order."""
    return [each for each in allBuilds(master) if plan.covers(each.builder.name, workerOf(each))]


class Ending:
    """The end of builds, for which somebody waits. `clock` tells the time."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._requeue = Requeue(clock)
        # builds of which nothing comes any more, and since when that is known
        self._lost: dict[Any, float] = {}
        self._interrupted: set[Any] = set()
        #: since when builds have been interrupted (seconds since the epoch), or None
        self.interruptedAt: float | None = None

    def waitedFor(self, builds: Iterable[Any]) -> list[Any]:
        """Those of `builds` that are waited for: all but those of which nothing comes any more. Ask with all of them."""
        builds, now = list(builds), self._clock.seconds()
        self._lost = {each: self._lost.get(each, now) for each in builds if isLost(each)}
        return [each for each in builds if now - self._lost.get(each, now) < LOST]

    def interrupt(self, builds: Iterable[Any], reason: str) -> None:
        """Interrupt those of `builds` that have not been, so that they are built again: see `Requeue.send()`.

        To be called again and again: what had been chosen already, or another build waits for, begins later.
        """
        if self.interruptedAt is None:
            self.interruptedAt = self._clock.seconds()
        fresh = [each for each in builds if each not in self._interrupted]
        self._interrupted.update(fresh)
        self._requeue.send(fresh, reason)

    @property
    def isOverdue(self) -> bool:
        """Whether the interrupted ones have had their time: the connections of their workers have been cut, and nothing comes
        of those that are left.
        """
        return self.interruptedAt is not None and self._clock.seconds() - self.interruptedAt >= 2 * GRACE

    def clockJumped(self) -> None:
        """The clock has been set, so how long has been waited is not known: wait anew."""
        now = self._clock.seconds()
        self._lost = dict.fromkeys(self._lost, now)
        if self.interruptedAt is not None:
            self.interruptedAt = now
        self._requeue.clockJumped()

    def stop(self) -> None:
        """Interrupt nothing any more. No timer is left."""
        self._requeue.stop()
