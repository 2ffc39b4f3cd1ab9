"""The farm that is tortured: a real master on SQLite, PostgreSQL or MariaDB, and eight real workers, four on each wire."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from pathlib import Path

from presence.model.clockguard import TOLERANCE
from presence.wire.reading import SAME_CLOCK
from tests.integration.farm import Farm

WORKERS = tuple(f"w{number}" for number in range(1, 9))
#: Those of them that speak msgpack; the others speak PB.
MSGPACK = WORKERS[4:]
#: The builders that somebody may request builds of; each worker has one of its own name, too.
BUILDERS = ("any", "parent", "counting", "exclusive", *WORKERS)

#: How long a master may take to start, or to read its configuration, on a busy machine, in seconds.
PATIENCE = 150.0

#: Within this time the master knows what a worker that runs has to tell it, however busy the machine, in seconds.
TOLD = 6.0

#: The master takes a worker's clock for its own when they differ by so little, in seconds, and does not notice when its own is
#: set by so little: by so much earlier than the worker's clock says what its owner said may end.
EARLY = SAME_CLOCK + TOLERANCE

FAKETIME = next(
    (
        str(path)
        for path in map(
            Path,
            (
                "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
                "/usr/lib/faketime/libfaketime.so.1",
            ),
        )
        if path.exists()
    ),
    None,
)

#: What is taken out of the product to see that the driver notices: lines for master.cfg.
MUTANTS = {
    "last-gate": "from presence.master.slave.gate import Gate\nGate._refuse = lambda self, **_: False",
    "choice": "from presence.master.slave.gate import Gate\nGate._accepts = lambda self, **_: True",
}

MASTER_CFG = """\
import json, os, time
from buildbot.plugins import schedulers, steps, util, worker
from buildbot.process import buildstep
from buildbot.worker.protocols import msgpack, pb
from presence import Break
from twisted.internet import defer

