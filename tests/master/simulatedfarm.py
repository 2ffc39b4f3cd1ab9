"""A farm of a simulation: its workers, a database that may be slow, and the laws that must hold at any time.

Who may build at which moment it knows by its own account (see there); nothing of that is asked of `presence`.
"""

from datetime import datetime, timedelta, timezone

from twisted.internet.defer import Deferred

from tests.master.account import Account, randomWindows
from tests.master.chronicle import Chronicle
from tests.master.fakemaster import HOUR
from tests.master.queue import queue

SETTLING = 1.5


class SimulatedFarm(Chronicle):
    """A random farm. `case` is a `MasterTestCase`, `rng` a `random.Random`."""

    def __init__(self, case, rng, size):
        super().__init__()
        self.case = case
        self.rng = rng
        self.retries = {}
        self.brids = []
        self.abandoned = set()  # requests whose worker was lost while the build was prepared
        self.jumping = False
        self.ending = False
        self.counts = dict.fromkeys(("builds", "refused", "lost", "jumps", "reconfigs"), 0)
        kinds = ["slave", *rng.choices(("slave", "stock", "latent"), (6, 2, 1), k=size - 1)]
        self.accounts = {
            f"{kind}{number}": Account(
                f"{kind}{number}",
                kind,
                rng.choice((None, 1, 2)),
                [] if kind == "stock" else randomWindows(rng),
            )
            for number, kind in enumerate(kinds)
        }
        self.slowDatabase = rng.random() < 0.5
        # the default takes four SQL statements for each builder and kick; any order will do
        self.options = rng.choice(({}, *4 * ({"prioritizeBuilders": lambda master, builders: builders},)))
        names = list(self.accounts)
        self.builders = {
            builder: sorted(rng.sample(names, rng.randint(1, size)))
            for builder in ("a", "b", "c")[: max(2, size // 3)]
        }
        start = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=rng.randrange(365 * 24 * 60))
        case.reactor.rightNow = start.timestamp()

    # --- the farm

    @property
    def now(self):
        return self.case.reactor.seconds()

    def moment(self):
        return f"{datetime.fromtimestamp(self.now, timezone.utc):%a %Y-%m-%d %H:%M:%S.%f}"

    def controllers(self):
        return [self.controller(account) for account in self.accounts.values()]

    def controller(self, account):
        case, options = self.case, {"max_builds": account.max_builds}
        if account.kind == "stock":
            return case.stock(account.name, **options)
        options["onBreakDuring"] = [window.asBreak() for window in account.windows]
        if account.kind == "latent":
            return case.latent(account.name, **options)
        return case.slave(account.name, **options)

    def begin(self):
        case = self.case
        for account in self.accounts.values():
            self.note(f"{account.name}: max_builds={account.max_builds} {account.windows}")
        self.note(f"builders: {self.builders}")
        case.startMaster(self.controllers(), self.builders, connect=False, **self.options)
        for account in self.accounts.values():
            if account.kind != "latent":
                self.connect(account)
        ids = {name: case.resultOf(case.master.data.updates.findBuilderId(name)) for name in self.builders}
        self.builderids = ids
        self.builderNames = {number: name for name, number in ids.items()}
        self.workerNames = {case.worker(name).workerid: name for name in self.accounts}
        self.addBuild = case.master.data.updates.addBuild
        case.patch(case.master.data.updates, "addBuild", self.addBuildSlowly)

    def addBuildSlowly(self, builderid, buildrequestid, workerid):
        """Buildbot has chosen a worker, and writes that down; this may take hours here."""
        account = self.accounts[self.workerNames[workerid]]
        if not self.slowDatabase or account.kind != "slave" or self.rng.random() < 0.5:
            return self.addBuild(builderid, buildrequestid, workerid)
        builder, brid = self.builderNames[builderid], buildrequestid
        deferred = Deferred()
        deferred.addCallback(lambda _: self.addBuild(builderid, buildrequestid, workerid))
        account.preparing[builder] = brid
        self.note(f"{account.name} is chosen for request {brid} of {builder}; the database is slow")
        delay = self.rng.choice((1, HOUR, 12 * HOUR))
        self.case.reactor.callLater(delay, self.goOn, deferred, account, builder, brid)
        if self.rng.random() < 1 / 2:
            self.case.reactor.callLater(delay / 2, self.holdMeanwhile, account)
        return deferred

    def holdMeanwhile(self, account):
        if not self.ending:
            self.hold(account, "admin", None)

    def goOn(self, deferred, account, builder, brid):
        self.note(f"the database has answered about request {brid}")
        if brid in self.abandoned:
            self.abandoned.remove(brid)
            deferred.callback(None)
            return
        del account.preparing[builder]
        deferred.callback(None)
        if builder not in account.building:
            self.note(f"{account.name} has refused request {brid}")
            self.counts["refused"] += 1
            self.retries[brid] = self.retries.get(brid, 0) + 1
            if not account.whatHolds(self.now):
                self.fail(f"{account.name} has refused a build, and nothing holds it")

    def connect(self, account):
        self.note(f"{account.name} connects")
        account.connected, account.graceful = True, False
        self.case.connect(account.name)

    def hold(self, account, source, until):
        self.note(f"{source} holds {account.name} until {until}")
        account.holds[source] = until
        self.case.presence(account.name).hold(source, reason="a test", until=until)

    # --- the laws

    def started(self, start):
        """A build starts now, and must be allowed to."""
        account = self.accounts[start.worker]
        self.note(f"a build of {start.builder} starts on {start.worker}")
        self.counts["builds"] += 1
        held = account.whatHolds(self.now)
        if held:
            self.fail(f"a build started on {start.worker} although this holds it: {held}")
        if not account.hasRoomFor(start.builder):
            self.fail(f"a build too many started on {start.worker}: {account}")
        account.building.add(start.builder)

    def turned(self):
        """After every turn of the reactor each presence says what the account says."""
        if self.jumping:
            return
        now = self.now
        for account in self.accounts.values():
            held = account.whatHolds(now)
            if account.ready is bool(held):
                account.ready, account.since = not held, now
            presence = self.case.presence(account.name)
            if presence.ready is bool(held):
                self.fail(f"{presence!r}, but what should hold it is: {held or 'nothing'}")
        self.check()

    def settle(self):
        """Let pass what Buildbot waits for more requests to come; then whatever can be built is being built."""
        self.turned()
        self.case.pass_(SETTLING)
        self.turned()
        waiting, complete = self.requests()
        for builder in {builder for _, builder in waiting}:
            for name in self.builders[builder]:
                account = self.accounts[name]
                if account.ready and account.since <= self.now - 1 and account.hasRoomFor(builder):
                    self.fail(f"{builder} has requests that wait, although {name} is ready: {waiting}")
        for account in self.accounts.values():
            expected = len(account.building) + len(account.preparing)
            presence = self.case.presence(account.name)
            if account.kind == "slave" and presence.running != expected:
                self.fail(f"{presence!r} runs {presence.running} builds, but it should be {expected}")
            if self.case.worker(account.name).quarantine_timer is not None:
                self.fail(f"{account.name} is in quarantine")
        self.nothingLost(waiting, complete)
        self.check()

    def requests(self):
        """Those that wait in the queue, as pairs of their id and builder; and how many are complete."""
        waiting, complete = queue(self.case)
        return [(brid, self.builderNames[builderid]) for brid, builderid in waiting], complete

    def nothingLost(self, waiting, complete):
        """Each request is complete, or waits in the queue, or belongs to a build that runs or is prepared."""
        open_ = len(waiting) + sum(len(a.building) + len(a.preparing) for a in self.accounts.values())
        open_ += len(self.abandoned)
        if complete + open_ != len(self.brids):
            self.fail(f"of {len(self.brids)} requests {complete} are complete and {open_} open")
