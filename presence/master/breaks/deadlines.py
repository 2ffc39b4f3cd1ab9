"""Deadlines of breaks: what still runs so long after the start is interrupted, and built again elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from presence.calendar.durations import durationText
from presence.calendar.instants import datetimeOf, secondsOf
from presence.master.builds.running import buildsOn

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall

    from presence.breaks.sparing import Deadline
    from presence.master.builds.requeue import Requeue
    from presence.master.enrolled import EnrolledWorker
    from presence.master.roster import Roster
    from presence.model.workerpresence import WorkerPresence

# How late a break that begins may be noticed, in seconds: one that is found to be on for longer was there already when the
# master started or was told of it, or was suspended until now.
_LATE = 5.0


@dataclass(eq=False)
class _Watched:
    """A worker some of whose breaks have deadlines."""

    worker: EnrolledWorker
    timer: IDelayedCall | None = None
    #: the breaks that are, and since when (seconds since the epoch) they are in force here
    since: dict[Deadline, float] = field(default_factory=dict)
    #: those whose deadline has come
    done: set[Deadline] = field(default_factory=set)


class BreakDeadlines:
    """Interrupts builds at the deadlines of the breaks of a master's workers. `announce` is called with the name of one of
    which `interruptsAt()` says something else.

    A deadline counts from the start of the break, or from when it came into force: a person who let the machine work
    anyway, and a reconfig in mid-break, do not cost the builds of that time.
    """

    def __init__(self, roster: Roster, requeue: Requeue, announce: Callable[[str], object]) -> None:
        self._roster = roster
        self._announce = announce
        self._watched: dict[str, _Watched] = {}
        self._requeue = requeue

    def follow(self, worker: EnrolledWorker) -> None:
        """The worker is new, or its schedule is another one."""
        before = self._watched.get(worker.workername)
        self.forget(worker.workername)
        if worker.schedule.interrupts:
            self._watched[worker.workername] = entry = _Watched(worker)
            if before is not None:
                entry.since, entry.done = before.since, before.done
            self._reconsider(entry)

    def forget(self, name: str) -> None:
        """The worker is no longer there."""
        entry = self._watched.pop(name, None)
        if entry is not None and entry.timer is not None:
            entry.timer.cancel()

    def interruptsAt(self, name: str) -> float | None:
        """When what runs on this worker is interrupted next for a break that is now, in seconds since the epoch; or None."""
        entry = self._watched.get(name)
        if entry is None:
            return None
        due = (
            since + each.after.total_seconds()
            for each, since in entry.since.items()
            if each not in entry.done
        )
        return min(due, default=None)

    def stop(self) -> None:
        """Interrupt nothing any more."""
        for name in tuple(self._watched):
            self.forget(name)

    def holdsChanged(self, presence: WorkerPresence) -> None:
        """The holds or the limits of a worker, any one, have changed: a break may have begun, or be suspended."""
        entry = self._watched.get(presence.name)
        if entry is not None:
            self._reconsider(entry)

    def clockJumped(self) -> None:
        """Ask the clock again."""
        for entry in tuple(self._watched.values()):
            self._reconsider(entry)

    def _reconsider(self, entry: _Watched) -> None:
        """Interrupt what is due, and wake when the next is."""
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
        now: float = self._roster.clock.seconds()
        before = self.interruptsAt(entry.worker.workername)
        instant = datetimeOf(now)
        timer, schedule = entry.worker.breakTimer, entry.worker.schedule
        suspended = None if timer is None else timer.suspendedUntil
        breaks = [] if suspended is not None else schedule.deadlines(instant)
        entry.since = {each: entry.since.get(each, _in_force(each, now)) for each in breaks}
        entry.done &= set(breaks)
        wakeups = [] if suspended is None else [suspended]
        change = schedule.nextDeadlineStart(instant)
        wakeups += [] if change is None else [secondsOf(change)]
        for each, since in entry.since.items():
            due = since + each.after.total_seconds()
            if due > now:
                wakeups.append(due)
            elif each not in entry.done:
                entry.done.add(each)
                self._interrupt(entry.worker, each)
        if self.interruptsAt(entry.worker.workername) != before:
            self._announce(entry.worker.workername)
        if wakeups:
            entry.timer = self._roster.clock.callLater(max(0.0, min(wakeups) - now), self._due, entry)

    def _due(self, entry: _Watched) -> None:
        entry.timer = None
        self._reconsider(entry)

    def _interrupt(self, worker: EnrolledWorker, deadline: Deadline) -> None:
        builds = [build for build in buildsOn(worker) if deadline.concerns(build.builder.name)]
        after = deadline.after.total_seconds()
        when = f"began {durationText(after)} ago" if after else "begins"
        self._requeue.send(builds, f"a break of {worker.workername} {when}, and this is its deadline")


def _in_force(deadline: Deadline, now: float) -> float:
    start = secondsOf(deadline.start)
    return start if now - start <= _LATE else now
