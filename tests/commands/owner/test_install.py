import contextlib
import io
import os
import shutil
import stat
import tempfile
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase
from twisted.trial.util import suppress

from presence.commands.exits import REFUSED
from presence.commands.main import main
from presence.commands.owner import install

UNCLOSED = (suppress(category=ResourceWarning, message="unclosed file"),)


class InstallTests(SynchronousTestCase):
    # buildbot-worker does not close the files that it makes; where Buildbot's own test tools are loaded, in the
    # same process, that would be an error
    suppress = UNCLOSED

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

    def test_sensors(self):
        """Sensors that are given are in the file, as they are written there, and the file runs; a mistake changes nothing."""
        self.create()
        stock = self.copy.read_bytes()
        options = (
            "--away-when-used=15m",
            "--away-on-battery",
            "--away-while-running=blender",
            "--away-while-running=gimp",
        )
        options += (
            "--away-when-load-above=1.5",
            "--away-when-disk-below=5G",
            "--away-when=say 'yes'",
            "--away-when=b",
        )
        status, out, err = self.run_("install", self.basedir, *options, "--away-during=ä.ics")
        self.assertEqual((status, err, "the presence is installed" in out), (0, "", True))
        for part in (
            "[Used('15m'), OnBattery(), WhileRunning('blender', 'gimp'), LoadAbove('1.5'), DiskBelow('5G'), ",
            """Command("say 'yes'"), Command('b', name='command 2'), Calendar('\\xe4.ics')]""",
        ):
            self.assertIn(part, self.tac.read_text())
        compile(self.tac.read_bytes(), "buildbot.tac", "exec")
        self.assertEqual(self.copy.read_bytes(), stock)
        before = self.tac.read_bytes()
        for option, text in (
            ("--away-when-used=soon", "'soon' is not a duration"),
            ("--away-when-disk-below=5X", "not a size"),
        ):
            status, _, err = self.run_("install", self.basedir, option)
            self.assertEqual((status, text in err, self.tac.read_bytes()), (2, True, before))

    def test_noPortIsFree(self):
        """Where no port is found that is free, that is said, and the file is as it was."""

        def taken():
            raise OSError

        self.create()
        self.patch(install, "socket", taken)
        before = self.tac.read_bytes()
        status, _, err = self.run_("install", self.basedir, "--port=auto")
        self.assertEqual(status, 2)
        self.assertIn("name one", err)
        self.assertEqual(self.tac.read_bytes(), before)

    def test_notify(self):
        """--notify is written, also beside what was written before."""
        self.create()
        self.assertEqual(self.run_("install", self.basedir, "--notify")[0], 0)
        self.assertIn("PresenceClient(s, notify=True)", self.tac.read_text())
        self.run_("install", self.basedir, "--away-on-battery")
        self.assertIn("PresenceClient(s, sensors=[OnBattery()], notify=True)", self.tac.read_text())

    def test_owners(self):
        """Accounts and a port are written into the file; a port is chosen once; what cannot be meant changes nothing."""
        self.create()
        status, out, _ = self.run_("install", self.basedir, "--owner=root", "--owner=@root", "--port=auto")
        port = self.tac.read_text().partition("owners=['root', '@root'], localPort=")[2].partition(")")[0]
        self.assertEqual((status, 20000 <= int(port) < 30000), (0, True))
        self.assertIn(f"The page is http://127.0.0.1:{port}/", out)
        self.assertNotIn("chmod", out)
        self.run_("install", self.basedir)
        self.assertIn(f"localPort={port})", self.tac.read_text())
        self.basedir.chmod(0o700)
        self.assertIn(f"chmod o+x {self.basedir}", self.run_("install", self.basedir, "--owner=root")[1])
        before = self.tac.read_bytes()
        for option in (
            "--owner=@no such",
            "--owner=no-such",
            "--port=80",
            "--port=http",
            "--port=70000",
            "--port=" + 5000 * "1",
        ):
            status, _, err = self.run_("install", self.basedir, option)
            self.assertEqual((status, self.tac.read_bytes()), (2, before))
            self.assertIn(option.partition("=")[2][:20], err)

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
        self.assertIn("left as it is: line 1 is not Python", err)
        self.assertEqual([*self.basedir.iterdir()], [self.tac])

    def test_cannotWrite(self):
        """When the new file cannot be written, the old one is there."""
        self.create()
        self.run_("uninstall", self.basedir)
        before = self.tac.read_bytes()

        def replace(*args, **kwargs):
            raise OSError(28, "No space left on device")

        self.patch(os, "replace", replace)
        status, _, err = self.run_("install", self.basedir)
        self.assertEqual(status, REFUSED)
        self.assertIn("No space left on device; buildbot.tac is as it was", err)
        self.assertEqual(self.tac.read_bytes(), before)
        self.assertEqual(
            sorted(each.name for each in self.basedir.glob("buildbot*")), ["buildbot.tac", self.copy.name]
        )

    def test_strangeFiles(self):
        """Names of any alphabet are taken; what is nested absurdly is refused, as is what is not a file."""
        self.create()
        self.run_("uninstall", self.basedir)
        stock = self.tac.read_text()
        self.tac.write_text(stock.replace("s = Worker", "wörker = Worker").replace("s.set", "wörker.set"))
        self.assertEqual(self.run_("install", self.basedir)[0], 0)
        self.assertIn("PresenceClient(wörker)", self.tac.read_text())
        for absurd in ("-" * 100_000 + "1", "1" + "+1" * 20_000, "(" * 500 + ")" * 500):
            self.tac.write_text(f"{stock}x = {absurd}\n")
            status, _, err = self.run_("install", self.basedir)
            self.assertEqual((status, "left as it is" in err), (REFUSED, True))
        for make in (os.mkfifo, Path.mkdir):
            path = Path(self.mktemp())
            path.mkdir()
            make(path / "buildbot.tac")
            status, _, err = self.run_("install", path)
            self.assertEqual((status, "cannot be read" in err), (REFUSED, True))


