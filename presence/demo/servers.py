"""PostgreSQL and Crossbar for `presence demo --masters`, in one directory, ended with their parent; and what forwards workers."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from presence.demo.farm import DemoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Ends what it has started when its standard input is closed, by whoever started it or by that one's end.
_GUARD = '"$@" < /dev/null & server=$!; cat > /dev/null; kill -{signal} $server; wait $server'

#: How long anything may take, in seconds.
PATIENCE = 60.0


def postgresql() -> Path | None:
    """The directory of PostgreSQL's programs, the newest that is installed; None where it is not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    return found[0].parent if found else None if on_path is None else Path(on_path).parent


def crossbar() -> str | None:
    """The program of Crossbar: what CROSSBAR says, what `make crossbar-tools` has installed here, or what is on the path."""
    here = Path(".crossbar/bin/crossbar")
    return os.environ.get("CROSSBAR") or (str(here.resolve()) if here.exists() else shutil.which("crossbar"))


def until(what: str, ask: Callable[[], object], deadline: float = PATIENCE) -> float:
    """Wait until `ask()` is true; how long that took, in seconds. Raises `DemoError` when it takes too long."""
    began = time.monotonic()
    while not ask():
        if time.monotonic() - began > deadline:
            raise DemoError(f"{what} took more than {deadline:g} s")
        time.sleep(0.02)
    return time.monotonic() - began


class Server:
    """A program that runs until `stop()`, or until this process ends. PostgreSQL does not run as root: then `nobody` runs it."""

    def __init__(
        self, command: Sequence[str], log: Path, *, signal: str = "KILL", drop: bool = False
    ) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 (it is ours)
                ["/bin/sh", "-c", _GUARD.format(signal=signal), "sh", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=log.parent,
                user=_account() if drop else None,
                group=_group() if drop else None,
            )

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def startPostgreSQL(directory: Path, programs: Path) -> tuple[Server, str]:
    """Make a cluster in `directory`, and start it: the server, and what SQLAlchemy connects to."""
    directory.mkdir()
    if os.geteuid() == 0:
        os.chown(directory, _account() or 0, _group() or 0)
        # (all of the way there)
        directory.parent.chmod(0o711)
    subprocess.run(  # noqa: S603
        [
            str(programs / "initdb"),
            *("--no-sync", "--auth=trust", "--username=buildbot", "--encoding=UTF8", "--locale=C"),
            f"--pgdata={directory}/data",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=directory,
        user=_account(),
        group=_group(),
    )
    settings = ("--listen_addresses=", f"--unix_socket_directories={directory}", "--fsync=off")
    command = [str(programs / "postgres"), "-D", f"{directory}/data", *settings]
    server = Server(command, directory / "log", signal="QUIT", drop=True)
    ready = [str(programs / "pg_isready"), "-q", "-h", str(directory)]
    until("starting PostgreSQL", lambda: subprocess.run(ready, check=False).returncode == 0)  # noqa: S603
    return server, f"postgresql+psycopg2://buildbot@/postgres?host={directory}"


def startCrossbar(directory: Path, program: str, port: int) -> Server:
    """Start a router with the realm that Buildbot wants; it takes some seconds until it answers."""
    directory.mkdir()
    allow = dict.fromkeys(("call", "register", "publish", "subscribe"), True)
    permissions = [{"uri": "org.buildbot.", "match": "prefix", "allow": allow}]
    realm = {"name": "buildbot", "roles": [{"name": "anonymous", "permissions": permissions}]}
    endpoint = {"type": "tcp", "interface": "127.0.0.1", "port": port}
    paths = {"/": {"type": "json", "value": {}}, "ws": {"type": "websocket"}}
    transport = {"type": "web", "endpoint": endpoint, "paths": paths}
    worker = {"type": "router", "realms": [realm], "transports": [transport]}
    (directory / "config.json").write_text(json.dumps({"version": 2, "controller": {}, "workers": [worker]}))
    return Server([program, "start", "--cbdir", str(directory)], directory / "log", signal="TERM")


def answers(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Forwarding:
    """Forwards `port` to the first of `ports` that takes a connection, as a load balancer does."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            here, _ = self._listening.accept()
            for port in self._ports:
                with suppress(OSError):
                    there = socket.create_connection(("127.0.0.1", port))
                    for pair in ((here, there), (there, here)):
                        threading.Thread(target=_copy, args=pair, daemon=True).start()
                    break
            else:
                here.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _account() -> int | None:
    return None if os.geteuid() else pwd.getpwnam("nobody").pw_uid


def _group() -> int | None:
    return None if os.geteuid() else pwd.getpwnam("nobody").pw_gid
