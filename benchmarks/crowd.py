"""Ten thousand workers without builders: what each of them costs, in memory, until its timer runs, and when nothing happens.

On PostgreSQL they are two thousand: there it takes minutes until they are there, and nothing is asked of it afterwards.
"""

import gc
import time
import tracemalloc
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
    "on a break": "the same, and all are on their break",
    "stock": "a `Worker` of Buildbot, in a master",
}

_WORKERS = {MEMORY: 10_000, POSTGRESQL: 2_000}
_FEW = 1_000
_FEWEST = 20

# For how long it is watched that nothing happens, in seconds.
_SECONDS = 60

# All wait most of the time, and what is measured is the memory and the CPU time of each.
TOGETHER = True


def plan(*, quick):
    """The runs."""
    if quick:
        yield {**_run("model", MEMORY), "workers": _FEW}
        return
    yield _run("model", MEMORY)
    for database in (MEMORY, POSTGRESQL):
        for way in ("ours", "stock"):
            yield _run(way, database)


def _run(way, database):
    return {"way": way, "workers": _WORKERS[database], "database": database, "idle": _SECONDS}


async def measure(reactor, *, way, workers, database, idle):
    """One run. Of ours both what each takes before its break and what it takes on it; it is on it that nothing happens."""
    if way == "model":
        return _model(reactor, workers)
    # the code for them is there once, however many they are
    few = await _connected(reactor, _FEWEST, way, MEMORY)
    if few.ours:
        await _begin_break(few)
    await after(reactor, 3)
    await few.master.stopService()
    gc.collect()
    before = _resident()
    farm = await _connected(reactor, workers, way, database)
    result = {"each": await _each(farm, before)}
    if farm.ours:
        farm.meters.begin()
        for worker in farm.workers:
            worker.breakTimer.stop()
            worker.breakTimer.start()
        result["armed"] = farm.meters.end()["cpu"]
        await _begin_break(farm)
        result["each_on_break"] = await _each(farm, before)
        if any(worker.presence.ready for worker in farm.workers):
            raise RuntimeError("not all are on their break")
    farm.meters.begin()
    begun = process_time()
    await after(reactor, idle)
    result["idle_cpu"] = process_time() - begun
    result["idle_statements"] = farm.meters.statements
    farm.check()
    return result


async def _connected(reactor, workers, way, database):
    breaks = (lambda _: ("03:00", "03:01")) if way == "ours" else None
    farm = Farm(reactor, workers, 0, ours=way == "ours", database=database, breaks=breaks)
    await farm.start()
    await farm.connect()
    return farm


async def _begin_break(farm):
    # one that is due leaves nothing behind, and one that is stopped is forgotten in the next turn of the reactor
    for worker in farm.workers:
        worker.breakTimer.stop()
    await after(farm.reactor, 0)
    # as in a `master.cfg`: each has its own, which say the same
    hour = time.gmtime().tm_hour
    value = f"{hour}:00", f"{(hour + 2) % 24}:00"
    for worker in farm.workers:
        worker.breakTimer.replace(BreakSchedule.fromConfig(value, "UTC"))
        worker.breakTimer.start()


async def _each(farm, before):
    """What each takes when all has been told, in bytes."""
    await after(farm.reactor, 3)
    await farm.meters.rest()
    gc.collect()
    return (_resident() - before) / len(farm.names)


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
            report.count(found["workers"]),
            WAYS[way] if way == "model" else f"{WAYS[way]}, {NAMES[found['database']]}",
            f"{found['each'] / 1024:.1f}",
            report.seconds(found.get("armed")),
            f"{found['idle_cpu']:.3f}" if "idle_cpu" in found else "–",
        )
        for way, found in each(results)
    ]
    header = (
        "so many",
        "of these",
        "KB each",
        "all armed in s",
        "CPU s of a minute in which nothing happens",
    )
    return report.table(TITLE, header, rows)


def each(results):
    """What has been measured, by way."""
    for result in results:
        found = dict(result)
        on_break = found.pop("each_on_break", None)
        if on_break is None:
            yield found["way"], found
        else:
            yield found["way"], {key: value for key, value in found.items() if not key.startswith("idle")}
            yield (
                "on a break",
                {key: value for key, value in {**found, "each": on_break}.items() if key != "armed"},
            )
