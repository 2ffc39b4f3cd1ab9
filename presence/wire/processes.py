"""Whether a process is there, of which a file has told the id."""

from __future__ import annotations

import os
from pathlib import Path

#: Whether the system says which processes there are. (On Windows asking for one would end it.)
PROCESSES_KNOWN = os.name == "posix"


def isAlive(pid: int) -> bool:
    """Whether there may be a process of this id that has not ended."""
    if not PROCESSES_KNOWN:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether it has ended, and its parent has not asked for it: in a container often nobody does."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False  # no Linux
    # after the name, which may be anything
    return stat.rpartition(b")")[2].split()[:1] == [b"Z"]