def note(what, **details):
    line = {{"what": what, "at": time.monotonic(), "wall": time.time(), "pid": os.getpid(), **details}}
    file = os.open({journal!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, json.dumps(line).encode() + b"\\n")
    os.close(file)

def follow(kind):
    # the very moment at which a worker is told to build, below whatever may have been laid over the connection
    told = kind.remoteStartBuild
    if hasattr(told, "followed"):
        return  # master.cfg is read again
    def remoteStartBuild(self, builderName):
        wfb = self.worker.workerforbuilders[builderName]
        build = next(each for each in wfb.builder.building if each.workerforbuilder is wfb)
        note("start", worker=self.worker.workername, request=build.requests[0].id,
             child=bool(build.requests[0].waitedFor))
        return told(self, builderName)
    remoteStartBuild.followed = True
    kind.remoteStartBuild = remoteStartBuild

follow(pb.Connection)
follow(msgpack.Connection)

{mutant}

class Work(buildstep.ShellMixin, buildstep.BuildStep):
    # one step, without a log: of the database a build asks a third of what one of ordinary steps does
    name = "work"

    @defer.inlineCallbacks
    def run(self):
        note("begin", **self.who)
        try:
            command = yield self.makeRemoteShellCommand(
                command=["sleep", str(self.getProperty("seconds", "0.4"))], stdioLogName=None
            )
            yield self.runCommand(command)
        finally:
            note("end", **self.who)
        return command.results()

    @property
    def who(self):
        return {{"worker": self.build.workername, "builder": self.build.builder.name, "build": self.build.buildid}}

class Children(steps.Trigger):
    # a parent ends when they have, long after its own work
    name = "trigger"

    @defer.inlineCallbacks
    def run(self):
        results = yield super().run()
        note("end", builder=self.build.builder.name, build=self.build.buildid)
        return results

c = BuildmasterConfig = {{}}
c["protocols"] = {protocols!r}
c["www"] = {{"port": "tcp:{www}:interface=127.0.0.1"}}
c["buildbotURL"] = "http://127.0.0.1:{www}/"
c["db_url"] = {database!r}
c["buildbotNetUsageData"] = None

disk = util.WorkerLock("disk", maxCount=2)
breaks = {breaks}
c["workers"] = [
    worker.BuildSlave(
        name=name, passwd="s3cret", max_builds=2,
        onBreakDuring=[Break(start, stop, tz="UTC") for start, stop in breaks.get(name, [])],
    )
    for name in {workers!r}
]

def factory(*more):
    return util.BuildFactory([Work(), *more])

def builder(name, names, made, **keywords):
    return util.BuilderConfig(name=name, workernames=names, factory=made, collapseRequests=False, **keywords)

every = {workers!r}
c["builders"] = [
    builder("any", every, factory()),
    builder("child", every, factory()),
    builder("parent", every, factory(
        Children(schedulerNames=["children"], waitForFinish=True, updateSourceStamp=False),
    )),
    builder("counting", every, factory(), locks=[disk.access("counting")]),
    builder("exclusive", every, factory(), locks=[disk.access("exclusive")]),
    *[builder(name, [name], factory()) for name in every],
]
c["schedulers"] = [
    schedulers.Triggerable(name="children", builderNames=["child"]),
    *[
        schedulers.ForceScheduler(
            name="force-" + each.name, builderNames=[each.name],
            properties=[util.StringParameter(name="seconds", default="0.4")],
        )
        for each in c["builders"] if each.name != "child"
    ],
]
"""


class _Case:
    """What `Farm` needs of a test case: somebody who cleans up."""

    def __init__(self, stack: ExitStack) -> None:
        self.addCleanup = stack.callback


class TorturedFarm(Farm):
    """Everything of it can be killed, stopped and started again. `clock` is by how much the master's clock is off.

    `database` is a class of `tests.databases.servers`; SQLite when it is None.
    """

    def __init__(self, stack, *, database=None, mutant=None):
        case = _Case(stack)
        super().__init__(case, "pb", "msgpack")
        self.database = database and database(case).start()
        self._url = self.database.url if database else "sqlite:///state.sqlite"
        self._mutant = MUTANTS[mutant] if mutant else ""
        self.journal = self.directory / "journal.jsonl"
        self._read, self._notes = 0, []
        self._runs = 0
        #: what stands in master.cfg: for each worker (start, stop), seconds since the epoch on the master's clock
        self.breaks = {name: [] for name in WORKERS}
        self.clock = 0.0
        self._clockfile = self.directory / "clock"
        self.setClock(0.0)
        self.write()
        if database:
            self.upgradeDatabase()
        # of those who go by the master's clock
        self._environ = {}
        if FAKETIME:
            self._environ = {
                "LD_PRELOAD": FAKETIME,
                "FAKETIME_TIMESTAMP_FILE": str(self._clockfile),
                # it looks into the file once a second: at each question it would cost more than all the rest
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }

    def write(self):
        """Write master.cfg with the breaks that there are."""
        text = MASTER_CFG.format(
            journal=str(self.journal),
            mutant=self._mutant,
            protocols=self.protocols,
            www=self.www,
            database=self._url,
            breaks=repr(
                {
                    name: [(_iso(start), _iso(stop)) for start, stop in each]
                    for name, each in self.breaks.items()
                }
            ),
            workers=list(WORKERS),
        )
        new = self.config.with_suffix(".new")
        new.write_text(text)
        new.rename(self.config)

    def launchMaster(self):
        """Start the master, and wait until it runs. Each run has a log of its own, which is read while one waits."""
        self._runs += 1
        with suppress(FileNotFoundError):
            log = self.master.directory / "twistd.log"
            log.rename(log.with_name(f"twistd.log.run{self._runs}"))
        self.master.environment = self._environ
        self.master.launch()
        self.master.waitForLog("the master starts", "BuildMaster is running", deadline=PATIENCE)

    def setClock(self, offset):
        """Set the master's clock, forward or back, to so many seconds off the right time."""
        self.clock = offset
        new = self._clockfile.with_suffix(".new")
        new.write_text(f"{offset:+.3f}\n")
        new.rename(self._clockfile)

    @property
    def wall(self):
        """The master's time of day."""
        return time.time() + self.clock

    def makeWorker(self, name):
        """The worker of this name, on its wire, with its owner's side installed. It is not started."""
        model = MSGPACK[0] if name in MSGPACK else WORKERS[0]
        if name != model:
            # a copy: to make one takes two processes
            directory = self.directory / f"worker-{name}"
            shutil.copytree(
                self.worker(model).directory, directory, ignore=shutil.ignore_patterns("*.log", "*.pid")
            )
            tac = directory / "buildbot.tac"
            tac.write_text(
                tac.read_text().replace(f"worker-{model}", f"worker-{name}").replace(repr(model), repr(name))
            )
            return self.worker(name)
        worker = self.worker(name, protocol="msgpack" if name in MSGPACK else "pb")
        status, said = self.presence("install", str(worker.directory))
        assert status == 0, said
        return worker

    def planOwn(self, name, start, stop):
        """Write a break into the worker's own buildbot.tac, and take the one of before out."""
        tac = self.worker(name).directory / "buildbot.tac"
        text, count = re.subn(
            r"^PresenceClient\(s.*$",
            f"PresenceClient(s, onBreakDuring={(_iso(start), _iso(stop))!r}, timezone='UTC').setServiceParent(application)",
            tac.read_text(),
            flags=re.MULTILINE,
        )
        assert count == 1
        tac.write_text(text)

    def presence(self, *argv, timeout=PATIENCE, admin=False):
        """Run the command line: its exit status, and what it says. An `admin` sits at the master's machine, with its clock."""
        done = subprocess.run(
            [sys.executable, "-m", "presence.commands.main", *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, **(self._environ if admin else {})},
        )
        return done.returncode, done.stdout

    def notes(self):
        """The journal: what the master did, line by line, by itself."""
        with suppress(FileNotFoundError), self.journal.open("rb") as journal:
            journal.seek(self._read)
            more = journal.read()
            # (the last line may be half written)
            whole = more[: more.rfind(b"\n") + 1]
            self._read += len(whole)
            self._notes += [json.loads(line) for line in whole.splitlines()]
        return self._notes

    def keep(self):
        """A copy of the logs and the journal that stays: its directory."""
        kept = Path(tempfile.mkdtemp(prefix="presence-tortured-"))
        for path in [self.journal, *self.directory.glob("*/*.log*"), *self.directory.glob("*/*.json")]:
            place = kept / path.relative_to(self.directory)
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, place)
        return kept


def _iso(wall):
    return datetime.fromtimestamp(wall, timezone.utc).replace(tzinfo=None).isoformat()
