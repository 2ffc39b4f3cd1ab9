"""What the parts know of each other, and of the worker that they are mixed into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.orders.record import AdminRecord

if TYPE_CHECKING:
    from presence.breaks.schedule import BreakSchedule
    from presence.master.assembly import Assembly
    from presence.master.owner.link import OwnerLink
    from presence.model.breaktimer import BreakTimer
    from presence.model.workerpresence import WorkerPresence


class SlavePart:
    """A part. Before the worker's service has started there is no presence, no timer and no assembly."""

    presence: WorkerPresence | None = None
    breakTimer: BreakTimer | None = None
    schedule: BreakSchedule
    owners: tuple[str, ...] = ()
    adminRecord = AdminRecord()

    _assembly: Assembly | None = None
    _owner_link: OwnerLink | None = None
    #: whether the service has begun to stop
    _leaving = False

    # of Buildbot's workers
    master: Any
    botmaster: Any
    #: the connection, or None
    conn: Any
    workername: str
    workerid: int
    workerforbuilders: dict[str, Any]
    missing_timer: Any
    stopMissingTimer: Any
    _paused: bool
    _config_args: tuple[Any, ...]
    _config_kwargs: dict[str, Any]

    def _update_owner(self) -> None:
        """What was sent to the owner's side may be out of date."""
        if self._owner_link is not None:
            self._owner_link.changed()

    def ordersKnown(self, known: bool) -> None:
        """See `presence.master.enrolled.EnrolledWorker`; the gate heeds it."""

    def _look_at_clock(self) -> None:
        """Whatever hears of a clock that was set hears of it now."""
        if self._assembly is not None:
            self._assembly.roster.clock.look()

    def clockJumped(self, seconds: float) -> None:
        """The clock has been set by so many seconds: ask the breaks again, and let nothing wait for a pause to end."""
        if self.breakTimer is not None:
            self.breakTimer.reconsider()
        if self._owner_link is not None:
            self._owner_link.clockJumped(seconds)
