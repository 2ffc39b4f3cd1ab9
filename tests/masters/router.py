"""A real WAMP router: Crossbar in a directory of its own, on a port of the loopback interface.

    router = Router(self).start()
    router.url                             # for c["mq"]
    router.freeze(), router.thaw()         # it is there and says nothing, as behind a network that is cut
    router.crash()                         # all of it, at once
    router.start()

It has a virtual environment of its own, as its dependencies are not Buildbot's (`make crossbar-tools`). Whatever was started is
ended when the test ends, and when this process is killed.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import psutil

from tests.integration.ports import freePort
from tests.integration.processes import waitFor
from tests.masters.recipe import block

#: The program that `make crossbar-tools` installs.
CROSSBAR = Path(__file__).parents[2] / ".crossbar/bin/crossbar"

# Ends what it has started when its standard input is closed, by whoever started it or by that one's end.
_GUARD = '"$@" < /dev/null & cat > /dev/null; kill -KILL 0'

#: How long it may take to start on a machine that is busy with other things: it imports for six seconds on an idle one.
DEADLINE = 120.0


class Router:
    """A router with the realm that Buildbot wants. With `nodeinfo` its root is a page, which is Crossbar's own example."""

    def __init__(self, case, *, nodeinfo=False):
        self.directory = Path(tempfile.mkdtemp(prefix="presence-router-"))
        case.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.port = freePort()
        self.url = f"ws://127.0.0.1:{self.port}/ws"
        self._server = None
        case.addCleanup(self.crash)
        (self.directory / "config.json").write_text(json.dumps(configuration(self.port, nodeinfo=nodeinfo)))

    def launch(self):
        """Start it, and do not wait."""
        with (self.directory / "output").open("ab") as output:
            self._server = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "sh", str(CROSSBAR), "start", "--cbdir", str(self.directory)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, "TZ": "UTC"},
            )
        return self

    @property
    def launched(self):
        return self._server is not None

    def start(self):
        """Start it, and wait until it takes connections."""
        return self.launch().wait()

    def wait(self):
        """Wait until it takes connections."""
        try:
            waitFor("Crossbar takes connections", self._answers, DEADLINE)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output}") from None
        return self

    def freeze(self):
        """Stop all its processes (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def crash(self):
        """End it with kill -9, and wait until it is gone."""
        if self._server is not None:
            self._server.stdin.close()
            self._server.wait()
            self._server = None

    @property
    def output(self):
        return (self.directory / "output").read_text(errors="replace")

    def _signal(self, signum):
        for each in psutil.Process(self._server.pid).children(recursive=True):
            each.send_signal(signum)

    def _answers(self):
        if self._server.poll() is not None:
            raise AssertionError("Crossbar has ended")
        with socket.socket() as probe:
            try:
                probe.connect(("127.0.0.1", self.port))
            except OSError:
                return False
        return True


def configuration(port, *, nodeinfo=False):
    """What Crossbar reads as its config.json: that of the page, on this port."""
    found = json.loads(block("json", '"realms"'))
    (transport,) = found["workers"][0]["transports"]
    transport["endpoint"].update(port=port, interface="127.0.0.1")
    if nodeinfo:
        transport["paths"]["/"] = {"type": "nodeinfo"}
    return found
