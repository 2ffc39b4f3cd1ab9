"""The mass return: all workers of an office come back in the same second, and some builders have requests."""

from datetime import datetime, timezone

from benchmarks import report
from benchmarks.databases import DISK, MEMORY, NAMES, POSTGRESQL
from benchmarks.farm import Farm
from benchmarks.meters import after
from presence.breaks.schedule import Break, BreakSchedule

TITLE = "All workers return in one tick"

WAYS = {
    "ours": "this plugin: a break ends",
    "unpause": "stock Buildbot: `unpause()` of each worker",
    "hook": "a `canStartBuild` hook that puts workers in quarantine until the end of the break",
    "ideal": "one kick of exactly the builders that have requests, all workers being ready",
    "alone": "the builds alone: claimed and started one after the other, with no distributor",
}

#: After how many seconds a run is given up, whose work would take minutes. What it has done till then is told.
MOST = 60.0
_MOST_STOCK, _MOST_STORED = 15.0, 12.0

# Two of them are set up at the same time.
PAIRED = True

_BEFORE = 1.0  # seconds from when everything is ready to the end of the break


def plan(*, quick):
    """The runs, those of one size side by side. Where one of them takes minutes there is one of its kind, and it is given up in time."""
    if quick:
        yield from _runs(30, 30, 20, ("ours", "ideal"))
        yield from _runs(30, 30, 20, ("ours", "ideal"), POSTGRESQL)
        return
    for database in (MEMORY, POSTGRESQL):
        yield from _runs(500, 1000, 20, ("ours", "ideal"), database)
        yield from _runs(500, 1000, 100, ("ours", "ideal"), database)
    yield from _runs(500, 1000, 0, ("ours",))
    yield from _runs(500, 1000, 20, ("unpause",))
    yield from _runs(200, 200, 20, ("ours", "unpause", "ideal", "alone"))
    yield from _runs(50, 50, 20, WAYS)
    yield from _runs(50, 50, 20, ("ours", "ideal"), DISK)


def _runs(workers, builders, percent, ways, database=MEMORY):
    for way in ways:
        yield {
            "way": way,
            "workers": workers,
            "builders": builders,
            "percent": percent,
            "database": database,
        }


async def measure(reactor, *, way, workers, builders, percent, database):
    """One run."""
    quarantine = _Quarantine(reactor)
    hook = quarantine.canStartBuild if way == "hook" else None
    farm = Farm(reactor, workers, builders, ours=way == "ours", database=database, canStartBuild=hook)
    await farm.start()
    await farm.connect()
    await farm.request(percent)
    await farm.alone()
    await _RETURN[way](farm, quarantine)
    done = await farm.meters.rest(_most(way, workers, percent))
    result = farm.meters.end()
    farm.check()
    if done and result["builds"] != len(farm.wanted):
        raise RuntimeError(f"{result['builds']} builds of {len(farm.wanted)} have started")
    return {**result, "done": done}


def _most(way, workers, percent):
    if workers >= 200 and way == "unpause":
        return _MOST_STOCK
    # a thousand builds, whose work is known: how soon the first begins is known after a moment
    return _MOST_STORED if workers == 500 and percent == 100 else MOST


async def _ours(farm, _):
    # (it takes longer than what is left then)
    farm.meters.settle()
    # the hour is set such that the break ends just after this
    end = farm.reactor.seconds() + _BEFORE + len(farm.names) / 500
    start, stop = (datetime.fromtimestamp(each, timezone.utc) for each in (end - 3600, end))
    for worker in farm.workers:
        worker.breakTimer.replace(BreakSchedule([Break(start, stop)]))
    await after(farm.reactor, end - farm.reactor.seconds() - 0.1)
    farm.meters.begin(end)
    await after(farm.reactor, 0.1)


async def _unpause(farm, _):
    unmute = farm.mute()
    for worker in farm.workers:
        worker.pause("lunch")
    await farm.meters.rest()
    unmute()
    farm.meters.begin()
    for worker in farm.workers:
        worker.unpause()


async def _hook(farm, quarantine):
    farm.meters.settle()
    quarantine.until = farm.reactor.seconds() + _BEFORE + len(farm.names) * len(farm.builders) / 50_000
    # what happens in the break: a request is looked at, and every worker that could build it is put in quarantine
    farm.brd.maybeStartBuildsOn([builder.name for builder in farm.wanted])
    await farm.meters.rest()
    if quarantine.until - farm.reactor.seconds() < 0.2:
        raise RuntimeError("the break was too short")
    await after(farm.reactor, quarantine.until - farm.reactor.seconds() - 0.1)
    farm.meters.begin(quarantine.until)
    await after(farm.reactor, 0.1)


async def _ideal(farm, _):
    farm.meters.begin()
    if farm.wanted:
        farm.brd.maybeStartBuildsOn([builder.name for builder in farm.wanted])


async def _alone(farm, _):
    chosen = []
    for number, builder in enumerate(farm.wanted):
        chooser = farm.brd.createBuildChooser(builder, farm.master)
        (brdict,) = await chooser._fetchUnclaimedBrdicts()
        request = await chooser._getBuildRequestForBrdict(brdict)
        chosen.append((builder, builder.workers[number % len(builder.workers)], request))
    await farm.meters.rest()
    farm.meters.begin()
    for builder, wfb, request in chosen:
        await farm.master.data.updates.claimBuildRequests([request.id])
        await builder.maybeStartBuild(wfb, [request])


_RETURN = {"ours": _ours, "unpause": _unpause, "hook": _hook, "ideal": _ideal, "alone": _alone}


class _Quarantine:
    """What sites write into their master.cfg today: as it is asked whether a build may start, a worker on its
    break is put in quarantine for the rest of it.
    """

    def __init__(self, reactor):
        self._reactor = reactor
        self.until = 0.0

    def canStartBuild(self, _builder, wfb, _request):
        """Whether a build may start on the worker of `wfb`."""
        left = self.until - self._reactor.seconds()
        if left <= 0:
            return True
        wfb.worker.quarantine_timeout = left
        wfb.worker.putInQuarantine()
        # the next one is not to be twice as long
        wfb.worker.resetQuarantine()
        return False


def tables(results):
    """The table."""
    rows = [
        (
            f"{each['workers']} × {each['builders']}, {each['percent']} %, {NAMES[each['database']]}",
            each["way"],
            *report.columns(each),
        )
        for each in results
    ]
    return report.table(TITLE, ("workers × builders, waiting, database", "way", *report.COLUMNS), rows)
