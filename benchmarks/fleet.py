"""Everybody at once, on a farm where nothing waits: a break begins, an admin holds the whole fleet and releases it."""

from datetime import datetime, timezone

from benchmarks import report
from benchmarks.databases import MEMORY, NAMES, POSTGRESQL
from benchmarks.farm import Farm
from benchmarks.massreturn import MOST
from benchmarks.meters import after
from presence.breaks.schedule import Break, BreakSchedule

TITLE = "A break, a hold and a release for all workers; nothing waits"

WAYS = {
    "break": "a break begins",
    "hold": "an admin holds all workers with one order, stored before it is acknowledged",
    "release": "and releases them",
    "pause": "stock Buildbot: `pause()` of each worker",
    "unpause": "and `unpause()`",
}

# Two of them are set up at the same time.
PAIRED = True

_SOME = 10  # of 500 workers each builder has so many


def plan(*, quick):
    """The runs, those of one size side by side."""
    if quick:
        yield from _runs(30, 30, ("release",))
        return
    for database in (POSTGRESQL, MEMORY):
        yield from _runs(500, 1000, ("release",), database, _SOME)
    yield from _runs(500, 1000, ("break",), seats=_SOME)
    yield from _runs(50, 50, ("break", *_PARTS))


def _runs(workers, builders, ways, database=MEMORY, seats=None):
    for way in ways:
        yield {"way": way, "workers": workers, "builders": builders, "database": database, "seats": seats}


async def measure(reactor, *, way, workers, builders, database, seats):
    """One run."""
    farm = Farm(reactor, workers, builders, ours="pause" not in way, database=database, seats=seats)
    await farm.start()
    await farm.connect()
    await farm.alone()
    found = {}
    for part in _PARTS.get(way, (way,)):
        await _DO[part](farm)
        done = await farm.meters.rest(MOST)
        found[part] = {**farm.meters.end(), "done": done}
        if farm.ours and {each.presence.ready for each in farm.workers} != {part == "release"}:
            raise RuntimeError("not all workers are as they should be")
    farm.check()
    return {"parts": found}


def each(results):
    """What has been measured of each way."""
    for result in results:
        for way, found in result["parts"].items():
            yield {**result, **found, "way": way}


async def _break(farm):
    farm.meters.settle()
    begin = farm.reactor.seconds() + 1.0
    start, stop = (datetime.fromtimestamp(each, timezone.utc) for each in (begin, begin + 3600))
    for worker in farm.workers:
        worker.breakTimer.replace(BreakSchedule([Break(start, stop)]))
    await after(farm.reactor, begin - farm.reactor.seconds() - 0.1)
    farm.meters.begin(begin)
    await after(farm.reactor, 0.1)


async def _hold(farm):
    farm.meters.begin()
    await _order(farm, "hold", reason="maintenance")


async def _release(farm):
    farm.meters.begin()
    await _order(farm, "release")


async def _order(farm, action, **params):
    names = [worker.name for worker in farm.workers]
    await farm.master.data.control(action, {"owner": "admin", "workers": names, **params}, ("presences",))


async def _pause(farm):
    farm.meters.begin()
    for worker in farm.workers:
        worker.pause("maintenance")


async def _unpause(farm):
    farm.meters.begin()
    for worker in farm.workers:
        worker.unpause()


_DO = {"break": _break, "hold": _hold, "release": _release, "pause": _pause, "unpause": _unpause}

# what is done, and measured, one after the other; the last one names the run
_PARTS = {"release": ("hold", "release"), "unpause": ("pause", "unpause")}


def tables(results):
    """The table."""
    rows = [
        (
            f"{report.farm(found)}, {NAMES[found['database']]}",
            WAYS[found["way"]],
            *report.columns(found),
        )
        for found in each(results)
    ]
    return report.table(TITLE, ("workers × builders, database", "what", *report.COLUMNS), rows)
