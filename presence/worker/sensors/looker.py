"""Looking in a thread: a sensor that hangs keeps a thread, and nobody else."""

from __future__ import annotations

from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from presence.worker.looking.cannottell import CannotTellError

if TYPE_CHECKING:
    from collections.abc import Callable


class Looker:
    """Runs one `look()` at a time, in a thread of its own. The thread is a daemon: none keeps the process alive."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._thread: Thread | None = None

    def look(self, look: Callable[[], object]) -> Deferred[Any]:
        """A Deferred that fires with what `look()` returns, or fails with what it raises. Cancelling it is not to wait any
        longer. It fails with `CannotTellError` while an earlier look, for which nobody waits any more, has not come back.
        """
        looked: Deferred[Any] = Deferred()
        if self._thread is not None and self._thread.is_alive():
            looked.errback(CannotTellError("an earlier look has not come back yet"))
            return looked
        self._thread = Thread(target=self._run, args=(look, looked), name="presence-sensor", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as problem:
            self._thread = None
            looked.errback(CannotTellError(f"the process gets no thread to look in ({problem})"))
        return looked

    def _run(self, look: Callable[[], object], looked: Deferred[Any]) -> None:
        result: object
        try:
            result = look()
        except BaseException:  # noqa: BLE001
            # also a SystemExit is somebody's mistake here, and nobody else's
            result = Failure()  # type: ignore[no-untyped-call]
        self._reactor.callFromThread(partial(_finish, looked, result))


def _finish(looked: Deferred[Any], result: object) -> None:
    if not looked.called:
        looked.callback(result)