STRANGER = 65534


class RootTests(SynchronousTestCase):
    """Root installs in the directory of an account that is not to be trusted."""

    suppress = UNCLOSED

    def setUp(self):
        if os.geteuid() != 0:
            raise SkipTest("only root can be somebody else")
        # (what is above the tests' own directory may be closed to others)
        self.basedir = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.basedir)
        with contextlib.redirect_stdout(io.StringIO()):
            main(["create-worker", "--quiet", str(self.basedir), "master:9989", "mac-mini", "s3cret"])
            main(["uninstall", str(self.basedir)])
        for path in (self.basedir, *self.basedir.iterdir()):
            os.chown(path, STRANGER, STRANGER)
        self.tac = self.basedir / "buildbot.tac"
        self.tac.chmod(0o666)
        self.secret = Path(self.mktemp()).absolute()
        self.secret.write_text("of root")
        self.secret.chmod(0o600)

    def run_(self, *argv):
        err = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            return main([str(each) for each in argv]), err.getvalue()

    def swap(self, descriptor):
        """The account puts a link in the place of whatever root is writing."""
        os.setegid(STRANGER)
        os.seteuid(STRANGER)
        try:
            for path in self.basedir.glob("buildbot.tac*.new*"):
                path.unlink()
                path.symlink_to(self.secret)
                self.swapped += 1
        finally:
            os.seteuid(0)
            os.setegid(0)

    def assertKeeps(self, command):
        """`command` leaves the file of root's what it was, though the account swaps in a link to it."""
        self.swapped = 0
        before = self.secret.stat()
        patched = self.patch(os, "fsync", self.swap)
        self.run_(command, self.basedir)
        patched.restore()
        self.assertGreater(self.swapped, 0)
        after = self.secret.stat()
        self.assertEqual((after.st_uid, after.st_mode), (before.st_uid, before.st_mode))
        self.assertEqual(self.secret.read_text(), "of root")

    def test_install(self):
        """While it is written nobody can swap in a link and get a file of root's, neither its owner nor its mode."""
        self.assertKeeps("install")

    def test_uninstall(self):
        """The same when it is taken out."""
        self.run_("install", self.basedir)
        self.assertKeeps("uninstall")

    def test_owner(self):
        """The new file and the copy belong to whom the old one belonged to."""
        self.assertEqual(self.run_("install", self.basedir)[0], 0)
        for path in self.basedir.glob("buildbot.tac*"):
            found = path.stat()
            self.assertEqual(
                (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)), (STRANGER, STRANGER, 0o666)
            )

    def test_link(self):
        """A buildbot.tac that is a link of the account's is not followed."""
        elsewhere = self.basedir / "elsewhere"
        self.tac.rename(elsewhere)
        self.tac.symlink_to("elsewhere")
        os.lchown(self.tac, STRANGER, STRANGER)
        before = elsewhere.read_bytes()
        status, err = self.run_("install", self.basedir)
        self.assertEqual((status, "a link of another account" in err), (REFUSED, True))
        self.assertEqual(elsewhere.read_bytes(), before)

    def test_linkMeanwhile(self):
        """Nor is one that takes its place when that has been looked at: what root alone may read is copied nowhere."""
        self.secret.write_bytes(self.tac.read_bytes() + b"\n# of root\n")
        target = install._target

        def swapped(*where):
            found = target(*where)
            self.tac.unlink()
            self.tac.symlink_to(self.secret)
            return found

        self.patch(install, "_target", swapped)
        self.assertEqual(self.run_("install", self.basedir)[0], REFUSED)
        theirs = [path for path in self.basedir.iterdir() if path.is_file() and not path.is_symlink()]
        self.assertFalse([path for path in theirs if b"of root" in path.read_bytes()])
