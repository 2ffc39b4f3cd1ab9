"""`make` on a machine that has python3 and make, and not much else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

MAKEFILE = Path(__file__).parents[1] / "Makefile"

#: A python3 whose venv module lacks ensurepip: it says so, and leaves a directory without pip.
WITHOUT_VENV = """#!/bin/sh
case "$1" in
-c) exec {python} "$@" ;;
esac
if [ "$2" = venv ]; then
    mkdir -p .venv/bin
    ln -s {python} .venv/bin/python
    echo "The virtual environment was not created successfully because ensurepip is not available." >&2
else
    echo "No module named $2" >&2
fi
exit 1
"""

WITH_VENV = """#!/bin/sh
[ "$1" = -c ] && exec {python} "$@"
mkdir -p .venv/bin
touch .venv/bin/python .venv/bin/pip
"""

OLD = """#!/bin/sh
exit 1
"""


class FreshMachineTests(SynchronousTestCase):
    def setUp(self):
        if shutil.which("make") is None:
            raise SkipTest("make is missing (Debian: apt-get install make)")
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        shutil.copy(MAKEFILE, self.directory)

    def python(self, name, script):
        path = self.directory / name
        path.write_text(script.format(python=sys.executable))
        path.chmod(0o755)
        return f"./{name}"

    def make(self, python):
        """(exit status, what it said) of the target that everything else needs."""
        done = subprocess.run(
            ["make", ".venv/bin/pip", f"PYTHON={python}"],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # this may be a `make test` itself
            env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    def test_noVenv(self):
        """Where venv is missing it says what to install, and leaves nothing half made."""
        status, said = self.make(self.python("without", WITHOUT_VENV))
        self.assertNotEqual(status, 0)
        self.assertIn("apt-get install python3-venv", said)
        self.assertFalse((self.directory / ".venv").exists())

    def test_afterwards(self):
        """When it has been installed the same command works, also where an earlier try has left half of it."""
        half = self.directory / ".venv" / "bin"
        half.mkdir(parents=True)
        (half / "python").symlink_to(sys.executable)
        status, said = self.make(self.python("with", WITH_VENV))
        self.assertEqual(status, 0, said)
        self.assertTrue((half / "pip").exists())

    def test_oldPython(self):
        """A Python that is missing or too old is named, and nothing is made."""
        for python in (self.python("old", OLD), "no-such-python"):
            status, said = self.make(python)
            self.assertNotEqual(status, 0)
            self.assertIn("older than 3.10", said)
            self.assertFalse((self.directory / ".venv").exists())
