"""A restart of the master: within one second all workers connect again, and some builders have requests."""

from collections import Counter

from benchmarks import report
from benchmarks.databases import MEMORY, NAMES, POSTGRESQL
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

# Two of them are set up at the same time.
PAIRED = True

# of so many workers each builder has some, else all
_MANY, _SEATS = 500, 10


def plan(*, quick):
    """The runs, those of one size side by side."""
    if quick:
        yield from _runs(30, 30, 20, ("ours", "ideal"))
        yield from _runs(30, 30, 0, ("ours", "stock, unheard"))
        return
    for database in (MEMORY, POSTGRESQL):
        yield from _runs(500, 1000, 20, ("ours", "ideal"), database)
        yield from _runs(200, 200, 0, ("ours", "stock, unheard"), database)
    for database in (MEMORY, POSTGRESQL):
        yield from _runs(100, 100, 0, ("ours",), database)
    yield from _runs(50, 50, 20, WAYS)


def _runs(workers, builders, percent, ways, database=MEMORY):
    for way in ways:
        yield {
            "way": way,
            "workers": workers,
            "builders": builders,
            "percent": percent,
            "database": database,
            "seats": _SEATS if workers == _MANY else None,
        }


async def measure(reactor, *, way, workers, builders, percent, database, seats):
    """One run. A page is open to which ours tells what has changed."""
    farm = Farm(reactor, workers, builders, ours=way.startswith("ours"), database=database, seats=seats)
    await farm.start(stored=True)
    events = Counter()
    for plural, name in (("presences", "worker"), ("builderpresences", "builder")):
        await farm.master.mq.startConsuming(
            lambda _, told, name=name: events.update([(name, told["name"])]), (plural, None, None)
        )
    await farm.request(percent)
    names = [builder.name for builder in farm.wanted]
    unmute = farm.mute() if way not in ("ours", "stock") else lambda: None
    if way == "ours, unheard":
        farm.assembly.wakeup.workerReady = lambda _name: None
    await farm.alone()
    # (how many requests wait is told before: it is not for those that come)
    events.clear()
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
    if farm.ours and not percent:
        # what is not urgent is told when no more workers have come for a second
        await after(reactor, 2)
        done = done and await farm.meters.rest(MOST)
    result = farm.meters.end()
    farm.check()
    if done and result["builds"] != ("unheard" not in way) * len(names):
        raise RuntimeError(f"{result['builds']} builds of {len(names)} have started")
    return {
        **result,
        "done": done,
        "events": sum(events.values()),
        "most_events": max(events.values(), default=0),
    }


def tables(results):
    """The table."""
    rows = [
        (
            f"{report.farm(each)}, {each['percent']} %, {NAMES[each['database']]}",
            each["way"],
            *report.columns(each),
        )
        for each in results
    ]
    return report.table(TITLE, ("workers × builders, waiting, database", "way", *report.COLUMNS), rows)
