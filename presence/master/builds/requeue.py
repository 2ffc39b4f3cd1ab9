"""Interrupting builds so that Buildbot builds their requests again, and none is lost.

Buildbot knows three ways to end a build early, and none of them alone is right. To stop it cancels its request. To
stop it with the result RETRY (as the quick variant of its clean shutdown does) cancels its request too, as soon as
the step that is interrupted says CANCELLED, for that is worse than RETRY. To cut the connection gives the request
back, but also ends builds that nobody meant, and no step can clean up any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.process.results import RETRY
from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger

from presence.master.compat import isWaitedFor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

_log = Logger()

#: How long a build may take to end that was interrupted (steps with `alwaysRun` are run), in seconds. After that
#: the connection of its worker is cut.
GRACE = 60.0

#: How long after the others those are interrupted that another build waits for, in seconds. If that one is
#: interrupted it cancels them, and Buildbot loses a cancellation that arrives while a request is being given back: that would
#: be built again, and nobody would wait for it.
CHILDREN_LAST = 1.0


class Requeue:
    """Interrupts builds, and gives their requests back to the queue, until it is stopped."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        # with the seconds that each has to wait
        self._timers: dict[IDelayedCall, float] = {}

    def send(self, builds: Iterable[Any], reason: str) -> None:
        """Interrupt these builds (of Buildbot), and tell in each that it was because of `reason`.

        Whether the next build of a request may start where this one ran is not decided here: see that it may not.
        A build that somebody has cancelled, or cancels now, stays cancelled; so do those that an interrupted one
        waits for, as always in Buildbot: it triggers them anew.
        """
        meant = [build for build in builds if not build.finished]
        children = [build for build in meant if any(map(isWaitedFor, build.requests))]
        _send_back((build for build in meant if build not in children), reason)
        if children:
            self._later(CHILDREN_LAST, lambda: _send_back(children, reason))
        if meant:
            self._later(GRACE, lambda: _cut(build for build in meant if not build.finished))

    def clockJumped(self) -> None:
        """The clock has been set, so how long is left is not known: wait anew, rather too long than too short."""
        for timer, delay in self._timers.items():
            timer.reset(delay)

    def stop(self) -> None:
        """Interrupt nothing and cut no connection any more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _later(self, delay: float, act: Callable[[], object]) -> None:
        def due() -> None:
            del self._timers[timer]
            act()

        timer = self._clock.callLater(delay, due)
        self._timers[timer] = delay


def _send_back(builds: Iterable[Any], reason: str) -> None:
    for build in builds:
        if not (build.finished or build.stopped):
            _interrupt(build, reason)


def _interrupt(build: Any, reason: str) -> None:
    finish, stop = build.buildFinished, build.stopBuild
    cancelled = False

    def stopBuild(*args: Any, **kwargs: Any) -> Deferred[None]:
        # a person, or the build that waits for this one, does not want it any more
        nonlocal cancelled
        cancelled = True
        return stop(*args, **kwargs)

    def buildFinished(text: Any, results: int) -> Deferred[None]:
        if cancelled:
            return finish(text, results)
        build.results = RETRY
        return finish(["retry", f"({reason})"], RETRY)

    build.buildFinished, build.stopBuild = buildFinished, stopBuild
    _log.info("{build} is interrupted, and will be built again: {reason}", build=build, reason=reason)
    maybeDeferred(stop, reason, RETRY).addErrback(
        lambda failure: _log.failure("while interrupting {build}", failure, build=build)
    )
    # it may wait for the answer of a worker that is there no longer
    if build.workerforbuilder is not None:
        build.workerforbuilder.abortPingIfAny()


def _cut(builds: Iterable[Any]) -> None:
    workers = {build.workerforbuilder.worker for build in builds if build.workerforbuilder is not None}
    for worker in workers:
        if worker is not None and worker.conn is not None:
            _log.warn("{worker} does not end its builds: its connection is cut", worker=worker.workername)
            worker.conn.loseConnection()
