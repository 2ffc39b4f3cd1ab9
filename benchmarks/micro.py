"""The micro-benchmarks of `timings`, which pyperf runs: each in processes of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pyperf

from benchmarks import report

TITLE = "Single operations"


def measured(*, quick):
    """The time that each takes, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "timings.json"
        effort = (
            ("--debug-single-value", "--loops=20")
            if quick
            else ("--processes=1", "--values=3", "--min-time=0.05")
        )
        subprocess.run(
            [sys.executable, "-m", "benchmarks.timings", "--quiet", *effort, "--output", str(file)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return {each.get_name(): each.median() for each in pyperf.BenchmarkSuite.load(str(file))}


def tables(results):
    """The table."""
    rows = [(name, f"{1e6 * value:,.2f}".replace(",", "\u202f")) for name, value in results.items()]
    return report.table(TITLE, ("operation", "µs"), rows)
