"""Farms on which it takes the distributor its time to pair requests with workers, which come and go meanwhile.

PRESENCE_DISTRIBUTION_SEEDS says how many there are.
"""

import random

from twisted.internet.task import deferLater

from presence.master.builds.waiting import unclaimedRequests
from tests.each import seeds
from tests.master.fakemaster import MINUTE, MasterTestCase

WORKERS, BUILDERS = ("w0", "w1", "w2", "w3"), ("a", "b")
EVENTS = {"request": 16, "flip": 12, "finish": 6, "wait": 8, "stop": 1, "race": 4, "settle": 2}


@seeds(
    "PRESENCE_DISTRIBUTION_SEEDS",
    4,
    "On the farm that begins with seed {} no request waits for a worker that is ready.",
    search=20,
)
class SlowDistributorTests(MasterTestCase):
    """Whatever the distributor is about when a worker becomes ready, no request waits for a worker that is ready, and the
    distributor comes to rest.
    """

    def simulate(self, seed):
        self.rng = rng = random.Random(seed)
        self.builders = {name: rng.sample(WORKERS, rng.randint(1, 4)) for name in BUILDERS}
        # on which workers a builder builds nothing, although it may use them
        self.refused = {
            (builder, name) for builder in self.builders for name in WORKERS if rng.random() < 0.5
        }
        self.startMaster([self.slave(name) for name in WORKERS], dict(self.builders))
        for builder in self.master.botmaster.builders.values():
            builder.config.canStartBuild = self.canStartBuild
        for _ in range(30):
            (event,) = rng.choices(list(EVENTS), list(EVENTS.values()))
            getattr(self, event)()
        self.settle()
        for builder in self.master.botmaster.builders.values():
            builder.config.canStartBuild = None  # no time passes while the master is stopped
        self.stopMaster()

    def canStartBuild(self, builder, wfb, _request):
        """It takes some time to say."""
        answer = (builder.name, wfb.worker.workername) not in self.refused
        return deferLater(self.reactor, self.rng.choice((0, 0, 0.05, 0.3, 1.5)), lambda: answer)

    def request(self):
        builder = self.master.botmaster.builders[self.rng.choice(BUILDERS)]
        self.resultOf(
            self.master.data.updates.addBuildset(
                waited_for=False,
                builderids=[builder._builderid],
                sourcestamps=[
                    {"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}
                ],
            )
        )

    def flip(self):
        presence = self.presence(self.rng.choice(WORKERS))
        if presence.heldBy("worker"):
            presence.release("worker")
        else:
            presence.hold("worker")

    def finish(self):
        if self.jobs:
            self.rng.choice(self.jobs).finish()

    def wait(self):
        self.pass_(self.rng.choice((0, 0.05, 0.3, 1.0)))

    def race(self):
        """One worker is ready, and others become so while the distributor is about the requests that there are."""
        first, *others = self.rng.sample(WORKERS, len(WORKERS))
        for name in others:
            self.presence(name).hold("worker")
        self.presence(first).release("worker")
        for _ in range(4):
            self.request()
        self.pass_(0.2)  # in which Buildbot gathers the requests
        for name in others[: self.rng.randint(1, 2)]:
            self.presence(name).release("worker")
            self.wait()
        self.settle()

    def stop(self):
        """The distributor is stopped on its way, and started again before anybody looks."""
        brd = self.master.botmaster.brd
        stopped = brd.disownServiceParent()
        self.pass_(MINUTE)
        self.resultOf(stopped)
        self.resultOf(brd.setServiceParent(self.master.botmaster))
        # what it had taken is lost in stock Buildbot, but for those that become ready after it
        for name in WORKERS:
            self.presence(name).hold("admin")
            self.presence(name).release("admin")

    def settle(self):
        self.pass_(MINUTE)
        self.assertFalse(self.master.botmaster.brd.active, "the distributor does not come to rest")
        ids = self.resultOf(unclaimedRequests(self.master))
        waiting = {self.master.botmaster.getBuilderById(each).name for each in ids}
        running = {(job.workername, job.buildername) for job in self.jobs}
        for builder in waiting:
            free = [
                name
                for name in self.builders[builder]
                if self.presence(name).ready
                and (name, builder) not in running
                and (builder, name) not in self.refused
            ]
            self.assertEqual(free, [], f"{builder} has requests, and these could build them")
