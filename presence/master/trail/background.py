"""A thread for what may hang: a file on a network, a disk that is broken."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable


class Background:
    """Calls functions one after the other in a thread of its own, which is there from the first one on.

    It is a daemon: a master that stops does not wait for it, as it would for the threads of Twisted's pool.
    """

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._name = name
        self._jobs: SimpleQueue[tuple[Callable[[], Any], Deferred[Any]] | None] = SimpleQueue()
        self._thread: Thread | None = None
        #: how many functions are not done
        self.waiting = 0

    def run(self, function: Callable[[], Any]) -> Deferred[Any]:
        """A Deferred that fires with what it returns, or fails with what it raises; never while it hangs."""
        done: Deferred[Any] = Deferred(lambda _: None)
        if self._thread is None:
            self._thread = Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._jobs.put((function, done))
        self.waiting += 1
        return done

    def stop(self) -> None:
        """End the thread when it has done what it has to do."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, done = job
            try:
                result = function()
            except Exception:  # noqa: BLE001 (whoever has asked is told)
                result = Failure()  # type: ignore[no-untyped-call]
            self._reactor.callFromThread(self._fire, done, result)

    def _fire(self, done: Deferred[Any], result: Any) -> None:
        self.waiting -= 1
        if not done.called:
            done.callback(result)
