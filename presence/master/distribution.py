"""Follows Buildbot's distributor of build requests on its way, so that it need not be told what it will see anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred


class Distribution:
    """Which builders the distributor was told of here, and has yet to reach.

    It takes all that it was told of, sorts them with four SQL statements each, and goes from one to the next; whatever it
    is told meanwhile comes after that. When it reaches a builder it looks which workers are ready then.

    `late` is called with the name of each worker that was ready too late for the builder that it has just left.
    """

    def __init__(self, master: Any, late: Callable[[str], object]) -> None:
        self._distributor = master.botmaster.brd
        self._tell_late = late
        self._ahead: set[Any] = set()
        # the builder that it is busy with, and the workers that have become ready since
        self._present: Any = None
        self._late: set[str] = set()

    def start(self) -> None:
        """Follow it from now on."""
        self._distribute = self._distributor._maybeStartBuildsOnBuilder
        self._distributor._maybeStartBuildsOnBuilder = self._distribute_to

    def stop(self) -> None:
        """Follow it no longer: its own method, which is its class's, comes to light again."""
        vars(self._distributor).pop("_maybeStartBuildsOnBuilder", None)

    @property
    def isActive(self) -> bool:
        """Whether it is on its way."""
        active: bool = self._distributor.active
        return active

    @property
    def isAwaited(self) -> bool:
        """Whether it has been told of builders that it has not reached."""
        return bool(self._ahead)

    def blindTo(self, workernames: set[str], builders: Iterable[Any]) -> list[Any]:
        """Those of `builders` that use one of these workers, which are ready, and of which it has to be told.

        What the one that it is busy with has unclaimed may just be about to be claimed: that one is left to `late`.
        """
        found = []
        for builder in builders:
            if builder in self._ahead or not builder.config:
                continue
            workers = workernames.intersection(builder.config.workernames)
            if workers and builder is self._present:
                self._late |= workers
            elif workers:
                found.append(builder)
        return found

    @inlineCallbacks
    def tell(self, builders: list[Any]) -> Generator[Deferred[Any], Any, None]:
        """Send it to `builders`. A Deferred that fires when they are sorted; before that it may not be active."""
        self._ahead.update(builders)
        yield self._distributor.maybeStartBuildsOn([builder.name for builder in builders])
        if not self.isActive:
            # it is through with them, or does not distribute at all
            self._ahead.difference_update(builders)

    def forgotten(self) -> set[str]:
        """The workers of the builders that it will not reach: it was stopped in between, and is not active."""
        forgotten, self._ahead = self._ahead, set()
        return {name for builder in forgotten if builder.config for name in builder.config.workernames}

    async def _distribute_to(self, builder: Any) -> None:
        self._ahead.discard(builder)
        self._present = builder
        try:
            await self._distribute(builder)
        finally:
            self._present = None
            late, self._late = self._late, set()
            for name in late:
                self._tell_late(name)
