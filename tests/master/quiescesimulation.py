"""Farms that are reconfigured all the time, while builds run, trigger others, and lose their workers.

Whatever happens, only what the simulation itself has done to a build (it lost its worker, a deadline interrupted it) may
have ended it as RETRY.
"""

from collections import Counter

import sqlalchemy as sa
from buildbot.config.master import MasterConfig
from buildbot.process.results import CANCELLED, RETRY, SUCCESS

from presence.master.quiesce.newconfig import Mistakes
from presence.orders.reconfig import ReconfigOrder
from tests.master.chronicle import Chronicle
from tests.master.fakemaster import HOUR

#: What may happen, and how often compared with the rest.
EVENTS = {
    "request": 24,
    "finish": 26,
    "lose": 6,
    "connect": 10,
    "write": 10,
    "break": 1,
    "order": 12,
    "cancel": 3,
    "shutdown": 2,
    "time": 8,
}
KINDS = ("stock", "slave", "slave2", "latent")
WEIGHTS = (5, 4, 2, 1)
#: The worst that may happen to a request: its worker is lost again and again.
ENOUGH = 200


class QuiesceSimulation(Chronicle):
    """One random life of one farm. `case` is a `QuiesceTestCase`, `rng` a `random.Random`."""

    def __init__(self, case, rng, events=25):
        super().__init__()
        self.case, self.rng, self.events = case, rng, events
        self.counts = Counter()
        self.brids = {}  # of the requests of this simulation: their builders
        self.pardoned = Counter()  # of these, how often a build of theirs may have ended early
        self.shutdown = False
        self.runs = []
        self.made = {}  # the controllers of workers, by the id (workers compare equal)
        self.builders = [f"b{number}" for number in range(rng.randint(3, 5))]
        self.names = [f"w{number}" for number in range(rng.randint(2, 4))]
        self.initial = self.randomConfig(whole=True)
        self.written = self.initial

    def moment(self):
        return f"{self.case.reactor.seconds() - self.began:.2f}"

    # --- configurations

    def randomConfig(self, whole=False):
        """(workers by name with their kind, builders with their workers, whom their builds trigger).

        No worker has a limit: parents could take all the room that their children need, for ever.
        """
        rng = self.rng
        workers = {
            name: rng.choices(KINDS, WEIGHTS)[0] for name in self.names if whole or rng.random() < 0.8
        } or {self.names[0]: "stock"}
        builders = {
            name: sorted(rng.sample(sorted(workers), rng.randint(1, len(workers))))
            for name in self.builders
            if whole or rng.random() < 0.85
        } or {self.builders[0]: sorted(workers)}
        names = sorted(builders)
        triggers = {}
        for place, name in enumerate(names[:-1]):
            if rng.random() < 0.4:
                triggers[name] = rng.sample(
                    names[place + 1 :], rng.randint(1, min(2, len(names) - place - 1))
                )
        return workers, builders, triggers

    def controllers(self, workers):
        case = self.case
        makes = {
            "latent": case.latent,
            "stock": case.stock,
            "slave": case.slave,
            "slave2": lambda name: case.slave(name, worker_class=case.otherSlave),
        }
        made = [makes[kind](name) for name, kind in workers.items()]
        self.made.update((id(controller.worker), controller) for controller in made)
        return made

    def write(self, config):
        self.note(f"master.cfg: {config}")
        self.written = config
        workers, builders, triggers = config
        self.load = lambda: self.case.configOf(self.controllers(workers), builders, triggers)

    def loadConfig(self):
        """What Buildbot asks: each time everything is made anew, as it is when a file is executed."""
        return MasterConfig.loadFromDict(self.load(), "master.cfg")

    def begin(self):
        case = self.case
        self.began = case.reactor.seconds()
        self.note(f"{self.initial}")
        workers, builders, triggers = self.initial
        case.farm(*self.controllers(workers), builders=builders, triggers=triggers)
        case.master.data.matcher._dirty = False
        case.master.config_loader = self
        self.write(self.initial)
        self.settle()

    # --- the laws

    def started(self, start):
        """A build starts now."""
        self.counts["builds"] += 1
        run = self.case.quiesce.current
        (build,) = (
            each
            for each in self.case.master.botmaster.builders[start.builder].building
            if each.workername == start.worker and not each.finished
        )
        request = build.requests[0]
        self.note(f"{start.builder} starts on {start.worker} for request {request.id}")
        if run is not None and run.plan.covers(start.builder, start.worker):
            if run.reconfiguring:
                self.fail(f"a build of {start.builder} starts on {start.worker} in the middle of the reload")
            elif not request.waitedFor:
                self.fail(f"a build of {start.builder} starts on {start.worker}, which is held")
            else:
                self.counts["children"] += 1

    def settle(self):
        self.case.pass_(1.5)
        for run in self.runs:
            if run.outcome is not None:
                self.note(f"run {run.number} has ended: {run.outcome.result} {run.outcome.mistakes}")
                self.counts[run.outcome.result] += 1
        self.reconnect()
        self.runs = [run for run in self.runs if run.outcome is None]
        if self.case.quiesce.current is None:
            for presence in self.case.roster.workers.values():
                if presence.heldBy("reconfig") is not None:
                    self.fail(f"{presence!r} is held, and no reconfig waits")
        self.check()

    def reconnect(self):
        """Connect the workers that a reload has made."""
        before, self.case.controllers = self.case.controllers, {}
        for name, worker in self.case.master.workers.workers.items():
            self.case.controllers[name] = self.made[id(worker)]
        new = [name for name, made in self.case.controllers.items() if before.get(name) is not made]
        for name in new:
            self.connect(name)
        if new:
            # a child that ends in the moment of its start is never noticed by the step that waits for it
            self.case.pass_(1.5)

    def end(self):
        """Everybody is there, whatever runs may end: what waits must come to its end, and every request be built."""
        self.note("the end")
        self.stopShutdown()
        self.finishEverything("the reconfig waits in vain", lambda: self.case.quiesce.current is None)
        self.write(self.initial)
        self.order(ReconfigOrder(everything=self.rng.random() < 0.5))
        self.finishEverything("the last reconfig waits in vain", lambda: self.case.quiesce.current is None)
        self.finishEverything("requests are never built", lambda: not self.case.unclaimed())
        self.case.assertNothingHeld()
        self.builtOnce()

    def finishEverything(self, problem, enough):
        for _ in range(ENOUGH):
            for name in sorted(self.case.controllers):
                self.connect(name)
            self.settle()
            if enough() and not self.case.jobs:
                return
            if self.case.jobs:
                self.finish(self.rng.choice(self.case.jobs))
            self.settle()
        for build in self.building():
            self.note(f"{build} on {build.workername} goes on, for {[each.id for each in build.requests]}")
        self.fail(problem)
        self.check()

    def builtOnce(self):
        """Each request has one build that succeeded, after those that were lost or interrupted."""
        builds = self.case.master.db.model.builds
        results = {}
        for brid, result in self.case.query(
            sa.select(builds.c.buildrequestid, builds.c.results).order_by(builds.c.id)
        ):
            results.setdefault(brid, []).append(result)
        for brid, builder in self.brids.items():
            *early, last = results.get(brid, [None])
            if last != SUCCESS or set(early) - {RETRY} or len(early) > self.pardoned[brid]:
                self.fail(
                    f"request {brid} of {builder} was built as {results.get(brid)}, and {self.pardoned[brid]} times "
                    "something was done to it"
                )
        for brid in results.keys() - self.brids.keys():
            # what was triggered is cancelled with the build that waits for it
            if not set(results[brid]) <= {SUCCESS, RETRY, CANCELLED} or results[brid].count(SUCCESS) > 1:
                self.fail(f"the triggered request {brid} was built as {results[brid]}")
        requests = self.case.master.db.model.buildrequests
        left = self.case.query(sa.select(requests.c.id).where(requests.c.complete == 0))
        if left:
            self.fail(f"these requests are not complete: {left}")
        self.check()

    # --- what happens

    def run(self):
        self.begin()
        for _ in range(self.events):
            (kind,) = self.rng.choices(list(EVENTS), list(EVENTS.values()))
            getattr(self, f"event_{kind}")()
            self.settle()
        self.end()

    def event_request(self):
        builder = self.rng.choice(sorted(self.case.master.botmaster.builders))
        for _ in range(self.rng.choice((1, 1, 3))):
            brid = self.case.request(builder)
            self.brids[brid] = builder
            self.note(f"request {brid} of {builder}")

    def event_finish(self):
        for job in self.rng.sample(self.case.jobs, self.rng.randint(0, len(self.case.jobs))):
            # (what one of them ends may have cancelled another)
            if any(job is each for each in self.case.jobs):
                self.finish(job)

    def finish(self, job):
        self.note(f"{job.buildername} on {job.workername} finishes (request {job.brid})")
        job.finish()

    def pardon(self, builds):
        """These builds may end early; what waits for them, or they wait for, is built as often."""
        for build in builds:
            for request in build.requests:
                self.note(f"... and with it the build of request {request.id}")
                self.pardoned[request.id] += 1

    def building(self):
        return [
            build
            for builder in self.case.master.botmaster.builders.values()
            for build in builder.building
            if not build.finished
        ]

    def event_lose(self):
        names = [
            name
            for name, controller in self.case.controllers.items()
            if self.case.worker(name).conn is not None and not hasattr(controller, "auto_start")
        ]
        if names:
            name = self.rng.choice(sorted(names))
            self.note(f"{name} is lost")
            self.counts["lost"] += 1
            self.pardon(build for build in self.building() if build.workername == name)
            self.case.disconnect(name)

    def event_connect(self):
        for name in sorted(self.case.controllers):
            self.connect(name)

    def connect(self, name):
        controller = self.case.controllers[name]
        if name not in self.case.master.workers.workers:
            return  # connecting another one has let the reload happen
        if not hasattr(controller, "auto_start") and self.case.worker(name).conn is None:
            self.note(f"{name} connects")
            self.case.connect(name)

    def event_write(self):
        self.write(self.randomConfig())

    def event_break(self):
        self.note("master.cfg with a mistake")
        self.load = lambda: self.case.configOf(self.controllers({"w0": "stock"}), {"b0": ["nobody"]})

    def event_order(self):
        deadline, choice = None, "abort"
        if self.rng.random() < 0.3:
            deadline = self.case.reactor.seconds() + self.rng.choice((5, HOUR))
            choice = self.rng.choice(("abort", "interrupt"))
        self.order(ReconfigOrder(self.rng.random() < 0.3, deadline, choice))

    def order(self, order):
        self.note(f"{order}")
        if order.onDeadline == "interrupt":
            self.watchInterruption()
        asked = self.case.quiesce.request(order, "ann")
        asked.addCallbacks(
            lambda run: run in self.runs or self.runs.append(run), lambda failure: failure.trap(Mistakes)
        )

    def watchInterruption(self):
        """Pardon what a deadline interrupts."""
        quiesce = self.case.quiesce
        if "_overdue" not in vars(quiesce):
            overdue = quiesce._overdue

            def noticed(run):
                was, running = run.ending.interruptedAt, quiesce.waitedFor(run)
                result = overdue(run)
                if was is None and run.ending.interruptedAt is not None:
                    self.note("the deadline interrupts")
                    self.counts["interrupted"] += 1
                    self.pardon(running)
                return result

            quiesce._overdue = noticed

    def event_cancel(self):
        self.note(f"cancelled: {self.case.quiesce.cancel('bob')}")

    def event_shutdown(self):
        if self.shutdown:
            self.stopShutdown()
        else:
            self.note("a clean shutdown begins")
            self.counts["shutdowns"] += 1
            self.shutdown = True
            self.case.master.botmaster.cleanShutdown(stopReactor=False)

    def stopShutdown(self):
        if self.shutdown:
            self.note("the clean shutdown is cancelled")
            self.shutdown = False
            botmaster = self.case.master.botmaster
            botmaster.cancelCleanShutdown()
            self.case.pass_(1.5)
            # one that was done already has left it as it is; Buildbot would have ended
            botmaster.brd.distribute_only_waited_childs = False
            botmaster.maybeStartBuildsForAllBuilders()

    def event_time(self):
        self.case.pass_(self.rng.choice((2, 30, HOUR, 2 * HOUR)))
