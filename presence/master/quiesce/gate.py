"""The door that keeps builds from starting where a reload would hurt them, but for those that a running build waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master.builds.running import waitingFor
from presence.master.compat import isWaitedFor

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred

    from presence.master.quiesce.plan import Plan


class ReconfigGate:
    """A door (see `presence.master.starting.chooser`). It holds stock workers like ours.

    Buildbot's own switch for this (`distribute_only_waited_childs`) is for the whole master and belongs to its
    clean shutdown; the two work beside each other.
    """

    def __init__(self, master: Any) -> None:
        self._master = master
        # None is an empty one
        self._plan: Plan | None = None
        self._newest = 0
        self._shut = False
        self._closed = False

    @property
    def isGuarding(self) -> bool:
        """Whether it is closed, and may hold something."""
        return self._closed

    def close(self, plan: Plan, newest: int) -> None:
        """Hold what `plan` covers. `newest` is the id of the newest build of before.

        What builds of before wait for may start; so may what is waited for by those which the plan covers. What later
        ones wait for has to wait for the reload: otherwise a busy master would never get there.
        """
        self._plan, self._newest, self._shut, self._closed = plan, newest, False, True

    def shut(self) -> None:
        """Let nothing at all start there."""
        self._shut = True

    def open(self) -> None:
        """Hold nothing any more."""
        self._plan, self._shut, self._closed = None, False, False

    def why(self, builder: str, worker: str) -> str | None:
        """Why builds of this builder may not start on this worker, a text for people; None if they may."""
        return None if self._plan is None else self._plan.why(builder, worker)

    def onlyChildren(self, builder: str, worker: Any) -> bool:
        """Whether the plan covers the builds of this builder on this worker."""
        return self._plan is not None and self._plan.covers(builder, worker.workername)

    def mayStart(self, builder: str, worker: Any, request: Any) -> bool | Deferred[bool]:
        """Whether this request may start on this worker: it is not covered, or it has to start before the reload."""
        if self._plan is None or not self._plan.covers(builder, worker.workername):
            return True
        if self._shut or not isWaitedFor(request):
            return False
        return self._child_may_start(builder, request)

    @inlineCallbacks
    def _child_may_start(self, builder: str, request: Any) -> Generator[Deferred[Any], Any, bool]:
        waiting = yield waitingFor(self._master, request.bsid)
        # it may have changed meanwhile
        plan = self._plan
        return not self._shut and (plan is None or self._is_due(plan, builder, waiting))

    def _is_due(self, plan: Plan, builder: str, waiting: list[int]) -> bool:
        """Whether a build of `builder`, for which these builds wait, has to start before the reload."""
        if self._master.botmaster.shuttingDown or builder in plan.removedBuilders:
            # the shutdown waits for them all; or nobody could build it later
            return bool(waiting)
        # where nobody reconfigures it is not in memory
        from presence.master.quiesce.ending import affectedBuilds  # noqa: PLC0415

        covered = {build.buildid for build in affectedBuilds(self._master, plan)}
        return any(build in covered or build <= self._newest for build in waiting)
