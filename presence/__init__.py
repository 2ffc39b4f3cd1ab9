"""A presence for every Buildbot worker: available, or not accepting new builds.

These are the public names. Importing this package imports neither Buildbot nor its worker.
"""

from presence.breaks.schedule import Break, BreakInterval, BreakSchedule
from presence.errors import PresenceError, PresenceStopped
from presence.model.breaktimer import BreakTimer
from presence.model.builderpresence import BuilderPresence
from presence.model.states import Hold, PresenceState
from presence.model.workerpresence import WorkerPresence

__all__ = [
    "Break",
    "BreakInterval",
    "BreakSchedule",
    "BreakTimer",
    "BuilderPresence",
    "Hold",
    "PresenceError",
    "PresenceState",
    "PresenceStopped",
    "WorkerPresence",
]
