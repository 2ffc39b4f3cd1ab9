"""A farm that always has something to build, with breaks before which builds are to be finished, for weeks.

What a perfect forecast would have done is worked out by itself: it knows how long each build will take, and begins the
first one in the queue that is done before the break.
"""

import heapq
import math
from dataclasses import dataclass

from buildbot.process.results import SUCCESS

from presence.breaks.schedule import Break
from presence.master.builds.estimates import ENOUGH, LOOK_BACK, likelyLongest
from tests.master.fakemaster import DAY, HOUR, MINUTE, MONDAY

BREAK = (7, 19)  # o'clock: an office machine
NIGHT = 24 - BREAK[1] + BREAK[0]  # hours
WAITING = 3  # so many requests of each builder wait at any time
SPEEDS = {"slow": 1.4, "medium": 1.0, "fast": 0.8}


def lognormal(middle, spread):
    return lambda rng: middle * MINUTE * math.exp(rng.gauss(0, spread))


def ofTwoKinds(rng):
    """Mostly what has changed is built, and now and then everything."""
    return lognormal(12, 0.15)(rng) if rng.random() < 0.7 else lognormal(35, 0.1)(rng)


def withStrays(rng):
    """One build in a hundred takes three times as long as the others."""
    return lognormal(20, 0.2)(rng) * (3 if rng.random() < 0.01 else 1)


BUILDERS = {
    "quick": lognormal(4, 0.25),
    "tests": withStrays,
    "package": ofTwoKinds,
    "bench": lognormal(45, 0.1),
}


class Durations:
    """How long the n-th build of a builder takes, on a worker of speed 1: the same whoever asks, and in whatever order."""

    def __init__(self, rng):
        self._rngs = {name: type(rng)(rng.random()) for name in BUILDERS}
        self._known = {name: [] for name in BUILDERS}

    def of(self, builder, number):
        known = self._known[builder]
        while len(known) <= number:
            known.append(BUILDERS[builder](self._rngs[builder]))
        return known[number]


@dataclass
class Result:
    """How many builds were finished, how long they worked (in hours), how many breaks began, and how many with the machine idle."""

    builds: int = 0
    hours: float = 0.0
    breaks: int = 0
    idle: int = 0

    @property
    def idleShare(self):
        return self.idle / self.breaks


