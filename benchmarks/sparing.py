"""What breaks with `finishBefore` cost and bring: months of random farms, with the forecast of presence, with a perfect one, and
without any. Twenty farms by themselves. `benchmarks.month` has one on a master.
"""

import random

from benchmarks import report

TITLE = "Breaks with `finishBefore`, of three machines in a month"

FARMS, MONTH = 20, 30


def measured(*, quick):
    """A list of months, each a dict: `where`, `farms`, `nights`, and what came of it."""
    return [_alone(2 if quick else MONTH)]


def _alone(nights):
    # (the simulation is a test: whoever only shows tables does not need it)
    from tests.master.breaks.sparingsimulation import blind, likely, night, perfect  # noqa: PLC0415

    found = [
        [night(random.Random(seed), nights, forecast) for seed in range(1, FARMS + 1)]
        for forecast in (likely, blind)
    ]
    return told(
        "by itself",
        found[0],
        found[1],
        [perfect(random.Random(seed), nights) for seed in range(1, FARMS + 1)],
    )


def told(where, found, without, best):
    """What came of some months, of those without `finishBefore` and of those with a perfect forecast."""

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
