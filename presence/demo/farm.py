"""The processes of `presence demo`: a master and its workers, in one directory, ended with their parent.

Unix only: a master is told to read its configuration again by a signal.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import sys
import threading
import time
from contextlib import ExitStack, suppress
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, Request, build_opener

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.threads import deferToThread

from presence.calendar.instants import datetimeOf
from presence.demo.ledger import WORKERS
from presence.model.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from twisted.internet.interfaces import IProcessTransport
    from twisted.python.failure import Failure

    from presence.demo.ledger import PlannedBreak

#: How long a process may take to end by itself once it is asked to, in seconds.
PATIENCE = 5.0

# How many lines of a log are shown when something is wrong.
_TAIL = 20

_PASSWORD = "s3cret"  # noqa: S105 (it opens a demo, on the loopback interface)

_BUILDBOT = "from buildbot.scripts.runner import run; run()"
_BUILDBOT_WORKER = "from buildbot_worker.scripts.runner import run; run()"

_END_WITH_PARENT = "\nfrom presence.demo.farm import endWithParent\nendWithParent()\n"

_MASTER_CFG = """\
from buildbot.plugins import schedulers, steps, util, worker

from presence import Break
from presence.demo.reporter import Began, Reporter

c = BuildmasterConfig = {{}}

c["workers"] = [
{workers}
]
c["protocols"] = {{"pb": {{"port": "tcp:{pb}:interface=127.0.0.1"}}}}

factory = util.BuildFactory([
    # the worker's own process says when it runs
    steps.SetPropertyFromCommand(
        command=[{python!r}, "-c", "import time; print(time.time())"], property="began"
    ),
    Began(),
    steps.ShellCommand(name="tests", command=["sleep", "1.7"]),
])
c["builders"] = [
    util.BuilderConfig(
        name="runtests", workernames={workernames!r}, factory=factory, collapseRequests=False
    ),
]
c["schedulers"] = [schedulers.ForceScheduler(name="force", builderNames=["runtests"])]
c["services"] = [Reporter(plan={number})]

c["title"] = "presence demo"
c["titleURL"] = "https://buildbot.net/"
c["buildbotURL"] = "{url}"
c["www"] = {{"port": "tcp:{web}:interface=127.0.0.1", "plugins": {{"presence": {{}}}}}}
c["db_url"] = "sqlite:///state.sqlite"
c["buildbotNetUsageData"] = None
"""


class DemoError(Exception):
    """The demo cannot go on, and says why."""


def missingParts() -> list[str]:
    """What has to be installed before there can be a demo."""
    missing = [
        distribution
        for distribution, package in (
            ("buildbot", "buildbot"),
            ("buildbot-worker", "buildbot_worker"),
            ("buildbot-www", "buildbot_www"),
        )
        if importlib.util.find_spec(package) is None
    ]
    if os.name != "posix":
        missing.append("a Unix system, with its signals")
    if not any(entry.name == "BuildSlave" for entry in entry_points(group="buildbot.worker")):
        missing.append("buildbot-presence itself (it runs, but from a directory)")
    return missing


def endWithParent() -> None:
    """Make this process end with the one that started it. Called in the buildbot.tac of master and workers."""
    from twisted.internet import reactor  # noqa: PLC0415 (importing it installs one)

    def watch() -> None:
        # the other end of this pipe is closed when the parent is gone, even when it was killed
        while os.read(0, 1024):
            pass
        reactor.callFromThread(reactor.stop)  # type: ignore[attr-defined]
        time.sleep(PATIENCE)
        os._exit(1)

    # a session of its own: Ctrl-C in the terminal is for the demo, which ends its processes in good order
    os.setsid()
    threading.Thread(target=watch, daemon=True).start()


def freePorts(count: int) -> list[int]:
    """So many different ports of the loopback interface that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Child(ProcessProtocol):
    """A Python process that runs `code` with `arguments`. `line` is called with each line that it prints."""

    def __init__(
        self, name: str, code: str, *arguments: str, line: Callable[[bytes], object] | None = None
    ) -> None:
        self.name = name
        self.status: str | None = None
        self.output = b""
        self._command = [sys.executable, "-c", code, *arguments]
        self._line = line
        self._transport: IProcessTransport | None = None
        self._ending = Waiters(lambda: self.status, name)

    def start(self, reactor: Any) -> None:
        """Start the process."""
        self._transport = reactor.spawnProcess(self, sys.executable, self._command, env=None)

    def whenEnded(self) -> Deferred[str]:
        """A Deferred that fires with how the process has ended, in words: "" when all is well."""
        return self._ending.wait()

    async def end(self, reactor: Any) -> None:
        """End the process, in good order when it lets itself, and wait until it has ended."""
        self.signal("TERM")
        kill = reactor.callLater(PATIENCE, self.signal, "KILL")
        await self.whenEnded()
        if kill.active():
            kill.cancel()

    def signal(self, name: str) -> None:
        """Send the signal `name`, if the process is still there."""
        if self._transport is not None and self.status is None:
            with suppress(ProcessExitedAlready):
                self._transport.signalProcess(name)

    def outReceived(self, data: bytes) -> None:
        """The process has printed something."""
        self.output += data
        if self._line is not None:
            *lines, self.output = self.output.split(b"\n")
            for each in lines:
                self._line(each)

    def errReceived(self, data: bytes) -> None:
        """The process has complained."""
        if self._line is None:
            self.output += data

    def processEnded(self, reason: Failure) -> None:
        """The process is gone."""
        code, signal = getattr(reason.value, "exitCode", None), getattr(reason.value, "signal", None)
        self.status = "" if code == 0 else f"exit status {code}" if signal is None else f"signal {signal}"
        self._ending.fire()


