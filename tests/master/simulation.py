"""A farm that lives for weeks under random breaks, holds, requests, losses and reconfigurations."""

from buildbot.process.results import RETRY, SUCCESS

from tests.master.account import randomWindows
from tests.master.fakemaster import DAY, HOUR, MINUTE
from tests.master.simulatedfarm import SimulatedFarm

#: What may happen, and how often compared with the rest.
EVENTS = {
    "request": 18,
    "finish": 22,
    "hold": 12,
    "release": 10,
    "pause": 6,
    "connection": 12,
    "reconfig": 3,
    "jump": 3,
    "graceful": 2,
    "suspend": 4,
}


class Simulation(SimulatedFarm):
    """One random life of one farm, of so many `events`."""

    def __init__(self, case, rng, size, events):
        super().__init__(case, rng, size)
        self.events = events

    # --- what happens

    def disconnect(self, account):
        self.note(f"{account.name} is lost")
        account.connected = False
        for job in self.case.jobs:
            if job.workername == account.name:
                self.note(f"... and request {job.brid} with it")
                self.retries[job.brid] = self.retries.get(job.brid, 0) + 1
                self.counts["lost"] += 1
        for brid in account.preparing.values():
            self.note(f"... while request {brid} is prepared")
            self.retries[brid] = self.retries.get(brid, 0) + 1
            self.counts["lost"] += 1
            self.abandoned.add(brid)
        account.building.clear()
        account.preparing.clear()
        self.case.disconnect(account.name)

    def finish(self, job):
        self.note(f"the build of {job.buildername} (request {job.brid}) on {job.workername} finishes")
        self.accounts[job.workername].building.remove(job.buildername)
        job.finish()

    def request(self):
        builder = self.rng.choice(list(self.builders))
        case, builderid = self.case, self.builderids[builder]
        sourcestamp = {"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}
        _, brids = case.resultOf(
            case.master.data.updates.addBuildset(
                waited_for=False, builderids=[builderid], sourcestamps=[sourcestamp]
            )
        )
        self.brids.append(brids[builderid])
        self.note(f"request {brids[builderid]} for {builder}")

    def happens(self):
        """One event, and the time after it."""
        rng = self.rng
        (kind,) = rng.choices(list(EVENTS), list(EVENTS.values()))
        getattr(self, f"event_{kind}")()
        self.settle()
        duration = rng.choice((0, 20, 5 * MINUTE, HOUR, 6 * HOUR, DAY, 2 * DAY)) * rng.random()
        self.case.pass_(duration)
        self.turned()

    def event_request(self):
        for _ in range(self.rng.choice((1, 1, 2))):
            self.request()

    def event_finish(self):
        jobs = self.case.jobs
        for job in self.rng.sample(jobs, self.rng.randint(0, len(jobs))):
            self.finish(job)

    def ours(self):
        return self.rng.choice([account for account in self.accounts.values() if account.kind != "stock"])

    def event_hold(self):
        until = self.rng.choice((None, None, self.now + self.rng.uniform(1, 2 * DAY)))
        self.hold(self.ours(), self.rng.choice(("worker", "admin")), until)

    def event_release(self):
        account, source = self.ours(), self.rng.choice(("worker", "admin"))
        for held in self.accounts.values():
            if source in held.holds:
                account = held
        self.note(f"{source} releases {account.name}")
        account.holds.pop(source, None)
        self.case.presence(account.name).release(source)

    def event_pause(self):
        paused = [account for account in self.accounts.values() if account.paused]
        account = self.rng.choice(paused or list(self.accounts.values()))
        self.note(f"{account.name} is {'unpaused' if account.paused else 'paused'}")
        account.paused = not account.paused
        worker = self.case.worker(account.name)
        if account.paused:
            worker.pause("a test")
        else:
            worker.unpause()

    def event_connection(self):
        account = self.rng.choice(list(self.accounts.values()))
        if account.kind == "latent":
            return
        if not account.connected:
            self.connect(account)
        elif account.kind == "slave" or not account.preparing:
            # (stock Buildbot loses the request of a build whose worker goes while it is prepared)
            self.disconnect(account)

    def event_graceful(self):
        account = self.ours()
        if account.kind == "slave" and account.connected:
            self.note(f"{account.name} is asked to shut down gracefully")
            account.graceful = True
            self.case.worker(account.name).shutdownRequested()

    def event_suspend(self):
        account = self.ours()
        until = self.now + self.rng.uniform(1, 2 * DAY)
        self.note(f"{account.name} works anyway until {until}")
        account.suspended = until
        self.case.worker(account.name).breakTimer.suspend(until)

    def event_reconfig(self):
        self.reconfig(
            {
                account.name: randomWindows(self.rng)
                for account in self.accounts.values()
                if account.kind != "stock" and self.rng.random() < 0.5
            }
        )

    def reconfig(self, windows):
        self.counts["reconfigs"] += 1
        for name, new in windows.items():
            self.note(f"reconfig of {name}: {new}")
            account = self.accounts[name]
            account.before, account.windows = account.windows, new
        before = {name: self.case.worker(name).conn for name in self.accounts}
        self.case.resultOf(
            self.case.reconfig_master(self.case.config(self.controllers(), self.builders, **self.options))
        )
        for account in self.accounts.values():
            account.before = None
        after = {name: self.case.worker(name).conn for name in self.accounts}
        for name, connection in before.items():
            if self.accounts[name].kind != "latent" and after[name] is not connection:
                self.fail(f"a reconfig has touched the connection of {name}")

    def event_jump(self):
        seconds = self.rng.choice((1, -1)) * self.rng.uniform(2, self.rng.choice((MINUTE, HOUR, 2 * DAY)))
        self.note(f"the clock jumps by {seconds}")
        self.counts["jumps"] += 1
        self.jumping = True
        self.case.jump(seconds)
        self.jumping = False
        for account in self.accounts.values():
            account.since = self.now
        self.note("the guard has seen it")

    # --- the end

    def end(self):
        """All holds are released, everybody is there, and every request is completed, once."""
        self.note("the end: everybody is there and works")
        self.ending = True
        for account in self.accounts.values():
            self.comeBack(account)
        self.reconfig({name: [] for name, account in self.accounts.items() if account.windows})
        self.settle()
        for _ in range(10 * len(self.brids)):
            preparing = bool(self.abandoned) or any(a.preparing for a in self.accounts.values())
            if not self.case.jobs and not preparing:
                break
            for job in tuple(self.case.jobs):
                self.finish(job)
            self.settle()
            self.case.pass_(HOUR if preparing else 0)
        self.completedOnce()

    def comeBack(self, account):
        """Whatever keeps the worker from building ends, but for its breaks."""
        for source in tuple(account.holds):
            self.case.presence(account.name).release(source)
        account.holds.clear()
        if account.paused:
            account.paused = False
            self.case.worker(account.name).unpause()
        if account.graceful:
            for job in tuple(self.case.jobs):
                if job.workername == account.name:
                    self.finish(job)
            while account.preparing:
                self.case.pass_(HOUR)
            self.disconnect(account)
        if account.kind != "latent" and not account.connected:
            self.connect(account)

    def completedOnce(self):
        """Each request has one build that succeeded, after those that were lost or refused."""
        for brid in self.brids:
            results = self.case.results(brid)
            expected = [RETRY] * self.retries.get(brid, 0) + [SUCCESS]
            if results != expected:
                self.fail(f"the builds of request {brid} ended with {results}, not {expected}")
        self.check()

    def run(self):
        self.begin()
        self.settle()
        for _ in range(self.events):
            self.happens()
        self.end()
