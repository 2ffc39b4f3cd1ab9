"""The stream of the status: at once, and after every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from presence.model.gathering import Gathering

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

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

    def clockJumped(self) -> None:
        """The clock has been set: no stream waits for an instant that may be hours away."""
        for stream in self._streams:
            stream.clockJumped()

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
        self._gathering = Gathering(clock, self._tell, immediately=True)
        self._keep_alive: IDelayedCall | None = None
        self._stale = False
        self._paused = False
        self._ended = False

    def begin(self) -> None:
        self._request.registerProducer(self, True)
        self.changed()

    def changed(self) -> None:
        self._stale = True
        if not self._ended and not self._paused:
            self._gathering.ask()

    def clockJumped(self) -> None:
        self._gathering.clockJumped()
        if self._keep_alive is not None:
            self._keep_alive.reset(KEEP_ALIVE)

    def finish(self) -> None:
        if not self._ended:
            self.end()
            self._request.unregisterProducer()
            self._request.finish()

    def end(self) -> None:
        self._ended = True
        self._gathering.stop()
        if self._keep_alive is not None:
            self._keep_alive.cancel()
            self._keep_alive = None

    # --- the transport says whether there is room

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        if self._stale and not self._ended:
            self._gathering.ask()

    def stopProducing(self) -> None:
        self.end()

    # --- what is told

    def _tell(self) -> None:
        if not self._paused:
            self._stale = False
            self._write(b"data: " + self._status() + b"\n\n")

    def _still_here(self) -> None:
        self._keep_alive = None
        self._write(b"" if self._paused else b": still here\n\n")

    def _write(self, content: bytes) -> None:
        if content:
            self._request.write(content)
        if self._ended:
            return
        if self._keep_alive is None:
            self._keep_alive = self._clock.callLater(KEEP_ALIVE, self._still_here)
        else:
            self._keep_alive.reset(KEEP_ALIVE)
