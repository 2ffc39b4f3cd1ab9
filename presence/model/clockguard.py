"""A guard against clocks that jump.

`callLater` of a Twisted reactor goes by the wall clock, but the reactor sleeps by a clock that does not jump
and that stands still while the machine is suspended. So a reactor that sleeps until 19:00 oversleeps by as
much as the wall clock was set forward, or the machine was suspended; and when the wall clock is set back,
what was true an hour ago is true again and no timer knows it.

One guard, for all workers of a process together, compares the two clocks twice a second, and before and after a timer
that it arms for somebody acts: nobody has acted on a time that it has not seen, so that a clock that is set there and
back is noticed, however fast that goes. Only when they disagree is the reactor woken, and somebody told.
"""

from __future__ import annotations

import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IDelayedCall

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

    # when it looked last
    _before: float

    def __init__(
        self, reactor: Any, interval: float, look: Callable[[float], bool], jumped: Callable[[], object]
    ) -> None:
        self._reactor = reactor
        self._interval = interval
        self._look = look
        self._jumped = jumped
        self._ended = Event()
        # one look at a time, in this thread or that
        self._lock = Lock()

    def start(self) -> None:
        """Begin to look, `interval` seconds from now."""
        self._before = time.monotonic()
        # a daemon: the guard never keeps a process alive
        Thread(target=self._run, name="presence clock guard", daemon=True).start()

    def stop(self) -> None:
        """Never look again. Called in the reactor's thread."""
        self._ended.set()

    def hasJumped(self) -> bool:
        """Look now. Whoever asks in the reactor's thread, between two ticks, has to `tell()` what comes of it."""
        with self._lock:
            now = time.monotonic()
            passed, self._before = now - self._before, now
            return self._look(passed)

    def tell(self) -> None:
        """Call `jumped()`, unless it has been stopped. Called in the reactor's thread."""
        if not self._ended.is_set():
            self._jumped()

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            if self.hasJumped():
                self._reactor.callFromThread(self.tell)


@implementer(IReactorTime)
class ClockGuard:
    """The clock of `reactor`, and whoever is to hear of it when that has jumped.

    `start(jumped)` and `stop()` it once; before and after that it is a clock like any other.
    """

    # what the clock has shown last
    _seen: float
    # by how many seconds it has been set, and of how many somebody was told
    _set = _told = 0.0

    def __init__(self, reactor: Any, tickerFactory: Callable[..., Any] = ThreadTicker) -> None:
        self._clock = reactor
        self._ticker_factory = tickerFactory
        self._ticker: Any = None
        # one object for all timers: a farm has many
        self._due = self._call_and_look

    def start(self, jumped: Callable[[float], object]) -> None:
        """Begin to look at the clock, and call `jumped(seconds)` in the reactor's thread whenever it has jumped: by so many.

        (To have slept looks like a clock that was set forward, unless the system counts that on both clocks.)
        """
        self._jumped = jumped
        self._seen = self._clock.seconds()
        self._ticker = self._ticker_factory(self._clock, INTERVAL, self._look, self._tell)
        self._ticker.start()

    def stop(self) -> None:
        """Stop looking."""
        self._ticker.stop()
        self._ticker = None

    def look(self) -> None:
        """Look now, for what is said by the clock as it is now.

        What the ticker's thread has seen and has yet to tell is told now: it is about what was said before.
        """
        if self._hasJumped() or self._set != self._told:
            self._ticker.tell()

    def seconds(self) -> float:
        """The wall clock, in seconds since the epoch."""
        now: float = self._clock.seconds()
        return now

    def callLater(
        self,
        delay: float,
        callable: Callable[..., Any],  # noqa: A002 (as IReactorTime has it)
        *args: object,
        **kwargs: object,
    ) -> IDelayedCall:
        """As the reactor's; when `callable` has been called it is known, and told, whether it was by another clock."""
        call: IDelayedCall = self._clock.callLater(delay, self._due, callable, *args, **kwargs)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """Those of the reactor."""
        calls: Sequence[IDelayedCall] = self._clock.getDelayedCalls()
        return calls

    def _call_and_look(self, function: Callable[..., Any], *args: object, **kwargs: object) -> None:
        # before it acts and afterwards: the clock may be set back in between
        jumped = self._hasJumped()
        try:
            function(*args, **kwargs)
        finally:
            jumped = self._hasJumped() or jumped
            # (told now: who hears of a jump asks everything again, this timer's owner too, and it would be in its way)
            if jumped and self._ticker is not None:
                self._ticker.tell()

    def _hasJumped(self) -> bool:
        return self._ticker is not None and bool(self._ticker.hasJumped())

    def _look(self, passed: float) -> bool:
        # perhaps in the ticker's thread: `seconds()` of a real reactor is `time.time()`
        now = self._clock.seconds()
        shown, self._seen = now - self._seen, now
        if abs(shown - passed) > TOLERANCE:
            self._set += shown - passed
            return True
        return passed > OVERSLEPT

    def _tell(self) -> None:
        told, self._told = self._told, self._set
        self._jumped(self._told - told)
