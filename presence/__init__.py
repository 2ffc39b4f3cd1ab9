"""A presence for every Buildbot worker: available, or not accepting new builds.

These are the public names. Importing this package imports neither Buildbot nor its worker.
"""

from presence.breaks import Break, BreakInterval, BreakSchedule
from presence.breaktimer import BreakTimer
from presence.builderpresence import BuilderPresence
from presence.errors import PresenceError, PresenceStopped
from presence.states import Hold, PresenceState
from presence.workerpresence import WorkerPresence

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
