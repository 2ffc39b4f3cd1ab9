"""A presence for every Buildbot worker: available, or not accepting new builds.

These are the public names. Importing this package imports nothing else: a name is imported when it is used (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from presence.breaks.schedule import Break, BreakInterval, BreakSchedule
    from presence.errors import PresenceError, PresenceStopped
    from presence.master.conditions.written import Condition
    from presence.master.enable import enable
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
    "Condition",
    "Hold",
    "PresenceError",
    "PresenceState",
    "PresenceStopped",
    "WorkerPresence",
    "enable",
]

_HOMES = {
    "Break": "breaks.schedule",
    "BreakInterval": "breaks.schedule",
    "BreakSchedule": "breaks.schedule",
    "BreakTimer": "model.breaktimer",
    "BuilderPresence": "model.builderpresence",
    "Condition": "master.conditions.written",
    "Hold": "model.states",
    "PresenceError": "errors",
    "PresenceState": "model.states",
    "PresenceStopped": "errors",
    "WorkerPresence": "model.workerpresence",
    "enable": "master.enable",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    found = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = found  # the next time it is there
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
