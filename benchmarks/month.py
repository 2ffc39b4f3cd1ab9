"""A month of breaks with `finishBefore` on a master, which takes some fifteen minutes: Buildbot's fake reactor lets the nights pass, and
the database, the distributor and the doors are the real ones. It can be measured in parts: `python -m benchmarks.month SEED NIGHTS FILE`
goes on where FILE has it.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from benchmarks import bounds, sparing

# After so many nights the master is started anew, with the builds of the past in its database.
AT_ONCE = 5


def measured(*, quick):
    """As `sparing.measured()`."""
    nights = 2 if quick else sparing.MONTH
    with tempfile.TemporaryDirectory() as folder:
        while True:
            told = _run("1", str(nights), str(Path(folder) / "farm.json"))
            if told is not None:
                return [told]


def _run(*arguments):
    # a master leaves much behind: it has a process of its own
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.month", *arguments], stdout=subprocess.PIPE, check=True
    )
    return json.loads(child.stdout.splitlines()[-1])


def _on_master(seed, nights, file):
    """Some nights more of the farm that is kept in `file`; what came of it when it was the last of them, else None."""
    # (who only shows tables does not need the tests)
    from tests.master.breaks.sparingsimulation import Result, Simulation, blind, night, perfect  # noqa: PLC0415
    from tests.master.fakemaster import MasterTestCase  # noqa: PLC0415

    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"farm": None, "results": []}
    over = 0 if kept["farm"] is None else kept["farm"]["days"]

    class Month(MasterTestCase):
        def test_month(self):
            def show(day, result):
                print(f"night {day}: {result}", file=sys.stderr, flush=True)

            days = min(AT_ONCE, nights - over)
            farm = Simulation(self, random.Random(seed), days, kept["farm"], show=show)
            kept["results"].append(vars(farm.run()))
            kept["farm"] = farm.state

    outcome = unittest.TestResult()
    Month("test_month").run(outcome)
    if not outcome.wasSuccessful():
        raise RuntimeError("".join(text for _, text in [*outcome.errors, *outcome.failures]))
    file.write_text(json.dumps(kept), encoding="utf-8")
    if kept["farm"]["days"] < nights:
        return None
    found = Result(**{name: sum(each[name] for each in kept["results"]) for name in kept["results"][0]})
    without = night(random.Random(seed), nights, blind)
    return sparing.told("on a master", [found], [without], [perfect(random.Random(seed), nights)])


def tables(results):
    """The table, and its bounds: it is measured apart from the others."""
    return sparing.tables(results) + "\n" + bounds.table({"sparing": results})


def main():
    seed, nights, file = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).absolute()
    # trial's tests write where they run
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        result = _on_master(seed, nights, file)
        os.chdir("/")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
