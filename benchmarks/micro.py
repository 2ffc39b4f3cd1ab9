"""The single operations of `timings`, each in a process of its own.

They are measured by turns: what slows down the machine for some seconds slows down all of them, and is left out of the least.
"""

import contextlib
import subprocess
import sys

from benchmarks import report
from benchmarks.timings import OPERATIONS

TITLE = "Single operations"

# How often each is measured, and for how long at least, in seconds.
_ROUNDS, _SHORTEST = 40, 0.02


def measured(*, quick):
    """The time that each takes, in seconds: of all rounds the least, for what else the machine does only adds to it."""
    rounds, shortest = (1, _SHORTEST / 20) if quick else (_ROUNDS, _SHORTEST)
    with contextlib.ExitStack() as stack:
        children = {name: stack.enter_context(_Child(name)) for name in OPERATIONS}
        loops = {name: child.loops(shortest) for name, child in children.items()}
        found = [
            {name: child.seconds(loops[name]) / loops[name] for name, child in children.items()}
            for _ in range(rounds)
        ]
    return {name: min(each[name] for each in found) for name in OPERATIONS}


class _Child:
    """The process of one operation."""

    def __init__(self, name):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.timings", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.communicate()

    def seconds(self, loops):
        """How long it takes to do it so many times."""
        print(loops, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def loops(self, shortest):
        """How many times to do it, so that it takes so long at least."""
        loops = 1
        while self.seconds(loops) < shortest:
            loops *= 2
        return loops


def tables(results):
    """The table."""
    rows = [(name, f"{1e6 * value:,.2f}".replace(",", "\u202f")) for name, value in results.items()]
    return report.table(TITLE, ("operation", "µs"), rows)
