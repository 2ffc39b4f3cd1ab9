"""The graceful stop: away, wait for what runs, end the process; at the deadline in any case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from presence.errors import PresenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

_log = Logger()

#: How long the process goes on after the end was decided, in seconds: who asked for it is still to be answered.
GRACE = 0.2


class StopRefusedError(PresenceError, ValueError):
    """There is no graceful stop of this worker, as things are. The text says why, and what to do instead."""


class GracefulStop:
    """A stop that was asked for, until it is done or cancelled. `end()` ends the process.

    It is not kept on disk: a process that begins anew has done what was asked for.
    """

    def __init__(self, clock: IReactorTime, end: Callable[[], object]) -> None:
        self._clock = clock
        self._end = end
        self._ending: IDelayedCall | None = None
        self._timer: IDelayedCall | None = None
        self.since: float | None = None
        self.deadline: float | None = None

    @property
    def asked(self) -> bool:
        """Whether a stop is wanted."""
        return self.since is not None

    def begin(self, deadline: float | None) -> None:
        """Stop when nothing runs, and at `deadline` (seconds since the epoch) in any case."""
        since = self.since
        self.cancel()
        self.since = self._clock.seconds() if since is None else since
        self.deadline = deadline
        self.reconsider()

    def cancel(self) -> None:
        """Do not stop."""
        self.since = self.deadline = None
        for timer in (self._timer, self._ending):
            if timer is not None:
                timer.cancel()
        self._timer = self._ending = None

    def reconsider(self) -> None:
        """Ask the clock again: it may have jumped."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.seconds()
        if self._ending is not None and self._ending.getTime() > now + GRACE:
            self._ending.reset(GRACE)
        if self.deadline is None or self._ending is not None:
            return
        remaining = self.deadline - now
        if remaining > 0:
            self._timer = self._clock.callLater(remaining, self._due)
        else:
            self.endSoon("the deadline has come; what still runs is interrupted")

    def endSoon(self, why: str) -> None:
        """There is nothing to wait for any more."""
        if self.asked and self._ending is None:
            _log.info("presence: the worker stops: {why}", why=why)
            self._ending = self._clock.callLater(GRACE, self._now)

    def _due(self) -> None:
        self._timer = None
        self.reconsider()

    def _now(self) -> None:
        self._ending = None
        self._end()
