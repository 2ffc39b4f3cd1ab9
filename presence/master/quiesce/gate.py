"""Keeps builds from starting where a reload would hurt them, but for those that a running build waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master.builds.running import affectedBuilds, waitingFor
from presence.master.quiesce.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred


class Gate:
    """Stands before Buildbot's choosers, which pair a request with a worker. It holds stock workers like ours.

    Buildbot's own switch for this (`distribute_only_waited_childs`) is for the whole master and belongs to its
    clean shutdown; the two work beside each other.
    """

    def __init__(self, master: Any) -> None:
        self._master = master
        self._plan = Plan()
        self._newest = 0
        self._shut = False
        self._create: Callable[..., Any] | None = None

    @property
    def isClosed(self) -> bool:
        """Whether it holds anything."""
        return self._create is not None

    def close(self, plan: Plan, newest: int) -> None:
        """Hold what `plan` covers. `newest` is the id of the newest build of before.

        What builds of before wait for may start; so may what is waited for by those which the plan covers. What later
        ones wait for has to wait for the reload: otherwise a busy master would never get there.
        """
        self._plan, self._newest, self._shut = plan, newest, False
        if self._create is None:
            brd = self._master.botmaster.brd
            self._create = brd.createBuildChooser
            brd.createBuildChooser = self._chooser

    def shut(self) -> None:
        """Let nothing at all start there."""
        self._shut = True

    def open(self) -> None:
        """Hold nothing any more."""
        self._plan, self._shut = Plan(), False
        if self._create is not None:
            del self._master.botmaster.brd.createBuildChooser
            self._create = None

    def _chooser(self, builder: Any, master: Any) -> Any:
        assert self._create is not None  # noqa: S101 (it is there as long as this method is Buildbot's)
        chooser = self._create(builder, master)
        can_start, fetch = chooser.canStartBuild, chooser._fetchUnclaimedBrdicts
        # Buildbot makes a request of each of them, with several queries each, before it asks about it
        needless = all(self._plan.covers(builder.name, name) for name in builder.config.workernames)

        @inlineCallbacks
        def canStartBuild(wfb: Any, request: Any) -> Generator[Deferred[Any], Any, bool]:
            if wfb.worker is None or not (
                yield self._may_start(builder.name, wfb.worker.workername, request)
            ):
                return False
            return (yield can_start(wfb, request))

        @inlineCallbacks
        def fetchUnclaimed() -> Generator[Deferred[Any], Any, Any]:
            known = chooser.unclaimedBrdicts
            found = yield fetch()
            if known is None and needless:
                found.data = [each for each in found.data if each["waited_for"]]
            return found

        chooser.canStartBuild, chooser._fetchUnclaimedBrdicts = canStartBuild, fetchUnclaimed
        return chooser

    @inlineCallbacks
    def _may_start(self, builder: str, worker: str, request: Any) -> Generator[Deferred[Any], Any, bool]:
        if not self._plan.covers(builder, worker):
            return True
        if self._shut or not request.waitedFor:
            return False
        waiting = yield waitingFor(self._master, request.bsid)
        # it may have changed meanwhile
        return not self._shut and self._is_due(builder, waiting)

    def _is_due(self, builder: str, waiting: list[int]) -> bool:
        """Whether a build of `builder`, for which these builds wait, has to start before the reload."""
        if self._master.botmaster.shuttingDown or builder in self._plan.removedBuilders:
            # the shutdown waits for them all; or nobody could build it later
            return bool(waiting)
        covered = {build.buildid for build in affectedBuilds(self._master, self._plan)}
        return any(build in covered or build <= self._newest for build in waiting)
