"""A real `BuildMaster` in this process, with workers whose other ends are imitated.

The workers are those of Buildbot or ours, and so are the builders, the distributor and the database. What is
imitated is the connection of a worker: it answers at once.
"""

import contextlib
import tempfile
from pathlib import Path

from buildbot.config import BuilderConfig
from buildbot.config.master import MasterConfig
from buildbot.data.base import ResourceType
from buildbot.master import BuildMaster
from buildbot.process.buildstep import BuildStep
from buildbot.process.factory import BuildFactory
from buildbot.process.workerforbuilder import States, WorkerForBuilder
from buildbot.util.sautils import hash_columns
from buildbot.worker.base import Worker
from buildbot.worker.protocols.base import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.python import log

from benchmarks import databases
from benchmarks.alone import Turn
from benchmarks.meters import Meters, after
from presence.master.assembly import Assembly
from presence.master.buildslave import BuildSlave
from presence.master.roster import Roster
from presence.master.slave.flags import FlagsTogether

# What Buildbot writes into its database of each worker that connects; what each builder is about; and who works for which.
_CONNECTED = ("workerConnected", "set_worker_paused", "set_worker_graceful")
_DESCRIBED = ("updateBuilderInfo",)
_SEATED = ("workerConfigured",)


class Endless(BuildStep):
    """The step of every build: it has begun, and nobody ends it."""

    name = "endless"

    def run(self):
        """Never end."""
        return Deferred()


class ImitatedConnection(Connection):
    """A connection to a worker that does at once what it is told."""

    def __init__(self, name, started):
        super().__init__(name)
        self._started = started
        self.info = {"admin": "somebody", "host": "somewhere", "version": "4.3.0", "basedir": "/w"}
        #: whether it tells the master of builders that it has and did not have
        self.answers_with_builders = False

    def get_peer(self):
        """From where it comes."""
        return "imitated"

    def loseConnection(self):
        """Be lost."""
        self.notifyDisconnected()

    def remotePrint(self, message):  # noqa: ARG002
        """Answer a ping."""
        return succeed(None)

    def remoteSetBuilderList(self, builders):
        """Take the list of the builders."""
        return succeed([name for name, _ in builders] if self.answers_with_builders else [])

    def remoteStartBuild(self, builderName):  # noqa: ARG002
        """A build has started."""
        self._started()
        return succeed(None)


class _Config:
    def __init__(self, config):
        self._config = config

    def loadConfig(self):
        config = MasterConfig.loadFromDict(self._config, "<benchmark>")
        # that was said for its builders without schedulers
        config.multiMaster = False
        return config


