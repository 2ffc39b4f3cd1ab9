import io
import os
from contextlib import redirect_stderr
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.exits import FAILED, NOT_RUNNING, USAGE
from presence.commands.main import main
from presence.commands.owner.client import LocalClient, LocalError
from presence.wire.localaddress import LocalAddress, LocalFile


class NobodyTests(SynchronousTestCase):
    """When there is no worker to speak with, it is said why, and what would be right."""

    def assertNobody(self, status, said, tac=None):
        folder = Path(self.mktemp())
        folder.mkdir()
        if tac is not None:
            (folder / "buildbot.tac").write_text(tac, encoding="utf-8")
        problem = self.assertRaises(LocalError, LocalClient, folder)
        self.assertEqual(problem.status, status)
        self.assertIn(said.format(folder=folder), str(problem))

    def test_noWorkersDirectory(self):
        """A directory without a buildbot.tac is not a worker's."""
        self.assertNobody(USAGE, "{folder} is not a worker's directory")

    def test_environment(self):
        """Without --basedir it is the directory that PRESENCE_BASEDIR names, for every command."""
        self.patch(os, "environ", {**os.environ, "PRESENCE_BASEDIR": "/no/such/worker"})
        for argv, folder in (
            (["status"], "/no/such/worker"),
            (["sensors"], "/no/such/worker"),
            (["status", "--basedir", "/x"], "/x"),
        ):
            complaint = io.StringIO()
            with redirect_stderr(complaint):
                self.assertEqual(main(argv), USAGE)
            self.assertIn(f"{folder} is not a worker's directory", complaint.getvalue())

    def test_notInstalled(self):
        """A worker of Buildbot alone has no presence."""
        self.assertNobody(NOT_RUNNING, "has no presence: presence install {folder}", "s = Worker()")

    def test_notStarted(self):
        """A worker that has a presence is started like any other."""
        self.assertNobody(
            NOT_RUNNING, "is not running: buildbot-worker start {folder}", "PresenceClient(s).install()"
        )

    def test_switchedOff(self):
        """One that runs may have been told not to listen."""
        for argument in ("localPort=None", "localPort = None"):
            self.assertNobody(
                NOT_RUNNING, "buildbot.tac says localPort=None", f"PresenceClient(s, {argument})"
            )


class DeafTests(SynchronousTestCase):
    """A worker that runs and cannot be asked is not called dead."""

    def setUp(self):
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.tac = self.folder / "buildbot.tac"
        self.tac.write_text("PresenceClient(s).install()")
        self.pid = self.folder / "twistd.pid"
        self.pid.write_text(f"{os.getpid()}\n")

    def problem(self):
        problem = self.assertRaises(LocalError, LocalClient, self.folder)
        return problem.status, str(problem)

    def test_forgottenRestart(self):
        """One that was started before `presence install` has to be restarted."""
        os.utime(self.pid, (1, 1))
        status, said = self.problem()
        self.assertEqual(status, FAILED)
        self.assertIn(f"runs (process {os.getpid()})", said)
        self.assertIn(f"buildbot-worker restart {self.folder}", said)

    def test_diskFull(self):
        """One that cannot write where it listens is said to run; also when the file of the one before is there."""
        os.utime(self.tac, (1, 1))
        for _ in range(2):
            status, said = self.problem()
            self.assertEqual(status, FAILED)
            self.assertIn("is the disk full?", said)
            LocalFile(str(self.folder)).write(LocalAddress(2**22 + 1, 8123, "abc"))

    def test_dead(self):
        """One that does not run is not said to, whatever its file says."""
        for content in (str(2**22 + 1), "0", "-1", "nonsense", ""):
            self.pid.write_text(content)
            self.assertEqual(self.problem()[0], NOT_RUNNING)

    def test_several(self):
        """Two directories are refused: an order that is meant for both would reach one."""
        err = io.StringIO()
        with redirect_stderr(err):
            status = main(["away", "--basedir", str(self.folder), "--basedir", "other"])
        self.assertEqual(status, USAGE)
        self.assertIn("--basedir is there 2 times", err.getvalue())
