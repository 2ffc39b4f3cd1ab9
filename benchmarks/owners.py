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
from presence.wire.messages import AVAILABLE, PRESENCE, Announcement

TITLE = "A thousand machines whose owners come"

WAYS = {
    "break": "a mass flip: a break begins on all of them",
    "at once": "their sensors hold, in the same turn of the reactor",
    "two seconds": "their sensors hold, within the two seconds in which they look",
    "breaks": "a flip as drawn out: on each a break of its own begins, within two seconds",
    "break over": "a mass flip back: the break is over",
    "go": "all let go, in the same turn of the reactor",
}

_WORKERS, _BUILDERS = 1000, 100
# in how many turns of the reactor they come, where they do not come at once
_TURNS = 100


def plan(*, quick):
    """The runs."""
    for way in ("at once",) if quick else WAYS:
        number = 30 if quick else _WORKERS
        yield {"way": way, "workers": number, "builders": min(number, _BUILDERS)}


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


async def measure(reactor, *, way, workers, builders):
    """One run."""
    farms.ImitatedConnection = _Connection
    link.openTransport = _Connection.open
    farm = Farm(reactor, workers, builders, ours=True)
    await farm.start()
    await farm.connect()
    await _DO[way](farm)
    done = await farm.meters.rest(MOST)
    result = farm.meters.end()
    farm.check()
    if {each.presence.ready for each in farm.workers} != {way in {"break over", "go"}}:
        raise RuntimeError("not all workers are as they should be")
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
    for turn in range(_TURNS):
        now = farm.reactor.seconds()
        _say(workers[turn::_TURNS], _away(now), now)
        await after(farm.reactor, 2.0 / _TURNS)


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
    await after(farm.reactor, instant - farm.reactor.seconds() - 0.1)
    farm.meters.begin(instant)
    await after(farm.reactor, 0.1)


async def _break(farm):
    begin = farm.reactor.seconds() + 2.0
    _schedule(farm, begin, begin + 3600)
    await _until(farm, begin)


async def _breaks(farm):
    begin = farm.reactor.seconds() + 3.0
    _schedule(farm, begin, begin + 3600, within=2.0)
    await _until(farm, begin)
    await after(farm.reactor, 2.0)


async def _break_over(farm):
    end = farm.reactor.seconds() + 4.0
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
    rows = [
        (f"{each['workers']} × {each['builders']}", WAYS[each["way"]], *report.columns(each))
        for each in results
    ]
    return report.table(TITLE, ("workers × builders", "what", *report.COLUMNS), rows)
