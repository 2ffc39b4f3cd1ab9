"""A thousand machines whose owners come at nine o'clock: each says so itself, beside a break that begins on all of them."""

from datetime import datetime, timezone

from twisted.internet.defer import succeed

from benchmarks import farm as farms
from benchmarks import report
from benchmarks.farm import Farm
from benchmarks.massreturn import MOST
from benchmarks.meters import after
from presence.breaks.schedule import Break, BreakSchedule
from presence.master.owner import link
from presence.model.states import PresenceState
from presence.model.wave import CALM
from presence.wire.messages import AVAILABLE, Announcement
from presence.wire.names import PRESENCE

TITLE = "A thousand machines whose owners come"

WAYS = {
    "break": "a mass flip: a break begins on all of them",
    "at once": "their sensors hold, in the same turn of the reactor",
    "two seconds": "their sensors hold, within the two seconds in which they look",
    "breaks": "a flip as drawn out: on each a break of its own begins, within two seconds",
    "break over": "a mass flip back: the break is over",
    "go": "all let go, in the same turn of the reactor",
}

_WORKERS, _BUILDERS, _ROUNDS = 1000, 100, 2
# in how many turns of the reactor they come, where they do not come at once
_TURNS = 100
# when a break begins, or is over, in seconds from when the workers are given it: a second, and so much for each
_SOON, _SOON_EACH = 1.0, 0.002


def plan(*, quick):
    """The run: all ways with one farm, each several times, in turn."""
    if not quick:
        yield {"workers": _WORKERS, "builders": _BUILDERS, "rounds": _ROUNDS}


class _Connection(farms.ImitatedConnection):
    """Of a worker with an owner: it says when it connects that it is available. Views are answered at once."""

    def __init__(self, name, started):
        super().__init__(name, started)
        self.info[PRESENCE] = AVAILABLE.toDict(0.0)
        self.receive = None

    def open(self, receive):
        """It can say something from now on, and be told."""
        self.receive = receive
        return lambda view: succeed(None)  # noqa: ARG005


async def measure(reactor, *, workers, builders, rounds):
    """The run: of each way the round that took the least CPU time, for what else the machine does only adds to it."""
    farms.ImitatedConnection = _Connection
    link.openTransport = _Connection.open
    farm = Farm(reactor, workers, builders, ours=True)
    await farm.start()
    await farm.connect()
    # (while many connect, what they change is told later)
    await after(reactor, 2 * CALM)
    found = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            found[way].append(await _measured(farm, way))
    farm.check()
    return {"ways": {way: min(results, key=lambda each: each["cpu"]) for way, results in found.items()}}


async def _measured(farm, way):
    """What one way costs, once. Before it, and after it, all are available."""
    await _DO[way](farm)
    done = await farm.meters.rest(MOST)
    result = farm.meters.end()
    if {each.presence.ready for each in farm.workers} != {way in {"break over", "go"}}:
        raise RuntimeError("not all workers are as they should be")
    for worker in farm.workers:
        worker.breakTimer.replace(BreakSchedule())
    _say(farm.workers, AVAILABLE, farm.reactor.seconds())
    await farm.meters.rest()
    return {**result, "done": done}


def _away(now):
    return Announcement(
        PresenceState.NOT_ACCEPTING_NEW_BUILDS, "somebody uses the machine", "sensor", now, None, None
    )


def _say(workers, message, now):
    for worker in workers:
        answer = worker.conn.receive(PRESENCE, message.toDict(now))
        if "error" in answer:
            raise RuntimeError(answer["error"])


async def _at_once(farm):
    workers, now = farm.workers, farm.reactor.seconds()
    farm.meters.begin()
    _say(workers, _away(now), now)


async def _two_seconds(farm):
    workers = farm.workers
    farm.meters.begin()
    begun = farm.reactor.seconds()
    for turn in range(_TURNS):
        await after(farm.reactor, max(0.0, begun + 2.0 * turn / _TURNS - farm.reactor.seconds()))
        now = farm.reactor.seconds()
        _say(workers[turn::_TURNS], _away(now), now)


async def _go(farm):
    workers, now = farm.workers, farm.reactor.seconds()
    _say(workers, _away(now), now)
    await farm.meters.rest()
    farm.meters.begin()
    _say(workers, AVAILABLE, farm.reactor.seconds())


def _schedule(farm, begin, end, within=0.0):
    for number, worker in enumerate(farm.workers):
        later = within * (number % _TURNS) / _TURNS
        start, stop = (datetime.fromtimestamp(each + later, timezone.utc) for each in (begin, end))
        worker.breakTimer.replace(BreakSchedule([Break(start, stop)]))


async def _until(farm, instant):
    # (to be given another schedule is told to each of them)
    await farm.meters.rest()
    farm.meters.settle()
    await after(farm.reactor, instant - farm.reactor.seconds() - 0.1)
    farm.meters.begin(instant)
    await after(farm.reactor, 0.1)


def _soon(farm):
    return farm.reactor.seconds() + _SOON + _SOON_EACH * len(farm.names)


async def _break(farm):
    begin = _soon(farm)
    _schedule(farm, begin, begin + 3600)
    await _until(farm, begin)


async def _breaks(farm):
    begin = _soon(farm)
    _schedule(farm, begin, begin + 3600, within=2.0)
    await _until(farm, begin)
    await after(farm.reactor, 2.0)


async def _break_over(farm):
    end = _soon(farm)
    _schedule(farm, end - 3600, end)
    await _until(farm, end)


_DO = {
    "break": _break,
    "breaks": _breaks,
    "at once": _at_once,
    "two seconds": _two_seconds,
    "break over": _break_over,
    "go": _go,
}


def tables(results):
    """The table."""
    (result,) = results
    farm = f"{result['workers']} × {result['builders']}"
    rows = [(farm, WAYS[way], *report.columns(each)) for way, each in result["ways"].items()]
    return report.table(TITLE, ("workers × builders", "what", *report.COLUMNS), rows)
