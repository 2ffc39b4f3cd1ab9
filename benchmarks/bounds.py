"""The bounds that are to be kept, and whether they are."""

from benchmarks import report, start

TITLE = "To reach"

# A CPU time that is too short to be compared with another, in seconds.
_SHORT = 0.1


def table(results):
    """A line for each bound that these results say anything about: the bound, what was measured, met or not."""
    rows = [
        (bound, told, "met" if met else "**not met**")
        for subject, rule in _RULES
        if subject in results
        for bound, told, met in rule(results[subject])
    ]
    return report.table(TITLE, ("bound", "measured", ""), rows)


def _by(results, *names):
    return {tuple(each[name] for name in names): each for each in results}


def _mass_return(results):
    runs = _by(results, "workers", "builders", "percent", "disk", "way")
    for (workers, builders, percent, disk, way), ours in runs.items():
        ideal = runs.get((workers, builders, percent, disk, "ideal"))
        if way != "ours" or ideal is None:
            continue
        where = f"{workers} × {builders}, {percent} %{', on disk' if disk else ''}"
        if percent == 0:
            yield f"{where}: at most 3 statements", ours["statements"], ours["statements"] <= 3
        else:
            bound = ideal["statements"] - 3 * ideal["builds"]
            yield (
                f"{where}: at most the statements of the ideal, less three for each builder that has requests",
                f"{report.count(ours['statements'])} and {report.count(ideal['statements'])}",
                ours["statements"] <= bound,
            )
            if ideal["cpu"] >= _SHORT:
                ratio = ours["cpu"] / ideal["cpu"]
                yield f"{where}: at most 1.15 × the CPU of the ideal", f"{ratio:.2f} ×", ratio <= 1.15
        if workers == 500 and percent:
            ratio = ours["first"] / ideal["first"]
            yield (
                f"{where}: the first build in at most 0.5 × the time of the ideal's",
                f"{ratio:.2f} ×",
                ratio <= 0.5,
            )
        if workers == 500:
            more = ours["blocked"] - ideal["blocked"]
            yield (
                f"{where}: the reactor is not free for at most 50 ms more than with the ideal",
                f"{1000 * more:.0f} ms",
                more <= 0.05,
            )
        yield from _against_stock(runs, (workers, builders, percent, disk), where)


def _against_stock(runs, key, where):
    ours, stock, alone = (runs.get((*key, way)) for way in ("ours", "unpause", "alone"))
    if key[:2] != (200, 200) or stock is None or alone is None:
        return
    for what, bound in (("statements", 50), ("cpu", 20)):
        ratio = (stock[what] - alone[what]) / max(ours[what] - alone[what], 1e-3)
        yield (
            f"{where}: at least {bound} × less {what} than stock, the builds subtracted",
            f"{'' if stock['done'] else 'more than '}{ratio:.0f} ×",
            ratio >= bound,
        )


def _restart(results):
    runs = _by(results, "workers", "builders", "percent", "way")
    for (workers, builders, percent, way), ours in runs.items():
        key = (workers, builders, percent)
        if way == "ours, unheard" and workers == 200 and (*key, "stock, unheard") in runs:
            ratio = ours["cpu"] / runs[(*key, "stock, unheard")]["cpu"]
            yield (
                f"{workers} × {builders} reattach, nobody woken: at most 0.3 × the CPU of stock Buildbot",
                f"{ratio:.2f} ×",
                ratio <= 0.3,
            )
        if way != "ours" or (*key, "stock, unheard") not in runs:  # the last of them
            continue
        ideal = runs[(*key, "ideal")]["statements"] - runs[(*key, "stock, unheard")]["statements"]
        kicks = ours["statements"] - runs[(*key, "ours, unheard")]["statements"]
        yield (
            f"{workers} × {builders}, {percent} % reattach: at most 1.1 × the statements of one kick",
            f"{report.count(kicks)} and {report.count(ideal)}",
            kicks <= 1.1 * ideal or kicks <= 3,
        )


def _flapping(results):
    runs = _by(results, "way")
    if ("flips",) not in runs:
        return
    flaps, flips = (runs[(way,)]["statements"] for way in ("flaps", "flips"))
    yield (
        "flapping 1000 × a second: no more statements than one flip every 100 ms",
        f"{flaps} and {flips}",
        flaps <= flips,
    )


