"""What a worker says of its presence when it connects.

Most have no owner's side: what speaks with that is not in memory.
"""

from __future__ import annotations

from typing import Any

from presence.wire.names import PRESENCE

#: the greeting of a worker that says nothing of its presence
NOTHING = object()


def takeGreeting(conn: Any) -> object:
    """What the worker at the other end of `conn` says of its presence when it connects, to be given to `OwnerLink.attached()` when
    Buildbot has taken the connection. It is taken out: Buildbot would keep it as a property of the worker.
    """
    return conn.info.pop(PRESENCE, NOTHING) if isinstance(conn.info, dict) else NOTHING
