import io
import json
from contextlib import redirect_stderr, redirect_stdout

from twisted.trial.unittest import SynchronousTestCase

from presence.commands.main import COMMANDS, main
from tests.commands.master.admincase import AdminTestCase


def run(*arguments):
    """(exit status, standard output, standard error)."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), err.getvalue()


class MainTests(SynchronousTestCase):
    def test_version(self):
        """`--version` says which version is installed, and of which Buildbot."""
        status, out, _ = run("--version")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"^presence \d.*, Buildbot \d")

    def test_unknown(self):
        """A command that there is not: the one that was probably meant, or all."""
        status, _, err = run("worker")
        self.assertEqual((status, err), (2, "presence: there is no command worker: did you mean workers?\n"))
        status, _, err = run("q")
        self.assertIn(f"there are {', '.join(COMMANDS)}", err)

    def test_exits(self):
        """Each command that asks a master or a worker says in its help what its exit statuses mean."""
        for name in (
            "workers",
            "why",
            "hold",
            "release",
            "drain",
            "reconfig",
            "stop-master",
            "status",
            "away",
        ):
            _, out, _ = run(name, "--help")
            self.assertIn("exit status", " ".join(out.split()), name)


class JsonTests(AdminTestCase):
    def test_orders(self):
        """`--json` of an order prints each worker as it is then, one line each."""
        for arguments in (("hold", "mac-*"), ("drain", "mac-*", "--wait"), ("release", "mac-*")):
            self.master.workers["mac-mini"]["running"] = 0
            lines = [json.loads(line) for line in self.done(*arguments, "--json")]
            self.assertEqual([each["name"] for each in lines], ["mac-mini", "mac-pro"], arguments)
