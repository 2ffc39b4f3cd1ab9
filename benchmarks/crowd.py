"""Ten thousand workers without builders: what each of them costs, in memory, until its timer runs, and when nothing happens."""

import gc
import time
import tracemalloc
from functools import cache
from pathlib import Path
from time import perf_counter, process_time

from benchmarks import report
from benchmarks.databases import MEMORY, NAMES, POSTGRESQL
from benchmarks.farm import Farm
from benchmarks.meters import after
from presence.breaks.schedule import BreakSchedule
from presence.model.breaktimer import BreakTimer
from presence.model.workerpresence import WorkerPresence

TITLE = "Ten thousand workers without builders"

WAYS = {
    "model": "`WorkerPresence` and `BreakTimer` alone",
    "ours": "a `BuildSlave` with a break, in a master",
    "each its own": "the same, and no two have the same break",
    "on a break": "the same, and all are on their break",
    "stock": "a `Worker` of Buildbot, in a master",
}

_WORKERS = 10_000

# What is compared when nothing happens, and for how long that is watched, in seconds.
_IDLE, _SECONDS = ("on a break", "stock"), 60

# All wait most of the time, and what is measured is the memory and the CPU time of each.
TOGETHER = True


def _now():
    """A break that is now, and for an hour still; one for all, as in a `master.cfg`."""
    hour = time.gmtime().tm_hour
    return _from(hour)


@cache
def _from(hour):
    return f"{hour}:00", f"{(hour + 2) % 24}:00"


# the break of each worker, by its number
_BREAKS = {
    "ours": lambda _: ("03:00", "03:01"),
    "each its own": lambda number: (
        f"{3 + number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}",
        "07:00",
    ),
    "on a break": lambda _: _now(),
}


def plan(*, quick):
    """The runs."""
    for way in ("model",) if quick else WAYS:
        yield _run(way, MEMORY)
    for way in () if quick else _IDLE:
        yield _run(way, POSTGRESQL)


def _run(way, database):
    return {"way": way, "workers": _WORKERS, "database": database, "idle": _SECONDS * (way in _IDLE)}


async def measure(reactor, *, way, workers, database, idle):
    """One run."""
    if way == "model":
        return _model(reactor, workers)
    before = _resident()
    farm = Farm(reactor, workers, 0, ours=way != "stock", database=database, breaks=_BREAKS.get(way))
    await farm.start()
    await farm.connect()
    gc.collect()
    result = {"each": (_resident() - before) / workers}
    if idle:
        await after(reactor, 3)
        farm.meters.begin()
        begun = process_time()
        await after(reactor, idle)
        result["idle_cpu"] = process_time() - begun
        result["idle_statements"] = farm.meters.statements
    if farm.ours:
        farm.meters.begin()
        for worker in farm.workers:
            worker.breakTimer.stop()
            worker.breakTimer.start()
        result["armed"] = farm.meters.end()["cpu"]
    farm.check()
    return result


def _model(reactor, workers):
    """What the model of so many workers takes, and how long until all of them wait for their next break."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    timers = []
    for number in range(workers):
        # as in a master.cfg: each has its own, which say the same
        schedule = BreakSchedule.fromConfig(("03:00", "03:01"), "UTC")
        timers.append(BreakTimer(schedule, WorkerPresence(f"w{number}", reactor), reactor))
    for timer in timers:
        timer.start()
    each = (tracemalloc.get_traced_memory()[0] - before) / workers
    tracemalloc.stop()
    for timer in timers:
        timer.stop()
    begun = perf_counter()
    for timer in timers:
        timer.start()
    return {"each": each, "armed": perf_counter() - begun}


def _resident():
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def tables(results):
    """The table."""
    rows = [
        (
            WAYS[each["way"]]
            if each["way"] == "model"
            else f"{WAYS[each['way']]}, {NAMES[each['database']]}",
            f"{each['each'] / 1024:.1f}",
            report.seconds(each.get("armed")),
            f"{each['idle_cpu']:.3f}" if "idle_cpu" in each else "–",
        )
        for each in results
    ]
    header = ("each of 10 000", "KB", "all armed in s", "CPU s of a minute in which nothing happens")
    return report.table(TITLE, header, rows)