def _crowd(results):
    runs = _by(results, "way")
    if ("model",) in runs:
        model = runs[("model",)]
        yield "10 000 workers: armed in 1 s", f"{model['armed']:.2f} s", model["armed"] <= 1
        yield (
            "10 000 workers: the model at most 4 KB each",
            f"{model['each'] / 1024:.1f} KB",
            model["each"] <= 4096,
        )
    if ("stock",) in runs:
        for way, when in (("ours", "before its break"), ("on a break", "on its break")):
            more = runs[(way,)]["each"] - runs[("stock",)]["each"]
            yield (
                f"10 000 workers: a `BuildSlave` {when} at most 4 KB more than a `Worker`",
                f"{more / 1024:.1f} KB",
                more <= 4096,
            )
        armed = runs[("ours",)]["armed"]
        yield "10 000 workers, each a `BuildSlave`: armed in 1 s", f"{armed:.2f} s", armed <= 1


def _micro(results):
    ratio = results["canStartBuild, ours"] / results["canStartBuild, stock"]
    yield "`canStartBuild()`: at most 1.3 × stock", f"{ratio:.2f} ×", ratio <= 1.3
    for waiters in (1, 1000):
        ratio = results[f"it comes back, {waiters} waiters"] / results[f"bare Deferreds, {waiters}"]
        yield (
            f"a flip with {waiters} asked and fired: at most 2 × the bare Deferreds",
            f"{ratio:.2f} ×",
            ratio <= 2,
        )
    for name, value in results.items():
        if name.startswith("question, "):
            bound = 100 if "rule" in name else 40
            yield f"{name}: at most {bound} µs", f"{1e6 * value:.1f} µs", 1e6 * value <= bound
    ratio = results["question, rule since 2006"] / results["question, rule since last month"]
    yield "a rule since 2006: at most 1.2 × one since last month", f"{ratio:.2f} ×", ratio <= 1.2
    yield "arming 10 000: 1 s", f"{results['arming 10 000']:.2f} s", results["arming 10 000"] <= 1


def _start(results):
    plain, status = (results[name] for name in start.STARTED)
    more = 1000 * (status - plain)
    yield (
        "`presence status --help`: at most 60 ms more than `import argparse, json, http.client`",
        f"{more:.0f} ms",
        more <= 60,
    )


def _sensors(results):
    runs = _by(results, "way")
    none = runs.get(("none",))
    for way in ("all but calendar", "all"):
        if none is None or (way,) not in runs:
            continue
        ours = runs[way,]
        percent = 100 * (ours["cpu"] - none["cpu"]) / ours["seconds"]
        yield f"sensors, {way}: at most 0.1 % of a core", f"{percent:.3f} %", percent <= 0.1
        memory = (ours["memory"] - none["memory"]) / 1e6
        yield f"sensors, {way}: at most 5 MB", f"{memory:.1f} MB", memory <= 5


def _break_lists(results):
    runs = _by(results, "kind", "breaks")
    for (kind, breaks), ours in runs.items():
        if breaks == 2000:
            yield f"2 000 breaks, {kind}: loaded in 2 s", f"{ours['load']:.2f} s", ours["load"] <= 2
            worst = 1e3 * ours["worst"]
            yield f"2 000 breaks, {kind}: a question at most 1 ms", f"{worst:.2f} ms", worst <= 1
            half = runs.get((kind, 1000))
            if half is not None and half["load"] >= _SHORT:
                ratio = ours["load"] / half["load"]
                yield (
                    f"2 000 breaks, {kind}: loaded in at most 2.5 × the time of 1 000",
                    f"{ratio:.2f} ×",
                    ratio <= 2.5,
                )


def _sparing(results):
    for each in results:
        where = f"{each['farms']} × {each['nights']} nights {each['where']}"
        yield f"{where}: at least 95 % of the breaks begin idle", f"{each['idle']:.1%}", each["idle"] >= 0.95
        yield f"{where}: at most 5 % of the hours are lost", f"{each['lost']:.1%}", each["lost"] <= 0.05
        share = 1 - each["builds"] / each["best_builds"]
        yield f"{where}: at most 5 % of the builds are lost", f"{share:.1%}", share <= 0.05


def _why(results):
    for each in results:
        if each["workers"] == 500:
            taken = 1000 * each["one request"]
            yield "why a request of a builder of 500 workers waits: 50 ms", f"{taken:.0f} ms", taken <= 50


_RULES = (
    ("massreturn", _mass_return),
    ("restart", _restart),
    ("flapping", _flapping),
    ("crowd", _crowd),
    ("sensors", _sensors),
    ("micro", _micro),
    ("start", _start),
    ("breaklists", _break_lists),
    ("sparing", _sparing),
    ("why", _why),
)
