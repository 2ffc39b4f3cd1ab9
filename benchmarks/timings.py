"""Single operations: `python -m benchmarks.timings OPERATION` reads numbers, does it so many times, and writes how many seconds that took."""

import sys
from datetime import datetime, timedelta, timezone
from functools import partial
from time import perf_counter

from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred

from presence.breaks import occurrences, recurrences, written
from presence.breaks import schedule as breaks
from presence.breaks.schedule import Break, BreakSchedule
from presence.model.workerpresence import WorkerPresence

NOW = datetime(2026, 11, 24, 18, tzinfo=timezone.utc)
#: Instants of a year. One is months away from the one before, so that nothing that was found for that helps.
INSTANTS = [NOW + number * 431 % 1200 * timedelta(hours=7, minutes=13) for number in range(1200)]

SCHEDULES = {
    "tuple": ("07:00", "19:00"),
    "weekly tuple": ("19:00", "07:00", "MO-FR"),
    "weekly rule": Break("07:00", "19:00", rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", since="2026-10-26"),
    "monthly rule": Break("07:00", "19:00", rule="FREQ=MONTHLY;BYDAY=2TU"),
    "rule since last month": Break("07:00", "19:00", rule="FREQ=DAILY;INTERVAL=3", since="2026-10-24"),
    "rule since 2006": Break("07:00", "19:00", rule="FREQ=DAILY;INTERVAL=3", since="2006-10-24"),
    "ten breaks": [Break(f"{hour:02}:00", f"{hour:02}:30", days=["MO", 2, "FR"]) for hour in range(4, 24, 2)],
}

# What is kept of a break and of its days.
_KEPT = (
    breaks._shared,
    written._occurrences,
    written._weekly_days,
    occurrences._span,
    recurrences.daysOfYear,
)

# How many workers flip one after the other, before new ones are made.
_TOGETHER = 100


class _Clock:
    """As much of a reactor as timers need, which takes as long as one."""

    def __init__(self):
        self.now = NOW.timestamp()
        self.calls = []

    def seconds(self):
        """The time of day."""
        return self.now

    def callLater(self, delay, function, *args):
        """What `ReactorBase` does."""
        call = DelayedCall(
            self.now + delay, function, args, {}, self.calls.remove, lambda _: None, self.seconds
        )
        self.calls.append(call)
        return call


def leave(loops):
    """A worker goes: a hold is placed."""
    return _flips(loops, 0, WorkerPresence.hold, ready=True)


def come_back(loops, waiters):
    """So many wait for a worker, and it comes back: the hold is released, and they are fired."""
    return _flips(loops, waiters, WorkerPresence.release, ready=False)


def _flips(loops, waiters, flip, *, ready):
    clock, total = _Clock(), 0.0
    for first in range(0, loops, _TOGETHER):
        presences = [WorkerPresence("w", clock) for _ in range(min(_TOGETHER, loops - first))]
        for presence in presences:
            if waiters:
                presence.waitUntilReady()  # it has been waited for before
            if not ready:
                presence.hold("worker")
        begun = perf_counter()
        for presence in presences:
            for _ in range(waiters):
                presence.waitUntilReady()
            flip(presence, "worker")
        total += perf_counter() - begun
    return total


def bare(loops, waiters):
    """As many Deferreds that can be cancelled, asked for and fired."""
    total = 0.0
    for first in range(0, loops, _TOGETHER):
        turns = range(min(_TOGETHER, loops - first))
        begun = perf_counter()
        for _ in turns:
            asked = []
            for _ in range(waiters):
                asked.append(Deferred(_forget))  # noqa: PERF401 (as it is done, one by one)
            for deferred in asked:
                deferred.callback(None)
        total += perf_counter() - begun
    return total


def _forget(_):
    pass


def question(loops, value, instants):
    """What is true at an instant, and what a timer has to ask then: when that ends."""
    schedule = BreakSchedule.fromConfig(value, "Europe/Berlin")
    length = len(instants)
    begun = perf_counter()
    for number in range(loops):
        instant = instants[number % length]
        if schedule.at(instant) is None:
            schedule.nextChange(instant)
    return perf_counter() - begun


def first_question(loops, value):
    """The first question about a year that anybody asks."""
    total = 0.0
    for number in range(loops):
        for cache in _KEPT:
            cache.cache_clear()
        schedule = BreakSchedule.fromConfig(value, "Europe/Berlin")
        instant = INSTANTS[number % len(INSTANTS)]
        begun = perf_counter()
        if schedule.at(instant) is None:
            schedule.nextChange(instant)
        total += perf_counter() - begun
    return total


def gate(loops, ours):
    """A worker that is ready is asked whether it may build."""
    # only here: each operation has a process of its own, and Buildbot takes its time to be imported
    from buildbot.worker.base import Worker  # noqa: PLC0415

    from presence.master.buildslave import BuildSlave  # noqa: PLC0415

    worker = (BuildSlave if ours else Worker)("w", "s3cret")
    worker.locks = []
    if ours:
        worker.presence = WorkerPresence("w", _Clock())
        worker._presence_changed(worker.presence)
    begun = perf_counter()
    for _ in range(loops):
        worker.canStartBuild()
    return perf_counter() - begun


#: What is measured: by its name a function that does it so many times, and returns how many seconds that took.
OPERATIONS = {
    "canStartBuild, stock": partial(gate, ours=False),
    "canStartBuild, ours": partial(gate, ours=True),
    "a worker goes": leave,
    **{f"it comes back, {number} waiters": partial(come_back, waiters=number) for number in (1, 1000)},
    **{f"bare Deferreds, {number}": partial(bare, waiters=number) for number in (1, 1000)},
    **{
        f"question, {name}": partial(question, value=value, instants=INSTANTS)
        for name, value in SCHEDULES.items()
    },
    "question, tuple, again": partial(question, value=SCHEDULES["tuple"], instants=INSTANTS[:1]),
    **{
        f"first question, {name}": partial(first_question, value=SCHEDULES[name])
        for name in ("tuple", "ten breaks")
    },
}


def main():
    measure = OPERATIONS[sys.argv[1]]
    for loops in sys.stdin:
        print(measure(int(loops)), flush=True)


if __name__ == "__main__":
    main()
