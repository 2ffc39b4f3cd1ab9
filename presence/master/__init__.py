"""What runs in the buildmaster. The public names are imported when they are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from presence.master.buildslave import BuildSlave, PresenceMixin
    from presence.master.service import PresenceService

__all__ = ["BuildSlave", "PresenceMixin", "PresenceService"]

_HOMES = {
    "BuildSlave": "presence.master.buildslave",
    "PresenceMixin": "presence.master.buildslave",
    "PresenceService": "presence.master.service",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
