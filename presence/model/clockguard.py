"""A guard against clocks that jump.

`callLater` of a Twisted reactor goes by the wall clock, but the reactor sleeps by a clock that does not jump
and that stands still while the machine is suspended. So a reactor that sleeps until 19:00 oversleeps by as
much as the wall clock was set forward, or the machine was suspended; and when the wall clock is set back,
what was true an hour ago is true again and no timer knows it.

One guard, for all workers of a process together, wakes the reactor once a minute. That alone makes everything
happen that is due. Only when more or less time has passed than a minute does it tell somebody.
"""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: How often the guard looks at the clock, in seconds.
INTERVAL = 60.0

#: By how many seconds a minute of the wall clock may be off before it counts as a jump. A busy reactor
#: answers late, and time servers adjust clocks by little steps.
TOLERANCE = 1.0


class ThreadTicker:
    """Calls `tick` in the reactor's thread, every `interval` seconds of a clock that does not jump.

    A thread, because the reactor's own timers go by the very clock that is guarded.
    """

    def __init__(self, reactor: Any, interval: float, tick: Callable[[], object]) -> None:
        self._reactor = reactor
        self._interval = interval
        self._tick = tick
        self._ended = Event()

    def start(self) -> None:
        """Begin to tick, `interval` seconds from now."""
        # a daemon: the guard never keeps a process alive
        Thread(target=self._run, name="presence clock guard", daemon=True).start()

    def stop(self) -> None:
        """Never tick again. Called in the reactor's thread."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            self._reactor.callFromThread(self._tick_unless_ended)

    def _tick_unless_ended(self) -> None:
        if not self._ended.is_set():
            self._tick()


class ClockGuard:
    """Calls `jumped()` when the clock of `reactor` has jumped. `start()` and `stop()` it once."""

    def __init__(
        self, reactor: Any, jumped: Callable[[], object], tickerFactory: Callable[..., Any] = ThreadTicker
    ) -> None:
        self._clock = reactor
        self._jumped = jumped
        self._ticker = tickerFactory(reactor, INTERVAL, self._look)
        self._seen = 0.0

    def start(self) -> None:
        """Begin to look at the clock."""
        self._seen = self._clock.seconds()
        self._ticker.start()

    def stop(self) -> None:
        """Stop looking."""
        self._ticker.stop()

    def _look(self) -> None:
        now = self._clock.seconds()
        passed, self._seen = now - self._seen, now
        if abs(passed - INTERVAL) > TOLERANCE:
            self._jumped()
