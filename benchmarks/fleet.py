"""Everybody at once, on a farm where nothing waits: a break begins, an admin holds the whole fleet and releases it."""

from datetime import datetime, timezone

from benchmarks import report
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

SIZES = ((50, 50), (200, 200), (500, 1000))
_MANY, _OURS = 500, ("break", "hold", "release")  # stock Buildbot would take minutes


def plan(*, quick):
    """The runs."""
    for workers, builders in ((30, 30),) if quick else SIZES:
        for way in ("release",) if quick else _OURS if workers >= _MANY else WAYS:
            yield {"way": way, "workers": workers, "builders": builders}


async def measure(reactor, *, way, workers, builders):
    """One run."""
    farm = Farm(reactor, workers, builders, ours="pause" not in way)
    await farm.start()
    await farm.connect()
    await _DO[way](farm)
    done = await farm.meters.rest(MOST)
    result = farm.meters.end()
    farm.check()
    if farm.ours and {each.presence.ready for each in farm.workers} != {way == "release"}:
        raise RuntimeError("not all workers are as they should be")
    return {**result, "done": done}


async def _break(farm):
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
    await _order(farm, "hold", reason="maintenance")
    await farm.meters.rest()
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
    for worker in farm.workers:
        worker.pause("maintenance")
    await farm.meters.rest()
    farm.meters.begin()
    for worker in farm.workers:
        worker.unpause()


_DO = {"break": _break, "hold": _hold, "release": _release, "pause": _pause, "unpause": _unpause}


def tables(results):
    """The table."""
    rows = [
        (f"{each['workers']} × {each['builders']}", WAYS[each["way"]], *report.columns(each))
        for each in results
    ]
    return report.table(TITLE, ("workers × builders", "what", *report.COLUMNS), rows)
