"""Whether a process is there, of which a file has told the id; and those from which this one was started."""

from __future__ import annotations

import os
from pathlib import Path

#: Whether the system says which processes there are. (On Windows asking for one would end it.)
PROCESSES_KNOWN = os.name == "posix"

# So much of a file is read for an id, in bytes.
_LONGEST = 20

# So many processes, at most, are asked from which they were started.
_DEEPEST = 50


def pidIn(directory: Path) -> int | None:
    """The id that Twisted has written into a master's or worker's directory; None where there is none that can be read."""
    try:
        with (directory / "twistd.pid").open("rb") as file:
            pid = int(file.read(_LONGEST))
    except (OSError, ValueError):
        return None
    return pid if pid > 0 else None


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


def lineage() -> list[tuple[int, str]]:
    """The id and the directory of this process and of each from which it was started, the nearest first, as far as the system says it to
    this account: Linux does, others say nothing.
    """
    found: list[tuple[int, str]] = []
    pid = os.getpid()
    while pid > 0 and len(found) < _DEEPEST:
        try:
            # after the name, which may be anything
            parent = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1]
        except (OSError, IndexError):
            break
        try:
            directory = str(Path(f"/proc/{pid}/cwd").readlink())
        except OSError:
            directory = ""  # somebody else's
        found.append((pid, directory))
        pid = int(parent)
    return found


def _is_zombie(pid: int) -> bool:
    """Whether it has ended, and its parent has not asked for it: in a container often nobody does."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False  # no Linux
    # after the name, which may be anything
    return stat.rpartition(b")")[2].split()[:1] == [b"Z"]
