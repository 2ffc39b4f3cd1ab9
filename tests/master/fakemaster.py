"""A whole master on Buildbot's fake reactor, with workers that connect and steps that a test ends."""

import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import sqlalchemy as sa
from buildbot.config import BuilderConfig
from buildbot.config.master import MasterConfig
from buildbot.process.buildstep import BuildStep
from buildbot.process.factory import BuildFactory
from buildbot.process.results import CANCELLED, SUCCESS
from buildbot.test.fake.latent import ControllableLatentWorker, LatentController
from buildbot.test.fake.worker import WorkerController
from buildbot.test.util.integration import RunFakeMasterTestCase
from buildbot.worker.base import Worker
from buildbot.worker.protocols import null
from buildbot_worker.bot import LocalWorker as RemoteWorker
from twisted.internet.defer import Deferred, succeed

from presence.master.assembly import Assembly
from presence.master.buildslave import BuildSlave, PresenceMixin
from presence.master.compat import healPatterns
from presence.master.roster import Roster
from presence.model.clockguard import INTERVAL
from tests.master import quickdatabase
from tests.master.faketicker import FakeTicker
from tests.master.signals import leaveSignalsAlone

# Importing buildbot.test makes an error of every warning. These two come from outside.
warnings.filterwarnings("ignore", message="No path_separator found")
warnings.filterwarnings("ignore", message=".*ProtocolNegotiationSupport")
# What an earlier test has left open is told when it is collected, and is not the fault of the test that runs then.
warnings.filterwarnings("default", category=ResourceWarning)

MONDAY = datetime(2026, 11, 23, tzinfo=timezone.utc)
MINUTE = 60
HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Start:
    """A build has started: `connection.remoteStartBuild` was called, which is where it truly does."""

    at: float
    worker: str
    builder: str


class Job(BuildStep):
    """The step of every build here. It runs until the test ends it, or the connection is lost."""

    name = "job"
    haltOnFailure = True

    def __init__(self, case, **kwargs):
        super().__init__(**kwargs)
        self.case = case
        self.ended = None

    @property
    def workername(self):
        return self.worker.workername

    @property
    def buildername(self):
        return self.build.builder.name

    @property
    def brid(self):
        return self.build.requests[0].id

    def run(self):
        self.ended = Deferred()
        self.case.jobs.append(self)
        return self.ended

    def finish(self, results=SUCCESS):
        """End the step. It is said to be gone first: what this ends may begin others."""
        # (steps compare equal to each other)
        self.case.jobs[:] = [job for job in self.case.jobs if job is not self]
        self.ended.callback(results)

    def interrupt(self, reason):
        if not self.ended.called:
            self.finish(CANCELLED)


class SlaveController(WorkerController):
    """The controller of a worker of any class."""

    def __init__(self, case, worker):
        super().__init__(case, worker.name, worker_class=lambda *_: worker)

    def connect_worker(self):
        connected = super().connect_worker()
        remote = self.remote_worker
        stop = remote.stopService
        # it may be asked more than once, by Buildbot's graceful shutdown and by the test
        remote.stopService = lambda: stop() if remote.running else succeed(None)
        return connected

    def disconnect_worker(self):
        if self.remote_worker is not None and not self.worker.running:
            # a reconfig has replaced the service that it was connected to
            self.remote_worker = None
        return super().disconnect_worker()


class LatentBuildSlave(PresenceMixin, ControllableLatentWorker):
    """A latent worker with a presence."""


class LatentSlaveController(LatentController):
    """A `LatentController` of a `LatentBuildSlave`, which starts and stops by itself."""

    def __init__(self, case, name, build_wait_timeout=600, **kwargs):
        super().__init__(case, name, build_wait_timeout=build_wait_timeout)
        self.worker = LatentBuildSlave(name, self, **kwargs)
        self.auto_start(True)
        self.auto_stop(True)

    def connect_worker(self):
        # the original awaits what setServiceParent() returns, which in this Twisted is None
        self.remote_worker = RemoteWorker(self.worker.name, self.case.mktemp(), False)
        Path(self.remote_worker.bot.basedir).mkdir(parents=True)
        self.remote_worker.setServiceParent(self.worker)
        return succeed(None)


