"""Events about builds and their steps that nobody would hear.

Buildbot asks the database for a build, or a step, each time that something of it changes, to tell what it is now; a build that starts asks a dozen
of these questions. Without a page that shows builds, or a reporter, nobody hears of steps at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import succeed

from presence.master.listening.listeners import Listeners
from presence.master.listening.queue import ownQueue

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

#: The resource types of which Buildbot tells most.
_TYPES = ("build", "step")


class Unheard:
    """Lets what nobody would hear not be made, from `start()` to `stop()`, where the queue of `master` is its own."""

    def __init__(self, master: Any) -> None:
        self._queue = ownQueue(master.mq)
        self._types = [master.data.getResourceType(name) for name in _TYPES]

    def start(self) -> None:
        """From now on the database is asked for somebody."""
        if self._queue is not None:
            for each in self._types:
                each.generateEvent = self._if_heard(each)

    def stop(self) -> None:
        """As Buildbot does it."""
        for each in self._types:
            vars(each).pop("generateEvent", None)

    def _if_heard(self, resourceType: Any) -> Any:
        make = resourceType.generateEvent
        paths = [
            tuple(None if word.startswith("{") else word for word in path.split("/"))
            for path in resourceType.eventPaths
        ]

        def generateEvent(which: Any, event: str) -> Deferred[Any]:
            heard = any(self._may_be_heard((*path, event)) for path in paths)
            made: Deferred[Any] = make(which, event) if heard else succeed(None)
            return made

        return generateEvent

    def _may_be_heard(self, key: tuple[Any, ...]) -> bool:
        """Whether anybody wants to hear of an event like `key`, in which None stands for any word."""
        assert self._queue is not None  # noqa: S101 (it has been started)
        listeners = self._queue.qrefs
        if self._queue.debug or not isinstance(listeners, Listeners):
            return True
        return any(_fits(key, each.filter) for each in listeners.of(key))


def _fits(key: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    return all(None in {word, want} or word == want for word, want in zip(key, wanted, strict=True))
