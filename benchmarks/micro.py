"""The micro-benchmarks of `timings`, which pyperf runs: each in processes of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pyperf

from benchmarks import report

TITLE = "Single operations"


# A slow moment of the machine lasts longer than all that is measured of one of them at a time.
_ROUNDS = 2


def measured(*, quick):
    """The time that each takes, in seconds: of all rounds the least, for what else the machine does only adds to it."""
    effort = (
        ("--debug-single-value", "--loops=20")
        if quick
        else ("--processes=1", "--values=3", "--min-time=0.05")
    )
    rounds = [_round(effort) for _ in range(1 if quick else _ROUNDS)]
    return {name: min(each[name] for each in rounds) for name in rounds[0]}


def _round(effort):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "timings.json"
        subprocess.run(
            [sys.executable, "-m", "benchmarks.timings", "--quiet", *effort, "--output", str(file)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return {each.get_name(): min(each.get_values()) for each in pyperf.BenchmarkSuite.load(str(file))}


def tables(results):
    """The table."""
    rows = [(name, f"{1e6 * value:,.2f}".replace(",", "\u202f")) for name, value in results.items()]
    return report.table(TITLE, ("operation", "µs"), rows)
