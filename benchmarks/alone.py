"""Two runs are set up side by side, each on a core of its own, and then each is measured alone.

Whoever is set up shares a lock on a file, and whoever is measured has it for itself until its process ends.
"""

import contextlib
import fcntl
import os
import tempfile

from benchmarks.meters import after

# Where the file is, for the processes of the runs.
_VARIABLE = "PRESENCE_BENCHMARK_ALONE"

# How often it is asked whether nobody is set up any more, in seconds.
_AGAIN = 0.05


@contextlib.contextmanager
def possible():
    """While this lasts the processes that are started heed each other."""
    with tempfile.NamedTemporaryFile(prefix="presence-benchmark-") as file:
        os.environ[_VARIABLE] = file.name
        try:
            yield
        finally:
            del os.environ[_VARIABLE]


class Turn:
    """That of this process, which is set up first. It has to wait for whoever is measured."""

    def __init__(self):
        self._file = None
        if _VARIABLE in os.environ:
            self._file = open(os.environ[_VARIABLE], "rb")  # noqa: SIM115, PTH123 (it is kept open until the process ends)
            fcntl.flock(self._file, fcntl.LOCK_SH)

    async def come(self, reactor):
        """Everything is set up: wait until nobody else is, or is measured."""
        while self._file is not None and not self._taken():
            await after(reactor, _AGAIN)

    def _taken(self):
        # (what it shared is given back in any case)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
