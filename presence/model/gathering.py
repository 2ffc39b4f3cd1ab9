"""Acting at once, and then at most ten times a second: what is asked for in between is gathered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: The least time between two acts, in seconds.
PAUSE = 0.1


class Gathering:
    """Calls `act()` when it is asked to, at once; asked within a tenth of a second after that, once at the end of it.

    At once is in the next turn of the reactor, so that what happens in one turn is gathered; with `immediately` it
    is before `ask()` returns. `act` may ask for another time.

    The pause goes by a clock that may be set back, which would make it last for hours. So it is over when that is seen:
    when the next one asks, and when `clockJumped()` is called.
    """

    __slots__ = ("_act", "_asked", "_clock", "_immediately", "_timer")

    def __init__(self, clock: IReactorTime, act: Callable[[], object], *, immediately: bool = False) -> None:
        self._clock = clock
        self._act = act
        self._immediately = immediately
        self._asked = False
        # what ends the pause, or the turn of the reactor
        self._timer: IDelayedCall | None = None

    @property
    def pauseEnds(self) -> float | None:
        """When the pause ends, in seconds since the epoch; None when there is none."""
        if self._timer is None or self._timer.getTime() > self._clock.seconds() + PAUSE:
            return None
        return self._timer.getTime()

    def ask(self) -> None:
        """There is something to do."""
        self._asked = True
        if self.pauseEnds is None:
            self._soon()

    def pause(self) -> None:
        """It is done now: begin the pause. What is asked for in it is done at its end."""
        self._cancel()
        self._timer = self._clock.callLater(PAUSE, self._over)

    def done(self) -> None:
        """What was asked for has been done meanwhile."""
        self._asked = False

    def clockJumped(self) -> None:
        """The clock has been set: do not wait for the end of the pause."""
        if self._timer is not None:
            self._timer.reset(0)

    def stop(self) -> None:
        """Forget what was asked for. No timer is left."""
        self._asked = False
        self._cancel()

    def _soon(self) -> None:
        self._cancel()
        if self._immediately:
            self._over()
        else:
            self._timer = self._clock.callLater(0, self._over)

    def _over(self) -> None:
        self._timer = None
        if self._asked:
            self._asked = False
            self.pause()
            self._act()

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
