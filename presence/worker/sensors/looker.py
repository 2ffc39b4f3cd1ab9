"""Looking in a thread: a sensor that hangs keeps a thread, and nobody else."""

from __future__ import annotations

from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from presence.worker.looking.cannottell import CannotTellError

if TYPE_CHECKING:
    from collections.abc import Callable


class Looker:
    """Runs one `look()` at a time, in a thread of its own. The thread is a daemon: none keeps the process alive. It is kept
    from look to look, as to make one costs more than most looks.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._thread: Thread | None = None
        self._busy = False
        self._looks: SimpleQueue[tuple[Callable[[], object], Deferred[Any]] | None] = SimpleQueue()

    def look(self, look: Callable[[], object]) -> Deferred[Any]:
        """A Deferred that fires with what `look()` returns, or fails with what it raises. Cancelling it is not to wait any
        longer. It fails with `CannotTellError` while an earlier look, for which nobody waits any more, has not come back.
        """
        looked: Deferred[Any] = Deferred()
        if self._busy:
            looked.errback(CannotTellError("an earlier look has not come back yet"))
            return looked
        if self._thread is None:
            thread = Thread(target=self._run, name="presence-sensor", daemon=True)
            try:
                thread.start()
            except RuntimeError as problem:
                looked.errback(CannotTellError(f"the process gets no thread to look in ({problem})"))
                return looked
            self._thread = thread
        self._busy = True
        self._looks.put((look, looked))
        return looked

    def stop(self) -> None:
        """Look no more: the thread ends, when it has come back."""
        self._looks.put(None)

    def _run(self) -> None:
        while (job := self._looks.get()) is not None:
            look, looked = job
            result: object
            try:
                result = look()
            except BaseException:  # noqa: BLE001
                # also a SystemExit is somebody's mistake here, and nobody else's
                result = Failure()  # type: ignore[no-untyped-call]
            self._busy = False
            self._reactor.callFromThread(partial(_finish, looked, result))


def _finish(looked: Deferred[Any], result: object) -> None:
    if not looked.called:
        looked.callback(result)
