"""A real master and real workers, as processes on free ports of the loopback interface.

    farm = Farm(self)                                  # or Farm(self, "msgpack"), or Farm(self, "pb", "msgpack")
    farm.configure('worker.BuildSlave(name="mac-mini", passwd=PASSWORD)')
    farm.start()
    farm.worker("mac-mini").start().waitUntilConnected()
    request = farm.force("mac-mini", held=True)        # a builder for each worker, and "any" for all of them
    request.waitUntilRuns()
    request.letFinish()
    request.waitUntilBuilt()["began"]                  # when its process ran, seconds since the epoch

Everything blocks; every wait has a deadline, and says what it waited for when that is over. Whatever was
started is killed by its process id, and its directory removed, when the test ends, in whatever way.
"""

import atexit
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime, timezone
from functools import cache
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as HTTPRequest

from tests.integration.buildrequest import SUCCESS, BuildRequest
from tests.integration.ports import freePort
from tests.integration.processes import (
    BUILDBOT,
    BUILDBOT_WORKER,
    DEADLINE,
    END_WITH_PARENT,
    Process,
    completed,
    endWithParent,
    makeDirectory,
    runCommand,
    waitFor,
)

#: Within this time after the end of a break what waited must be started, in seconds; on a machine on which a master takes
#: longer than that to start, within that time.
AT_ONCE = 1.0

PROTOCOLS = {"pb": "pb", "msgpack": "msgpack_experimental_v7"}

PASSWORD = "s3cret"

# What each build runs: it says when, and goes on until a file exists, or its directory no longer does: nobody
# ends it when its worker is killed.
JOB = """\
import os, sys, time
print(time.time(), flush=True)
hold = sys.argv[1]
if hold:
    open(hold + ".runs", "w").close()
    while os.path.isdir(os.path.dirname(hold)) and not os.path.exists(hold):
        time.sleep(0.05)
"""

MASTER_CFG = """\
import time

from buildbot.plugins import schedulers, steps, util, worker
from presence import Break

PASSWORD = {password!r}
c = BuildmasterConfig = {{}}
c["protocols"] = {protocols!r}
c["www"] = {{"port": "tcp:{www}:interface=127.0.0.1"}}
c["buildbotURL"] = "http://127.0.0.1:{www}/"
c["db_url"] = "sqlite:///state.sqlite"
c["buildbotNetUsageData"] = None

{prelude}

c["workers"] = [
{workers}
]

def start(build):
    # the first thing that Buildbot does with a build that it starts
    build.setProperty("started", time.time(), "test")
    return True

factory = util.BuildFactory([
    steps.SetPropertyFromCommand(
        command=[{python!r}, "-c", {job!r}, util.Interpolate("%(prop:hold)s")], property="began"
    ),
])
builders = {{each.workername: [each.workername] for each in c["workers"]}}
if builders:
    builders["any"] = list(builders)
# (Buildbot 4.2 has no such hook: there the process has to say it)
stamp = {{"do_build_if": start}} if hasattr(util.BuilderConfig("x", "x", factory=factory), "do_build_if") else {{}}
c["builders"] = [
    util.BuilderConfig(
        name=name, workernames=workernames, factory=factory, collapseRequests=False, **stamp
    )
    for name, workernames in builders.items()
]
c["schedulers"] = [
    schedulers.ForceScheduler(
        name=f"force-{{each.name}}",
        builderNames=[each.name],
        properties=[util.StringParameter(name="hold", default="")],
    )
    for each in c["builders"]
]

{extra}
"""


def break_(start, stop, **keywords):
    """The source of a one-off Break between two instants, given in seconds since the epoch."""
    instants = [
        datetime.fromtimestamp(each, timezone.utc).replace(tzinfo=None).isoformat() for each in (start, stop)
    ]
    more = "".join(f", {keyword}={value!r}" for keyword, value in keywords.items())
    return f"Break({instants[0]!r}, {instants[1]!r}, tz='UTC'{more})"


