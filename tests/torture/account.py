"""What was acknowledged, what was started, and where the two contradict. Pure: it is told the instants.

Instants are of two clocks. `at` is monotonic and the same in all processes of the machine; `wall` is what the master
takes for the time of day, which somebody sets forward and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

#: For so long after the clock was set nobody has to know it: two seconds, one until faketime has looked, and one to go.
SETTLES = 4.0

#: A start so close behind the begin of a break was asked for before.
EDGE = 0.05

FOREVER = float("inf")


@dataclass(frozen=True)
class Start:
    """A worker was told to build. `child` says whether another build waits for it."""

    worker: str
    at: float
    wall: float
    child: bool = False


@dataclass(frozen=True)
class Held:
    """`worker` was held from `since` (when that was acknowledged) up to `upto` (when somebody ordered anything else of the same
    source). `until` is where the hold ends by itself, on the master's clock. `children` may start in it.
    """

    worker: str
    what: str
    since: float
    upto: float = FOREVER
    until: float = FOREVER
    children: bool = False

    def forbids(self, start: Start) -> bool:
        return (
            self.worker == start.worker
            and self.since < start.at < self.upto
            and start.wall < self.until
            and not (self.children and start.child)
        )


@dataclass(frozen=True)
class Planned:
    """A break of `worker`, on the master's clock; in `master.cfg` from `known` up to `upto`."""

    worker: str
    start: float
    stop: float
    known: float
    upto: float = FOREVER

    def forbids(self, start: Start) -> bool:
        return (
            self.worker == start.worker
            and self.known < start.at < self.upto
            and self.start + EDGE <= start.wall < self.stop
        )


@dataclass
class Account:
    """Told by whoever orders; asked by `contradictions()`."""

    holds: list[Held] = field(default_factory=list)
    breaks: list[Planned] = field(default_factory=list)
    #: worker -> spans of `at` in which its breaks may have been suspended
    suspended: list[tuple[str, float, float]] = field(default_factory=list)
    #: when the master's clock was set
    jumps: list[float] = field(default_factory=list)
    acknowledged: int = 0

    def ordered(self, worker: str, source: str, at: float) -> None:
        """Something is ordered now: what it will be nobody knows before the answer, so nothing is held for sure."""
        self.holds = [
            replace(each, upto=at)
            if each.worker == worker and each.what.startswith(source) and each.upto > at
            else each
            for each in self.holds
        ]

    def held(
        self,
        worker: str,
        source: str,
        at: float,
        *,
        upto: float = FOREVER,
        until: float = FOREVER,
        children: bool = False,
    ) -> None:
        """A hold was acknowledged."""
        self.acknowledged += 1
        self.holds.append(Held(worker, source, at, upto=upto, until=until, children=children))

    def released(self) -> None:
        """A release was acknowledged."""
        self.acknowledged += 1

    def suspending(self, worker: str, at: float, upto: float = FOREVER) -> None:
        """Somebody orders now that its breaks do not hold it: from here on they may not, up to then, or, without that, until it is `resumed`."""
        self.suspended.append((worker, at, upto))

    def resumed(self, worker: str, at: float) -> None:
        """It was acknowledged that its breaks hold it again."""
        self.acknowledged += 1
        self.suspended = [
            (name, begin, at if name == worker and end == FOREVER else end)
            for name, begin, end in self.suspended
        ]

    def dropped(self, stop: float, at: float) -> None:
        """The breaks that are over at `stop`, on the master's clock, are taken out of `master.cfg` now."""
        self.breaks = [
            replace(each, upto=at) if each.upto == FOREVER and each.stop < stop else each
            for each in self.breaks
        ]

    def forget(self, before: float) -> None:
        """Of starts before this instant nobody asks again. It keeps a long account as quick as a short one."""
        self.holds = [each for each in self.holds if each.upto > before]
        self.breaks = [each for each in self.breaks if each.upto > before]
        self.suspended = [each for each in self.suspended if each[2] > before]
        self.jumps = [each for each in self.jumps if each + SETTLES > before]

    def contradictions(self, starts: list[Start]) -> list[str]:
        """Each start that was not to be, in words."""
        found = []
        for start in starts:
            unsettled = any(jump < start.at < jump + SETTLES for jump in self.jumps)
            found += [
                f"{start} although {hold}"
                for hold in self.holds
                if hold.forbids(start) and not (unsettled and hold.until < FOREVER)
            ]
            if unsettled or any(
                worker == start.worker and begin < start.at < end for worker, begin, end in self.suspended
            ):
                continue
            found += [f"{start} in {each}" for each in self.breaks if each.forbids(start)]
        return found


def overlaps(spans: list[tuple[str, bool, float, float]]) -> list[str]:
    """Of (lock, exclusive, begin, end): each exclusive user of a lock beside another user of it."""
    found = []
    for number, (lock, exclusive, begin, end) in enumerate(spans):
        for other, other_exclusive, other_begin, other_end in spans[:number]:
            if lock == other and (exclusive or other_exclusive) and begin < other_end and other_begin < end:
                found.append(f"{lock}: {begin:.3f}–{end:.3f} beside {other_begin:.3f}–{other_end:.3f}")
    return found
