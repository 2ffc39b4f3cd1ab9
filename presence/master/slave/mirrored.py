"""Buildbot's own pause, quarantine and graceful shutdown, mirrored as holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master import mirror
from presence.master.slave.part import SlavePart

if TYPE_CHECKING:
    from collections.abc import Generator

    from twisted.internet.defer import Deferred


class Mirrored(SlavePart):
    """Lets the presence show what Buildbot says of the worker, and which Buildbot goes on enforcing."""

    @inlineCallbacks
    def _getWorkerInfo(self) -> Generator[Deferred[Any], Any, None]:
        yield super()._getWorkerInfo()  # type: ignore[misc]
        if self._paused:
            # Buildbot brings the pause back after a restart, and forgets its reason when the worker attaches
            worker = yield self.master.data.get(("workers", self.workerid))
            self._pause_reason = worker["pause_reason"]
        self._mirror(mirror.mirrorPause)

    def pause(self, reason: str | None) -> None:
        """Buildbot's pause, with the reason that is given there."""
        super().pause(reason)  # type: ignore[misc]
        self._mirror(mirror.mirrorPause)

    def unpause(self) -> None:
        """End Buildbot's pause (and its quarantine), and no other hold."""
        super().unpause()  # type: ignore[misc]
        self._mirror(mirror.mirrorPause)

    def putInQuarantine(self) -> None:
        """Buildbot's quarantine begins."""
        super().putInQuarantine()  # type: ignore[misc]
        self._mirror(mirror.mirrorQuarantine)

    def exitQuarantine(self) -> None:
        """Buildbot's quarantine is over."""
        super().exitQuarantine()  # type: ignore[misc]
        self._mirror(mirror.mirrorQuarantine)

    def shutdownRequested(self) -> None:
        """Begin Buildbot's graceful shutdown."""
        super().shutdownRequested()  # type: ignore[misc]
        self._mirror(mirror.mirrorGraceful)

    def _mirror(self, what: Any) -> None:
        if self.presence is not None:
            what(self, self.presence)
