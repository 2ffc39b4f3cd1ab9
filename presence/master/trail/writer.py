"""Writes lines to a file that may be full, read-only, or hang: nobody waits for it, and it is said once."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from presence.model.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

_log = Logger()

#: How many lines wait to be written, at most; and how many bytes are written at once.
MOST_WAITING, AT_ONCE = 2000, 64 * 1024

#: After so many seconds a file hangs; and so long a master that stops waits for the last lines.
HANGS, LAST = 10.0, 2.0


class Writer:
    """Has lines written by `append(bytes)`, which `run(function)` calls in another thread: its result is a Deferred.

    What cannot be written is tried again. Where too many lines wait the newest are left out, and `lost(number)` makes the line
    that says how many.
    """

    def __init__(
        self,
        clock: IReactorTime,
        append: Callable[[bytes], object],
        run: Callable[[Callable[[], Any]], Deferred[Any]],
        lost: Callable[[int], bytes],
    ) -> None:
        self._clock = clock
        self._append = append
        self._run = run
        self._lost_line = lost
        self._waiting: deque[bytes] = deque()
        self._lost = 0
        # how many lines are being written
        self._writing = 0
        self._complained = False
        self._retries = Retries(clock, lambda _: self._write())
        self._soon: IDelayedCall | None = None
        self._hanging: IDelayedCall | None = None
        self._idle: list[Deferred[None]] = []
        self._stopped = False

    def write(self, line: bytes) -> None:
        """Have this line written."""
        if len(self._waiting) >= MOST_WAITING or self._stopped:
            self._lost += 1
            return
        self._waiting.append(line)
        if self._soon is None and not self._writing and not self._complained:
            self._soon = self._clock.callLater(0, self._write)

    def clockJumped(self) -> None:
        """The clock has jumped: nothing waits for long to be tried again."""
        self._retries.clockJumped()

    def stop(self) -> Deferred[None]:
        """Write nothing any more. A Deferred that fires when what was to be written is, or cannot be: at most two seconds later."""
        self._stopped = True
        self._retries.stop()
        if self._soon is not None:
            self._write()
        if not self._writing:
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._idle.append(done)
        # whatever hangs: the master stops
        timer = self._clock.callLater(LAST, self._fire_idle)

        def ended(result: Any) -> Any:
            if timer.active():
                timer.cancel()
            self._forget_hanging()
            return result

        return done.addBoth(ended)

    def _write(self) -> None:
        if self._soon is not None:
            if self._soon.active():
                self._soon.cancel()
            self._soon = None
        if self._writing:
            return
        if self._lost and len(self._waiting) < MOST_WAITING:
            self._waiting.append(self._lost_line(self._lost))
            self._lost = 0
        lines: list[bytes] = []
        size = 0
        for line in self._waiting:
            size += len(line)
            if lines and size > AT_ONCE:
                break
            lines.append(line)
        if not lines:
            self._fire_idle()
            return
        self._writing = len(lines)
        self._hanging = self._clock.callLater(HANGS, self._complain, "it hangs")
        self._run(partial(self._append, b"".join(lines))).addCallbacks(self._written, self._failed)

    def _written(self, _: object) -> None:
        self._forget_hanging()
        for _each in range(self._writing):
            self._waiting.popleft()
        self._writing = 0
        self._retries.succeeded("write")
        if self._complained:
            self._complained = False
            _log.info("the trail is written again ({lost} entries were lost)", lost=self._lost)
        self._write()

    def _failed(self, failure: Failure) -> None:
        self._forget_hanging()
        self._writing = 0
        self._complain(failure.getErrorMessage())
        self._retries.failed("write")
        if self._stopped:
            self._fire_idle()

    def _complain(self, problem: str) -> None:
        if not self._complained:
            self._complained = True
            _log.error(
                "the trail cannot be written ({problem}): orders and builds go on, and it is tried again; this is said once",
                problem=problem,
            )

    def _forget_hanging(self) -> None:
        timer, self._hanging = self._hanging, None
        if timer is not None and timer.active():
            timer.cancel()

    def _fire_idle(self) -> None:
        idle, self._idle = self._idle, []
        for each in idle:
            each.callback(None)