class Farm:
    """A master with `workers` × `builders`. `ours` says whether the workers are `BuildSlave`s.

    `database` is one of `databases`. Every worker works for every builder, or each builder has `seats` of them. `canStartBuild`
    is that of every builder, `breaks` makes what is `onBreakDuring` of a worker from its number, and `services` are those of the configuration.
    """

    def __init__(
        self,
        reactor,
        workers,
        builders,
        *,
        ours,
        database=databases.MEMORY,
        seats=None,
        canStartBuild=None,
        breaks=None,
        services=(),
    ):
        self._turn = Turn()
        self.reactor = reactor
        self._folder = tempfile.mkdtemp(prefix="presence-benchmark-")
        self._log = (Path(self._folder) / "twistd.log").open("w", encoding="utf-8")
        log.startLogging(self._log, setStdout=False)
        kind = BuildSlave if ours else Worker
        self.ours = ours
        self.names = [f"w{number}" for number in range(workers)]
        self._builders = [f"b{number}" for number in range(builders)]
        url = databases.url(database, self._folder)
        config = {
            "workers": [
                kind(
                    name, "s3cret", **({"onBreakDuring": breaks(number), "timezone": "UTC"} if breaks else {})
                )
                for number, name in enumerate(self.names)
            ],
            "builders": [
                BuilderConfig(
                    name,
                    workernames=self._seated(number, seats),
                    factory=BuildFactory([Endless()]),
                    canStartBuild=canStartBuild,
                )
                for number, name in enumerate(self._builders)
            ],
            "protocols": {"null": {}},
            "multiMaster": True,
            "collapseRequests": False,
            "buildbotNetUsageData": None,
            "db_url": url,
            "services": list(services),
        }
        self._db_url = url
        self.master = BuildMaster(self._folder, reactor=reactor, config_loader=_Config(config))

    def _seated(self, number, seats):
        """The workers of the builder with this number."""
        if seats is None:
            return self.names
        return [self.names[(7 * number + each) % len(self.names)] for each in range(seats)]

    async def start(self, *, stored=False):
        """Start the master. No worker is connected then.

        Which worker works for which builder is not stored in the database, unless `stored`: that is half a million rows for 500 × 1000.
        """
        silent = _DESCRIBED
        if not stored:
            self.master.botmaster.getBuildersForWorker = lambda _name: []
            silent += _SEATED
        db = self.master.db
        self.master.config.db.db_url = self._db_url
        await db.setup(check_version=False)
        await db.model.upgrade()
        await db.pool.do(self._store_names)
        db.setup = lambda: None
        unmute = self.mute()
        with _silenced(self.master.data.updates, *silent):
            await self.master.startService()
        unmute()
        # (the first time it is ours who sorts, also the builders of stock workers: see `early`)
        await self.brd._sortBuilders([])
        for timer in (self.master.masterHeartbeatService, db.cleanup_timer):
            timer._loop.stop()
        self.meters = Meters(self.master)
        await self.meters.rest()

    def _store_names(self, connection):
        """As if this master had been started before: its workers and builders are in the database."""
        model = self.master.db.model
        workers = [{"name": name, "info": {}, "paused": 0, "graceful": 0} for name in self.names]
        builders = [{"name": name, "name_hash": hash_columns(name)} for name in self._builders]
        for table, rows in ((model.workers, workers), (model.builders, builders)):
            if rows:
                connection.execute(table.insert(), rows)
        connection.commit()

    async def alone(self):
        """Wait until nobody else uses the machine, and keep it that way."""
        await self._turn.come(self.reactor)

    def check(self):
        """Fail if anything has gone wrong in the master."""
        self._log.flush()
        text = Path(self._log.name).read_text(encoding="utf-8")
        for sign in ("Traceback", "Unhandled", "serious error"):
            if sign in text:
                raise RuntimeError(f"something went wrong:\n{text[text.index(sign) :][:5000]}")

    @property
    def brd(self):
        """The distributor."""
        return self.master.botmaster.brd

    @property
    def workers(self):
        """The services of the workers."""
        return [self.master.workers.workers[name] for name in self.names]

    @property
    def builders(self):
        """The builders."""
        return self.master.botmaster.getBuilders()

    @property
    def roster(self):
        """The roster, on a master whose workers are ours."""
        return self.master.namedServices[Roster.getName()]

    @property
    def assembly(self):
        """The parts that are wired around it."""
        return self.master.namedServices[Assembly.getName()]

    def connection(self, worker):
        """A new connection to `worker`."""
        return ImitatedConnection(worker.name, self.meters.started)

    def mute(self):
        """From now on the distributor hears of nothing. Returns a callable that ends it."""
        self.brd.maybeStartBuildsOn = lambda _names: succeed(None)
        return lambda: self.brd.__dict__.pop("maybeStartBuildsOn")

    async def connect(self):
        """All workers connect, and are seated with all their builders.

        That is put together by hand: in Buildbot's own way it would take minutes to sort half a million pairs. And nothing of it is
        written into the database, in ten statements for each worker (of ours seven).
        """
        unmute = self.mute()
        with (
            _silenced(ResourceType, "produceEvent"),
            _silenced(self.master.data.updates, *_CONNECTED),
            _silenced(FlagsTogether, "_update_flags"),
        ):
            for worker in self.workers:
                if self.ours:
                    # (it hears by an event that they come one after the other)
                    self.assembly._events._wave.moved(worker.name)
                await worker.attached(self.connection(worker))
        workers = self.master.workers.workers
        for builder in self.builders:
            for worker in map(workers.get, builder.config.workernames):
                wfb = WorkerForBuilder(builder)
                wfb.worker, wfb.remoteCommands, wfb.state = worker, {}, States.AVAILABLE
                worker.addWorkerForBuilder(wfb)
                builder.workers.append(wfb)
        await self.meters.rest()
        vars(self.master.botmaster).pop("getBuildersForWorker", None)
        unmute()

    async def request(self, percent):
        """Request a build of so many percent of the builders, evenly spread. Nothing starts by itself."""
        unmute = self.mute()
        count = len(self.builders) * percent // 100
        self.wanted = [self.builders[number * len(self.builders) // count] for number in range(count)]
        stamp = await self.master.db.sourcestamps.findSourceStampId(repository="", codebase="", project="")
        for builder in self.wanted:
            # (with eight questions for each it would take longer than what is measured: one event tells of them, of the last)
            add = self.master.data.updates if builder is self.wanted[-1] else self.master.db.buildsets
            await add.addBuildset(
                sourcestamps=[stamp],
                reason="benchmark",
                properties={},
                builderids=[await builder.getBuilderId()],
                waited_for=False,
            )
        await after(self.reactor, 0.3)  # in which Buildbot gathers events
        await self.meters.rest()
        unmute()


@contextlib.contextmanager
def _silenced(owner, *names):
    """These do nothing for a while.

    (An event is compared with what each worker wants to hear: with ten thousand of them that would take minutes.)
    """
    kept = {name: getattr(owner, name) for name in names}
    for name in names:
        setattr(owner, name, lambda *_, **__: succeed(None))
    try:
        yield
    finally:
        for name, method in kept.items():
            setattr(owner, name, method)
