"""`presence demo --masters`: two masters that build and one that only serves the UI, with PostgreSQL and Crossbar; one is killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from presence.demo import servers
from presence.demo.farm import DemoError, freePorts, missingParts
from presence.demo.servers import Forwarding, Server, until
from presence.demo.story import Page

_BUILDBOT = "from buildbot.scripts.runner import run; run()"
_BUILDBOT_WORKER = "from buildbot_worker.scripts.runner import run; run()"
_PASSWORD = "s3cret"  # noqa: S105 (it opens a demo, on the loopback interface)
_END_WITH_PARENT = "\nfrom presence.demo.farm import endWithParent\nendWithParent()\n"

# the workers, and to which master each connects first
_WORKERS = {"mac-mini": "a", "linux": "b"}

_MASTER_CFG = """\
from buildbot.plugins import schedulers, steps, util, worker

c = BuildmasterConfig = {{}}
c["workers"] = [worker.BuildSlave(name=name, passwd={password!r}) for name in {workers!r}]
c["protocols"] = {protocols!r}
factory = util.BuildFactory([steps.ShellCommand(name="tests", command=["sleep", "0.5"])])
c["builders"] = [
    util.BuilderConfig(name="runtests", workernames={workers!r}, factory=factory, collapseRequests=False)
] if {workers!r} else []
c["schedulers"] = [schedulers.ForceScheduler(name="force", builderNames=["runtests"])] if {workers!r} else []
c["services"] = [util.PresenceService()]
c["title"] = "presence demo: master {name}"
c["titleURL"] = "https://buildbot.net/"
c["buildbotURL"] = "{url}"
c["www"] = {{"port": "tcp:{web}:interface=127.0.0.1", "plugins": {{"presence": {{}}}}}}
c["buildbotNetUsageData"] = None
c["db_url"] = {database!r}
c["mq"] = {{"type": "wamp", "router_url": {router!r}, "realm": "buildbot"}}
c["multiMaster"] = True
"""


class _Master:
    """A master: where it is, and what it says."""

    def __init__(self, name: str, directory: Path, pb: int, web: int) -> None:
        self.name = name
        self.directory = directory / name
        self.pb = pb
        self.url = f"http://127.0.0.1:{web}/"
        self._web = web
        self._open = build_opener(ProxyHandler({})).open
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, database: str, router: str) -> None:
        """Write its master.cfg."""
        workers = [] if self.name == "ui" else list(_WORKERS)
        text = _MASTER_CFG.format(
            password=_PASSWORD,
            workers=workers,
            protocols={"pb": {"port": f"tcp:{self.pb}:interface=127.0.0.1"}} if workers else {},
            name=self.name,
            url=self.url,
            web=self._web,
            database=database,
            router=router,
        )
        (self.directory / "master.cfg").write_text(text)

    def start(self) -> None:
        """Start it."""
        self._process = _python(
            _BUILDBOT, "start", "--nodaemon", str(self.directory), log=self.directory / "output"
        )

    def kill(self) -> None:
        """End it, if it runs, without a farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def presences(self) -> dict[str, dict[str, Any]]:
        """The workers of the farm, as this master shows them, by name."""
        try:
            return {each["name"]: each for each in self.ask("presences")["presences"]}
        except (URLError, OSError, ValueError):
            return {}

    def ask(self, path: str, method: str | None = None, **params: Any) -> Any:
        """The answer of Buildbot's REST API."""
        body = {"id": 1, "jsonrpc": "2.0", "method": method, "params": params}
        request = Request(  # noqa: S310 (it is ours, on the loopback interface)
            f"{self.url}api/v2/{path}",
            None if method is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with self._open(request, timeout=30) as answer:
            return json.load(answer)


class MastersDemo:
    """One run of it, in a directory."""

    def __init__(self, directory: Path, page: Page) -> None:
        self._directory = directory
        self._page = page
        self._servers: list[Server] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        self._masters: dict[str, _Master] = {}

    def run(self) -> int:
        """Run it; the exit status."""
        self._page.write("Starting PostgreSQL, Crossbar and three Buildbot masters: some twenty seconds …")
        try:
            self._start()
            return self._tell()
        finally:
            self._end()

    def _start(self) -> None:
        programs, crossbar = servers.postgresql(), servers.crossbar()
        assert programs is not None, "run() has looked"  # noqa: S101
        assert crossbar is not None, "run() has looked"  # noqa: S101
        port, *ports = freePorts(7)
        self._servers.append(servers.startCrossbar(self._directory / "crossbar", crossbar, port))
        server, database = servers.startPostgreSQL(self._directory / "postgresql", programs)
        self._servers.append(server)
        for number, name in enumerate(("a", "b", "ui")):
            self._masters[name] = _Master(name, self._directory, *ports[2 * number : 2 * number + 2])
        first = self._masters["a"].directory
        _done(_BUILDBOT, "create-master", "--quiet", f"--db={database}", "--relocatable", str(first))
        with (first / "buildbot.tac").open("a") as tac:
            tac.write(_END_WITH_PARENT)
        for each in self._masters.values():
            if each.directory != first:
                shutil.copytree(first, each.directory)
            each.configure(database, f"ws://127.0.0.1:{port}/ws")
        until("starting Crossbar", lambda: servers.answers(port))
        for each in self._masters.values():
            each.start()
        for worker, name in _WORKERS.items():
            order = sorted(("a", "b"), key=lambda each, name=name: each != name)  # type: ignore[misc]
            self._start_worker(worker, Forwarding([self._masters[each].pb for each in order]).port)
        until(
            "starting the masters and their workers", lambda: all(map(self._is_whole, self._masters.values()))
        )

    def _start_worker(self, name: str, port: int) -> None:
        directory = self._directory / name
        _done(
            _BUILDBOT_WORKER, "create-worker", "--quiet", str(directory), f"127.0.0.1:{port}", name, _PASSWORD
        )
        with (directory / "buildbot.tac").open("a") as tac:
            tac.write(_END_WITH_PARENT)
        log = directory / "output"
        self._workers.append(_python(_BUILDBOT_WORKER, "start", "--nodaemon", str(directory), log=log))

    def _is_whole(self, master: _Master) -> bool:
        return [each["connected"] for each in master.presences().values()] == [True] * len(_WORKERS)

    def _tell(self) -> int:
        write, ui, b = self._page.write, self._masters["ui"], self._masters["b"]
        write()
        for each in self._masters.values():
            write(f"master {each.name:<3} {each.url}#/presence")
        write("\nThe one that only serves the UI has neither workers nor builders, and shows the farm:")
        self._show(ui)
        ui.ask("presences/linux", "hold", reason="a new disk")
        seconds = until("holding linux", lambda: self._all_say("linux", "NOT_ACCEPTING_NEW_BUILDS"))
        write(f"\nlinux is held there; all three masters said so after {1000 * seconds:.0f} ms.")
        requests = [self._request() for _ in range(4)]
        until("building", lambda: self._are_built(requests))
        write(
            f"4 builds were requested at b, and built by {self._builders_of(requests)}, which is connected to a."
        )
        write("\nkill -9 for master a …")
        self._masters.pop("a").kill()
        killed = time.monotonic()
        request = self._request()
        until("moving mac-mini", lambda: self._master_of(ui.presences()["mac-mini"], ui) == "b")
        moved = time.monotonic() - killed
        until("building what waited", lambda: self._are_built([request]))
        write(f"mac-mini was at b after {moved:.1f} s, and what was requested meanwhile is built.")
        self._show(ui)
        until("agreeing", lambda: ui.presences() == b.presences())
        write(
            "\nAll requests were built once, none by linux, which is still held. Both masters say the same.",
            "32",
        )
        built = self._workers_of([*requests, request])
        return 0 if built == ["mac-mini"] * 5 else 1

    def _show(self, master: _Master) -> None:
        for name, each in master.presences().items():
            state = "available" if each["state"] == "AVAILABLE" else "does not accept builds"
            self._page.write(f"    {name:<9} {state}, connected to {self._master_of(each, master)}")

    def _master_of(self, presence: dict[str, Any], asked: _Master) -> str | None:
        """The name of the master to which a worker is connected, as a master says; None where it is to none."""
        if not presence["connected"]:
            return None
        masters = asked.ask("masters")["masters"]
        names = {each["masterid"]: Path(each["name"].partition(":")[2]).name for each in masters}
        return names[presence["masterid"]]

    def _all_say(self, worker: str, state: str) -> bool:
        return all(each.presences()[worker]["state"] == state for each in self._masters.values())

    def _request(self) -> int:
        answer = self._masters["b"].ask("forceschedulers/force", "force", owner="presence demo")
        return int(next(iter(answer["result"][1].values())))

    def _are_built(self, requests: list[int]) -> bool:
        b = self._masters["b"]
        return all(b.ask(f"buildrequests/{each}")["buildrequests"][0]["complete"] for each in requests)

    def _workers_of(self, requests: list[int]) -> list[str]:
        b = self._masters["b"]
        names = {each["workerid"]: each["name"] for each in b.ask("workers")["workers"]}
        builds = [each for one in requests for each in b.ask(f"builds?buildrequestid={one}")["builds"]]
        return [names[each["workerid"]] for each in builds if each["results"] == 0]

    def _builders_of(self, requests: list[int]) -> str:
        return " and ".join(sorted(set(self._workers_of(requests))))

    def _end(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait()
        for master in self._masters.values():
            master.kill()
        for server in reversed(self._servers):
            server.stop()

    def tails(self) -> str:
        """The last lines of the logs of the masters."""
        logs = sorted(self._directory.glob("*/twistd.log"))
        return "\n".join(
            "\n".join([f"--- {log.parent.name}", *log.read_text(errors="replace").splitlines()[-15:]])
            for log in logs
        )


def run() -> int:
    """Run the demo in this process; the exit status."""
    missing = missingParts()
    if servers.postgresql() is None:
        missing.append("PostgreSQL (Debian: apt-get install postgresql)")
    if servers.crossbar() is None:
        missing.append("Crossbar (make crossbar-tools, or CROSSBAR=/where/bin/crossbar)")
    if missing:
        sys.stderr.write(f"presence demo --masters needs what is not installed here: {', '.join(missing)}.\n")
        return 1
    with TemporaryDirectory(prefix="presence-demo-", ignore_cleanup_errors=True) as directory:
        demo = MastersDemo(Path(directory), Page(sys.stdout))
        try:
            return demo.run()
        except KeyboardInterrupt:
            sys.stderr.write("\nCtrl-C: ended at once. No process and no file is left.\n")
            return 130
        except DemoError as error:
            sys.stderr.write(f"\nThe demo cannot go on: {error}\n{demo.tails()}\n")
            return 1


def _python(code: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 (it is ours)
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def _done(code: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 (it is ours)
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoError(f"{arguments[0]} has failed\n{done.stdout}{done.stderr}")
