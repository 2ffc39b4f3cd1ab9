"""What `presence demo` plans, and how it judges what came of it. Pure: it is told the instants.

Instants are seconds since the epoch.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: The length of a cycle, in seconds.
CYCLE = 12

#: The breaks of each cycle: worker, start, stop (seconds from the cycle's start), reason. They overlap, so
#: that for some seconds nobody builds.
PATTERN = (
    ("mac-mini", 2, 8, "somebody is at the keyboard"),
    ("aarch64", 5, 10, "benchmarks"),
)

WORKERS = tuple(worker for worker, *_ in PATTERN)

#: How long a build may be on its way from the master's "go" to the process on the worker, in seconds. In
#: between the master writes to its database, and the worker starts a process.
ON_ITS_WAY = 2.0

#: Buildbot's result of a build that succeeded.
_SUCCESS = 0


@dataclass(frozen=True)
class PlannedBreak:
    """One break of one worker: `[start, stop)`."""

    worker: str
    start: float
    stop: float
    reason: str


@dataclass(frozen=True)
class Build:
    """One build as Buildbot has it in the end.

    `began` is when its process ran, by the worker's clock, or None when it never did. `announced` is when
    Buildbot announced it, which is just before it asks for the last time whether the worker accepts it.
    """

    build: int
    request: int
    worker: str
    results: int | None
    began: float | None
    announced: float | None


@dataclass(frozen=True)
class Verdict:
    """What came of it. `wrong` lists what must not be, in words; it is empty when all is well."""

    wrong: tuple[str, ...]
    builds: int


@dataclass(frozen=True)
class Plan:
    """The breaks of `cycles` cycles, the first of which begins at `first`."""

    first: float
    cycles: int

    @property
    def breaks(self) -> tuple[PlannedBreak, ...]:
        """All breaks, by cycle and worker."""
        return tuple(
            PlannedBreak(worker, begin + start, begin + stop, reason)
            for begin in (self.first + cycle * CYCLE for cycle in range(self.cycles))
            for worker, start, stop, reason in PATTERN
        )

    @property
    def end(self) -> float:
        """When the last break ends."""
        return max((each.stop for each in self.breaks), default=self.first)

    def prolonged(self) -> Plan:
        """The same, and one cycle more."""
        return Plan(self.first, self.cycles + 1)


def breakAt(plan: Iterable[PlannedBreak], worker: str, instant: float) -> PlannedBreak | None:
    """The break of `worker` that contains `instant`."""
    for planned in plan:
        if planned.worker == worker and planned.start <= instant < planned.stop:
            return planned
    return None


def startedInBreak(plan: Iterable[PlannedBreak], build: Build) -> PlannedBreak | None:
    """The break in which this build was started, if it was.

    The clock decides: its process began to run within the break. One that Buildbot had announced before the
    break began, and that ran soon after that, was on its way: that is not a start in a break.
    """
    if build.began is None:
        return None
    planned = breakAt(plan, build.worker, build.began)
    if (
        planned is not None
        and build.announced is not None
        and build.announced < planned.start
        and build.began - planned.start < ON_ITS_WAY
    ):
        return None
    return planned


def judge(plan: Sequence[PlannedBreak], requested: Mapping[int, float], builds: Sequence[Build]) -> Verdict:
    """Hold the builds against the breaks as they were planned, and against the requests that were made."""
    wrong = []
    for build in builds:
        planned = startedInBreak(plan, build)
        if planned is not None and build.began is not None:
            wrong.append(
                f"build {build.build} started on {build.worker} {build.began - planned.start:.2f} s after "
                f"its break had begun, {planned.stop - build.began:.2f} s before its end"
            )
    succeeded = Counter(build.request for build in builds if build.results == _SUCCESS)
    ran = Counter(build.request for build in builds if build.began is not None)
    for request in requested:
        if not succeeded[request]:
            wrong.append(f"request {request} was lost: no build of it succeeded")
        elif ran[request] > 1:
            wrong.append(f"request {request} was built {ran[request]} times")
    return Verdict(tuple(wrong), sum(ran.values()))
