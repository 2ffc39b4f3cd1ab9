import contextlib
import io

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

    def test_missing(self):
        """Where shtab is missing it is said how to get it."""
        with missing("shtab"):
            status, out, err = self.run_("bash")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("buildbot-presence[completion]", err)
