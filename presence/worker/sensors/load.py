"""`LoadAbove`: others than our own builds load the machine."""

from __future__ import annotations

import os
import time

from presence.worker.looking.cannottell import CannotTellError
from presence.worker.looking.processes import Family, snapshot
from presence.worker.sensors.reading import Reading
from presence.worker.sensors.written import number, seconds

# How old a look may be that another sensor has made, in seconds.
_SHARED = 5.0

# The first time there is nothing to compare with: it is measured over so many seconds then.
_FIRST = 1.0


class LoadAbove:
    """Away while others keep more than `bound` processors busy, on average since the last look.

    Others are all processes but this one, its descendants, and their process groups: our own builds do not count. It is
    what processors do that is measured, not how many processes wait.
    """

    def __init__(
        self,
        bound: object,
        *,
        quiet: object = "10m",
        every: object = "20s",
        name: str = "load",
        pid: int | None = None,
    ) -> None:
        self.bound = number("load", bound)
        self.name = name
        self.quiet = seconds("quiet", quiet)
        self.every = seconds("every", every)
        self._family = Family(os.getpid() if pid is None else pid)
        # when it was looked last, and how many seconds all and ours had computed then
        self._before: tuple[float, float, float] | None = None

    def read(self) -> Reading:
        """Measure. See `reading.Sensor`."""
        if self._before is None:
            self._before = self._measure(oldest=0.0)
            time.sleep(_FIRST)
            before, self._before = self._before, self._measure(oldest=0.0)
        else:
            # what another sensor has looked at just now will do
            before, self._before = self._before, self._measure()
        passed, everybody, ours = (now - then for now, then in zip(self._before, before, strict=True))
        if passed <= 0:
            raise CannotTellError("no time has passed since the last look")
        # what has ended may take with it what is subtracted, and ticks are counted in whole
        load = max(0.0, everybody - max(0.0, ours)) / passed
        said = f"others keep {load:.1f} processors busy"
        return Reading(
            load > self.bound, said if load > self.bound else f"{said}, of {self.bound:g} that they may"
        )

    def _measure(self, oldest: float = _SHARED) -> tuple[float, float, float]:
        now = snapshot(oldest=oldest)
        family = self._family.members(now.processes)
        return now.at, now.busy, sum(now.processes[pid].seconds for pid in family if pid in now.processes)
