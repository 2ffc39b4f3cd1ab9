import contextlib
import io
import shutil
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.main import main
from tests.missing import missing


class CompletionTests(SynchronousTestCase):
    def run_(self, *argv):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(["completion", *argv])
        return status, out.getvalue(), err.getvalue()

    def test_everyCommand(self):
        """A shell learns every command, and what each takes."""
        for shell in ("bash", "zsh"):
            status, out, _ = self.run_(shell)
            self.assertEqual(status, 0)
            for part in ("drain", "stop-master", "away", "--deadline", "--reason"):
                self.assertIn(part, out)

    def test_bash(self):
        """A bash that has read it completes commands, options and choices."""
        if shutil.which("bash") is None:
            self.skipTest("bash is not installed")
        _, script, _ = self.run_("bash")
        for words, expected in (
            ("presence dra", "drain"),
            ("presence drain --dead", "--deadline"),
            ("presence drain --on-deadline rel", "release"),
        ):
            asked = f"COMP_WORDS=({words}); COMP_CWORD={len(words.split()) - 1}; _shtab_presence; echo ${{COMPREPLY[@]}}"
            done = subprocess.run(
                ["bash", "-c", f"{script}\n{asked}"], capture_output=True, text=True, timeout=60, check=False
            )
            self.assertEqual((done.stdout.split(), done.stderr), ([expected], ""))

    def test_zsh(self):
        """What zsh gets is a program of its."""
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        done = subprocess.run(
            ["zsh", "-n"], input=self.run_("zsh")[1], capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_missing(self):
        """Where shtab is missing it is said how to get it."""
        with missing("shtab"):
            status, out, err = self.run_("bash")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("buildbot-presence[completion]", err)
