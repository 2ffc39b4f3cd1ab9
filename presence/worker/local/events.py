"""The stream of the status: at once, and after every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: No two messages of a stream are nearer to each other, in seconds.
PAUSE = 0.1

#: After so many seconds without a message a comment says that the stream is alive.
KEEP_ALIVE = 20.0

#: How many streams there may be at a time.
MAX_STREAMS = 20


class EventStreams:
    """All streams. `status()` is what they tell, as bytes of JSON; `changed()` is to be called when it has changed."""

    def __init__(self, clock: IReactorTime, status: Callable[[], bytes]) -> None:
        self._clock = clock
        self._status = status
        self._streams: list[_Stream] = []

    @property
    def full(self) -> bool:
        """Whether there are as many streams as there may be."""
        return len(self._streams) >= MAX_STREAMS

    def add(self, request: Any) -> None:
        """Answer this request with a stream, until the other side has gone."""
        stream = _Stream(request, self._clock, self._status)
        self._streams.append(stream)

        def gone(_reason: object) -> None:
            stream.end()
            if stream in self._streams:
                self._streams.remove(stream)

        request.notifyFinish().addBoth(gone)
        stream.begin()

    def changed(self) -> None:
        """Tell all streams."""
        for stream in tuple(self._streams):
            stream.changed()

    def close(self) -> None:
        """End all streams."""
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.finish()


@implementer(IPushProducer)
class _Stream:
    """One stream. A reader that is slow gets the newest status when it reads again, and nothing is heaped up."""

    def __init__(self, request: Any, clock: IReactorTime, status: Callable[[], bytes]) -> None:
        self._request = request
        self._clock = clock
        self._status = status
        self._timer: IDelayedCall | None = None
        self._last = 0.0
        self._stale = False
        self._paused = False
        self._ended = False

    def begin(self) -> None:
        self._request.registerProducer(self, True)
        self._tell()

    def changed(self) -> None:
        if self._ended or self._stale:
            return
        self._stale = True
        self._later(max(0.0, self._last + PAUSE - self._clock.seconds()))

    def finish(self) -> None:
        if not self._ended:
            self.end()
            self._request.unregisterProducer()
            self._request.finish()

    def end(self) -> None:
        self._ended = True
        self._cancel()

    # --- the transport says whether there is room

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        if self._stale and not self._ended:
            self._later(0.0)

    def stopProducing(self) -> None:
        self.end()

    # --- what is told

    def _tell(self) -> None:
        self._timer = None
        if not self._paused:
            if self._stale or not self._last:
                self._stale = False
                self._request.write(b"data: " + self._status() + b"\n\n")
            else:
                self._request.write(b": still here\n\n")
            self._last = self._clock.seconds()
        if not self._ended and self._timer is None:
            self._later(KEEP_ALIVE)

    def _later(self, seconds: float) -> None:
        self._cancel()
        # a clock that was set back must not keep a change for hours
        self._timer = self._clock.callLater(min(seconds, KEEP_ALIVE), self._tell)

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
