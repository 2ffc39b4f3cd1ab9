"""What Buildbot knows of a worker that is not ours, mirrored as holds.

A builder may use stock workers beside ours. A stock worker counts as ready while it is connected and neither
paused nor in graceful shutdown; Buildbot alone decides about its builds, so that nothing here is a gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.interfaces import ILatentWorker

if TYPE_CHECKING:
    from presence.model.workerpresence import WorkerPresence


def isLatent(worker: Any) -> bool:
    """Whether Buildbot starts this worker when it needs it. A latent worker is never `offline`."""
    return bool(ILatentWorker.providedBy(worker))


def mirrorConnection(worker: Any, presence: WorkerPresence) -> None:
    """Place or release `offline`, as `worker` is connected or not."""
    if worker.conn is not None or isLatent(worker):
        presence.release("offline")
    elif presence.heldBy("offline") is None:
        presence.hold("offline")


def mirrorPause(worker: Any, presence: WorkerPresence) -> None:
    """Place or release `pause`, as Buildbot has paused `worker` or not."""
    hold = presence.heldBy("pause")
    if not worker._paused:
        presence.release("pause")
    elif hold is None or hold.reason != worker._pause_reason:
        presence.hold("pause", reason=worker._pause_reason)


def mirrorGraceful(worker: Any, presence: WorkerPresence) -> None:
    """Place or release `graceful`, as `worker` is in Buildbot's graceful shutdown or not."""
    if not worker._graceful:
        presence.release("graceful")
    elif presence.heldBy("graceful") is None:
        presence.hold("graceful")


def mirrorQuarantine(worker: Any, presence: WorkerPresence) -> None:
    """Place or release `quarantine`, as Buildbot has put `worker` there or not."""
    timer = worker.quarantine_timer
    if timer is None:
        presence.release("quarantine")
    elif presence.heldBy("quarantine") is None:
        presence.hold("quarantine", reason="a build could not be prepared", until=timer.getTime())


def mirror(worker: Any, presence: WorkerPresence) -> None:
    """Do all of the above. Asks what is true now, so that it may be called as often as one likes."""
    mirrorConnection(worker, presence)
    mirrorPause(worker, presence)
    mirrorQuarantine(worker, presence)
    mirrorGraceful(worker, presence)
