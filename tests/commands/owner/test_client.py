from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.exits import NOT_RUNNING, USAGE
from presence.commands.owner.client import LocalClient, LocalError


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
        """A directory without a buildbot.tac is no worker's."""
        self.assertNobody(USAGE, "{folder} is no worker's directory")

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
