"""Those who wait for something to become true. The only place that creates Deferreds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail, succeed

from presence.errors import PresenceStopped

if TYPE_CHECKING:
    from collections.abc import Callable

_GONE = object()


class Waiters:
    """The Deferreds that were handed out, in the order in which they were asked for.

    A Deferred from `wait()` ends in one of three ways: it fires with what `answer` returned; it fails with
    `PresenceStopped` when `stop()` is called; or its owner cancels it, which removes it without a trace.

    `answer` is asked before each single firing and returns the value to fire with, or None while what is
    waited for is not so. Hence a waiter that undoes what it waited for keeps those after it waiting.
    `emptied` is called whenever the last one has gone, fired or cancelled.
    """

    __slots__ = ("_answer", "_cancelled", "_emptied", "_firing", "_name", "_stopped", "_waiting")

    def __init__(
        self, answer: Callable[[], Any | None], name: str, emptied: Callable[[], object] | None = None
    ) -> None:
        self._answer = answer
        self._name = name
        self._emptied = emptied
        # made once: to bind the method anew for each of them takes a tenth of what it takes to wait
        self._cancelled = self._forget
        # a dict, because it keeps the order and forgets a cancelled one in constant time
        self._waiting: dict[Deferred[Any], None] = {}
        self._firing = False
        self._stopped = False

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self) -> Deferred[Any]:
        """A Deferred that has fired already if there is an answer now, and fires as soon as there is."""
        if self._stopped:
            return fail(PresenceStopped(self._name))
        answer = self._answer()
        if answer is not None:
            return succeed(answer)
        deferred: Deferred[Any] = Deferred(self._cancelled)
        self._waiting[deferred] = None
        return deferred

    def fire(self) -> None:
        """Fire those who wait, in order, for as long as there is an answer."""
        if self._firing:
            # A waiter has changed things from inside its callback: the loop below goes on with what is true
            # then, however deeply nested the callbacks are.
            return
        self._firing = True
        waiting, answer_now = self._waiting, self._answer
        try:
            while waiting:
                # Those of this moment, in one go: to look for the first of a dict of which the first ones are gone
                # takes the longer, the more are gone. Who asks meanwhile is looked for in the next round.
                for deferred in tuple(waiting):
                    answer = answer_now()
                    if answer is None:
                        return
                    # it may have been cancelled by one that was fired before it
                    if waiting.pop(deferred, _GONE) is None:
                        deferred.callback(answer)
        finally:
            self._firing = False
        if self._emptied is not None:
            self._tell_if_empty()

    def stop(self) -> None:
        """Fail everybody who waits, and everybody who asks later, with `PresenceStopped`."""
        self._stopped = True
        for deferred in tuple(self._waiting):
            # a waiter that is failed may cancel others
            if self._waiting.pop(deferred, _GONE) is None:
                deferred.errback(PresenceStopped(self._name))

    def _forget(self, deferred: Deferred[Any]) -> None:
        del self._waiting[deferred]
        self._tell_if_empty()

    def _tell_if_empty(self) -> None:
        if self._emptied is not None and not self._waiting:
            self._emptied()
