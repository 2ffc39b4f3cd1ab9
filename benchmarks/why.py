"""What it costs to ask why a request waits: of a builder with hundreds of workers, and of all of ten thousand requests."""

from time import process_time, time

from buildbot.process.workerforbuilder import States

from benchmarks import report
from benchmarks.farm import Farm

TITLE = "Why a request waits"

WORKERS, BUILDERS, PENDING = 500, 2, 10_000

# How many builds of the past each builder has, and how long they took, in seconds.
_PAST, _TOOK = 60, 600

# The id of the first build that runs.
_FIRST = 100_000

_ASKED = {
    "one request": ("buildrequests", "REQUEST", "presence"),
    "one builder": ("builders", "BUILDER", "requestpresence"),
    "all 10 000 that wait": ("requestpresences",),
}


def plan(*, quick):
    """The runs."""
    yield {"workers": 50 if quick else WORKERS, "pending": PENDING // (10 if quick else 1)}


async def measure(reactor, *, workers, pending):
    """One run: all workers build for one builder, for which more requests wait. Of several answers the least CPU time, in
    seconds, that of the database included.
    """
    farm = Farm(reactor, workers, BUILDERS, ours=True)
    await farm.start()
    await farm.connect()
    builder = farm.builders[0]
    builderids = [each._builderid for each in farm.builders]
    last = await farm.master.db.pool.do(_fill, farm.master.db.model, builderids, workers, pending)
    # (to start them in Buildbot's own way would take minutes)
    for number, wfb in enumerate(builder.workers):
        wfb.state = States.BUILDING
        builder.building.append(_Build(builder, wfb, number))
        wfb.worker._build_began(wfb)
    result = {}
    for name, path in _ASKED.items():
        where = tuple({"REQUEST": last, "BUILDER": builder._builderid}.get(each, each) for each in path)
        taken = []
        for _ in range(5):
            begun = process_time()
            found = await farm.master.data.get(where)
            taken.append(process_time() - begun)
        if name == "one request" and not all(each["estimated"] for each in found["workers"]):
            raise RuntimeError(f"it is not known how long the builds take still: {found['workers'][:2]}")
        result[name] = min(taken)
    farm.check()
    return result


class _Build:
    """A build that runs."""

    finished = False
    currentStep = None
    executedSteps = requests = ()

    def __init__(self, builder, wfb, number):
        self.builder, self.workerforbuilder, self.workername = builder, wfb, wfb.worker.workername
        self.number, self.buildid = _PAST + number, _FIRST + number


def _fill(connection, model, builderids, workers, pending):
    """Builds of the past of each builder, those that run for the first one, and its requests; the id of the last of these."""
    buildset = connection.execute(
        model.buildsets.insert(), [{"submitted_at": 1, "complete": 0, "results": -1}]
    ).inserted_primary_key[0]
    request = {
        "buildsetid": buildset,
        "builderid": builderids[0],
        "submitted_at": 1,
        "waited_for": 0,
        "priority": 0,
    }
    done = {**request, "id": 1, "complete": 1, "results": 0}
    waiting = [{**request, "id": 2 + number, "complete": 0, "results": -1} for number in range(pending)]
    connection.execute(model.buildrequests.insert(), [done, *waiting])
    build = {
        "buildrequestid": 1,
        "workerid": 1,
        "masterid": 1,
        "locks_duration_s": 0,
        "state_string": "",
    }
    past = [
        {
            **build,
            "number": number,
            "builderid": each,
            "started_at": 1,
            "complete_at": _TOOK + number,
            "results": 0,
        }
        for each in builderids
        for number in range(1, _PAST)
    ]
    connection.execute(model.builds.insert(), past)
    now = int(time())
    running = [
        {
            **build,
            "id": _FIRST + number,
            "number": _PAST + number,
            "builderid": builderids[0],
            "started_at": now,
        }
        for number in range(workers)
    ]
    connection.execute(model.builds.insert(), running)
    connection.commit()
    return 1 + pending


def tables(results):
    """The table."""
    (result,) = results
    rows = [(name, f"{1000 * result[name]:.0f}") for name in _ASKED]
    return report.table(TITLE, (f"asked of {result['workers']} workers", "ms"), rows)
