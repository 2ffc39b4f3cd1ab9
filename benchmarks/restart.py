"""A restart of the master: within one second all workers connect again, and some builders have requests."""

from benchmarks import report
from benchmarks.farm import Farm
from benchmarks.massreturn import MOST
from benchmarks.meters import after

TITLE = "All workers connect again within a second"

WAYS = {
    "ours": "this plugin",
    "stock": "stock Buildbot",
    "ideal": "stock Buildbot, with one kick of exactly the builders that have requests, when all are there",
    "ours, unheard": "this plugin, and nobody is woken",
    "stock, unheard": "stock Buildbot, and nobody is woken",
}

_SIZES = ((50, 50, (0, 20, 100)), (200, 200, (20,)))


def plan(*, quick):
    """The runs. Stock Buildbot takes minutes for 200 × 200: that run is given up in time."""
    for workers, builders, percents in ((30, 30, (20,)),) if quick else _SIZES:
        for percent in percents:
            for way in WAYS:
                yield {"way": way, "workers": workers, "builders": builders, "percent": percent}


async def measure(reactor, *, way, workers, builders, percent):
    """One run."""
    farm = Farm(reactor, workers, builders, ours=way.startswith("ours"))
    await farm.start()
    await farm.request(percent)
    names = [builder.name for builder in farm.wanted]
    unmute = farm.mute() if way not in ("ours", "stock") else lambda: None
    if way == "ours, unheard":
        farm.assembly.wakeup.workerReady = lambda _name: None
    farm.meters.begin()
    attached = []
    for number, worker in enumerate(farm.workers):
        connection = farm.connection(worker)
        connection.answers_with_builders = True
        reactor.callLater(
            number / workers,
            lambda worker=worker, connection=connection: attached.append(worker.attached(connection)),
        )
    await after(reactor, 1)
    for each in attached:
        await each
    if way == "ideal":
        unmute()
        farm.brd.maybeStartBuildsOn(names)
    done = await farm.meters.rest(MOST)
    result = farm.meters.end()
    farm.check()
    if done and result["builds"] != ("unheard" not in way) * len(names):
        raise RuntimeError(f"{result['builds']} builds of {len(names)} have started")
    return {**result, "done": done}


def tables(results):
    """The table."""
    rows = [
        (f"{each['workers']} × {each['builders']}, {each['percent']} %", each["way"], *report.columns(each))
        for each in results
    ]
    return report.table(TITLE, ("workers × builders, waiting", "way", *report.COLUMNS), rows)
