"""The same random farms, once with Buildbot's distributor alone and once with ours: what starts where, and in which order.

PRESENCE_ORDER_SEEDS says how many farms there are.
"""

import random
from types import SimpleNamespace

from buildbot.config import BuilderConfig
from buildbot.locks import MasterLock, WorkerLock
from buildbot.process import buildrequestdistributor
from buildbot.process.factory import BuildFactory

from tests.each import seeds
from tests.master.fakemaster import Job, MasterTestCase

WORKERS = [f"w{number}" for number in range(5)]
ROUNDS, REQUESTS, FINISHED = 2, 9, 5

# how a builder chooses among its requests, and among its workers
NEXT_BUILD = {
    "default": None,
    "newest": lambda _builder, requests: max(requests, key=lambda each: each.id),
    "of the least priority": lambda _builder, requests: min(
        requests, key=lambda each: (each.priority, each.id)
    ),
    "none of the oldest": lambda _builder, requests: (
        sorted(requests, key=lambda each: each.id)[1:2].pop() if len(requests) > 1 else None
    ),
}
NEXT_WORKER = {
    "default": None,
    "last by name": lambda _builder, wfbs, _request: (
        max(wfbs, key=lambda each: each.worker.name) if wfbs else None
    ),
    "not the first": lambda _builder, wfbs, _request: wfbs[-1] if len(wfbs) > 1 else None,
}


def backwards(_master, builders):
    """A `prioritizeBuilders` that leaves one out."""
    return sorted((each for each in builders if each.name != "c"), key=lambda each: each.name, reverse=True)


@seeds(
    "PRESENCE_ORDER_SEEDS",
    1,
    "On the farm of seed {} each build starts where, and when, it starts in Buildbot alone.",
    search=8,
)
class OrderTests(MasterTestCase):
    """Oldest first, priorities, `prioritizeBuilders`, `nextBuild`, `nextWorker`, locks, `max_builds`, collapsing."""

    def setUp(self):
        super().setUp()
        # Buildbot draws lots, and how often it does depends on how often it looks
        lots = SimpleNamespace(choice=lambda wfbs: min(wfbs, key=lambda each: each.worker.name))
        self.patch(buildrequestdistributor, "random", lots)

    def simulate(self, seed):
        stock = self.startsOf(seed, ours=False)
        self.assertEqual(self.startsOf(seed, ours=True), stock)
        self.assertGreater(len(stock), ROUNDS)

    def startsOf(self, seed, *, ours):
        """What starts, in order: worker, builder and request; and what is left."""
        self.ours, self.rng = ours, random.Random(seed)
        # a clock that went back would leave behind what is yet to happen
        self.setClock(30 if ours else 6)
        self.log = []
        self.startFarm()
        for _ in range(ROUNDS):
            self.setAccepting(accepting=False)
            self.requestSome()
            self.setAccepting(accepting=True)
            self.pass_(30)
            if not self.locks:
                self.finishSome()
        left = self.unclaimed()
        self.setAccepting(accepting=False)
        while self.jobs:
            self.jobs[0].finish()
        self.pass_(1)
        self.stopMaster()
        return [*self.log, ("left", left)]

    def startFarm(self):
        rng = self.rng
        # Where there are locks no build finishes: who has one next depends on which of two events Buildbot sees first.
        locks = self.locks = rng.choice(
            [(MasterLock("master", maxCount=2), WorkerLock("worker", maxCount=1)), ()]
        )
        workers = [
            (self.slave if self.ours else self.stock)(
                name,
                max_builds=rng.choice([None, 1, 2]),
                locks=[locks[0].access("counting")] if locks and rng.random() < 0.2 else None,
            )
            for name in WORKERS
        ]
        builders = [
            BuilderConfig(
                name,
                workernames=rng.sample(WORKERS, rng.randint(1, 5)),
                factory=BuildFactory([Job(self)]),
                locks=[rng.choice(locks).access("counting")] if locks and rng.random() < 0.4 else [],
                nextBuild=NEXT_BUILD[rng.choice([*NEXT_BUILD, "default"])],
                nextWorker=NEXT_WORKER[rng.choice([*NEXT_WORKER, "default"])],
                collapseRequests=rng.random() < 0.3,
            )
            for name in ("a", "b", "c", "d", "e", "f")
        ]
        more = {"prioritizeBuilders": backwards} if rng.random() < 0.25 else {}
        self.startMaster(workers, builders, collapseRequests=None, **more)

    def setAccepting(self, *, accepting):
        """All workers of an office go, or come back, in one turn of the reactor."""
        if self.ours:
            for name in WORKERS:
                presence = self.presence(name)
                (presence.release if accepting else presence.hold)("worker")
            return
        for name in WORKERS:
            self.worker(name)._paused = not accepting
        if accepting:
            # the ideal: all are ready, and then one kick of all builders
            self.master.botmaster.maybeStartBuildsForAllBuilders()

    def requestSome(self):
        for _ in range(REQUESTS):
            builder = self.master.botmaster.builders[self.rng.choice("abcdef")]
            self.resultOf(
                self.master.data.updates.addBuildset(
                    waited_for=False,
                    builderids=[builder._builderid],
                    priority=self.rng.choice([0, 0, 0, 1, 2, -1]),
                    sourcestamps=[
                        {"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}
                    ],
                )
            )
            self.pass_(self.rng.choice([0, 1, 5]))
        self.pass_(5)

    def finishSome(self):
        """Some builds finish, one after the other, and others start in their stead."""
        for _ in range(FINISHED):
            if self.jobs:
                # by their requests: they are in the same order on both farms, if those have built the same
                self.rng.choice(sorted(self.jobs, key=lambda each: each.brid)).finish()
            self.pass_(30)

    def started(self, start):
        super().started(start)
        building = self.master.botmaster.builders[start.builder].building
        brids = [each.requests[0].id for each in building if each.workername == start.worker]
        self.log.append((start.worker, start.builder, brids[-1]))
