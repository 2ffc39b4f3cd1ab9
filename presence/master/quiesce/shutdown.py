"""Stopping a master when nothing runs: with a deadline, with an end to it at any time, and with progress.

It is Buildbot's clean shutdown to everybody else (`botmaster.shuttingDown`): what running builds wait for still
starts and nothing else does, and whoever else knows of clean shutdowns (`buildbot stop --clean`, a reconfiguration that
waits) joins it. Buildbot's own loop for it is not used: it knows no deadline, notices that it was cancelled when all
builds of before have ended, and never ends when one of them was lost.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger

from presence.master.builds.requeue import GRACE
from presence.master.builds.running import allBuilds
from presence.master.quiesce.ending import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.quiesce.standstill import Standstill
    from presence.orders.shutdown import StopOrder

_log = Logger()

#: How often it is looked whether something runs, in seconds.
LOOK = 1.0

#: How long Buildbot's own loop, if there is one, may take to notice that nothing runs, in seconds.
COURTESY = 5.0


@dataclass(frozen=True)
class Stop:
    """That somebody (`by`) has ordered a stop, since when (seconds since the epoch)."""

    order: StopOrder
    by: str | None
    since: float


class Shutdown:
    """The stop of one master.

    `changed` is called after every change of it, and `wake` when builds may start again.
    """

    def __init__(
        self, master: Any, standstill: Standstill, changed: Callable[[], object], wake: Callable[[], object]
    ) -> None:
        self._master = master
        self._standstill = standstill
        self._changed = changed
        self._wake_builders = wake
        self._ending = Ending(master.reactor)
        self._timer: IDelayedCall | None = None
        self._idle_since: float | None = None
        self._buildbots = False
        self._over = False
        #: what was ordered, or None
        self.stopping: Stop | None = None

    def request(self, order: StopOrder, by: str | None) -> None:
        """Stop when nothing runs. Ordered again, the newest order counts."""
        now = self._master.reactor.seconds()
        botmaster = self._master.botmaster
        _log.info("{by} has ordered that the master stops when nothing runs", by=by)
        if self.stopping is None:
            self._buildbots = botmaster.shuttingDown
            botmaster.shuttingDown = botmaster.brd.distribute_only_waited_childs = True
            self.stopping = Stop(order, by, now)
            # not at once: who has ordered it is to be answered
            self._timer = self._master.reactor.callLater(LOOK, self._look)
        else:
            self.stopping = Stop(order, by, self.stopping.since)
        self._changed()

    def cancel(self, by: str | None) -> bool:
        """Do not stop, whoever has ordered it. Whether somebody had, and it was not too late."""
        if self._over or not self._master.botmaster.shuttingDown:
            return False
        _log.info("{by} has ordered that the master does not stop", by=by)
        self._master.botmaster.cancelCleanShutdown()
        self._go_on()
        return True

    def clockJumped(self) -> None:
        """Look again, now."""
        self._ending.clockJumped()
        self._standstill.look()
        if self._timer is not None:
            self._timer.reset(0)

    def stop(self) -> None:
        """The master ends. No timer is left."""
        self._over = True
        self._ending.stop()
        self._standstill.look()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- waiting

    @inlineCallbacks
    def _look(self) -> Generator[Deferred[Any], Any, None]:
        self._timer = None
        if not self._master.botmaster.shuttingDown:
            # somebody has cancelled it in one of Buildbot's ways
            self._go_on()
            return
        try:
            self._reach_deadline()
            if self.stopping is not None and (yield self._is_idle()):
                self._over = True
                _log.info("nothing runs any more: the master stops")
                # unless Buildbot has just done so
                with suppress(ReactorNotRunning):
                    self._master.reactor.stop()
        except Exception:  # noqa: BLE001
            _log.failure("while waiting to stop")
        if self.stopping is not None and not self._over:
            self._timer = self._master.reactor.callLater(LOOK, self._look)

    @inlineCallbacks
    def _is_idle(self) -> Generator[Deferred[Any], Any, bool]:
        """Whether nothing runs, and it is for us to stop the master."""
        now = self._master.reactor.seconds()
        if self._waited_for() or self._master.reconfig_active:
            self._idle_since = None
            return False
        if self._idle_since is None:
            self._idle_since = now
        if self._buildbots and now - self._idle_since < COURTESY:
            return False
        # what has been chosen is not among the builds for a moment
        go_on = yield self._standstill.reach(self._is_wanted, self._deadline, lambda: 2 * GRACE)
        if go_on is None:
            return False
        go_on()
        # it may have been cancelled meanwhile
        return self._master.botmaster.shuttingDown and not self._over and not self._waited_for()

    def _deadline(self) -> float | None:
        return None if self.stopping is None else self.stopping.order.deadline

    def _is_wanted(self) -> bool:
        """Whether the master is still to stop: somebody may have cancelled it, and it is given up here if its deadline says so."""
        order = None if self.stopping is None else self.stopping.order
        if order is not None and self._is_past(order) and order.atDeadline == "abort":
            self._give_up("the distributor of build requests is busy at the deadline")
        return self.stopping is not None and self._master.botmaster.shuttingDown and not self._over

    def _waited_for(self) -> list[Any]:
        """The builds that run, but for those of which nothing comes any more."""
        # when the master starts again Buildbot builds those again that are left then
        return [] if self._ending.isOverdue else self._ending.waitedFor(allBuilds(self._master))

    def _is_past(self, order: StopOrder) -> bool:
        return order.deadline is not None and order.deadline <= self._master.reactor.seconds()

    def _reach_deadline(self) -> None:
        order = None if self.stopping is None else self.stopping.order
        if order is None or not self._is_past(order):
            return
        builds = self._waited_for()
        if not builds:
            return
        if order.atDeadline == "abort":
            self._give_up("something still runs at the deadline")
        else:
            self._ending.interrupt(builds, "the master stops")

    def _give_up(self, why: str) -> None:
        _log.info("the master does not stop: {why}", why=why)
        self._master.botmaster.cancelCleanShutdown()
        self._go_on()

    def _go_on(self) -> None:
        """As if nothing had been."""
        self.stopping = self._idle_since = None
        self._ending.stop()
        self._ending = Ending(self._master.reactor)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # Buildbot's loop does this when the builds of before have ended
        self._master.botmaster.brd.distribute_only_waited_childs = False
        self._wake_builders()
        self._changed()
