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

    `owed` is called when it has left a builder for which a worker was ready too late: that builder is owed another look.
    """

    def __init__(self, master: Any, owed: Callable[[], object]) -> None:
        self._distributor = master.botmaster.brd
        self._tell_owed = owed
        self._ahead: set[Any] = set()
        # the builder that it is busy with, and whether a worker of that has become ready since
        self._present: Any = None
        self._late = False
        # Those to which it has to go back. (They, and not all builders of the workers that were late for them: two
        # builders that nobody can build for would owe each other looks for ever.)
        self._owed: set[Any] = set()

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

    @property
    def mustReturn(self) -> bool:
        """Whether it has to go back to a builder."""
        return bool(self._owed)

    def buildersToSend(self, workernames: set[str], builders: Iterable[Any]) -> list[Any]:
        """Those of `builders`, which have requests, of which it has to be told: they use one of these workers, which are
        ready, or are owed a look.

        What the one that it is busy with has unclaimed may just be about to be claimed: that one is owed a look.
        """
        owed, self._owed = self._owed, set()
        found = []
        for builder in builders:
            if builder in self._ahead or not builder.config:
                continue
            uses = not workernames.isdisjoint(builder.config.workernames)
            if builder is self._present:
                self._late = self._late or uses
            elif uses or builder in owed:
                found.append(builder)
        return found

    @inlineCallbacks
    def tell(self, builders: list[Any]) -> Generator[Deferred[Any], Any, None]:
        """Send it to `builders`. A Deferred that fires when they are sorted; before that it may not be active."""
        self._ahead.update(builders)
        names = [builder.name for builder in builders]
        if not self.isActive:
            # It may have been stopped and started. Of what it had been told since it set out, a part would be no news to it.
            names += self._distributor._pending_builders
        yield self._distributor.maybeStartBuildsOn(names)
        if not self.isActive:
            # it is through with them, or does not distribute at all
            self._ahead.difference_update(builders)

    def forgotten(self) -> set[str]:
        """The workers of the builders that it will not reach: it was stopped in between, and is not active."""
        forgotten, self._ahead = self._ahead, set()
        return {name for builder in forgotten if builder.config for name in builder.config.workernames}

    async def _distribute_to(self, builder: Any) -> None:
        self._ahead.discard(builder)
        self._owed.discard(builder)
        self._present = builder
        try:
            await self._distribute(builder)
        finally:
            self._present = None
            if self._late:
                self._late = False
                self._owed.add(builder)
                self._tell_owed()
