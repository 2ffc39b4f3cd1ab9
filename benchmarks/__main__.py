"""All benchmarks: `python -m benchmarks [--quick] [SUBJECT...]`.

Each run has a process of its own, one after the other. The tables go into docs/performance.rst; those of `--quick`,
which measures little of everything, are only shown. What was measured is kept in `_results/`, so that subjects may
be measured one at a time.
"""

import argparse
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import bounds, report

SUBJECTS = ("massreturn", "restart", "fleet", "flapping", "crowd", "micro")

_KEPT = Path(__file__).parent / "_results"


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute instead of some, and write nothing")
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"one of {', '.join(SUBJECTS)}")
    arguments = parser.parse_args()
    unknown = set(arguments.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}: there are {', '.join(SUBJECTS)}")
    results = {} if arguments.quick else kept()
    for subject in arguments.subjects or SUBJECTS:
        results[subject] = measured(subject, quick=arguments.quick)
        if not arguments.quick:
            _KEPT.mkdir(exist_ok=True)
            (_KEPT / f"{subject}.json").write_text(json.dumps(results[subject], indent=1), encoding="utf-8")
    tables = {subject: module(subject).tables(results[subject]) for subject in results}
    tables["bounds"] = bounds.table(results)
    tables["environment"] = report.environment()
    if arguments.quick:
        print("\n".join(tables.values()))
    else:
        report.write(tables)
        print(tables["bounds"])
    return 0


def kept():
    """What was measured before."""
    return {
        subject: json.loads(file.read_text(encoding="utf-8"))
        for subject in SUBJECTS
        if (file := _KEPT / f"{subject}.json").exists()
    }


def module(subject):
    """The module of a subject."""
    return importlib.import_module(f"benchmarks.{subject}")


def measured(subject, *, quick):
    """The results of all runs of a subject: of each its arguments, and what was measured."""
    if hasattr(module(subject), "measured"):
        return module(subject).measured(quick=quick)
    found = []
    for arguments in module(subject).plan(quick=quick):
        begun = time.perf_counter()
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.child", subject, json.dumps(arguments)],
            stdout=subprocess.PIPE,
            check=True,
        )
        found.append({**arguments, **json.loads(child.stdout.splitlines()[-1])})
        print(f"{subject} {arguments}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
