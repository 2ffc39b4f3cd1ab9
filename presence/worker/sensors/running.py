"""`WhileRunning`: a program of the owner's runs."""

from __future__ import annotations

import os

from presence.worker.looking.processes import NAME_LENGTH, Family, snapshot
from presence.worker.sensors.reading import Reading
from presence.worker.sensors.written import seconds, text


class WhileRunning:
    """Away while one of `programs` runs, and no build of this worker's has started it.

    A program is called what `ps -e` calls it: on Linux the first 15 characters of its file's name count.
    """

    def __init__(
        self,
        *programs: str,
        quiet: object = "5m",
        every: object = "20s",
        name: str = "running",
        pid: int | None = None,
    ) -> None:
        if not programs:
            raise ValueError("no program is named: write WhileRunning('blender')")
        self.programs = {_short(text("program", each)): each for each in programs}
        self.name = name
        self.quiet = seconds("quiet", quiet)
        self.every = seconds("every", every)
        self._family = Family(os.getpid() if pid is None else pid)

    def read(self) -> Reading:
        """Look through the processes. See `reading.Sensor`."""
        table = snapshot().processes
        ours = self._family.members(table)
        for pid, process in table.items():
            program = self.programs.get(_short(process.name))
            if program is not None and pid not in ours:
                return Reading(True, f"{program} runs")
        names = sorted(self.programs.values())
        return Reading(
            False, f"{names[0]} does not run" if len(names) == 1 else f"none of {', '.join(names)} runs"
        )


def _short(name: str) -> str:
    if os.name == "nt":
        return name.lower().removesuffix(".exe")
    return name.encode()[:NAME_LENGTH].decode("utf-8", "ignore")
