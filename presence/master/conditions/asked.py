"""The conditions of one worker, asked again and again: what does not say yes holds the worker."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, ensureDeferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from presence.calendar.durations import durationText
from presence.text import MAX_REASON, cut, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime

    from presence.master.conditions.written import Condition
    from presence.model.workerpresence import WorkerPresence

_log = Logger()

# How many conditions of a master are asked in threads at the same time.
_THREADS = 8

# What is said before the first answer, and where a condition has no reason of its own.
_UNASKED, _UNMET = "it has not answered yet", "it is not met"

# How such a hold is called in the presence: what is pushed has names of its own.
_ASKED = "asked "


class Threads:
    """Runs functions that may block in threads of their own, eight at a time. One that never returns keeps its place, and
    keeps no process from ending.
    """

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._places = DeferredSemaphore(_THREADS)

    def run(self, function: Callable[[], Any]) -> Deferred[Any]:
        """Call it in a thread. A Deferred of what it returns, fired in the reactor."""
        return self._places.run(self._start, function)

    def _start(self, function: Callable[[], Any]) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()

        def call() -> None:
            try:
                result = function()
            except BaseException:  # noqa: BLE001 (it is the site's)
                result = Failure()  # type: ignore[no-untyped-call]
            self._reactor.callFromThread(done.callback, result)

        Thread(target=call, name="presence condition", daemon=True).start()
        return done


_threads: WeakKeyDictionary[Any, Threads] = WeakKeyDictionary()


def threadsOf(master: Any) -> Threads:
    """The threads in which the conditions of `master` are asked."""
    if master not in _threads:
        _threads[master] = Threads(master.reactor)
    return _threads[master]


class AskedConditions:
    """Asks the `conditions` of `presence`, each as often as it says, and holds the presence while one does not say yes.

    `inThread` runs what may block (see `Threads`).
    """

    def __init__(
        self,
        presence: WorkerPresence,
        clock: IReactorTime,
        inThread: Callable[[Callable[[], Any]], Deferred[Any]],
    ) -> None:
        self._presence = presence
        self._clock = clock
        self._in_thread = inThread
        self._asked: dict[str, _Asked] = {}

    def follow(self, conditions: Iterable[Condition]) -> None:
        """Ask these from now on, at once. One with a name that was there before goes on from what that has answered."""
        wanted = {str(each.name): each for each in conditions}
        for name in self._asked.keys() - wanted.keys():
            self._asked.pop(name).stop()
            self._presence.release("condition", f"{_ASKED}{name}")
        for name, each in wanted.items():
            before = self._asked.get(name)
            if before is None:
                self._hold(name, _UNASKED)
            else:
                before.stop()
            self._asked[name] = asked = _Asked(
                each, self._presence.name, self._clock, self._in_thread, self._say
            )
            asked.ask()

    def clockJumped(self) -> None:
        """The clock has been set: ask all of them at once, for a timer may be hours away now."""
        for each in tuple(self._asked.values()):
            each.clockJumped()

    def stop(self) -> None:
        """Ask no more, and hold no more."""
        self.follow(())

    def _say(self, name: str, reason: str | None) -> None:
        if reason is None:
            self._presence.release("condition", f"{_ASKED}{name}")
        else:
            self._hold(name, reason)

    def _hold(self, name: str, reason: str) -> None:
        before = self._presence.heldBy("condition", f"{_ASKED}{name}")
        if before is None or before.reason != reason:
            since = None if before is None else before.since
            self._presence.hold("condition", reason, name, since=since, name=f"{_ASKED}{name}")


class _Asked:
    """One condition. `say(name, reason)` is called with each answer: None is yes."""

    def __init__(
        self,
        condition: Condition,
        worker: str,
        clock: IReactorTime,
        inThread: Callable[[Callable[[], Any]], Deferred[Any]],
        say: Callable[[str, str | None], None],
    ) -> None:
        self._condition = condition
        self._worker = worker
        self._clock = clock
        self._in_thread = inThread
        self._say = say
        self._problem: str | None = None
        # the next question, or the end of the patience with this one
        self._timer: IDelayedCall | None = None
        self._answer: Deferred[Any] | None = None
        self._stopped = False

    def ask(self) -> None:
        """Ask, unless an answer is still to come: so there is never more than one question."""
        self._timer = None
        if self._stopped or self._answer is not None:
            return
        self._timer = self._clock.callLater(self._condition.timeout, self._too_late)
        self._answer = answer = self._begin()
        answer.addCallbacks(self._reason, self._failure_reason).addCallback(self._answered, answer)

    def clockJumped(self) -> None:
        """The clock has been set: ask at once, or wait for an answer from now on."""
        if self._timer is not None:
            self._timer.reset(0 if self._answer is None else self._condition.timeout)

    def stop(self) -> None:
        """Ask no more; whatever is answered later is not heard."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._cancel()

    def _begin(self) -> Deferred[Any]:
        ask = self._condition.ask
        if not self._condition.inThread:
            return maybeDeferred(ask, self._worker).addCallback(_awaited)
        return self._in_thread(lambda: ask(self._worker)).addCallback(_awaited, inThread=True)

    def _too_late(self) -> None:
        self._timer = None
        patience = durationText(self._condition.timeout)
        self._tell_problem(f"it has not answered within {patience}")
        if self._condition.inThread:
            # nobody can end a thread: the next question waits for it
            return
        self._cancel()
        if self._answer is not None:
            # one that cannot be cancelled: nobody waits for it any longer
            self._answer = None
            self._again()

    def _cancel(self) -> None:
        if self._answer is not None and not self._condition.inThread:
            self._answer.cancel()

    def _answered(self, reason: str | None, answer: Deferred[Any]) -> None:
        if self._stopped or self._answer is not answer:
            return  # nobody waits for it any longer
        self._answer = None
        if self._timer is not None:
            self._timer.cancel()
        self._again()
        self._say(str(self._condition.name), reason)

    def _again(self) -> None:
        self._timer = self._clock.callLater(self._condition.every, self.ask)

    def _reason(self, answer: Any) -> str | None:
        """Why the worker is held, given this answer; None where it is not."""
        if answer is True:
            self._problem = None
            return None
        if answer is False:
            self._problem = None
            return self._condition.reason or _UNMET
        if isinstance(answer, str) and answer.strip():
            self._problem = None
            return cut(answer.strip(), MAX_REASON)
        return self._note(f"it has answered {shown(answer)}, which is neither True nor False nor a reason")

    def _failure_reason(self, failure: Failure) -> str:
        if failure.check(CancelledError):  # type: ignore[no-untyped-call]
            return self._note(f"it has not answered within {durationText(self._condition.timeout)}")
        return self._note(
            f"it cannot be asked: {type(failure.value).__name__}: {failure.getErrorMessage()}", failure
        )

    def _tell_problem(self, text: str) -> None:
        self._say(str(self._condition.name), self._note(text))

    def _note(self, text: str, failure: Failure | None = None) -> str:
        reason = cut(text, MAX_REASON) or ""
        # (once, and not each minute)
        if reason != self._problem and not self._stopped:
            trace = "" if failure is None else f"\n{failure.getTraceback()}"
            _log.warn(
                "the condition {name} of {worker}: {problem}; the worker is held{trace}",
                name=self._condition.name,
                worker=self._worker,
                problem=reason,
                trace=trace,
            )
        self._problem = reason
        return reason


def _awaited(answer: Any, *, inThread: bool = False) -> Any:
    if inThread and isinstance(answer, Deferred):
        raise TypeError("it returns a Deferred in a thread: say Condition(…, blocking=False)")
    return (
        ensureDeferred(answer)
        if hasattr(answer, "__await__") and not isinstance(answer, Deferred)
        else answer
    )
