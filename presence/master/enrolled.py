"""What the parts of a master know of a worker of ours, whatever class of Buildbot's it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from presence.breaks.schedule import BreakSchedule
    from presence.model.breaktimer import BreakTimer
    from presence.model.workerpresence import WorkerPresence
    from presence.orders.record import AdminRecord


class EnrolledWorker(Protocol):
    """A worker that has been enrolled with the roster: it says itself what holds it, and can be held by admins."""

    #: None before its service has started
    presence: WorkerPresence | None
    #: None before its service has started
    breakTimer: BreakTimer | None
    schedule: BreakSchedule
    owners: tuple[str, ...]
    #: what admins have ordered of it
    adminRecord: AdminRecord

    # of Buildbot's workers
    workername: str
    workerid: int
    #: Buildbot's `WorkerForBuilder` objects, by the names of their builders
    workerforbuilders: dict[str, Any]

    def ordersKnown(self, known: bool) -> None:
        """Whether it is known what admins have ordered of it. While it is not nothing starts there."""

    def clockJumped(self, seconds: float) -> None:
        """The clock has been set by so many seconds: everything that goes by it is asked again."""
