"""Builds that other builds wait for, and how they start on a worker that is drained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

    from presence.master.holding.drains import Drains


def childrenChooser(base: Any, drains: Drains) -> Any:
    """The class of choosers (which pair requests with workers) that `base` is, and that asks `drains`, too.

    Buildbot asks a worker whether it can start a build before it is known which one. One that is drained says yes as
    long as somebody may wait for a build there, and here it is decided whether it is this one.
    """

    class ChildrenChooser(base):
        def _getNextUnclaimedBuildRequest(self) -> Any:
            get_next = super()._getNextUnclaimedBuildRequest
            pool = [*self.workerpool, *self.preferredWorkers] if drains.areThere else ()
            if pool and all(wfb.worker is not None and drains.isDrained(wfb.worker) for wfb in pool):
                return self._next_child(get_next)
            return get_next()

        @inlineCallbacks
        def _next_child(self, get_next: Any) -> Generator[Deferred[Any], Any, Any]:
            # of each request Buildbot asks for much before it asks whether it may start here
            found = yield self._fetchUnclaimedBrdicts()
            found.data = [each for each in found.data if each["waited_for"]]
            return (yield get_next())

        def canStartBuild(self, wfb: Any, request: Any) -> Any:
            can_start = super().canStartBuild
            if wfb.worker is None:
                return False
            if drains.isDrained(wfb.worker):
                return self._child_can_start(can_start, wfb, request)
            return can_start(wfb, request)

        @inlineCallbacks
        def _child_can_start(
            self, can_start: Any, wfb: Any, request: Any
        ) -> Generator[Deferred[Any], Any, bool]:
            if not (yield drains.mayStart(self.bldr.name, wfb.worker, request)):
                return False
            return bool((yield can_start(wfb, request)))

    return ChildrenChooser
