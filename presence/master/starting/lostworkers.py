"""A worker that is lost, or held, while its next build is being prepared.

Buildbot 4.3.0 asks the worker for its properties, its locks, its quarantine and its connection between choosing it
and telling it to build, and waits for the database in between. It does not expect that the worker has gone by
then: the build fails where nobody looks, and its request stays claimed for ever. Here the request goes back to the
queue.

Nor does it expect that a worker which was free is held by then. It takes the refusal for a failure of the worker: an error
in the log, and a quarantine. And a build whose request is cancelled before its preparation begins it stops, and never
ends: its request stays claimed, and its worker busy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.interfaces import ILatentWorker
from buildbot.process.results import EXCEPTION, RETRY
from twisted.internet.defer import inlineCallbacks, maybeDeferred, succeed
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

_log = Logger()


def guardChoice(builder: Any) -> None:
    """Let `builder` (a Buildbot builder) refuse a worker that went while its requests were being claimed.

    The distributor then gives the requests back, and looks for another worker.
    """
    if "maybeStartBuild" in vars(builder):
        return  # another worker of ours has done it
    start = builder.maybeStartBuild

    def maybeStartBuild(wfb: Any, requests: Any) -> Deferred[bool]:
        if _is_lost(wfb):
            return succeed(False)

        def failed(failure: Failure) -> Any:
            return False if _is_lost(wfb) else failure

        # what fails here has failed before the build was known to anybody
        return maybeDeferred(start, wfb, requests).addErrback(failed)

    builder.maybeStartBuild = maybeStartBuild


def guardPreparation(build: Any, wasRefused: Callable[[], bool]) -> None:
    """Let `build` (a Buildbot build that has not been started yet) end as RETRY if its worker goes, or may not build any
    more, while it is prepared; without a quarantine, and with one line in the log. Cancelled before that it ends, too.

    `wasRefused` tells, when the preparation has failed, whether that is because the worker is held.
    """
    start, fail = build.startBuild, build.buildPreparationFailure

    def startBuild(wfb: Any) -> Deferred[None]:
        def failed(failure: Failure) -> Any:
            if build.finished or not _is_lost(wfb):
                return failure
            return _give_back(build)

        def returned(result: Any) -> Any:
            if build.stopped and not build.finished and build._preparation_step is None:
                return build.buildFinished(["cancelled", f"({build.stopped_reason})"], build.results)
            return result

        return maybeDeferred(start, wfb).addCallbacks(returned, failed)

    def buildPreparationFailure(why: Any, state_string: str) -> Deferred[None]:
        refused = wasRefused()
        if build.stopped:
            return fail(why, state_string)
        if refused:
            # whoever refuses it says so in the log
            return _end_preparation(build, "the worker accepts no build any more", RETRY)
        if _is_lost(build.workerforbuilder):
            _end_as_retry(build)
            return _lost(build)
        return fail(why, state_string)

    build.startBuild, build.buildPreparationFailure = startBuild, buildPreparationFailure


def _is_lost(wfb: Any) -> bool:
    """Whether the worker has gone. It may still be that of `wfb`; and a latent one needs no connection."""
    worker = wfb.worker
    return worker is None or (worker.conn is None and not ILatentWorker.providedBy(worker))


def _end_as_retry(build: Any) -> None:
    """What is finished next is given back. Since 4.3 Buildbot takes a worker that has gone before the steps are made for a mistake in
    them, which is not built again.
    """
    finish = build.buildFinished

    def buildFinished(text: Any, results: Any) -> Any:
        return finish(["worker", "lost"], RETRY) if results == EXCEPTION else finish(text, results)

    build.buildFinished = buildFinished


@inlineCallbacks
def _give_back(build: Any) -> Generator[Deferred[Any], Any, None]:
    # its step for the preparation is there from the first moment at which the worker is asked for anything
    yield _lost(build)
    yield build.buildFinished(["worker", "lost"], RETRY)


def _lost(build: Any) -> Deferred[None]:
    _log.info("{worker} was lost while {build} was prepared", worker=build.workername, build=build)
    return _end_preparation(build, "worker lost while preparing", EXCEPTION)


@inlineCallbacks
def _end_preparation(build: Any, why: str, results: int) -> Generator[Deferred[Any], Any, None]:
    step = build._preparation_step.stepid
    yield build.master.data.updates.setStepStateString(step, why)
    yield build.master.data.updates.finishStep(step, results, False)