class Simulation:
    """`case` is a `MasterTestCase` that has not started its master. Of the farm `rng` it goes on where `before` has ended, if
    that is not None: as after a restart of the master, the durations of the past are in its database.

    It begins so many `hours` before the break. `show` is called with the number of each day that is over, and the result so
    far.
    """

    def __init__(self, case, rng, days, before=None, *, hours=NIGHT, show=lambda day, result: None):
        self.case = case
        self.days = days
        self.hours = hours
        self.show = show
        self.durations = Durations(rng)
        self.result = Result()
        #: what the next one goes on with, a JSON object: the days that are over, the requests in the queue, how many there
        #: were of each builder, and the builds of the past as (builder, worker, start, end)
        self.state = before or stateOf([])
        self.brids = {}

    def run(self):
        """What comes of it."""
        case, result, state = self.case, self.result, self.state
        begin = state["days"]
        case.setClock(24 * (begin + 1) + BREAK[0] - self.hours)
        away = Break(f"{BREAK[0]}:00", f"{BREAK[1]}:00", tz="UTC", finishBefore=True)
        case.startMaster(
            [case.slave(name, max_builds=1, onBreakDuring=away) for name in SPEEDS],
            {name: list(SPEEDS) for name in BUILDERS},
        )
        record(case, state["past"])
        case.turned = self.begin
        for builder, number in state["queue"]:
            self.request(builder, number)
        for day in range(begin + 1, begin + self.days + 1):
            case.passUntil(case.at(24 * day + BREAK[0]) - 1)
            result.breaks += len(SPEEDS)
            result.idle += sum(not case.presence(name).busy for name in SPEEDS)
            case.passUntil(case.at(24 * day + BREAK[1] - 1))
            self.show(day, result)
        case.turned = lambda: None
        state["days"] += self.days
        state["queue"] = [self.brids[brid] for brid in sorted(self.brids)]
        return result

    def request(self, builder, number):
        """One more request, whose duration is known to nobody but us."""
        case = self.case
        builderid = case.resultOf(case.master.data.updates.findBuilderId(builder))
        sourcestamp = {"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}
        _, brids = case.resultOf(
            case.master.data.updates.addBuildset(
                waited_for=False, builderids=[builderid], sourcestamps=[sourcestamp]
            )
        )
        self.brids[brids[builderid]] = builder, number

    def begin(self):
        """After a turn of the reactor: builds that have begun end in their time, and others wait in their place."""
        numbers = self.state["numbers"]
        for job in self.case.jobs:
            if job.brid in self.brids:
                duration = self.durations.of(*self.brids.pop(job.brid)) * SPEEDS[job.workername]
                self.case.reactor.callLater(duration, self.end, job, duration)
                number, numbers[job.buildername] = numbers[job.buildername], numbers[job.buildername] + 1
                self.request(job.buildername, number)

    def end(self, job, duration):
        now = self.case.reactor.seconds()
        self.state["past"].append((job.buildername, job.workername, now - duration, now))
        job.finish()
        self.result.builds += 1
        self.result.hours += duration / HOUR


def stateOf(past):
    """That of a farm that has built `past`."""
    return {
        "days": 0,
        "queue": [(name, number) for number in range(WAITING) for name in BUILDERS],
        "numbers": dict.fromkeys(BUILDERS, WAITING),
        "past": past,
    }


def pastOf(rng, builds):
    """So many builds of each builder, of the same kinds as those that come."""
    found = []
    for name, duration in BUILDERS.items():
        for number in range(builds):
            worker = list(SPEEDS)[number % len(SPEEDS)]
            end = MONDAY.timestamp() - number * DAY
            found.append((name, worker, end - duration(rng) * SPEEDS[worker], end))
    return found


def record(case, past):
    """Have builds of the past in the database of a master: each as (builder, worker, start, end)."""
    numbers = {}
    builds = case.master.db.model.builds
    ids = {
        name: case.resultOf(case.master.data.updates.findBuilderId(name))
        for name in {each[0] for each in past}
    }
    rows = []
    for builder, worker, start, end in past:
        numbers[builder] = numbers.get(builder, 0) + 1
        rows.append(
            {
                "number": numbers[builder],
                "builderid": ids[builder],
                "buildrequestid": 0,  # nobody asks for it any more
                "workerid": case.worker(worker).workerid,
                "masterid": case.master.masterid,
                "started_at": round(start),
                "complete_at": round(end),
                "locks_duration_s": 0,
                "state_string": "finished",
                "results": SUCCESS,
            }
        )

    def thd(connection):
        connection.execute(builds.insert(), rows)
        connection.commit()

    if rows:
        case.resultOf(case.master.db.pool.do(thd))


def night(rng, days, forecast, hours=NIGHT):
    """The same farm without Buildbot: of the queue the first build starts that is done before the break by `forecast(builder,
    worker, past)`, or by what it will take if that is None. `past` are the durations of the builder's builds that ended,
    with their workers, the newest last.
    """
    durations = Durations(rng)
    result = Result()
    past = {name: [] for name in BUILDERS}
    queue = [
        (number * len(BUILDERS) + place, name, number)
        for number in range(WAITING)
        for place, name in enumerate(BUILDERS)
    ]
    numbers = dict.fromkeys(BUILDERS, WAITING)
    serial = len(queue)
    length = hours * HOUR
    for day in range(days):
        end = day * DAY + length
        # (when, worker, the build that ends then)
        events = [(day * DAY, name, None) for name in SPEEDS]
        late = set()
        while events:
            now, worker, ended = heapq.heappop(events)
            if ended is not None:
                name, duration = ended
                past[name].append((worker, duration))
                result.builds += 1
                result.hours += duration / HOUR
                if now > end:
                    late.add(worker)
            for entry in sorted(queue) if now < end else ():
                _, name, number = entry
                duration = durations.of(name, number) * SPEEDS[worker]
                likely = duration if forecast is None else forecast(name, worker, past[name])
                if likely is None or now + likely <= end:
                    queue.remove(entry)
                    queue.append((serial, name, numbers[name]))
                    serial += 1
                    numbers[name] += 1
                    heapq.heappush(events, (now + duration, worker, (name, duration)))
                    break
        result.breaks += len(SPEEDS)
        result.idle += len(SPEEDS) - len(late)
    return result


def perfect(rng, days, hours=NIGHT):
    """What comes of it for who knows how long each build will take."""
    return night(rng, days, None, hours)


def likely(_builder, worker, past):
    """The forecast of `presence`: see `presence.master.builds.estimates`."""
    recent = past[-LOOK_BACK:]
    here = [duration for where, duration in recent if where == worker]
    return likelyLongest(here if len(here) >= ENOUGH else [duration for _, duration in recent])


def blind(_builder, _worker, _past):
    """No forecast."""
    return
