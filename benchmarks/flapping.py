"""One worker that flaps, told as seldom as one that does not."""

from benchmarks import report
from benchmarks.farm import Farm
from benchmarks.meters import after

TITLE = "One worker that flaps"

WAYS = {
    "flaps": "one worker goes away and comes back a thousand times a second",
    "flips": "the same every 100 ms",
}

# Two of them are set up at the same time.
PAIRED = True

_SECONDS = 5


def plan(*, quick):
    """The runs."""
    for way in () if quick else WAYS:
        yield {"way": way, "workers": 50, "builders": 50, "seconds": _SECONDS}


async def measure(reactor, *, way, workers, builders, seconds):
    """One run."""
    farm = Farm(reactor, workers, builders, ours=True)
    await farm.start()
    await farm.connect()
    await farm.alone()
    farm.meters.begin()
    await _flap(reactor, farm.workers[0].presence, seconds, 0.001 if way == "flaps" else 0.1)
    done = await farm.meters.rest()
    result = farm.meters.end()
    farm.check()
    return {**result, "done": done}


async def _flap(reactor, presence, seconds, pause):
    end = reactor.seconds() + seconds
    flips, due = 0, reactor.seconds()
    while due < end:
        presence.hold("worker")
        presence.release("worker")
        flips += 1
        due += pause
        # also when it has come too late for some of them
        await after(reactor, max(0.0, due - reactor.seconds()))
    return flips


def tables(results):
    """The table."""
    rows = [
        (
            f"{each['workers']} × {each['builders']}, {each['seconds']} s",
            WAYS[each["way"]],
            *report.columns(each),
        )
        for each in results
    ]
    return report.table(TITLE, ("workers × builders, for", "what", *report.COLUMNS), rows)
