"""The one hook into Buildbot's choosing of builds: doors are asked whether a request may start on a worker.

Buildbot's distributor makes a chooser for each look at a builder. It pairs the builder's requests with the workers that can
start a build. Whoever has a say in that is a `Door`, and touches no method of Buildbot for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import inlineCallbacks

from presence.master.starting.answers import SiteAnswers, patientChooser

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from twisted.internet.defer import Deferred


class Door(Protocol):
    """Decides, with all other doors, whether a request may start. `worker` is any of Buildbot's workers, stock or ours."""

    @property
    def isGuarding(self) -> bool:
        """Whether it has anything to say at present. While it has not it is asked nothing else."""

    def onlyChildren(self, builder: str, worker: Any) -> bool:
        """Whether of the builder's requests only children (which a running build waits for) may start on this worker.

        It saves the questions about all others: Buildbot asks its database several times for each request before it asks
        whether that may start.
        """

    def mayStart(self, builder: str, worker: Any, request: Any) -> bool | Deferred[bool]:
        """Whether this request (of Buildbot) of this builder may start on this worker."""


class ChooserHook:
    """Lets the choosers of a master ask `doors`, in their order, from `start()` to `stop()`."""

    def __init__(self, master: Any, doors: Sequence[Door], answers: SiteAnswers) -> None:
        self._distributor = master.botmaster.brd
        self._doors = doors
        self._answers = answers

    def start(self) -> None:
        """Ask the doors from now on."""
        # on the instance: what the class says comes to light again in the end
        self._distributor.BuildChooser = chooserAsking(
            patientChooser(self._distributor.BuildChooser, self._answers), self._doors
        )

    def stop(self) -> None:
        """Ask them no longer."""
        vars(self._distributor).pop("BuildChooser", None)


def chooserAsking(base: Any, doors: Sequence[Door]) -> Any:
    """The class of choosers that `base` is, and that asks `doors`, too."""

    class Chooser(base):
        def _getNextUnclaimedBuildRequest(self) -> Any:
            get_next = super()._getNextUnclaimedBuildRequest
            guarding = [door for door in doors if door.isGuarding]
            if guarding and self._takes_only_children(guarding):
                return self._next_child(get_next)
            return get_next()

        def _takes_only_children(self, guarding: list[Door]) -> bool:
            # when all that can build now have been given something, others may become free
            pool = [*self.workerpool, *self.preferredWorkers] or self.bldr.workers
            return bool(pool) and all(
                wfb.worker is not None
                and any(door.onlyChildren(self.bldr.name, wfb.worker) for door in guarding)
                for wfb in pool
            )

        @inlineCallbacks
        def _next_child(self, get_next: Any) -> Generator[Deferred[Any], Any, Any]:
            found = yield self._fetchUnclaimedBrdicts()
            found.data = [each for each in found.data if each["waited_for"]]
            return (yield get_next())

        def canStartBuild(self, wfb: Any, request: Any) -> Any:
            can_start = super().canStartBuild
            if wfb.worker is None:
                return False
            guarding = [door for door in doors if door.isGuarding]
            return self._may_start(guarding, can_start, wfb, request) if guarding else can_start(wfb, request)

        @inlineCallbacks
        def _may_start(
            self, guarding: list[Door], can_start: Any, wfb: Any, request: Any
        ) -> Generator[Any, Any, bool]:
            for door in guarding:
                may_start = yield door.mayStart(self.bldr.name, wfb.worker, request)
                # it may have gone while that asked the database
                if not may_start or wfb.worker is None:
                    return False
            return bool((yield can_start(wfb, request)))

    return Chooser
