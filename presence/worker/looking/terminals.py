"""When somebody typed at a terminal of this machine last, over ssh too: the kernel notes it."""

from __future__ import annotations

import os
from pathlib import Path

from presence.worker.looking.cannottell import CannotTellError
from presence.worker.looking.processes import Family, snapshot

# those on which somebody can log in
_CONSOLES = tuple(f"tty{number}" for number in range(1, 13))


class Terminals:
    """The terminals below `devices`, but those that our own builds have been given."""

    def __init__(self, pid: int, devices: Path = Path("/dev")) -> None:
        self._family = Family(pid)
        self._devices = devices
        self._last = 0.0
        self._consoles = [name for name in _CONSOLES if (devices / name).exists()]

    def last(self) -> float:
        """When that was, in seconds since the epoch; the kernel notes it to within eight seconds. Raises `CannotTellError`."""
        times = self._times()
        if max(times.values(), default=0.0) > self._last:
            # (to look whose they are costs more)
            ours = self._ours()
            times = {device: at for device, at in times.items() if device not in ours}
            self._last = max(times.values(), default=0.0)
        return self._last

    def _times(self) -> dict[int, float]:
        """{device number: when it was read from last}."""
        # once a second, so that no more is done than there has to be
        found: dict[int, float] = {}
        folder = str(self._devices)
        try:
            names = [f"pts/{name}" for name in os.listdir(f"{folder}/pts") if name.isdecimal()]  # noqa: PTH208
        except OSError as problem:
            raise CannotTellError(f"there are no terminals to look at ({problem})") from None
        for name in (*names, *self._consoles):
            try:
                status = os.stat(f"{folder}/{name}")  # noqa: PTH116
            except OSError:
                continue  # it has been closed
            found[status.st_rdev] = max(status.st_atime, found.get(status.st_rdev, 0.0))
        return found

    def _ours(self) -> set[int]:
        table = snapshot(oldest=0.0).processes
        own = table.get(self._family.pid)
        members = self._family.members(table) - {self._family.pid}
        terminals = {table[pid].terminal for pid in members if pid in table}
        # one that the worker was started in is its owner's
        return terminals - ({own.terminal} if own is not None else set())
