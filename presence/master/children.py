"""Builds that other builds wait for, and how they start on a worker that is drained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

    from presence.master.drains import Drains


def childrenChooser(base: Any, drains: Drains) -> Any:
    """The class of choosers (which pair requests with workers) that `base` is, and that asks `drains`, too.

    Buildbot asks a worker whether it can start a build before it is known which one. One that is drained says yes as
    long as somebody may wait for a build there, and here it is decided whether it is this one.
    """

    class ChildrenChooser(base):
        @inlineCallbacks
        def _getNextUnclaimedBuildRequest(self) -> Generator[Deferred[Any], Any, Any]:
            pool = [*self.workerpool, *self.preferredWorkers]
            if pool and all(wfb.worker is not None and drains.isDrained(wfb.worker) for wfb in pool):
                # Of each request Buildbot asks for much before it asks whether it may start here.
                found = yield self._fetchUnclaimedBrdicts()
                found.data = [each for each in found.data if each["waited_for"]]
            return (yield super()._getNextUnclaimedBuildRequest())

        @inlineCallbacks
        def canStartBuild(self, wfb: Any, request: Any) -> Generator[Deferred[Any], Any, bool]:
            if wfb.worker is None or (
                drains.isDrained(wfb.worker)
                and not (yield drains.mayStart(self.bldr.name, wfb.worker, request))
            ):
                return False
            return bool((yield super().canStartBuild(wfb, request)))

    return ChildrenChooser
