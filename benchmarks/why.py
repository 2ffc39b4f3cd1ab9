"""What it costs to ask why a request waits: of a builder with hundreds of workers, and of all of ten thousand requests."""

from statistics import median
from time import perf_counter

from twisted.internet.defer import DeferredList

from benchmarks import report
from benchmarks.farm import Farm
from benchmarks.meters import after

TITLE = "Why a request waits"

WORKERS, BUILDERS, PENDING = 500, 20, 10_000

# How many builds of the past each builder has, and how long they took, in seconds.
_PAST, _DURATION = 60, 600

_ASKED = {
    "one request": ("buildrequests", "{request}", "presence"),
    "one builder": ("builders", "{builder}", "requestpresence"),
    "all 10 000 that wait": ("requestpresences",),
}


def plan(*, quick):
    """The runs."""
    yield {"workers": 50 if quick else WORKERS, "pending": PENDING // (10 if quick else 1)}


async def measure(reactor, *, workers, pending):
    """One run: all workers build for one builder, for which more requests wait. The median of ten answers, in seconds."""
    farm = Farm(reactor, workers, BUILDERS, ours=True)
    await farm.start()
    await farm.connect()
    builder = farm.builders[0]
    await farm.master.db.pool.do(_past, farm.master.db.model, [each._builderid for each in farm.builders])
    first = await _request(farm, builder, workers)
    await farm.meters.rest()
    while len(builder.building) < workers:
        farm.master.botmaster.maybeStartBuildsForBuilder(builder.name)
        await after(reactor, 1)
    await farm.master.db.pool.do(_wait, farm.master.db.model, builder._builderid, first, pending)
    (last,) = [row async for row in _last(farm)]
    result = {}
    for name, path in _ASKED.items():
        where = tuple(each.format(request=last, builder=builder._builderid) for each in path)
        where = tuple(int(each) if each.isdecimal() else each for each in where)
        taken = []
        for _ in range(10 if len(path) > 1 else 3):
            begun = perf_counter()
            await farm.master.data.get(where)
            taken.append(perf_counter() - begun)
        result[name] = median(taken)
    farm.check()
    return result


async def _request(farm, builder, count):
    """Request so many builds; the id of the last buildset."""
    sets = [
        farm.master.data.updates.addBuildset(
            waited_for=False,
            builderids=[builder._builderid],
            sourcestamps=[
                {"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}
            ],
        )
        for _ in range(count)
    ]
    ((_, (bsid, _)), *_) = await DeferredList(sets)
    return bsid


async def _last(farm):
    requests = farm.master.db.model.buildrequests
    yield await farm.master.db.pool.do(
        lambda connection: connection.execute(requests.select().order_by(requests.c.id.desc())).first().id
    )


def _wait(connection, model, builderid, buildset, count):
    """So many more requests, of which the distributor is told nothing."""
    row = {"buildsetid": buildset, "builderid": builderid, "submitted_at": 1, "complete": 0, "waited_for": 0}
    connection.execute(model.buildrequests.insert(), [{**row, "priority": 0, "results": -1} for _ in range(count)])
    connection.commit()


def _past(connection, model, builderids):
    """Builds of the past, of each builder."""
    connection.execute(
        model.buildrequests.insert(),
        [{"id": 1_000_000, "buildsetid": _buildset(connection, model), "builderid": builderids[0], "submitted_at": 1,
          "complete": 1, "results": 0, "priority": 0, "waited_for": 0}],
    )
    rows = [
        {
            "number": number, "builderid": builderid, "buildrequestid": 1_000_000, "workerid": 1, "masterid": 1,
            "started_at": 1000, "complete_at": 1000 + _DURATION + number, "locks_duration_s": 0, "results": 0,
            "state_string": "",
        }
        for builderid in builderids
        for number in range(1, _PAST)
    ]
    connection.execute(model.builds.insert(), rows)
    connection.commit()


def _buildset(connection, model):
    return connection.execute(
        model.buildsets.insert(), [{"submitted_at": 1, "complete": 1, "results": 0}]
    ).inserted_primary_key[0]


def tables(results):
    """The table."""
    (result,) = results
    rows = [(name, f"{1000 * result[name]:.0f}") for name in _ASKED]
    return report.table(TITLE, (f"asked of {result['workers']} workers", "ms"), rows)
