"""`presence demo` as a process, and that it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import rmtree

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.processes import DEADLINE, waitFor

DEMO = """\
import sys
from argparse import ArgumentParser
from presence.commands.demo import addParser
parser = ArgumentParser()
addParser(parser.add_subparsers())
options = parser.parse_args(["demo", *sys.argv[1:]])
sys.exit(options.run(options))
"""

# The same, for one short cycle only, and with stock workers, which know of no breaks.
WITHOUT_BREAKS = (
    """\
from presence.demo import run as demo
from presence.demo import farm as demofarm
from presence.demo import ledger as demoledger
demo.CYCLES = 1
demoledger.PATTERN = (("mac-mini", 0, 5, ""), ("aarch64", 1, 6, ""))
demofarm._MASTER_CFG += '''
c["workers"] = [worker.Worker(each.workername, "s3cret") for each in c["workers"]]
'''
"""
    + DEMO
)

# The same, on ports that nobody but root may listen on, and root neither when they are one.
ON_ONE_PORT = "from presence.demo import farm as demofarm; demofarm.freePorts = lambda count: [1, 1]\n" + DEMO


def processes(text):
    """The ids of all processes that have `text` on their command line or as their directory."""

    def mentions(process):
        try:
            return text in (process / "cmdline").read_text() or text in str((process / "cwd").readlink())
        except OSError:
            return False  # it has ended, or is not ours

    return [int(process.name) for process in Path("/proc").glob("[0-9]*") if mentions(process)]


class DemoTests(SynchronousTestCase):
    def start(self, code=DEMO, *arguments):
        self.directory = Path(tempfile.mkdtemp(prefix="presence-test-"))
        self.addCleanup(rmtree, self.directory, ignore_errors=True)
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(self.directory), "TZ": "UTC"},
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def assertNothingLeft(self):
        self.assertEqual(list(self.directory.iterdir()), [])
        self.assertEqual(processes(str(self.directory)), [])

    def until(self, process, text):
        """Read on until there is a line with `text`."""
        seen = []
        for line in process.stdout:
            seen.append(line)
            if text in line:
                return "".join(seen)
        raise AssertionError(f"{text!r} never came:\n{''.join(seen)}")

    def test_demo(self):
        """It ends by itself with status 0: two cycles, four breaks, no mistake."""
        demo = self.start()
        said, _ = demo.communicate(timeout=5 * DEADLINE)
        self.assertEqual(demo.returncode, 0, said)
        self.assertIn("Web UI   http://127.0.0.1:", said)
        self.assertEqual(said.count("goes on its break"), 4, said)
        self.assertEqual(said.count("is back from its break"), 4, said)
        self.assertIn("after mac-mini came back; it had waited", said)
        self.assertIn("\n4 breaks, ", said)
        self.assertIn("No build started in a break, and no request was lost.", said)
        self.assertNotIn("\033", said)
        self.assertNothingLeft()

    def test_buildsInBreaks(self):
        """It ends with status 1, and says what is wrong, when builds start during breaks."""
        demo = self.start(WITHOUT_BREAKS)
        said, _ = demo.communicate(timeout=5 * DEADLINE)
        self.assertEqual(demo.returncode, 1, said)
        self.assertRegex(
            said, r"WRONG: build \d+ started on [a-z0-9-]+ \d+\.\d\d s after its break had begun"
        )
        self.assertNothingLeft()

    def test_controlC(self):
        """Ctrl-C ends it in good order: no more requests, those that there are get built, a summary."""
        demo = self.start(DEMO, "--forever")
        self.until(demo, "builds request 1")
        demo.send_signal(signal.SIGINT)
        said, _ = demo.communicate(timeout=DEADLINE)
        self.assertEqual(demo.returncode, 0, said)
        self.assertIn("Ctrl-C", said)
        self.assertIn("No build started in a break, and no request was lost.", said)
        self.assertNothingLeft()

    def test_terminated(self):
        """SIGTERM ends it at once, also while a build runs."""
        demo = self.start()
        self.until(demo, "builds request 1")
        demo.terminate()
        said, _ = demo.communicate(timeout=DEADLINE)
        self.assertEqual(demo.returncode, 128 + signal.SIGTERM, said)
        self.assertNothingLeft()

    def test_killed(self):
        """After kill -9 its master and its workers end by themselves."""
        demo = self.start()
        self.until(demo, "builds request 1")
        self.assertGreaterEqual(len(processes(str(self.directory))), 3)
        demo.kill()
        demo.wait()
        waitFor("the processes end", lambda: not processes(str(self.directory)))

    def test_portTaken(self):
        """When its master cannot start it shows the end of the log, and leaves nothing behind."""
        demo = self.start(ON_ONE_PORT)
        said, _ = demo.communicate(timeout=DEADLINE)
        self.assertEqual(demo.returncode, 1, said)
        # (not that it waited for it in vain)
        self.assertIn("The demo cannot go on: master has ended", said)
        self.assertIn("--- the end of the log of master", said)
        self.assertNothingLeft()
