"""The locks of the worker, which Buildbot takes for each of its builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.master.slave.part import SlavePart

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


# one object for all workers: `frozenset()` makes another one each time
_NONE: frozenset[Any] = frozenset()


class Locks(SlavePart):
    """Releases for a build what was taken for it, and for one that was refused nothing.

    Buildbot's owner of these locks is the worker, and it releases them at the end of every build, taken or not: a build
    that is refused would give away the lock of another one. At the end of a connection it releases them once, however
    many builds had taken them.
    """

    # For the builds of which (`WorkerForBuilder`) they are taken. While nothing runs it is the same for all workers.
    _locked = _NONE

    # whose build is ending right now
    _ending: Any = None

    def initializePresence(self) -> None:
        """Begin with nothing: for a new worker, and for one that has lived without a presence."""
        self._locked = _NONE

    def buildStarted(self, wfb: Any) -> None:
        """A build starts, and Buildbot has yet to take the locks for it."""
        self._follow_locks(wfb)
        super().buildStarted(wfb)  # type: ignore[misc]

    def _follow_locks(self, wfb: Any) -> None:
        # (for a build, not for good: 500 workers × 1000 builders are half a million of these)
        substantiate = type(wfb).substantiate_if_needed

        def substantiate_if_needed(build: Any) -> Any:
            # what Buildbot does when, and only when, it has taken the locks for a build
            self._locked |= {wfb}
            return substantiate(wfb, build)

        wfb.substantiate_if_needed = substantiate_if_needed

    def _join_build(self, build: Any) -> None:
        """A build runs already, or is being prepared: its locks are taken, unless that has not come to them yet."""
        wfb = build.workerforbuilder
        self._follow_locks(wfb)
        if build.conn is not None or build._is_substantiating or wfb.ping_watchers:
            self._locked |= {wfb}

    @staticmethod
    def _unfollow_locks(wfb: Any) -> None:
        """What the class of `wfb` says comes to light again."""
        vars(wfb).pop("substantiate_if_needed", None)

    def removeWorkerForBuilder(self, wfb: Any) -> None:
        """The worker leaves a builder; its build there, if there is one, releases nothing any more."""
        super().removeWorkerForBuilder(wfb)  # type: ignore[misc]
        self._unfollow_locks(wfb)
        self._release_for(wfb)

    def buildFinished(self, wfb: Any) -> None:
        """The build of `wfb` has finished; its builder releases the locks in the same breath."""
        self._ending = wfb
        self._unfollow_locks(wfb)
        super().buildFinished(wfb)  # type: ignore[misc]

    def detached(self) -> Deferred[None]:
        """The connection is lost, and all builds with it."""
        self._ending = None
        return super().detached()  # type: ignore[misc]

    def releaseLocks(self) -> None:
        """Buildbot releases the locks: at the end of a build, or of the connection."""
        wfb, self._ending = self._ending, None
        for each in self._locked if wfb is None else (wfb,):
            self._release_for(each)

    def _release_for(self, wfb: Any) -> None:
        if wfb in self._locked:
            self._locked -= {wfb}
            super().releaseLocks()  # type: ignore[misc]
