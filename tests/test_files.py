"""The files on Windows, where nobody here can run them: what that system asks for is done."""

import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from presence import files

BINARY = 1 << 40


class WindowsTests(SynchronousTestCase):
    """There are no descriptors of directories, and a file that another process has open cannot be replaced."""

    def setUp(self):
        self.path = Path(self.mktemp())
        self.path.mkdir()
        self.really, self.pauses, self.refused = os.replace, [], 0
        for name, value in (("name", "nt"), ("supports_dir_fd", set()), ("replace", self.replace)):
            self.patch(os, name, value)
        self.windows = self.imported()
        self.patch(self.windows.time, "sleep", self.pauses.append)

    def imported(self):
        """Our module, as it would be there."""
        spec = spec_from_file_location("files_of_windows", files.__file__)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def replace(self, source, target):
        if self.refused:
            self.refused -= 1
            raise PermissionError(13, "Access is denied", target)
        self.really(source, target)

    def test_open(self):
        """While another process has it open it is tried again, soon."""
        self.refused = 3
        self.windows.write(self.path / "owner.json", b"{}")
        self.assertEqual(self.windows.read(self.path / "owner.json", 10), b"{}")
        self.assertEqual(len(self.pauses), 3)
        self.assertLess(max(self.pauses), 0.2)

    def test_openForLong(self):
        """If it stays so that is an error, within a second, and what was there is there."""
        self.windows.write(self.path / "owner.json", b"{}")
        self.refused = 1000
        self.assertRaises(PermissionError, self.windows.write, self.path / "owner.json", b"[]")
        self.assertLess(sum(self.pauses), 1.0)
        self.assertEqual([each.read_bytes() for each in self.path.iterdir()], [b"{}"])

    def test_binary(self):
        """Bytes are written and read as they are: nothing is done to the ends of lines."""
        os.O_BINARY = BINARY
        self.addCleanup(delattr, os, "O_BINARY")
        windows = self.imported()
        self.assertTrue(windows._READ & BINARY)
        self.assertTrue(windows._WRITE & BINARY)
