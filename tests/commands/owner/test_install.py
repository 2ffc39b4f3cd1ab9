import io
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from twisted.trial.util import suppress

from presence.commands.exits import REFUSED
from presence.commands.main import main


class InstallTests(SynchronousTestCase):
    # buildbot-worker does not close the files that it makes; where Buildbot's own test tools are loaded, in the
    # same process, that would be an error
    suppress = (suppress(category=ResourceWarning, message="unclosed file"),)

    def setUp(self):
        self.basedir = Path(self.mktemp())
        self.tac = self.basedir / "buildbot.tac"
        self.copy = self.basedir / "buildbot.tac.before-presence"

    def run_(self, *argv):
        """The exit status, and what was printed to stdout and stderr."""
        out, err = io.StringIO(), io.StringIO()
        self.patch(__import__("sys"), "stdout", out)
        self.patch(__import__("sys"), "stderr", err)
        return main([str(each) for each in argv]), out.getvalue(), err.getvalue()

    def create(self, *options):
        return self.run_(
            "create-worker", "--quiet", *options, self.basedir, "master:9989", "mac-mini", "s3cret"
        )

    def test_createWorker(self):
        """create-worker makes a worker with all options of buildbot-worker, with the presence in it."""
        status, out, _ = self.create("--relocatable", "--maxretries=3", "--allow-shutdown", "file")
        self.assertEqual(status, 0)
        self.assertIn("the presence is installed", out)
        text = self.tac.read_text()
        for part in ("basedir = '.'", "maxretries = 3", "allow_shutdown = 'file'", "PresenceClient(s)"):
            self.assertIn(part, text)

    def test_createWorkerUsage(self):
        """What buildbot-worker would refuse is refused in its words, and nothing is made."""
        status, _, err = self.run_("create-worker", self.basedir)
        self.assertEqual(status, 2)
        self.assertIn("incorrect number of arguments", err)
        self.assertFalse(self.basedir.exists())

    def test_createWorkerTwice(self):
        """Where a worker is already, it is left alone, as buildbot-worker does."""
        self.create()
        before = self.tac.read_bytes()
        status, out, _ = self.create()
        self.assertEqual(status, 0)
        self.assertIn("installed already", out)
        self.assertEqual(self.tac.read_bytes(), before)

    def test_thereAndBack(self):
        """Installed twice and taken out, the file is as before; a copy of that is kept from the start."""
        self.create()
        self.assertEqual(self.run_("uninstall", self.basedir)[0], 0)
        stock = self.tac.read_bytes()
        self.assertNotIn(b"presence", stock)
        self.copy.unlink()
        self.assertEqual(self.run_("install", self.basedir)[0], 0)
        status, out, _ = self.run_("install", self.basedir)
        self.assertEqual((status, "installed already" in out), (0, True))
        self.assertEqual(self.copy.read_bytes(), stock)
        self.run_("uninstall", self.basedir)
        self.assertEqual(self.tac.read_bytes(), stock)
        status, out, _ = self.run_("uninstall", self.basedir)
        self.assertEqual((status, "no presence is installed" in out), (0, True))

    def test_private(self):
        """A password is in the file: it and its copy may be read by whom they could be read by before."""
        self.create()
        for path in (self.tac, self.copy):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.run_("uninstall", self.basedir)
        self.tac.chmod(0o640)
        self.run_("install", self.basedir)
        for path in (self.tac, self.copy):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)

    def test_link(self):
        """A buildbot.tac that is a link stays one."""
        self.create()
        self.run_("uninstall", self.basedir)
        elsewhere = self.basedir / "elsewhere"
        self.tac.rename(elsewhere)
        self.tac.symlink_to("elsewhere")
        self.run_("install", self.basedir)
        self.assertTrue(self.tac.is_symlink())
        self.assertIn("PresenceClient", elsewhere.read_text())

    def test_running(self):
        """A worker that runs has to be restarted, and it is said how."""
        self.create()
        self.run_("uninstall", self.basedir)
        (self.basedir / "twistd.pid").write_text("1")
        self.assertIn(f"buildbot-worker restart {self.basedir}", self.run_("install", self.basedir)[1])

    def test_noWorker(self):
        """A directory without a worker is refused, and it is said what would be right."""
        self.basedir.mkdir()
        status, _, err = self.run_("install", self.basedir)
        self.assertEqual(status, REFUSED)
        self.assertIn("presence create-worker", err)

    def test_notUnderstood(self):
        """A file that is not understood stays as it is, and no copy is made."""
        self.basedir.mkdir()
        self.tac.write_text("x = (\n")
        status, _, err = self.run_("install", self.basedir)
        self.assertEqual(status, REFUSED)
        self.assertIn("left as it is: line 1 is no Python", err)
        self.assertEqual([*self.basedir.iterdir()], [self.tac])

    def test_cannotWrite(self):
        """When the new file cannot be written, the old one is there."""
        self.create()
        self.run_("uninstall", self.basedir)
        before = self.tac.read_bytes()

        def replace(path, target):
            raise OSError(28, "No space left on device", str(target))

        self.patch(Path, "replace", replace)
        status, _, err = self.run_("install", self.basedir)
        self.assertEqual(status, REFUSED)
        self.assertIn("No space left on device; buildbot.tac is as it was", err)
        self.assertEqual(self.tac.read_bytes(), before)
