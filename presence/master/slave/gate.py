"""Whether a build may start on the worker: asked before it is chosen, and twice more at the last moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.errors import NotAcceptingBuildsError
from presence.master.slave.builds import Builds

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Generator

    from twisted.internet.defer import Deferred

    from presence.master.enrolled import EnrolledWorker

_log = Logger()


class Gate(Builds):
    """No build starts while the presence is held, but for what a build that runs waits for."""

    #: (worker, whether it is about a child, for which a build waits) -> the sources of holds that do not refuse a build by
    #: themselves: about those, doors have decided for this very request (`presence.master.starting.chooser`)
    _exempt: Callable[[EnrolledWorker, bool], Container[str]] | None = None

    # whether nothing may start, as it is not known yet what holds the worker
    _closed = False
    # whether the build that was about to start was refused
    _refused = False

    def canStartBuild(self) -> bool:
        """Whether the next build may start: not while the presence is held.

        One that is drained may build what its builds wait for; see `presence.master.starting.chooser` for which.
        """
        return self._accepts(child=True) and super().canStartBuild()  # type: ignore[misc]

    def _shorten_gate(self) -> None:
        """While nothing holds the presence, let Buildbot's own `canStartBuild` be that of this object.

        With 500 workers and 1000 builders it is asked half a million times for one wake-up, and the way through ours
        takes twice as long. Where a subclass has one of its own, that is left alone.
        """
        if self.presence is None or self._closed or not self.presence.ready:
            self._lengthen_gate()
        elif type(self).canStartBuild is Gate.canStartBuild:
            self.canStartBuild = super().canStartBuild  # type: ignore[method-assign, misc]

    def _lengthen_gate(self) -> None:
        vars(self).pop("canStartBuild", None)

    def _accepts(self, *, child: bool) -> bool:
        """Whether nothing holds the presence, but what is exempt from that."""
        presence = self.presence
        if self._closed:
            return False
        if presence is None or presence.ready:
            return presence is not None
        # (it is alone in a test of other people's, where nobody decides about anything)
        exempt = () if self._exempt is None else self._exempt(self, child)
        return all(each.source in exempt for each in presence.holds)

    def acquireLocks(self) -> bool:
        """The last question that Buildbot asks of a worker. Refused here, a build goes back to the queue.

        Since `canStartBuild` was asked Buildbot has waited for the database.
        """
        # it is not said for which build; there may be several
        return not self._refuse(child=bool(self._admitted)) and super().acquireLocks()  # type: ignore[misc]

    def _guard(self, conn: Any) -> None:
        """Ask once more when Buildbot tells the worker at the other end of `conn` to build.

        Since `acquireLocks` was asked Buildbot has waited for a latent worker to start, and for an answer
        to a ping; either may take minutes.
        """
        conn.remoteStartBuild = _Guarded(self, conn.remoteStartBuild)

    def startThrough(self, start_build: Callable[[str], Any], builder: str) -> Any:
        """Tell the worker to build, by this method of its connection, if it still may."""
        if self.master.config.multiMaster and self._assembly is not None:
            return self._start_heeding(start_build, builder)
        if self._refuse_builder(builder):
            raise NotAcceptingBuildsError(f"{self.presence!r}")
        return start_build(builder)

    @inlineCallbacks
    def _start_heeding(
        self, start_build: Callable[[str], Any], builder: str
    ) -> Generator[Deferred[Any], Any, Any]:
        """Tell the worker to build if it may, also by what has been stored up to now: another master may have taken an order
        of which this one has not heard.
        """
        assert self._assembly is not None  # noqa: S101 (the caller has looked)
        known = yield self._assembly.lastMoment.heed(self, builder)
        if self._refuse_builder(builder) or not known:
            # (Buildbot goes on in this very call stack)
            self._refused = True
            raise NotAcceptingBuildsError(f"{self.presence!r}")
        return (yield start_build(builder))

    def ordersKnown(self, known: bool) -> None:
        """Whether it is known what admins have ordered of it. While it is not nothing starts here."""
        if known is self._closed:
            self._closed = not known
            self._shorten_gate()
            if known and self._assembly is not None:
                self._assembly.wakeup.workerReady(self.workername)

    def _refuse_builder(self, builder: str) -> bool:
        child = any(wfb.builder_name == builder for wfb in self._admitted)
        return self._refuse(child=child, builder=builder)

    def _unguard(self, conn: Any) -> None:
        """What the class of the connection says comes to light again."""
        vars(conn).pop("remoteStartBuild", None)

    def _refuse(self, *, child: bool, builder: str | None = None) -> bool:
        """Whether the build that is about to start may not, and goes back to the queue: not while the presence is held, nor
        in a partial break that has begun since the doors were asked, and refuses this builder, nor where that is held.
        """
        presence, timer = self.presence, self.breakTimer
        if presence is None or timer is None:
            return True
        # a master that was suspended hears of other things before it hears of its timers
        timer.reconsider()
        limited = builder is not None and (
            not presence.admits(builder)
            or (self._assembly is not None and self._assembly.builderHolds.isHeld(builder))
        )
        self._refused = limited or not self._accepts(child=child)
        if self._refused:
            _log.info(
                "{presence} accepts no build {of}any more: it goes back to the queue",
                presence=presence,
                of=f"of {builder} " if limited else "",
            )
            if self._assembly is not None:
                self._assembly.refusals += 1
        return self._refused

    def _was_refused(self) -> bool:
        """Whether the build that could not be prepared was refused here, in this very call stack."""
        refused, self._refused = self._refused, False
        return refused

    def putInQuarantine(self) -> None:
        """Buildbot does this when a build could not be prepared."""
        # one of a worker that leaves would end when there is no master any more that could be told
        if not self._leaving:
            super().putInQuarantine()  # type: ignore[misc]


class _Guarded:
    """A method `remoteStartBuild` behind a gate.

    A closure would take twice as much memory, for each worker.
    """

    __slots__ = ("_gate", "_start_build")

    def __init__(self, gate: Gate, start_build: Callable[[str], Any]) -> None:
        self._gate = gate
        self._start_build = start_build

    def __call__(self, builderName: str) -> Any:
        return self._gate.startThrough(self._start_build, builderName)
