"""What breaks with `finishBefore` cost and bring: months of random farms, with the forecast of presence, with a perfect one, and
without any. Twenty farms by themselves, which takes some seconds, and one on a master, which takes some minutes: Buildbot's
fake reactor lets the nights pass, and the database, the distributor and the doors are the real ones. That one can be
measured in parts: `python -m benchmarks.sparing --master SEED NIGHTS FILE` goes on where FILE has it.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from benchmarks import report

TITLE = "Breaks with `finishBefore`, of three machines in a month"

FARMS, MONTH = 20, 30

# After so many nights the master is started anew, with the builds of the past in its database.
AT_ONCE = 5


def measured(*, quick):
    """A list of months, each a dict: `where`, `farms`, `nights`, and what came of it."""
    if quick:
        return [_alone(2)]
    with tempfile.TemporaryDirectory() as folder:
        while True:
            told = _run("--master", "1", str(MONTH), str(Path(folder) / "farm.json"))
            if told is not None:
                return [_alone(MONTH), told]


def _run(*arguments):
    # a master leaves much behind: it has a process of its own
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.sparing", *arguments], stdout=subprocess.PIPE, check=True
    )
    return json.loads(child.stdout.splitlines()[-1])


def _alone(nights):
    # (the simulation is a test: whoever only shows tables does not need it)
    from tests.master.breaks.sparingsimulation import blind, likely, night, perfect  # noqa: PLC0415

    found = [
        [night(random.Random(seed), nights, forecast) for seed in range(1, FARMS + 1)]
        for forecast in (likely, blind)
    ]
    return _told(
        "by itself",
        found[0],
        found[1],
        [perfect(random.Random(seed), nights) for seed in range(1, FARMS + 1)],
    )


def _on_master(seed, nights, file):
    """Some nights more of the farm that is kept in `file`; what came of it when it was the last of them, else None."""
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
    return _told("on a master", [found], [without], [perfect(random.Random(seed), nights)])


def _told(where, found, without, best):
    def total(results, name):
        return sum(getattr(each, name) for each in results)

    return {
        "where": where,
        "farms": len(found),
        "nights": total(found, "breaks") // 3 // len(found),
        "idle": total(found, "idle") / total(found, "breaks"),
        "worst": min(each.idleShare for each in found),
        "without": total(without, "idle") / total(without, "breaks"),
        "builds": total(found, "builds"),
        "best_builds": total(best, "builds"),
        "lost": 1 - total(found, "hours") / total(best, "hours"),
    }


def tables(results):
    """The table."""
    rows = [
        (
            f"{each['farms']} × {each['nights']} {each['where']}",
            f"{each['idle']:.1%}",
            f"{each['worst']:.1%}",
            f"{each['without']:.1%}",
            report.count(each["builds"]),
            report.count(each["best_builds"]),
            f"{each['lost']:.1%}",
        )
        for each in results
    ]
    header = (
        "farms × nights",
        "breaks that begin idle",
        "of the worst farm",
        "without `finishBefore`",
        "builds",
        "of a perfect forecast",
        "hours of work lost",
    )
    return report.table(TITLE, header, rows)


def main():
    if sys.argv[1:2] == ["--master"]:
        seed, nights, file = int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).absolute()
        # trial's tests write where they run
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            result = _on_master(seed, nights, file)
            os.chdir("/")
        print(json.dumps(result))
    else:
        print(tables([_alone(MONTH)]))


if __name__ == "__main__":
    main()
