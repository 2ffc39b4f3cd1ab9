"""All benchmarks: `python -m benchmarks [--quick] [SUBJECT...]`.

Each run has a process of its own, one after the other. The tables go into docs/performance.rst; those of `--quick`,
which measures little of everything, are only shown. What was measured is kept in `_results/`, so that subjects may
be measured one at a time, and with `--go-on` in parts.
"""

import argparse
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import bounds, report

SUBJECTS = (
    "massreturn",
    "restart",
    "fleet",
    "flapping",
    "crowd",
    "sensors",
    "owners",
    "micro",
    "start",
    "breaklists",
    "sparing",
    "why",
)

# the runs whose CPU times are compared with each other: of how many builders with requests, in percent, and which ways
_COMPARED, _WAYS_COMPARED = 20, ("ours", "ideal", "alone")

_KEPT = Path(__file__).parent / "_results"


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute instead of some, and write nothing")
    parser.add_argument(
        "--go-on",
        type=float,
        metavar="SECONDS",
        help="keep what was measured before, and begin no run after so many seconds",
    )
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"one of {', '.join(SUBJECTS)}")
    arguments = parser.parse_args()
    unknown = set(arguments.subjects) - {*SUBJECTS}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}: there are {', '.join(SUBJECTS)}")
    results = {} if arguments.quick else kept()
    for subject in arguments.subjects or SUBJECTS:
        before = results.get(subject, []) if arguments.go_on is not None else []
        results[subject] = measured(subject, before, quick=arguments.quick, most=arguments.go_on)
        if not arguments.quick:
            keep(subject, results[subject])
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


def keep(subject, results):
    """Remember what was measured."""
    _KEPT.mkdir(exist_ok=True)
    (_KEPT / f"{subject}.json").write_text(json.dumps(results, indent=1), encoding="utf-8")


def module(subject):
    """The module of a subject."""
    return importlib.import_module(f"benchmarks.{subject}")


def measured(subject, before, *, quick, most):
    """The results of all runs of a subject: of each its arguments, and what was measured.

    Those that are in `before` are not measured again; no run is begun after `most` seconds (or None).
    """
    if hasattr(module(subject), "measured"):
        return before or module(subject).measured(quick=quick)
    found, begun = [], time.perf_counter()
    for arguments in module(subject).plan(quick=quick):
        known = [each for each in before if arguments.items() <= each.items()]
        if known:
            found += known
        elif most is None or time.perf_counter() - begun < most:
            found.append({**arguments, **_best(subject, arguments, 1 if quick else _times(arguments))})
            if not quick:
                keep(subject, found)
    return found


def _times(arguments):
    """How often a run is made: three times where its CPU time is compared."""
    return 3 if arguments.get("percent") == _COMPARED and arguments["way"] in _WAYS_COMPARED else 1


def _best(subject, arguments, times):
    """Of so many runs the one that took the least CPU time: what else the machine does only adds to it."""
    return min((_run(subject, arguments) for _ in range(times)), key=lambda run: run.get("cpu", 0))


def _run(subject, arguments):
    begun = time.perf_counter()
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", subject, json.dumps(arguments)],
        stdout=subprocess.PIPE,
        check=True,
    )
    print(f"{subject} {arguments}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    return json.loads(child.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
