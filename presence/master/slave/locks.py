"""The locks of the worker, which Buildbot takes for each of its builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.master.slave.part import SlavePart

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class Locks(SlavePart):
    """Releases for a build what was taken for it, and for one that was refused nothing.

    Buildbot's owner of these locks is the worker, and it releases them at the end of every build, taken or not: a build
    that is refused would give away the lock of another one. At the end of a connection it releases them once, however
    many builds had taken them.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # for the builds of which (`WorkerForBuilder`) they are taken, and whose build is ending right now
        self._locked: set[Any] = set()
        self._ending: Any = None
        super().__init__(*args, **kwargs)

    def addWorkerForBuilder(self, wfb: Any) -> None:
        """The worker joins a builder."""
        substantiate = type(wfb).substantiate_if_needed

        def substantiate_if_needed(build: Any) -> Any:
            # what Buildbot does when, and only when, it has taken the locks for a build
            self._locked.add(wfb)
            return substantiate(wfb, build)

        wfb.substantiate_if_needed = substantiate_if_needed
        super().addWorkerForBuilder(wfb)  # type: ignore[misc]

    def removeWorkerForBuilder(self, wfb: Any) -> None:
        """The worker leaves a builder; its build there, if there is one, releases nothing any more."""
        super().removeWorkerForBuilder(wfb)  # type: ignore[misc]
        self._release_for(wfb)

    def buildFinished(self, wfb: Any) -> None:
        """The build of `wfb` has finished; its builder releases the locks in the same breath."""
        self._ending = wfb
        super().buildFinished(wfb)  # type: ignore[misc]

    def detached(self) -> Deferred[None]:
        """The connection is lost, and all builds with it."""
        self._ending = None
        return super().detached()  # type: ignore[misc]

    def releaseLocks(self) -> None:
        """Buildbot releases the locks: at the end of a build, or of the connection."""
        wfb, self._ending = self._ending, None
        for each in tuple(self._locked) if wfb is None else (wfb,):
            self._release_for(each)

    def _release_for(self, wfb: Any) -> None:
        if wfb in self._locked:
            self._locked.remove(wfb)
            super().releaseLocks()  # type: ignore[misc]