class MasterTestCase(RunFakeMasterTestCase):
    """A test with a whole master. It begins on Monday at 06:00 UTC.

    Nothing is ever waited for: `resultOf()` lets happen what is due now, `pass_()` lets time pass. At the
    end of every test the master is shut down, and there must be no delayed call left then.
    """

    def setUp(self):
        super().setUp()
        leaveSignalsAlone(self)
        quickdatabase.use(self)
        self.setClock(6)
        self.jobs = []
        self.starts = []
        self.tickers = []
        self.controllers = {}
        # nothing here has schedulers
        self.patch(MasterConfig, "check_single_master", lambda _: None)
        self.patch(Roster, "tickerFactory", staticmethod(self.makeTicker))
        start_build = null.Connection.remoteStartBuild

        def remoteStartBuild(connection, builderName):
            self.started(Start(self.reactor.seconds(), connection.worker.name, builderName))
            return start_build(connection, builderName)

        self.patch(null.Connection, "remoteStartBuild", remoteStartBuild)
        self.addCleanup(self.assertNothingLeft)

    def started(self, start):
        self.starts.append(start)

    def assertNothingLeft(self):
        self.pass_(0)  # Buildbot leaves calls for the next turn
        left = [str(call) for call in self.reactor.getDelayedCalls()]
        # stock Buildbot starts that timer when the connection of a worker that is stopped has gone
        self.assertEqual([call for call in left if "_missing_timer_fired of <Worker " not in call], [])
        self.assertFalse(any(ticker.running for ticker in self.tickers))

    def makeTicker(self, *args):
        self.tickers.append(FakeTicker(*args))
        return self.tickers[-1]

    # --- time

    def setClock(self, hour):
        """Set the clock to `hour` hours after Monday 00:00 UTC; nothing that is due happens yet."""
        self.reactor.rightNow = (MONDAY + timedelta(hours=hour)).timestamp()

    def at(self, hour):
        """`hour` hours after Monday 00:00 UTC, in seconds since the epoch."""
        return MONDAY.timestamp() + hour * HOUR

    def hour(self):
        return (self.reactor.seconds() - MONDAY.timestamp()) / HOUR

    def pass_(self, seconds):
        """Let time pass, and everything happen at the time at which it is due."""
        self.passUntil(self.reactor.seconds() + seconds)

    def passUntil(self, when):
        reactor = self.reactor
        while True:
            due = min((call.getTime() for call in reactor.getDelayedCalls()), default=when)
            if due > when:
                break
            if not reactor.getDelayedCalls():
                break
            reactor.rightNow = max(reactor.rightNow, due)
            reactor.advance(0)
            self.turned()
        reactor.rightNow = max(reactor.rightNow, when)

    def turned(self):
        """The reactor has made a turn."""

    def jump(self, seconds):
        """The clock jumps. What is due happens when the guard wakes the reactor, a moment later."""
        (ticker,) = (ticker for ticker in self.tickers if ticker.running)
        ticker.tick(0.0)  # that of just before
        self.reactor.rightNow += seconds + INTERVAL
        self.reactor.advance(0)
        ticker.tick(seconds)
        self.reactor.advance(0)

    def resultOf(self, deferred):
        """What `deferred` fires with now."""
        for _ in range(1000):
            if deferred.called and not deferred.paused:
                break
            self.reactor.advance(0)
        return self.successResultOf(deferred)

    # --- the master

    def slave(self, name, worker_class=BuildSlave, **kwargs):
        """The controller of a new `BuildSlave`, to be put into the configuration."""
        return SlaveController(self, worker_class(name, "s3cret", **kwargs))

    def stock(self, name, **kwargs):
        """The same of a stock worker."""
        return self.slave(name, worker_class=Worker, **kwargs)

    def latent(self, name, **kwargs):
        """The same of a latent worker with a presence."""
        return LatentSlaveController(self, name, **kwargs)

    def config(self, controllers, builders=None, **more):
        """A configuration. `builders` is `{name: names of workers}`; by default `runtests` has all workers. It
        may also be what Buildbot takes, a list.
        """
        workers = [controller.worker for controller in controllers]
        if builders is None:
            builders = {"runtests": [worker.name for worker in workers]}
        return {
            "workers": workers,
            "builders": builders
            if isinstance(builders, list)
            else [
                BuilderConfig(name, workernames=list(workernames), factory=BuildFactory([Job(self)]))
                for name, workernames in builders.items()
            ],
            "protocols": {"null": {}},
            "collapseRequests": False,
            **more,
        }

    def startMaster(self, controllers, builders=None, connect=True, **more):
        """Start a master with these workers; those that are not latent connect."""
        self.resultOf(self.setup_master(self.config(controllers, builders, **more)))
        self.addCleanup(self.disconnectAll)
        self._stop_stock_timers()
        # (of a master without a worker of ours, too: it takes a tenth of the time of a test)
        healPatterns(self.master.data.matcher)
        for controller in controllers:
            self.controllers[controller.worker.name] = controller
            if connect and not isinstance(controller, LatentController):
                self.connect(controller.worker.name)
        self.pass_(1)

    def _stop_stock_timers(self):
        """Stop what stock Buildbot does every minute and every hour. It takes longer than all the rest."""
        for timer in (self.master.masterHeartbeatService, self.master.db.cleanup_timer):
            timer._loop.stop()

    def reconfig(self, controllers, builders=None, **more):
        """Reconfigure. A worker that is configured for the first time may be connected afterwards."""
        self.resultOf(self.reconfig_master(self.config(controllers, builders, **more)))
        known = self.controllers
        self.controllers = {}
        for controller in controllers:
            name = controller.worker.name
            goes_on = name in known and known[name].worker is self.worker(name)
            self.controllers[name] = known[name] if goes_on else controller
        self.pass_(1)

    def stopMaster(self):
        self.disconnectAll()
        self.resultOf(self.tested_master.shutdown())

    def holdBack(self, function):
        """From now on the database does `function`, in a transaction, when a Deferred of these fires: the first one the first time."""
        stores, waits = self.master.db.pool.do_with_transaction, []

        def doLater(*args):
            if args[0] is not function:
                return stores(*args)
            waits.append(Deferred())
            return waits[-1].addCallback(lambda _: stores(*args))

        self.patch(self.master.db.pool, "do_with_transaction", doLater)
        return waits

    def connect(self, name):
        self.resultOf(self.controllers[name].connect_worker())

    def disconnect(self, name):
        self.resultOf(self.controllers[name].disconnect_worker())

    def disconnectAll(self):
        for job in tuple(self.jobs):
            job.finish()
        if self.master.running:
            for name in self.controllers:
                self.disconnect(name)

    def worker(self, name):
        return self.master.workers.workers[name]

    def farm(self):
        """The worker, connection and presence of each name: what a reconfig has to leave alone."""
        return {
            name: (self.worker(name), self.worker(name).conn, self.presence(name))
            for name in self.controllers
        }

    @property
    def roster(self):
        return self.master.namedServices[Roster.getName()]

    @property
    def assembly(self):
        return self.master.namedServices[Assembly.getName()]

    def presence(self, name="mac-mini"):
        return self.roster.workers[name]

    def sources(self, name="mac-mini"):
        """What holds the worker."""
        return [hold.source for hold in self.presence(name).holds]

    # --- requests and builds

    def request(self, builder="runtests"):
        """Request a build; its id, when what waits a little for more to come (the debouncers) has happened."""
        builderid = self.resultOf(self.master.data.updates.findBuilderId(builder))
        _, brids = self.resultOf(
            self.master.data.updates.addBuildset(
                waited_for=False,
                builderids=[builderid],
                sourcestamps=[
                    {"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}
                ],
            )
        )
        self.pass_(0.5)
        return brids[builderid]

    def query(self, statement):
        """The rows that an SQL statement gives."""
        return self.resultOf(
            self.master.db.pool.do(lambda connection: connection.execute(statement).fetchall())
        )

    def unclaimed(self):
        """The ids of the requests that wait in the queue."""
        requests, claims = self.master.db.model.buildrequests, self.master.db.model.buildrequest_claims
        return [
            row.id
            for row in self.query(
                sa.select(requests.c.id)
                .select_from(requests.outerjoin(claims, requests.c.id == claims.c.brid))
                .where(claims.c.brid.is_(None), requests.c.complete == 0)
            )
        ]

    def results(self, brid):
        """The results of all builds of a request, in their order; None for one that runs."""
        builds = self.master.db.model.builds
        chosen = sa.select(builds.c.results).where(builds.c.buildrequestid == brid).order_by(builds.c.id)
        return [row.results for row in self.query(chosen)]

    def finishAll(self):
        """End what runs, and what starts then, until nothing does."""
        while self.jobs:
            self.jobs[0].finish()
            self.pass_(0.5)

    def startedOn(self):
        """The workers on which builds have started, in their order."""
        return [start.worker for start in self.starts]
