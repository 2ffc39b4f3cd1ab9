"""All benchmarks: `python -m benchmarks [--quick] [SUBJECT...]`.

Each run has a process of its own, one after the other, but for those that do little but wait, and two lists of breaks of a kind, which
are made at the same time; where a farm is set up first, two are set up at the same time (`alone`). The tables go into
docs/performance.rst; those of `--quick`, which measures little of everything, are only shown. What was measured is kept in
`_results/`, so that subjects may be measured one at a time, and with `--go-on` in parts. `month` is measured only when it is
named.
"""

import argparse
import contextlib
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import alone, bounds, databases, report

SUBJECTS = (
    "massreturn",
    "restart",
    "fleet",
    "orders",
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

#: What takes longer than all the others together.
APART = ("month",)

_KEPT = Path(__file__).parent / "_results"


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a minute instead of eighteen, and write nothing"
    )
    parser.add_argument(
        "--go-on",
        type=float,
        metavar="SECONDS",
        help="keep what was measured before, and begin no run after so many seconds",
    )
    known = (*SUBJECTS, *APART)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"one of {', '.join(known)}")
    arguments = parser.parse_args()
    unknown = {*arguments.subjects} - {*known}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    results = {} if arguments.quick else kept()
    with databases.server() as there, alone.possible():
        for subject in arguments.subjects or SUBJECTS:
            begun = time.perf_counter()
            before = results.get(subject, []) if arguments.go_on is not None else []
            bench = Bench(subject, quick=arguments.quick, most=arguments.go_on, postgresql=there)
            results[subject] = bench.measured(before)
            _say(f"{subject}: {time.perf_counter() - begun:.0f} s in all")
            if not arguments.quick:
                keep(subject, results[subject])
    tables = {subject: module(subject).tables(found) for subject, found in results.items() if found}
    tables["bounds"] = bounds.table({name: found for name, found in results.items() if found})
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
        for subject in (*SUBJECTS, *APART)
        if (file := _KEPT / f"{subject}.json").exists()
    }


def keep(subject, results):
    """Remember what was measured."""
    _KEPT.mkdir(exist_ok=True)
    (_KEPT / f"{subject}.json").write_text(json.dumps(results, indent=1), encoding="utf-8")


def module(subject):
    """The module of a subject."""
    return importlib.import_module(f"benchmarks.{subject}")


class Bench:
    """The measurement of one subject. With `postgresql` there is a server of it; no run is begun after `most` seconds (or None)."""

    def __init__(self, subject, *, quick, most, postgresql):
        self._subject, self._module = subject, module(subject)
        self._quick, self._most, self._postgresql = quick, most, postgresql
        self._begun = time.perf_counter()

    def measured(self, before):
        """The results of all runs: of each its arguments, and what was measured. Those that are in `before` are not measured
        again.
        """
        if hasattr(self._module, "measured"):
            return before or self._module.measured(quick=self._quick)
        runs = [
            arguments
            for arguments in self._module.plan(quick=self._quick)
            if self._postgresql or arguments.get("database") != databases.POSTGRESQL
        ]
        if getattr(self._module, "TOGETHER", False):
            return before or self._together(runs)
        found = [each for arguments in runs for each in before if arguments.items() <= each.items()]
        left = [
            arguments for arguments in runs if not any(arguments.items() <= each.items() for each in found)
        ]
        size = 2 if getattr(self._module, "PAIRED", False) else 1
        for some in (left[number : number + size] for number in range(0, len(left), size)):
            if self._most is None or time.perf_counter() - self._begun < self._most:
                found += self._together(some)
                if not self._quick:
                    keep(self._subject, found)
        return found

    def _together(self, runs):
        """The results of runs that are made at the same time."""
        begun = time.perf_counter()
        with contextlib.ExitStack() as stack:
            children = [
                stack.enter_context(
                    subprocess.Popen(
                        [sys.executable, "-m", "benchmarks.child", self._subject, json.dumps(arguments)],
                        stdout=subprocess.PIPE,
                    )
                )
                for arguments in runs
            ]
            told = [child.communicate()[0] for child in children]
            failed = [arguments for arguments, child in zip(runs, children, strict=True) if child.returncode]
        if failed:
            raise RuntimeError(f"{self._subject} has failed: {failed}")
        what = ", ".join(map(str, runs)) if len(runs) <= 2 else f"{len(runs)} runs at the same time"
        _say(f"{self._subject} {what}: {time.perf_counter() - begun:.0f} s")
        return [{**one, **json.loads(two.splitlines()[-1])} for one, two in zip(runs, told, strict=True)]


def _say(what):
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
