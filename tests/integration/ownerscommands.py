"""The owner of a machine at his terminal: `presence` commands, as processes, in the directory of a real worker."""

import json
import os
import subprocess
import sys
import threading

from tests.integration.processes import DEADLINE, waitFor

# Whoever is started in the background of a shell without job control ignores Ctrl-C, and so do its children: these
# are to be as on a terminal.
PRESENCE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from presence.commands.main import main
sys.exit(main())
"""


class Terminal:
    """Runs commands for `worker` (of the farm), with the presence installed as its owner would do it."""

    def __init__(self, case, worker, arguments=""):
        self.case = case
        self.worker = worker
        done = self.run("install", str(worker.directory), basedir=False)
        case.assertEqual(done.returncode, 0, done.stderr)
        if arguments:
            tac = worker.directory / "buildbot.tac"
            text = tac.read_text()
            case.assertIn("PresenceClient(s)", text)
            tac.write_text(text.replace("PresenceClient(s)", f"PresenceClient(s, {arguments})"))

    def start(self):
        """Start the worker, and wait until it listens for its owner."""
        self.worker.start()
        waitFor("the worker listens", lambda: self.run("status").returncode == 0)
        return self

    def waitUntilHeard(self):
        """Wait until the master has heard what there is to hear; the status then."""
        return waitFor("the master has heard", lambda: (status := self.status())["told"] and status)

    def run(self, *argv, basedir=True, **environ):
        """The command, when it has ended: `returncode`, `stdout`, `stderr`."""
        return subprocess.run(
            self._command(argv, basedir),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._environ(environ),
            timeout=DEADLINE,
            check=False,
        )

    def do(self, status, *argv, **environ):
        """Run it, and expect this exit status; all that it has printed."""
        done = self.run(*argv, **environ)
        self.case.assertEqual(
            done.returncode, status, f"{argv}: {done.stdout}{done.stderr}{self.worker.tail()}"
        )
        return done.stdout + done.stderr

    def status(self):
        """`presence status --json`."""
        return json.loads(self.do(0, "status", "--json"))

    def sources(self):
        return [hold["source"] for hold in self.status()["holds"]]

    def begin(self, *argv):
        """The command, while it waits."""
        return Waiting(
            self.case,
            subprocess.Popen(
                self._command(argv, basedir=True),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=self._environ({}),
            ),
        )

    def _command(self, argv, basedir):
        where = ["--basedir", str(self.worker.directory)] if basedir else []
        return [sys.executable, "-c", PRESENCE, *argv, *where]

    def _environ(self, more):
        return {**os.environ, "TZ": "UTC", **more}


class Waiting:
    """A command that waits. `said` are the lines that were read so far. It is killed when that takes too long."""

    def __init__(self, case, process):
        self._case = case
        self._process = process
        self._timer = threading.Timer(DEADLINE, process.kill)
        self._timer.start()
        self.said = []
        case.addCleanup(self._end)

    def waitUntilSaid(self, part):
        """Read until a line with this part."""
        for line in self._process.stdout:
            self.said.append(line)
            if part in line:
                return self
        raise AssertionError(f"{part!r} was not said: {''.join(self.said)}")

    @property
    def running(self):
        return self._process.poll() is None

    def interrupt(self):
        """Ctrl-C."""
        self._process.send_signal(2)
        return self

    def ends(self, status):
        """Expect it to end with this exit status; all that it has said."""
        self.said += self._process.stdout.readlines()
        text = "".join(self.said)
        self._case.assertEqual(self._process.wait(DEADLINE), status, text)
        return text

    def _end(self):
        self._timer.cancel()
        if self.running:
            self._process.kill()
        self._process.wait()
        self._process.stdout.close()
