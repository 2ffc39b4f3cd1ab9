"""The farm that is tortured: a real master on SQLite or PostgreSQL, and eight real workers, four on each wire."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.integration.farm import Farm, freePort

WORKERS = tuple(f"w{number}" for number in range(1, 9))
#: Those of them that speak msgpack; the others speak PB.
MSGPACK = WORKERS[4:]
#: The builders that somebody may request builds of; each worker has one of its own name, too.
BUILDERS = ("any", "parent", "counting", "exclusive", *WORKERS)

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
from buildbot.process.buildstep import BuildStep
from buildbot.process.results import SUCCESS
from buildbot.worker.protocols import msgpack, pb
from presence import Break

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

class Note(BuildStep):
    def __init__(self, what, **kwargs):
        super().__init__(**kwargs)
        self.what = what

    def run(self):
        note(self.what, worker=self.build.workername, builder=self.build.builder.name, build=self.build.buildid)
        return SUCCESS

c = BuildmasterConfig = {{}}
c["protocols"] = {{"pb": {{"port": "tcp:{pb}:interface=127.0.0.1"}}, "msgpack_experimental_v7": {{"port": {msgpack}}}}}
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
    return util.BuildFactory([
        Note("begin", name="begin"),
        steps.ShellCommand(name="work", command=["sleep", util.Interpolate("%(prop:seconds:-0.4)s")]),
        *more,
        Note("end", name="end", alwaysRun=True),
    ])

def builder(name, names, made, **keywords):
    return util.BuilderConfig(name=name, workernames=names, factory=made, collapseRequests=False, **keywords)

every = {workers!r}
c["builders"] = [
    builder("any", every, factory()),
    builder("child", every, factory()),
    builder("parent", every, factory(
        steps.Trigger(name="trigger", schedulerNames=["children"], waitForFinish=True, updateSourceStamp=False),
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
    """Everything of it can be killed, stopped and started again. `clock` is by how much the master's clock is off."""

    def __init__(self, stack, *, database=None, mutant=None):
        super().__init__(_Case(stack))
        self._msgpack = freePort()
        self._database = database or "sqlite:///state.sqlite"
        self._mutant = MUTANTS[mutant] if mutant else ""
        self.journal = self.directory / "journal.jsonl"
        self.breaks = {name: [] for name in WORKERS}
        self.clock = 0.0
        self._clockfile = self.directory / "clock"
        self.setClock(0.0)
        self.write()
        if FAKETIME:
            # for this process the clock is what it is: its children get it from their environment
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
            pb=self.port,
            msgpack=self._msgpack,
            www=self.www,
            database=self._database,
            breaks=repr(self.breaks),
            workers=list(WORKERS),
        )
        new = self.config.with_suffix(".new")
        new.write_text(text)
        new.rename(self.config)

    def launchMaster(self):
        """Start the master, and wait until it runs."""
        seen = len(self.master.log)
        before = dict(os.environ)
        os.environ.update(getattr(self, "_environ", {}))
        try:
            self.master.launch()
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.master.waitForLog("the master starts", "BuildMaster is running", seen)

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
        self.protocol, port = ("msgpack", self._msgpack) if name in MSGPACK else ("pb", self.port)
        right, self.port = self.port, port
        try:
            worker = self.worker(name)
        finally:
            self.port = right
        status, said = self.presence("install", str(worker.directory))
        assert status == 0, said
        return worker

    def presence(self, *argv, timeout=60):
        """Run the command line: its exit status, and what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "presence.commands.main", *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return done.returncode, done.stdout

    def notes(self):
        """The journal: what the master did, line by line, by itself."""
        with suppress(FileNotFoundError):
            return [json.loads(line) for line in self.journal.read_text().splitlines() if line.endswith("}")]
        return []
