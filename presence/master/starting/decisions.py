"""What the functions of a site (`nextWorker`, `nextBuild`, `canStartBuild`, `prioritizeBuilders`) have decided lately.

Buildbot asks them, and remembers nothing of it. Of each builder it is kept what was said in the last look at it, and of a
builder for which nothing was refused nothing at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: How many requests that were refused are kept of one look at a builder, at most.
MOST = 5000


class Look:
    """One look of the distributor at a builder. Requests are ids, workers are names.

    `keep` is called when something was said that is worth keeping.
    """

    def __init__(self, keep: Callable[[Look], object]) -> None:
        self._keep = keep
        #: request -> what went wrong in `nextWorker`, None if it chose none
        self.noWorker: dict[int, str | None] = {}
        #: request -> the workers on which it may not start
        self.refused: dict[int, set[str]] = {}
        #: whether `nextBuild` was asked, the requests that it chose, in this order, and what went wrong in it the last time
        self.asked = False
        self.chosen: dict[int, None] = {}
        self.failed: str | None = None

    def followNextBuild(self, function: Any) -> Any:
        """`function`, the `nextBuild` of the builder, of which it is noted what it says."""

        def ask(builder: Any, requests: Any) -> Any:
            def chose(request: Any) -> None:
                self.asked, self.failed = True, None
                if request in requests:
                    self.chosen[request.id] = None
                self._keep(self)

            def failed(problem: str) -> None:
                self.asked, self.failed = True, problem
                self._keep(self)

            return _noted(function, (builder, requests), chose, failed)

        return ask

    def followNextWorker(self, function: Any) -> Any:
        """`function`, the `nextWorker` of the builder, of which it is noted when it chooses none."""

        def ask(builder: Any, workers: Any, request: Any) -> Any:
            def chose(worker: Any) -> None:
                if worker and worker in workers:
                    self.noWorker.pop(request.id, None)
                else:
                    failed(None)

            def failed(problem: str | None) -> None:
                self.noWorker[request.id] = problem
                self._keep(self)

            return _noted(function, (builder, workers, request), chose, failed)

        return ask

    def followCanStart(self, function: Any, wfb: Any, request: Any) -> Any:
        """What `function(wfb, request)` answers: whether the request may start on that worker. It is noted when it may not."""
        # it may have gone when the answer is there
        worker = wfb.worker.workername

        def answered(can_start: Any) -> None:
            if not can_start and (request.id in self.refused or len(self.refused) < MOST):
                self.refused.setdefault(request.id, set()).add(worker)
                self._keep(self)

        return _noted(function, (wfb, request), answered, lambda _: answered(None))


class Decisions:
    """The last decisions about the builders of a master, by their names."""

    def __init__(self) -> None:
        self._looks: dict[str, Look] = {}
        self._left_out: frozenset[str] = frozenset()

    def begin(self, builder: str) -> Look:
        """A look at the builder begins: what was said before does not count any more."""
        self._looks.pop(builder, None)
        return Look(lambda look: self._looks.__setitem__(builder, look))

    def of(self, builder: str) -> Look | None:
        """The last look at a builder, if anything was said in it."""
        return self._looks.get(builder)

    def sorted(self, asked: Iterable[str], answered: Iterable[str]) -> None:
        """`prioritizeBuilders` was asked about these builders, and has answered with those."""
        answered = frozenset(answered)
        self._left_out = (self._left_out - answered) | (frozenset(asked) - answered)

    def isLeftOut(self, builder: str) -> bool:
        """Whether `prioritizeBuilders` has left the builder out when it was asked about it last."""
        return builder in self._left_out

    def forget(self) -> None:
        """The functions are others now."""
        self._looks.clear()
        self._left_out = frozenset()


def _noted(
    ask: Any, args: tuple[Any, ...], answered: Callable[[Any], object], failed: Callable[[str], object]
) -> Any:
    """What `ask(*args)` gives, which `answered` is told, or what went wrong `failed`. It may be a Deferred."""
    try:
        answer = ask(*args)
    except Exception as problem:
        failed(_text(problem))
        raise
    if not isinstance(answer, Deferred):
        answered(answer)
        return answer

    def note(result: Any) -> Any:
        if isinstance(result, Failure):
            failed(_text(result.value))
        else:
            answered(result)
        return result

    return answer.addBoth(note)


def _text(problem: object) -> str:
    return f"{type(problem).__name__}: {problem}"
