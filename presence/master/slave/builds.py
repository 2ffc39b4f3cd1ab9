"""The builds that run on the worker."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from presence.master import mirror
from presence.master.builds.latentbuilders import hasLost
from presence.master.slave.locks import Locks
from presence.master.starting.lostworkers import guardChoice, guardPreparation

if TYPE_CHECKING:
    from collections.abc import Mapping

# one for all workers on which nothing runs
_NONE: frozenset[Any] = frozenset()
_NOTHING: Mapping[Any, float] = MappingProxyType({})


class Builds(Locks):
    """Keeps count of them, for the presence and for the machine's owner, and loses no request of one that is lost."""

    def initializePresence(self) -> None:
        """See `Locks`. Nothing runs."""
        super().initializePresence()
        # since when (seconds since the epoch) which builder's build runs
        self._building = _NOTHING
        # those of them that may run although the worker is drained
        self._admitted = _NONE

    def buildStarted(self, wfb: Any) -> None:
        """A build starts on this worker, for the builder of `wfb`."""
        # the last one: Buildbot appends it in the same breath
        build = wfb.builder.building[-1]
        guardPreparation(build, self._was_refused)
        super().buildStarted(wfb)
        if self._assembly is not None and self._assembly.drains.wasAdmitted(self, build):
            self._admitted |= {wfb}
        self._build_began(wfb)

    def _build_began(self, wfb: Any) -> None:
        if self.presence is not None and wfb not in self._building:
            self._building = {**self._building, wfb: self.master.reactor.seconds()}
            self.presence.buildStarted()
            self._builds_changed()

    def buildFinished(self, wfb: Any) -> None:
        """The build of `wfb` has finished."""
        self._build_ended(wfb)
        # One that was removed from the configuration has no master any more that could look for the next build;
        # Buildbot would fail here, and leave the request of this one claimed.
        if self.botmaster is not None:
            super().buildFinished(wfb)
            if self._assembly is not None and mirror.isLatent(self) and hasLost(wfb):
                self._assembly.roster.rejoin(self)

    def addWorkerForBuilder(self, wfb: Any) -> None:
        """The worker joins a builder."""
        guardChoice(wfb.builder)
        super().addWorkerForBuilder(wfb)  # type: ignore[misc]

    def removeWorkerForBuilder(self, wfb: Any) -> None:
        """The worker leaves a builder; a build that was lost with the connection ends in no other way."""
        super().removeWorkerForBuilder(wfb)
        self._build_ended(wfb)

    def _leave_builders(self) -> None:
        """Leave those builders that Buildbot overlooks: it takes leave of those for which the worker is configured, and one
        that was removed from the configuration is for none.
        """
        # (a latent worker stays with its builders while it is not connected)
        if not mirror.isLatent(self):
            for wfb in tuple(self.workerforbuilders.values()):
                builder = wfb.builder
                if builder.config is not None and self.workername in builder.config.workernames:
                    continue
                if wfb in builder.workers or wfb in builder.attaching_workers:
                    builder.detached(self)
                else:
                    # the builder has dropped it, and has not told it so
                    wfb.detached()

    def _was_refused(self) -> bool:
        """Whether the build that could not be prepared was refused, in this very call stack."""
        return False

    def _build_ended(self, wfb: Any) -> None:
        if self._admitted:
            self._admitted -= {wfb}
        if self.presence is not None and wfb in self._building:
            self._building = {
                each: since for each, since in self._building.items() if each is not wfb
            } or _NOTHING
            self.presence.buildFinished()
            self._builds_changed()

    def _builds_changed(self) -> None:
        if self._assembly is not None:
            self._assembly.drains.changed(self)
        self._update_owner()

    def _send_back(self) -> None:
        if self._assembly is not None:
            self._assembly.sendBack(self)

    def _running(self) -> dict[str, float]:
        return {wfb.builder_name: since for wfb, since in self._building.items()}
