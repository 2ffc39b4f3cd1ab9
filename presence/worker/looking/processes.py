"""The processes of the machine, and which of them are the worker's own."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from presence.worker.looking.cannottell import needs

#: How much of its name Linux keeps of a process, in characters.
NAME_LENGTH = 15

# where in /proc/PID/stat, behind the name: ppid, pgrp, tty_nr, utime, stime, cutime, cstime
_PARENT, _GROUP, _TTY, _TIMES = 1, 2, 4, slice(11, 15)

# where in the first line of /proc/stat: user, nice, system; irq, softirq
_BUSY = (1, 2, 3, 6, 7)


class Process(NamedTuple):
    """A process: its parent, its group, its terminal (a device number, 0 for none), its name, and how many seconds it and
    those of its children that have ended have computed.
    """

    parent: int
    group: int
    terminal: int
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All processes that can be seen, {pid: process}, and how many seconds all processors have computed since the start
    (`busy`), at one time: `at`, in seconds on a clock that is not set.
    """

    at: float
    busy: float
    processes: dict[int, Process]


# the last one, for several sensors that look at the same time
_last: list[Snapshot] = []
# who looks at the same time waits for that one
_looking = Lock()


def snapshot(proc: Path = Path("/proc"), oldest: float = 5.0) -> Snapshot:
    """The processes as they are, or were at most `oldest` seconds ago. `CannotTellError` where they cannot be seen."""
    with _looking:
        now = time.monotonic()
        if _last and now - _last[0].at <= oldest:
            return _last[0]
        if (proc / "self/stat").exists():
            found = Snapshot(now, _busy_of_linux(proc), _of_linux(proc))
        elif find_spec("psutil") is None:
            raise needs("psutil")
        else:
            found = _elsewhere(now)
        _last[:] = [found]
        return found


class Family:
    """Who of the processes belongs to process `pid`: its descendants, and who is in a process group of theirs.

    It remembers the groups, for the parents may end before their children.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._groups: set[int] = set()

    def members(self, table: dict[int, Process]) -> set[int]:
        """The pids, `pid` among them."""
        children: dict[int, list[int]] = {}
        for pid, process in table.items():
            children.setdefault(process.parent, []).append(pid)
        found, todo = set(), [self.pid]
        # those that were orphaned, too
        todo += [pid for pid, process in table.items() if process.group in self._groups]
        while todo:
            pid = todo.pop()
            if pid not in found:
                found.add(pid)
                todo += children.get(pid, ())
        ours = table[self.pid].group if self.pid in table else 0
        self._groups = {table[pid].group for pid in found if pid in table} - {ours, 0}
        # a group whose leader is not one of us is somebody else's, which one of us was started in
        self._groups &= {*found, *(group for group in self._groups if group not in table)}
        return found


def _of_linux(proc: Path) -> dict[int, Process]:
    tick = 1.0 / os.sysconf("SC_CLK_TCK")
    found = {}
    for name in os.listdir(proc):  # noqa: PTH208 (there are hundreds)
        if not name.isdecimal():
            continue
        try:
            content = _content(f"{proc}/{name}/stat")
            # a name may have brackets and blanks in it
            before, _, after = content.rpartition(b")")
            fields = after.split()
            found[int(name)] = Process(
                int(fields[_PARENT]),
                int(fields[_GROUP]),
                int(fields[_TTY]),
                before.partition(b"(")[2].decode("utf-8", "replace"),
                tick * sum(map(int, fields[_TIMES])),
            )
        except (OSError, ValueError, IndexError):
            continue  # it has ended
    return found


def _busy_of_linux(proc: Path) -> float:
    fields = _content(f"{proc}/stat").split(b"\n", 1)[0].split()
    return sum(int(fields[place]) for place in _BUSY) / os.sysconf("SC_CLK_TCK")


def _content(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def _elsewhere(now: float) -> Snapshot:
    import psutil  # noqa: PLC0415 (an extra)

    found = {}
    for each in psutil.process_iter(["pid", "ppid", "name", "cpu_times"]):
        known: dict[str, Any] = each.info
        try:
            group = os.getpgid(known["pid"]) if hasattr(os, "getpgid") else 0
        except OSError:
            group = 0
        times = known["cpu_times"]
        computed = 0.0
        if times is not None:
            computed = times.user + times.system
            computed += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        found[known["pid"]] = Process(known["ppid"] or 0, group, 0, known["name"] or "", computed)
    times = psutil.cpu_times()
    return Snapshot(now, float(times.user + times.system + getattr(times, "nice", 0.0)), found)
