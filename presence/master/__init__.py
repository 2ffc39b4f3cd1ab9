"""What runs in the buildmaster. The public names are imported when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.lazy import lazily

if TYPE_CHECKING:
    from presence.master.buildslave import BuildSlave, PresenceMixin
    from presence.master.service import PresenceService

__all__ = ["BuildSlave", "PresenceMixin", "PresenceService"]

_HOMES = {
    "BuildSlave": "presence.master.buildslave",
    "PresenceMixin": "presence.master.buildslave",
    "PresenceService": "presence.master.service",
}

__getattr__, __dir__ = lazily(globals(), _HOMES)
