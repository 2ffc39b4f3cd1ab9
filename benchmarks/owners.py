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
    "break over": "a mass flip back: the break is over",
    "go": "all let go, in the same turn of the reactor",
}

_WORKERS, _BUILDERS = 1000, 100


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


def _say(farm, message, workers=None):
    now = farm.reactor.seconds()
    for worker in farm.workers if workers is None else workers:
        answer = worker.conn.receive(PRESENCE, message.toDict(now))
        if "error" in answer:
            raise RuntimeError(answer["error"])


async def _at_once(farm):
    farm.meters.begin()
    _say(farm, _away(farm.reactor.seconds()))


async def _two_seconds(farm):
    farm.meters.begin()
    turns, workers = 100, farm.workers
    for turn in range(turns):
        _say(farm, _away(farm.reactor.seconds()), workers[turn::turns])
        await after(farm.reactor, 2.0 / turns)


async def _go(farm):
    _say(farm, _away(farm.reactor.seconds()))
    await farm.meters.rest()
    farm.meters.begin()
    _say(farm, AVAILABLE)


def _schedule(farm, begin, end):
    start, stop = (datetime.fromtimestamp(each, timezone.utc) for each in (begin, end))
    for worker in farm.workers:
        worker.breakTimer.replace(BreakSchedule([Break(start, stop)]))


async def _until(farm, instant):
    await after(farm.reactor, instant - farm.reactor.seconds() - 0.1)
    farm.meters.begin(instant)
    await after(farm.reactor, 0.1)


async def _break(farm):
    begin = farm.reactor.seconds() + 2.0
    _schedule(farm, begin, begin + 3600)
    await _until(farm, begin)


async def _break_over(farm):
    end = farm.reactor.seconds() + 4.0
    _schedule(farm, end - 3600, end)
    await _until(farm, end)


_DO = {
    "break": _break,
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
