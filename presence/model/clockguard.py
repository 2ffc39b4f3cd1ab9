"""A guard against clocks that jump.

`callLater` of a Twisted reactor goes by the wall clock, but the reactor sleeps by a clock that does not jump
and that stands still while the machine is suspended. So a reactor that sleeps until 19:00 oversleeps by as
much as the wall clock was set forward, or the machine was suspended; and when the wall clock is set back,
what was true an hour ago is true again and no timer knows it.

One guard, for all workers of a process together, compares the two clocks twice a second, so that a clock that is set
there and back within seconds is noticed as well. Only when they disagree is the reactor woken, and somebody told.
"""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: How often the guard looks at the clocks, in seconds.
INTERVAL = 0.5

#: By how many seconds the wall clock may go wrong between two looks before it counts as a jump: time servers adjust it
#: by little steps.
TOLERANCE = 1.0

#: A look that comes so late, in seconds, comes after a sleep of the machine. Some systems count that on both clocks.
OVERSLEPT = 10.0


class ThreadTicker:
    """Asks `look(passed)` every `interval` seconds, and when that is true has `jumped()` called in the reactor's thread.

    `passed` are the seconds since the last time, of a clock that does not jump. A thread, because the reactor's own
    timers go by the very clock that is guarded.
    """

    def __init__(
        self, reactor: Any, interval: float, look: Callable[[float], bool], jumped: Callable[[], object]
    ) -> None:
        self._reactor = reactor
        self._interval = interval
        self._look = look
        self._jumped = jumped
        self._ended = Event()

    def start(self) -> None:
        """Begin to look, `interval` seconds from now."""
        # a daemon: the guard never keeps a process alive
        Thread(target=self._run, name="presence clock guard", daemon=True).start()

    def stop(self) -> None:
        """Never look again. Called in the reactor's thread."""
        self._ended.set()

    def _run(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(self._interval):
            now = time.monotonic()
            passed, before = now - before, now
            if self._look(passed):
                self._reactor.callFromThread(self._tell_unless_ended)

    def _tell_unless_ended(self) -> None:
        if not self._ended.is_set():
            self._jumped()


class ClockGuard:
    """Calls `jumped()` when the clock of `reactor` has jumped. `start()` and `stop()` it once."""

    def __init__(
        self, reactor: Any, jumped: Callable[[], object], tickerFactory: Callable[..., Any] = ThreadTicker
    ) -> None:
        self._clock = reactor
        self._ticker = tickerFactory(reactor, INTERVAL, self._look, jumped)
        self._seen = 0.0

    def start(self) -> None:
        """Begin to look at the clock."""
        self._seen = self._clock.seconds()
        self._ticker.start()

    def stop(self) -> None:
        """Stop looking."""
        self._ticker.stop()

    def _look(self, passed: float) -> bool:
        # in the ticker's thread: `seconds()` of a real reactor is `time.time()`
        now = self._clock.seconds()
        shown, self._seen = now - self._seen, now
        return abs(shown - passed) > TOLERANCE or passed > OVERSLEPT
