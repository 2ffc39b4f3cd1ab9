import io
import os
import plistlib
import shlex
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.exits import DONE, REFUSED, USAGE
from presence.commands.main import main
from presence.commands.owner.services import MARK, Service

STRANGE = Path('/home/ann/my "50%" $HOME \\ wörker')


def lines(unit):
    """{name: value} of the unit, each once."""
    found = [line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#")]
    return dict(found) if len(dict(found)) == len(found) else None


def words(command):
    """The words of a command line, as systemd.syntax and systemd.service say how they are read."""
    found, word, quoted, escaped = [], "", False, False
    for character in command.removeprefix("-").replace("%%", "%").replace("$$", "$") + " ":
        if escaped:
            word, escaped = word + character, False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == " " and not quoted:
            found.append(word)
            word = ""
        else:
            word += character
    return found


class UnitTests(SynchronousTestCase):
    def service(self, **given):
        return Service(
            **{"basedir": Path("/srv/mac-mini"), "programs": Path("/opt/b/bin"), "drain": 600, **given}
        )

    def test_system(self):
        """It is run by its account, is let finish what runs for so long, and only then killed."""
        unit = lines(self.service(account="buildbot").unit())
        self.assertEqual(unit["User"], "buildbot")
        self.assertEqual(unit["ExecStart"], "/opt/b/bin/buildbot-worker start --nodaemon /srv/mac-mini")
        self.assertEqual(
            unit["ExecStop"], "-/opt/b/bin/presence stop --deadline 600s --basedir /srv/mac-mini"
        )
        self.assertGreater(int(unit["TimeoutStopSec"]), 600)
        # the network goes down after it
        self.assertEqual((unit["After"], unit["WantedBy"]), ("network-online.target", "multi-user.target"))

    def test_user(self):
        """A user's unit names no account, and begins with his session."""
        unit = lines(self.service().unit())
        self.assertEqual((unit.get("User"), unit["WantedBy"]), (None, "default.target"))

    def test_strangeNames(self):
        """Names of any kind are the arguments that they are meant to be."""
        unit = lines(self.service(basedir=STRANGE).unit())
        self.assertEqual(words(unit["ExecStart"])[-1], str(STRANGE))
        self.assertEqual(words(unit["ExecStop"])[-1], str(STRANGE))
        # (one $ alone would be looked up in the environment)
        self.assertIn(" $$HOME ", unit["ExecStart"])
        self.assertEqual(unit["WorkingDirectory"].replace("%%", "%"), str(STRANGE))
        self.assertEqual(self.service(basedir=STRANGE).name, "buildbot-worker-my-50-HOME-w-rker")
        self.assertRaises(ValueError, self.service(basedir=Path("/a\nUser=root")).unit)

    def test_verified(self):
        """Systemd itself finds nothing to say."""
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        folder = Path(self.mktemp())
        folder.mkdir()
        bin_ = folder / "bin"
        bin_.mkdir()
        for name in ("presence", "buildbot-worker"):
            (bin_ / name).write_text("#!/bin/sh\n")
            (bin_ / name).chmod(0o755)
        for number, basedir in enumerate((folder.absolute() / "mac-mini", folder.absolute() / STRANGE.name)):
            service = self.service(basedir=basedir, programs=bin_.absolute(), account="daemon")
            path = folder / f"worker-{number}.service"
            path.write_text(service.unit())
            # as `install` makes it, whatever the umask is here
            path.chmod(0o644)
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)],
                capture_output=True,
                text=True,
                check=False,
            )
            said = [line for line in done.stderr.splitlines() if path.name in line]
            self.assertEqual((done.returncode, said), (0, []), done.stderr)

    def test_plist(self):
        """Launchd's list is one, and its shell lets the worker finish when it is told to end."""
        content = self.service(basedir=STRANGE, account="ann").plist()
        self.assertIn(MARK.removeprefix("# ").encode(), content)
        read = plistlib.loads(content)
        self.assertEqual((read["UserName"], read["ExitTimeOut"] > 600), ("ann", True))
        script = shlex.split(read["ProgramArguments"][2])
        self.assertEqual(script[0], "trap")
        self.assertEqual(shlex.split(script[1])[-1], str(STRANGE))
        self.assertIn(str(STRANGE), script)


class InstallTests(SynchronousTestCase):
    def setUp(self):
        self.basedir = Path(self.mktemp())
        self.basedir.mkdir()
        (self.basedir / "buildbot.tac").write_text("s = Worker(1)\ns.setServiceParent(application)\n")
        self.home = Path(self.mktemp()).absolute()
        self.patch(os, "environ", {**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": ""})

    def run_(self, *argv):
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            return main(["install", str(self.basedir), *argv]), out.getvalue(), err.getvalue()

    def test_user(self):
        """A unit of the account is written, and what to do with it said; the second time it takes its place."""
        for drain, options in (("80s", ()), ("120s", ("--drain", "2m"))):
            status, out, _ = self.run_("--systemd", "user", *options)
            (unit,) = (self.home / ".config/systemd/user").iterdir()
            self.assertEqual((status, f"--deadline {drain} " in unit.read_text()), (DONE, True))
            self.assertIn(f"systemctl --user enable --now {unit.stem}", out)
        self.assertIn("PresenceClient", (self.basedir / "buildbot.tac").read_text())

    def test_another(self):
        """A file that somebody else has written is left as it is."""
        self.run_("--systemd", "user")
        (unit,) = (self.home / ".config/systemd/user").iterdir()
        unit.write_text("[Unit]\n")
        status, _, err = self.run_("--systemd", "user")
        self.assertEqual((status, unit.read_text()), (REFUSED, "[Unit]\n"))
        self.assertIn("presence has not written it", err)

    def test_launchd(self):
        """For macOS likewise."""
        status, out, _ = self.run_("--launchd", "user")
        (path,) = (self.home / "Library/LaunchAgents").iterdir()
        self.assertEqual((status, f"{path}" in out), (DONE, True))
        plistlib.loads(path.read_bytes())

    def test_refused(self):
        """Builds are not run by root, and a drain without a service makes no sense."""
        self.assertEqual(self.run_("--drain", "2m")[0], USAGE)
        if self.basedir.stat().st_uid == 0:
            status, _, err = self.run_("--systemd", "system")
            self.assertEqual((status, "should not run as root" in err), (REFUSED, True))
