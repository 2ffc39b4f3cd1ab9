"""The processes of masters and workers: how they are made, started, watched and ended."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.integration import warm

BUILDBOT = "from buildbot.scripts.runner import run; run()"
BUILDBOT_WORKER = "from buildbot_worker.scripts.runner import run; run()"
_KINDS = {BUILDBOT: "buildbot", BUILDBOT_WORKER: "buildbot_worker"}

#: How long anything may take, in seconds, on a machine that is busy with other things. Nothing waits so long
#: unless it fails.
DEADLINE = 60.0

#: How often the log or the API is looked at, in seconds: at first, and when there has been nothing to see for long.
INTERVAL = 0.05
LONGEST_INTERVAL = 0.5


def waitFor(what, ask, deadline=DEADLINE):
    """The first answer of `ask()` that is true. AssertionError when there is none in time."""
    began = time.monotonic()
    while True:
        answer = ask()
        if answer:
            return answer
        waited = time.monotonic() - began
        if waited > deadline:
            raise AssertionError(f"{what}: not within {deadline} s")
        # (each look costs the master as much as ourselves)
        time.sleep(min(max(INTERVAL, waited / 10), LONGEST_INTERVAL))


def isAlive(pid):
    """Whether there is a process of this id that has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Process:
    """A process that runs in `directory`, in the foreground, with its log in twistd.log there."""

    #: whether it is forked from one that has imported Buildbot
    warm = True

    def __init__(self, case, directory, code):
        self.directory = directory
        #: what it finds in its environment beside what this process has there
        self.environment = {}
        self._code = code
        self._process = None
        case.addCleanup(self.kill)

    @property
    def pid(self):
        return None if self._process is None else self._process.pid

    @property
    def status(self):
        """The exit status of one that has ended, and was not `warm`."""
        return self._process.poll()

    @property
    def running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def log(self):
        """The log of all its runs."""
        try:
            return (self.directory / "twistd.log").read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def tail(self):
        """The end of its log; of one that has none, of what it has printed."""
        output = self.directory / "output"
        said = self.log or (output.read_text(errors="replace") if output.exists() else "")
        return "\n".join(said.splitlines()[-40:])

    def launch(self):
        assert not self.running
        if self._process is not None:
            # it has ended by itself
            self._reap()
        arguments = ["start", "--nodaemon", str(self.directory)]
        environment = {**os.environ, "TZ": "UTC", **self.environment}
        # its stdin is closed when this process ends, even when that is killed: see `endWithParent`
        with (self.directory / "output").open("ab") as output:
            # (a library that is loaded first has to be there first)
            if self.warm and warm.isPossible() and "LD_PRELOAD" not in environment:
                self._process = warm.launch(_KINDS[self._code], arguments, output, environment)
            else:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", self._code, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    env=environment,
                )

    def waitForLog(self, what, pattern, since=0, deadline=DEADLINE):
        """The match of `pattern` in the log after its first `since` characters."""

        def ask():
            found = re.compile(pattern).search(self.log, since)
            if found is None and not self.running:
                raise AssertionError(f"{what}: the process has ended\n{self.tail()}")
            return found

        try:
            return waitFor(what, ask, deadline)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.tail()}") from None

    def signal(self, signum):
        self._process.send_signal(signum)

    def kill(self):
        """End it with kill -9, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def stop(self):
        """Ask it to end, and wait until it has."""
        self._process.terminate()
        self._reap()

    def _reap(self):
        try:
            self._process.wait(DEADLINE)
        finally:
            self._process.stdin.close()


def runCommand(code, *arguments):
    """Run a command; AssertionError when it fails."""
    done = completed(code, *arguments)
    if done.returncode:
        raise AssertionError(f"{arguments} has failed:\n{done.stdout}")


def makeDirectory(code, directory, *arguments):
    """Run the command that makes `directory`, a master's or a worker's; AssertionError when it does not."""
    if not warm.isPossible():
        runCommand(code, *arguments)
        return
    with tempfile.TemporaryFile() as output:
        process = warm.launch(_KINDS[code], arguments, output, {**os.environ, "TZ": "UTC"})
        with process.stdin:
            process.wait(DEADLINE)
        output.seek(0)
        said = output.read().decode(errors="replace")
    if not (directory / "buildbot.tac").exists():
        raise AssertionError(f"{arguments} has failed:\n{said}")


def completed(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TZ": "UTC"},
        text=True,
        timeout=DEADLINE,
        check=False,
    )


END_WITH_PARENT = "\nfrom presence.demo.farm import endWithParent\nendWithParent()\n"


def endWithParent(directory, tac=""):
    with (directory / "buildbot.tac").open("a") as file:
        file.write(f"{END_WITH_PARENT}{tac}")