class Worker(Process):
    """A stock buildbot-worker. `buildbot.tac` is in its `directory` as soon as there is one of these."""

    def __init__(self, farm, name, tac, protocol, port=None):
        super().__init__(farm.case, farm.directory / f"worker-{name}", BUILDBOT_WORKER)
        self.farm = farm
        self.name = name
        if not self.directory.exists():
            option = f"--protocol={PROTOCOLS[protocol]}"
            address = f"127.0.0.1:{port or farm.ports[protocol]}"
            command = ["create-worker", "-q", option, str(self.directory), address, name, PASSWORD]
            makeDirectory(BUILDBOT_WORKER, self.directory, *command)
            endWithParent(self.directory, tac)

    def start(self):
        self.launch()
        return self

    @property
    def connected(self):
        return bool(self.farm.getWorker(self.name)["connected_to"])

    @property
    def connections(self):
        """How often the master has seen it connect."""
        return len(re.findall(rf"Got workerinfo from '{re.escape(self.name)}'", self.farm.master.log))

    def waitUntilConnected(self):
        waitFor(f"{self.name} connects", lambda: self.connected)
        return self

    def waitUntilDisconnected(self):
        waitFor(f"{self.name} is disconnected", lambda: not self.connected)
        return self


class Farm:
    """A master in a directory of its own, which speaks `protocols`, and the workers that were asked for: the first of these."""

    def __init__(self, case, *protocols):
        self.case = case
        self.ports = {protocol: freePort() for protocol in protocols or ("pb",)}
        self.www = freePort()
        self.directory = Path(tempfile.mkdtemp(prefix="presence-farm-"))
        case.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        shutil.copytree(_template(), self.directory / "master")
        self.master = Process(case, self.directory / "master", BUILDBOT)
        self.config = self.master.directory / "master.cfg"
        self._open = build_opener(ProxyHandler({})).open
        self._workers = {}
        self._requests = 0
        self._masterid = None

    # --- the master

    @property
    def protocols(self):
        """`c["protocols"]`, where msgpack takes a number only."""
        pb = "tcp:{}:interface=127.0.0.1".format
        ports = {each: pb(port) if each == "pb" else port for each, port in self.ports.items()}
        return {PROTOCOLS[each]: {"port": port} for each, port in ports.items()}

    def configure(self, *workers, prelude="", extra=""):
        """Write master.cfg, with these workers (Python expressions). `prelude` stands before, `extra` last."""
        self.config.write_text(
            MASTER_CFG.format(
                password=PASSWORD,
                protocols=self.protocols,
                www=self.www,
                python=sys.executable,
                job=JOB,
                workers="\n".join(f"    {worker}," for worker in workers),
                prelude=prelude,
                extra=extra,
            )
        )

    def start(self, deadline=DEADLINE):
        """Start the master, and wait until it runs."""
        return self.begin().waitUntilRuns(deadline)

    def begin(self):
        """Start the master, and do not wait."""
        self._seen = len(self.master.log)
        self._began = time.monotonic()
        self.master.launch()
        return self

    def waitUntilRuns(self, deadline=DEADLINE):
        """Wait until the master that has been started runs."""
        self.master.waitForLog("the master starts", "BuildMaster is running", self._seen, deadline)
        self.moment = max(AT_ONCE, time.monotonic() - self._began)
        return self

    def soon(self):
        """An instant by which the master knows what it is told now: a reconfig is quicker than a start."""
        return time.time() + self.moment

    def upgradeDatabase(self):
        """Make the tables in a database that is new (`c["db_url"]`)."""
        tac = self.master.directory / "buildbot.tac"
        text = tac.read_text()
        # the command executes it, and ends with nobody
        tac.write_text(text.replace(END_WITH_PARENT, ""))
        runCommand(BUILDBOT, "upgrade-master", "-q", str(self.master.directory))
        tac.write_text(text)

    def recordBuild(self, builder, worker, seconds):
        """Have a successful build of the past in the database, which took so long and has ended just now."""
        with (
            closing(sqlite3.connect(self.master.directory / "state.sqlite", timeout=DEADLINE)) as database,
            database,
        ):
            [number] = database.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM builds").fetchone()
            now = int(time.time())
            database.execute(
                "INSERT INTO builds (number, builderid, buildrequestid, workerid, masterid, started_at, complete_at, "
                "locks_duration_s, state_string, results) "
                "SELECT ?, builders.id, 0, workers.id, masters.id, ?, ?, 0, 'finished', ? FROM builders, workers, masters "
                "WHERE builders.name = ? AND workers.name = ?",
                (number, now - seconds, now, SUCCESS, builder, worker),
            )

    def kill(self):
        """End the master with kill -9."""
        self.master.kill()

    def reconfigure(self, *workers, **keywords):
        """Write another master.cfg, and let the master read it; what it says about that in its log."""
        self.configure(*workers, **keywords)
        return self.reconfig()

    def reconfig(self, deadline=DEADLINE):
        """Let the master read its master.cfg again (SIGHUP); what it says about that in its log."""
        seen = len(self.master.log)
        self.master.signal(1)
        end = self.master.waitForLog(
            "the master is reconfigured",
            "configuration update (complete|aborted without making any changes|partially applied)",
            seen,
            deadline,
        )
        return self.master.log[seen : end.end()]

    def checkconfig(self):
        """`buildbot checkconfig`: its exit status and what it prints."""
        done = completed(BUILDBOT, "checkconfig", str(self.config))
        return done.returncode, done.stdout

    @property
    def masterid(self):
        """By what the others know it; of a master that runs."""
        if self._masterid is None:
            names = {each["name"]: each["masterid"] for each in self.get("masters")["masters"]}
            [self._masterid] = [
                number for name, number in names.items() if name.endswith(f":{self.master.directory}")
            ]
        return self._masterid

    # --- the workers

    def worker(self, name, tac="", protocol=None):
        """The worker process of this name. A new one speaks `protocol`, and `tac` is added to its buildbot.tac."""
        if name not in self._workers:
            self._workers[name] = Worker(self, name, tac, protocol or next(iter(self.ports)))
        return self._workers[name]

    def getWorker(self, name):
        """What the API says of it."""
        return self.get(f"workers/{name}")["workers"][0]

    # --- builds

    def force(self, builder="any", held=False):
        """Request a build; `held` lets its process run until `letFinish()`."""
        self._requests += 1
        hold = self.directory / f"hold-{self._requests}" if held else None
        answer = self.post(f"forceschedulers/force-{builder}", "force", owner="test", hold=str(hold or ""))
        return BuildRequest(self, next(iter(answer[1].values())), hold)

    def get(self, path):
        """GET of the REST API."""
        return self._ask(path)

    def post(self, path, method, **params):
        """A control method of the REST API; its result."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self._ask(path, json.dumps(body).encode())["result"]

    def waitFor(self, what, ask):
        """`waitFor`, with the end of the master's log if it fails."""
        try:
            return waitFor(what, ask)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.master.tail()}") from None

    def _ask(self, path, body=None):
        request = HTTPRequest(
            f"http://127.0.0.1:{self.www}/api/v2/{path}", body, {"Content-Type": "application/json"}
        )
        try:
            with self._open(request, timeout=DEADLINE) as answer:
                return json.load(answer)
        except IncompleteRead:
            # the connection went before the answer was there: a question may be asked again, an order not
            if body is not None:
                raise
            return self._ask(path)
        except HTTPError as error:
            raise AssertionError(f"{path}: {error}: {error.read()!r}") from None
        except URLError as error:
            raise AssertionError(f"{path}: {error}\n{self.master.tail()}") from None


@cache
def _template():
    """The directory of a master as `buildbot create-master` makes it. Made once for all tests of a process."""
    directory = tempfile.mkdtemp(prefix="presence-farm-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    master = Path(directory) / "master"
    makeDirectory(BUILDBOT, master, "create-master", "-q", "--relocatable", str(master))
    endWithParent(master)
    return master
