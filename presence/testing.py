"""A test kit for code that waits for workers: a roster without a master, and a clock that a test sets.

It needs neither Buildbot nor a reactor. What it hands out is not a stand-in: workers, builders and breaks are those of the
model, so that a `waitUntilReady()` fires, fails and is cancelled in a test as it is on a master.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from twisted.internet.defer import succeed
from twisted.internet.task import Clock

from presence.breaks.schedule import BreakSchedule
from presence.calendar.instants import datetimeOf, secondsOf
from presence.calendar.wallclock import asInstant
from presence.model.breaktimer import BreakTimer
from presence.model.builderpresence import BuilderPresence
from presence.model.workerpresence import WorkerPresence

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from twisted.internet.defer import Deferred

__all__ = ["FakeClock", "FakeRoster"]

#: What time it is at first: a Monday at noon, in UTC.
START = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)


class FakeClock(Clock):
    """A clock of Twisted (`IReactorTime`) that begins at `now`, and stands still until it is moved on.

    `now` is an aware datetime; `ValueError` for a naive one.
    """

    def __init__(self, now: datetime = START) -> None:
        super().__init__()
        self.rightNow = secondsOf(asInstant(now))

    @property
    def now(self) -> datetime:
        """What time it is, in UTC."""
        return datetimeOf(self.rightNow)

    def advanceTo(self, instant: datetime) -> None:
        """Let the time until `instant`, an aware datetime, pass: each timer that is due fires at its own time.

        `ValueError` for an instant that is past, and nothing has happened then.
        """
        instant = asInstant(instant)
        if instant < self.now:
            raise ValueError(
                f"{instant} is past: it is {self.now} now; to set the clock back, set `rightNow`"
            )
        end = secondsOf(instant)
        while self.calls and self.calls[0].getTime() < end:
            self.advance(max(0, self.calls[0].getTime() - self.seconds()))
        self.rightNow = end
        self.advance(0)

    def advanceBy(self, **duration: float) -> None:
        """Let a time pass, given as to `datetime.timedelta`: ``clock.advanceBy(hours=2)``."""
        self.advanceTo(self.now + timedelta(**duration))


class FakeRoster:
    """A `Roster` for tests: the presences of workers and builders, by name.

    `workers` is {name: its ``onBreakDuring``, or None for no breaks}, or names; they are connected, and AVAILABLE unless
    they are on a break. `builders` is {name: the names of its workers}; a worker that is not among `workers` has no
    breaks. `timezone` is that of the breaks that name none. `clock` is a `FakeClock` unless one is given.

    To hold a worker, hold its presence: ``roster.worker("mac-mini").hold("worker", until=...)``. A worker that has lost its
    connection is held by the source ``offline``.

    Raises `ValueError` for breaks that are not as `Break` says.
    """

    def __init__(
        self,
        workers: Mapping[str, object] | Iterable[str] = (),
        builders: Mapping[str, Iterable[str]] | None = None,
        *,
        timezone: str | tzinfo = "UTC",
        clock: Clock | None = None,
    ) -> None:
        self.clock = FakeClock() if clock is None else clock
        self._timezone = timezone
        self._workers: dict[str, WorkerPresence] = {}
        self._builders: dict[str, BuilderPresence] = {}
        self._timers: dict[str, BreakTimer] = {}
        breaks = workers if isinstance(workers, Mapping) else dict.fromkeys(workers)
        for name, on_break_during in breaks.items():
            self.addWorker(name, on_break_during)
        for name, workernames in (builders or {}).items():
            self.addBuilder(name, workernames)

    # --- what a Roster has

    def getService(self, master: object) -> Deferred[FakeRoster]:  # noqa: ARG002 (there is one, whatever the master)
        """The roster itself, whatever the `master`: it may stand where code says `Roster.getService(master)`."""
        return succeed(self)

    @property
    def workers(self) -> dict[str, WorkerPresence]:
        """The presences of all workers, by name (a copy)."""
        return dict(self._workers)

    @property
    def builders(self) -> dict[str, BuilderPresence]:
        """The presences of all builders, by name (a copy)."""
        return dict(self._builders)

    def worker(self, name: str) -> WorkerPresence:
        """The presence of the worker `name`. It is made, and held as ``offline``, when it is new."""
        presence = self._workers.get(name)
        if presence is None:
            presence = self._workers[name] = WorkerPresence(name, self.clock)
            presence.hold("offline")
        return presence

    def builder(self, name: str) -> BuilderPresence:
        """The presence of the builder `name`. `KeyError` when there is none."""
        return self._builders[name]

    def findWorker(self, name: str) -> WorkerPresence | None:
        """The presence of the worker `name`, or None when there is none."""
        return self._workers.get(name)

    def findBuilder(self, name: str) -> BuilderPresence | None:
        """The presence of the builder `name`, or None when there is none."""
        return self._builders.get(name)

    # --- what a reconfig, or the end of a master, does

    def addWorker(self, name: str, onBreakDuring: object = None) -> WorkerPresence:
        """A worker that is connected, with these breaks; or other breaks for one that there is. Its presence."""
        schedule = BreakSchedule.fromConfig(onBreakDuring, self._timezone)
        presence = self.worker(name)
        presence.release("offline")
        timer = self._timers.get(name)
        if timer is None:
            timer = self._timers[name] = BreakTimer(schedule, presence, self.clock)
            timer.start()
        else:
            timer.replace(schedule)
        return presence

    def removeWorker(self, name: str) -> None:
        """Remove a worker: whoever waits for it gets `PresenceStopped`. `KeyError` when there is none."""
        presence = self._workers.pop(name)
        for builder in self._builders.values():
            if presence in builder.workers:
                builder.removeWorker(presence)
        # before the break ends for it, and with that the waiting
        presence.stop()
        if name in self._timers:
            self._timers.pop(name).stop()

    def addBuilder(self, name: str, workernames: Iterable[str]) -> BuilderPresence:
        """A builder with these workers; or with these instead of those that it had. Its presence."""
        builder = self._builders.setdefault(name, BuilderPresence(name))
        # a worker that is new is connected
        wanted = [self._workers.get(each) or self.addWorker(each) for each in dict.fromkeys(workernames)]
        for presence in builder.workers:
            if presence not in wanted:
                builder.removeWorker(presence)
        for presence in wanted:
            builder.addWorker(presence)
        return builder

    def removeBuilder(self, name: str) -> None:
        """Remove a builder: whoever waits for it gets `PresenceStopped`. `KeyError` when there is none."""
        self._builders.pop(name).stop()

    def stop(self) -> None:
        """End everything, as the master does when it stops: whoever waits gets `PresenceStopped`, and no timer is left."""
        for name in self.builders:
            self.removeBuilder(name)
        for name in self.workers:
            self.removeWorker(name)
