"""Tracks the pass of Buildbot's build request distributor, so that it is not sent to builders that it will reach anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred

    from presence.master.starting.answers import SiteAnswers


class Distribution:
    """The builders that the distributor was sent to from here, and has yet to reach.

    It takes all builders that it was sent to, sorts them with four SQL statements each, and goes from one to the next;
    those to which it is sent meanwhile come after that. When it reaches a builder it looks which workers are ready then.

    `mustReturn` is called when it has left a builder for which a worker became ready too late, and `passed` with a builder
    and whether all went well there: it may have failed, as without a database.
    """

    def __init__(
        self,
        master: Any,
        answers: SiteAnswers,
        mustReturn: Callable[[], object],
        passed: Callable[[Any, bool], object],
    ) -> None:
        self._distributor = master.botmaster.brd
        self._answers = answers
        self._must_return = mustReturn
        self._passed = passed
        self._ahead: set[Any] = set()
        # the builder that it is busy with, and whether a worker of that has become ready since
        self._present: Any = None
        self._late = False
        # Those to which it has to return. (They, and not all builders of the workers that were late for them: two
        # builders that nobody can build for would send it to each other for ever.)
        self._to_revisit: set[Any] = set()

    def start(self) -> None:
        """Follow it from now on."""
        self._distribute = self._distributor._maybeStartBuildsOnBuilder
        self._distributor._maybeStartBuildsOnBuilder = self._distribute_to
        self._sort = self._distributor._sortBuilders
        self._distributor._sortBuilders = self._sort_builders

    def stop(self) -> None:
        """Follow it no longer: its own methods, which are its class's, come to light again."""
        for name in ("_maybeStartBuildsOnBuilder", "_sortBuilders"):
            vars(self._distributor).pop(name, None)

    @property
    def isActive(self) -> bool:
        """Whether it is on its way."""
        active: bool = self._distributor.active
        return active

    @property
    def hasBuildersAhead(self) -> bool:
        """Whether it was sent to builders that it has not reached."""
        return bool(self._ahead)

    @property
    def hasBuildersToRevisit(self) -> bool:
        """Whether it has to return to a builder."""
        return bool(self._to_revisit)

    def buildersToSend(self, workernames: set[str], builders: Iterable[Any]) -> list[Any]:
        """Those of `builders`, which have requests, to which it has to be sent: they use one of these workers, which are
        ready, or it has to return to them.

        What the one that it is busy with has unclaimed may just be about to be claimed: to that one it has to return.
        """
        revisit, self._to_revisit = self._to_revisit, set()
        found = []
        for builder in builders:
            if builder in self._ahead or not builder.config:
                continue
            uses = not workernames.isdisjoint(builder.config.workernames)
            if builder is self._present:
                self._late = self._late or uses
            elif uses or builder in revisit:
                found.append(builder)
        return found

    @inlineCallbacks
    def send(self, builders: list[Any]) -> Generator[Deferred[Any], Any, None]:
        """Send it to `builders`. A Deferred that fires when they are sorted; before that it may not be active."""
        self._ahead.update(builders)
        names = [builder.name for builder in builders]
        if not self.isActive:
            # It may have been stopped and started. Then it ignores a part of the builders that it still has.
            names += self._distributor._pending_builders
        yield self._distributor.maybeStartBuildsOn(names)
        if not self.isActive:
            # it is through with them, or does not distribute at all
            self._ahead.difference_update(builders)

    def takeUnreached(self) -> set[str]:
        """The workers of the builders that it will not reach, for it was stopped in between and is not active. They are
        forgotten here.
        """
        unreached, self._ahead = self._ahead, set()
        return {name for builder in unreached if builder.config for name in builder.config.workernames}

    def revisit(self, builder: Any) -> None:
        """Let it return to `builder` in the next wake-up."""
        self._to_revisit.add(builder)

    @inlineCallbacks
    def _sort_builders(self, names: list[str]) -> Generator[Deferred[Any], Any, list[str]]:
        ordered: list[str] = yield self._answers.awaiting("prioritizeBuilders", self._sort(names), names)
        # `prioritizeBuilders` may leave builders out: it is not on its way to these
        left_out = set(names).difference(ordered)
        self._answers.decisions.sorted(names, ordered)
        if left_out:
            self._ahead = {builder for builder in self._ahead if builder.name not in left_out}
        return ordered

    async def _distribute_to(self, builder: Any) -> None:
        self._ahead.discard(builder)
        self._to_revisit.discard(builder)
        self._present = builder
        went_well, given_up = False, self._answers.givenUp
        try:
            await self._distribute(builder)
            went_well = True
        finally:
            self._present = None
            self._passed(builder, went_well)
            if self._answers.givenUp != given_up:
                self.revisit(builder)
            if self._late:
                self._late = False
                self._to_revisit.add(builder)
                self._must_return()