class DemoFarm:
    """A master and its workers. `told` is called with each event that the master's `Reporter` tells, and
    `died` with a `DemoError` when a process ends that should not.
    """

    def __init__(
        self,
        reactor: Any,
        directory: Path,
        told: Callable[[dict[str, Any]], object],
        died: Callable[[DemoError], object],
    ) -> None:
        self._reactor = reactor
        self._directory = directory
        self._told = told
        self._died = died
        self._children: list[Child] = []
        self._ended = False
        self._pb, self._web = freePorts(2)
        self._open = build_opener(ProxyHandler({})).open
        self.url = f"http://127.0.0.1:{self._web}/"

    async def create(self) -> None:
        """Make the directories of the master and of the workers, as their admins would."""
        await self._run(_BUILDBOT, "create-master", "--quiet", str(self._directory / "master"))
        for worker in WORKERS:
            address = f"127.0.0.1:{self._pb}"
            directory = str(self._directory / worker)
            await self._run(
                _BUILDBOT_WORKER, "create-worker", "--quiet", directory, address, worker, _PASSWORD
            )
        for name in ("master", *WORKERS):
            with (self._directory / name / "buildbot.tac").open("a") as tac:
                tac.write(_END_WITH_PARENT)

    def startMaster(self) -> None:
        """Start the master. Its `Reporter` tells when it runs."""
        self._start("master", _BUILDBOT)

    def startWorkers(self) -> None:
        """Start the workers."""
        for worker in WORKERS:
            self._start(worker, _BUILDBOT_WORKER)

    def configure(self, breaks: Iterable[PlannedBreak], number: int) -> None:
        """Write master.cfg, and let the master read it if it runs. `number` is told when it is in force."""
        breaks = tuple(breaks)
        text = _MASTER_CFG.format(
            workers="\n".join(_buildslave(worker, breaks) for worker in WORKERS),
            workernames=list(WORKERS),
            python=sys.executable,
            number=number,
            pb=self._pb,
            web=self._web,
            url=self.url,
        )
        (self._directory / "master" / "master.cfg").write_text(text)
        for child in self._children:
            if child.name == "master":
                child.signal("HUP")

    async def get(self, path: str) -> dict[str, Any]:
        """The answer of Buildbot's REST API."""
        return await deferToThread(self._ask, path)

    async def force(self) -> int:
        """Request a build; the id of the build request."""
        body = {"id": 1, "jsonrpc": "2.0", "method": "force", "params": {"owner": "presence demo"}}
        answer = await deferToThread(self._ask, "forceschedulers/force", json.dumps(body).encode())
        _buildset, requests = answer["result"]
        return int(next(iter(requests.values())))

    async def end(self) -> None:
        """End all processes, and wait until they have ended: the workers first, so that nothing is retried."""
        self._ended = True
        workers = [child for child in self._children if child.name != "master"]
        masters = [child for child in self._children if child.name == "master"]
        for children in (workers, masters):
            ends = [Deferred.fromCoroutine(child.end(self._reactor)) for child in children]
            await gatherResults(ends)

    def tails(self) -> str:
        """The last lines of the logs."""
        tails = []
        for log in sorted(self._directory.glob("*/twistd.log")):
            lines = log.read_text(errors="replace").splitlines()[-_TAIL:]
            tails.append("\n".join([f"--- the end of the log of {log.parent.name}", *lines]))
        return "\n".join(tails)

    def _start(self, name: str, code: str) -> None:
        line = self._told_line if name == "master" else None
        child = Child(name, code, "start", "--nodaemon", str(self._directory / name), line=line)
        child.start(self._reactor)
        self._children.append(child)
        child.whenEnded().addCallback(self._child_ended, child)

    def _child_ended(self, status: str, child: Child) -> None:
        if not self._ended:
            how = status or "exit status 0"
            self._died(DemoError(f"{child.name} has ended ({how})\n{self.tails()}"))

    def _told_line(self, line: bytes) -> None:
        # what else the master prints is in its log too
        if line.startswith(b"{"):
            self._told(json.loads(line))

    async def _run(self, code: str, *arguments: str) -> None:
        child = Child(arguments[0], code, *arguments)
        child.start(self._reactor)
        self._children.append(child)
        status = await child.whenEnded()
        if status:
            said = child.output.decode(errors="replace")
            raise DemoError(f"{child.name} has failed ({status})\n{said}")

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        request = Request(  # noqa: S310 (it is ours, on the loopback interface)
            f"{self.url}api/v2/{path}", body, {"Content-Type": "application/json"}
        )
        with self._open(request, timeout=30) as answer:
            return json.load(answer)


def _buildslave(worker: str, breaks: Iterable[PlannedBreak]) -> str:
    lines = [
        f"        Break({_iso(each.start)!r}, {_iso(each.stop)!r}, tz='UTC', reason={each.reason!r}),\n"
        for each in breaks
        if each.worker == worker
    ]
    return f"    worker.BuildSlave(name={worker!r}, passwd={_PASSWORD!r}, onBreakDuring=[\n{''.join(lines)}    ]),"


def _iso(instant: float) -> str:
    return datetimeOf(instant).replace(tzinfo=None).isoformat()
