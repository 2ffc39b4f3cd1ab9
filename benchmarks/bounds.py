"""The bounds that are to be kept, and whether they are."""

from benchmarks import crowd, databases, fleet, orders, report, restart, start

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
    runs = _by(results, "workers", "builders", "percent", "database", "way")
    for (workers, builders, percent, database, way), ours in runs.items():
        if way != "ours":
            continue
        where = f"{workers} × {builders}, {percent} %, {databases.NAMES[database]}"
        ideal = runs.get((workers, builders, percent, database, "ideal"))
        if percent == 0:
            yield f"{where}: at most 3 statements", ours["statements"], ours["statements"] <= 3
        elif ideal is not None:
            yield from _against_ideal(ours, ideal, where)
        yield _free(ours, where)
        yield from _against_stock(runs, (workers, builders, percent, database), where)


def _against_ideal(ours, ideal, where):
    if ours["done"] and ideal["done"]:
        bound = ideal["statements"] - 3 * ideal["builds"]
        yield (
            f"{where}: at most the statements of the ideal, less three for each builder that has requests",
            f"{report.count(ours['statements'])}, bound {report.count(bound)}",
            ours["statements"] <= bound,
        )
        if ideal["cpu"] >= _SHORT:
            ratio = ours["cpu"] / ideal["cpu"]
            yield f"{where}: at most 1.15 × the CPU of the ideal", f"{ratio:.2f} ×", ratio <= 1.15
    if ours["workers"] == 500:
        ratio = ours["first"] / ideal["first"]
        yield (
            f"{where}: the first build in at most 0.5 × the time of the ideal's",
            f"{ratio:.2f} ×",
            ratio <= 0.5,
        )


def _free(ours, where):
    told = f"{report.not_free(ours)} ms"
    return f"{where}: the reactor is not free for at most 50 ms", told, ours["blocked"] <= 0.05


def _against_stock(runs, key, where):
    ours, stock, alone = (runs.get((*key, way)) for way in ("ours", "unpause", "alone"))
    if key[:2] != (200, 200) or stock is None or alone is None:
        return
    for what, bound in (("statements", 50), ("cpu", 20)):
        ours_more, stock_more = (each[what] - alone[what] for each in (ours, stock))
        if ours_more <= 0:
            told = "less than the builds alone"
        else:
            told = f"{'' if stock['done'] else 'more than '}{stock_more / ours_more:.0f} ×"
        yield (
            f"{where}: at least {bound} × less {what} than stock, the builds subtracted",
            told,
            stock_more >= bound * ours_more,
        )


def _restart(results):
    runs = _by(results, "workers", "percent", "database", "way")
    for (workers, percent, database, way), ours in runs.items():
        if way != "ours":
            continue
        where = f"{report.farm(ours)} reattach, {percent} %, {databases.NAMES[database]}"
        others = {each: runs.get((workers, percent, database, each)) for each in restart.WAYS}
        if percent == 0:
            smaller = runs.get((workers // 2, percent, database, way))
            if others["stock, unheard"] is not None:
                yield from _reattach(ours, others["stock, unheard"], smaller, where)
        elif others["stock, unheard"] is not None:
            ideal = others["ideal"]["statements"] - others["stock, unheard"]["statements"]
            kicks = ours["statements"] - others["ours, unheard"]["statements"]
            yield (
                f"{where}: at most 1.1 × the statements of one kick",
                f"{report.count(kicks)} and {report.count(ideal)}",
                kicks <= 1.1 * ideal,
            )
        elif others["ideal"] is not None:
            yield from _whole(ours, others["ideal"], where)
        most = ours["most_events"]
        yield f"{where}: at most two events for each builder and worker", most, most <= 2
        yield _free(ours, where)


def _reattach(ours, stock, smaller, where):
    if ours["workers"] == 200:
        ratio = ours["cpu"] / stock["cpu"]
        yield (
            f"{where}: at most 0.3 × the CPU of stock Buildbot, which wakes nobody",
            f"{ratio:.2f} ×",
            ratio <= 0.3,
        )
        ratio = ours["cpu"] / smaller["cpu"]
        yield f"{where}: at most 4.5 × the CPU of 100 × 100", f"{ratio:.2f} ×", ratio <= 4.5


def _whole(ours, ideal, where):
    ratio = ours["cpu"] / ideal["cpu"]
    yield f"{where}: at most 0.8 × the CPU of stock with one ideal kick", f"{ratio:.2f} ×", ratio <= 0.8
    last = [each["last"] if each["done"] else None for each in (ours, ideal)]
    yield (
        f"{where}: the last build no later than the ideal's",
        f"{report.seconds(last[0])} s and {report.seconds(last[1])} s",
        None not in last and last[0] <= last[1],
    )


def _fleet(results):
    for each in fleet.each(results):
        if each["workers"] != 500:
            continue
        where = f"{report.farm(each)}, {databases.NAMES[each['database']]}"
        if each["way"] in ("hold", "release"):
            commits = each["commits"]
            yield f"{where}: all {each['way']} in one transaction", commits, commits <= 1
        yield _free(each, f"{where}, {fleet.WAYS[each['way']]}")


def _orders(results):
    for each in results:
        what = f"500 workers are held, {databases.NAMES[each['database']]}, {orders.WAYS[each['way']]}: 1 s"
        yield what, f"{each['seconds']:.2f} s", each["seconds"] <= 1


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
    runs = {(way, found["database"]): found for way, found in crowd.each(results)}
    for (way, database), found in runs.items():
        stock = runs.get(("stock", database))
        where = f"{report.count(found['workers'])} workers, {databases.NAMES[database]}"
        if "armed" in found:
            yield f"{where}, {crowd.WAYS[way]}: armed in 1 s", f"{found['armed']:.2f} s", found["armed"] <= 1
        if way == "model":
            yield (
                f"{where}: the model at most 4 KB each",
                f"{found['each'] / 1024:.1f} KB",
                found["each"] <= 4096,
            )
        elif way != "stock" and stock is not None:
            more = found["each"] - stock["each"]
            when = "before its break" if way == "ours" else "on its break"
            yield (
                f"{where}: a `BuildSlave` {when} at most 3 KB more than a `Worker`",
                f"{more / 1024:.1f} KB",
                more <= 3072,
            )
        if way == "on a break" and stock is not None:
            cpu = found["idle_cpu"] - stock["idle_cpu"]
            yield (
                f"{where}: idle on a break for a minute: at most 0.05 s of CPU more than with `Worker`",
                f"{cpu:.3f} s",
                cpu <= 0.05,
            )


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


def _owners(results):
    for each in results:
        where = f"{each['workers']} owners"
        for way, flip, what in (
            ("at once", "break", "who come in the same moment: at most the CPU of a mass flip"),
            ("two seconds", "breaks", "who come within two seconds: at most the CPU of a flip as drawn out"),
            ("go", "break over", "who go: at most the CPU of a mass flip back"),
        ):
            ratio = each["ways"][way]["cpu"] / each["ways"][flip]["cpu"]
            yield f"{where} {what}", f"{ratio:.2f} ×", ratio <= 1


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
                    f"2 000 breaks, {kind}: loaded in at most 3 × the time of 1 000 (the square would be 4 ×)",
                    f"{ratio:.2f} ×",
                    ratio <= 3,
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
    ("fleet", _fleet),
    ("orders", _orders),
    ("flapping", _flapping),
    ("crowd", _crowd),
    ("sensors", _sensors),
    ("owners", _owners),
    ("micro", _micro),
    ("start", _start),
    ("breaklists", _break_lists),
    ("sparing", _sparing),
    ("why", _why),
)
