"""`presence demo --masters` ends by itself, and all is well."""

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.masters.masters import require
from tests.masters.router import CROSSBAR


class DemoTests(SynchronousTestCase):
    def test_masters(self):
        """The killed master's worker is at the other one, and what was requested is built once."""
        require(self)
        done = subprocess.run(
            [sys.executable, "-m", "presence.commands.main", "demo", "--masters"],
            env={**os.environ, "CROSSBAR": str(CROSSBAR)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"mac-mini was at b after [\d.]+ s")
        self.assertIn("All requests were built once", done.stdout)
