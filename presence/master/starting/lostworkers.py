"""A worker that is lost while its next build is being prepared.

Buildbot 4.3.0 asks the worker for its properties, its locks, its quarantine and its connection between choosing it
and telling it to build, and waits for the database in between. It does not expect that the worker has gone by
then: the build fails where nobody looks, and its request stays claimed for ever. Here the request goes back to the
queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.process.results import EXCEPTION, RETRY
from twisted.internet.defer import inlineCallbacks, maybeDeferred, succeed
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Generator

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
        if wfb.worker is None:
            return succeed(False)

        def failed(failure: Failure) -> Any:
            return failure if wfb.worker is not None else False

        # what fails here has failed before the build was known to anybody
        return maybeDeferred(start, wfb, requests).addErrback(failed)

    builder.maybeStartBuild = maybeStartBuild


def guardPreparation(build: Any) -> None:
    """Let `build` (a Buildbot build that has not been started yet) end as RETRY if its worker goes while it is
    prepared.
    """
    start = build.startBuild

    def startBuild(wfb: Any) -> Deferred[None]:
        def failed(failure: Failure) -> Any:
            if build.finished or not _is_gone(wfb):
                return failure
            return _give_back(build)

        return maybeDeferred(start, wfb).addErrback(failed)

    build.startBuild = startBuild


def _is_gone(wfb: Any) -> bool:
    """Whether the worker has gone. One that was removed from the configuration has no connection; it stays that of `wfb`."""
    return wfb.worker is None or wfb.worker.conn is None


@inlineCallbacks
def _give_back(build: Any) -> Generator[Deferred[Any], Any, None]:
    _log.info("{worker} was lost while {build} was prepared", worker=build.workername, build=build)
    # it is there from the first moment at which the worker is asked for anything
    step = build._preparation_step.stepid
    yield build.master.data.updates.setStepStateString(step, "worker lost while preparing")
    yield build.master.data.updates.finishStep(step, EXCEPTION, False)
    yield build.buildFinished(["worker", "lost"], RETRY)
