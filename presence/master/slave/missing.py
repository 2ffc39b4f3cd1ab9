"""The missing alarm: not for a worker that is on its break, or whose owner has said that it is away."""

from __future__ import annotations

from presence.master import mirror
from presence.master.slave.part import SlavePart


class MissingAlarm(SlavePart):
    """Puts off Buildbot's timer for missing workers until its break, or its owner's absence, is over."""

    _missing_after_break = False

    def startMissingTimer(self) -> None:
        """Start to wonder where the worker is, but not while its schedule or its owner says "away": then, after it."""
        if self._away_on_break():
            self._missing_after_break = True
        else:
            super().startMissingTimer()  # type: ignore[misc]

    def _reconsider_missing(self) -> None:
        """The presence has changed."""
        if self._away_on_break():
            if self.missing_timer is not None:
                self.stopMissingTimer()
                self._missing_after_break = True
        elif self._missing_after_break:
            self._missing_after_break = False
            self.startMissingTimer()

    def _away_on_break(self) -> bool:
        # The timer of a latent worker limits how long a build waits for it; breaks have nothing to do with that.
        return (
            self.presence is not None
            # a break in buildbot.tac, or an owner who has switched the machine off, is announced as "worker"
            and (self.presence.heldBy("break") or self.presence.heldBy("worker")) is not None
            and not mirror.isLatent(self)
        )
