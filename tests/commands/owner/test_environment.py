import os
import sys
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.doctor import workerchecks
from presence.commands.exits import REFUSED
from presence.commands.owner import environment
from presence.commands.owner.environment import lacking, workersPython
from tests.commands.owner import test_install

TAC = """\
from buildbot_worker.bot import Worker
from twisted.application import service
application = service.Application("buildbot-worker")
s = Worker("master", 9989, "w1", "x", ".", 600)
s.setServiceParent(application)
"""


class EnvironmentTests(SynchronousTestCase):
    """The worker's buildbot.tac is loaded by the worker's Python, which need not be that of the command."""

    run_ = test_install.InstallTests.run_

    def setUp(self):
        if os.name != "posix":
            raise SkipTest("programs here have no first line")
        self.basedir = Path(self.mktemp())
        self.basedir.mkdir()
        self.tac = self.basedir / "buildbot.tac"
        self.tac.write_text(TAC)
        self.patch(os, "environ", {**os.environ, "PATH": "/nowhere"})
        # an environment beside which nothing of the worker's is installed, as pipx makes them
        self.python = sys.executable
        self.patch(sys, "executable", str(self.environment("own", 0)))

    def environment(self, name, status):
        """A Python that answers so when it is asked whether presence is there."""
        python = Path(self.mktemp()).absolute() / name / "bin" / "python3"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\nexit {status}\n")
        python.chmod(0o755)
        return python

    def onPath(self, python):
        program = python.parent / "buildbot-worker"
        program.write_text(f"#!{python}\nimport sys\n")
        program.chmod(0o755)
        self.patch(os, "environ", {**os.environ, "PATH": str(python.parent)})

    def test_missing(self):
        """`presence install` refuses what the worker could not load, and says what to do; so does the doctor."""
        python = self.environment("worker", 7)
        self.onPath(python)
        status, _, err = self.run_("install", self.basedir)
        self.assertEqual(status, REFUSED)
        self.assertIn(f"{python} -m pip install buildbot-presence, and then this once more", err)
        self.assertEqual(self.tac.read_text(), TAC)
        self.assertEqual([each.name for each in self.basedir.iterdir()], ["buildbot.tac"])
        self.patch(workerchecks, "_has_client", lambda _: True)
        found = [each for each in workerchecks.check(self.basedir) if each.todo]
        self.assertEqual([each.todo for each in found], [f"{python} -m pip install buildbot-presence"])

    def test_pipx(self):
        """Where pipx has installed the worker it is asked to install presence there."""
        self.onPath(self.environment("pipx/venvs/buildbot-worker", 7))
        self.assertTrue(lacking(self.basedir).endswith(": pipx inject buildbot-worker buildbot-presence"))

    def test_there(self):
        """Where presence is installed for the worker it is put in; and where it cannot be said, as before."""
        for status in (0, 1):
            self.tac.write_text(TAC)
            self.onPath(self.environment("worker", status))
            self.assertEqual(self.run_("install", self.basedir)[0], 0)
            self.assertIn("PresenceClient(s)", self.tac.read_text())
        self.patch(os, "environ", {**os.environ, "PATH": "/nowhere"})
        self.assertIsNone(workersPython(self.basedir))
        self.assertIsNone(lacking(self.basedir))

    def test_itself(self):
        """In the environment of the command nothing is asked; a real Python is asked for the truth."""
        self.assertIsNone(lacking(self.basedir))
        here = Path(environment.__file__).parents[3]
        python = self.environment("real", 0)
        for path, knows in ((here, True), ("/nowhere", False)):
            python.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {self.python} -S "$@"\n')
            self.onPath(python)
            self.assertEqual(lacking(self.basedir) is None, knows, path)

    def test_process(self):
        """The worker that runs says it itself; another process that has got its number does not."""
        if not Path("/proc/self/cmdline").exists():
            raise SkipTest("the system does not say it")
        (self.basedir / "twistd.pid").write_text(str(os.getpid()))
        self.assertIsNone(workersPython(self.basedir))
        before = Path.cwd()
        os.chdir(self.basedir)
        self.addCleanup(os.chdir, before)
        running = os.fsdecode(Path("/proc/self/cmdline").read_bytes().partition(b"\0")[0])
        self.assertEqual(workersPython(Path.cwd()), Path(running) if running.startswith("/") else None)

    def test_root(self):
        """Root runs no Python of another account's."""
        python = self.environment("worker", 7)
        self.onPath(python)
        self.assertIsNotNone(lacking(self.basedir))
        if os.geteuid() == 0:
            os.chown(python, 65534, 65534)
        else:
            self.patch(os, "geteuid", lambda: 0)
        self.assertIsNone(lacking(self.basedir))
