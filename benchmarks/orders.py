"""An order for 500 workers, through each of the doors that a person has: from when it is given until it has been heeded.

The master is a real one, with a thousand builders, each of which has ten of the workers; so are the command line, and the page in a
Chromium. Each is measured some times, and the median is told.
"""

import importlib.util
import os
import subprocess
import sys
import time
from statistics import median

from benchmarks import databases, report

TITLE = "An order for 500 workers, and a thousand builders with ten workers each"

WAYS = {
    "rest": "REST: until the answer, which comes when it is stored",
    "command": "`presence hold`: until the command has ended",
    "page": "the page, with all 500 rows shown: from the click until each of them shows it, painted",
}

_NAMES = [f"w{number:03}" for number in range(500)]
_ROUNDS = 3

# How long nobody watches the page, in seconds, and when in that time it is clicked, in milliseconds.
_UNWATCHED, _CLICKED = 3, 700

# From the click on until it is painted that all rows are held. (Their text as it is, not as it looks: that would lay out the page.)
_CLICK = """
(wait) => {
    const rows = () => [...document.querySelectorAll("tr[data-worker]")];
    window.taken = null;
    setTimeout(async () => {
        const button = [...document.querySelectorAll("dialog button")].find((each) => each.innerText.trim() === "Hold");
        const all = rows().length;
        const shown = until(() => rows().filter((each) => each.textContent.includes("disks")).length === all);
        const before = performance.now();
        button.click();
        window.taken = [await shown - before, all];
    }, wait);
}
"""


def measured(*, quick):
    """What each took, in seconds: with each database, the process of the command included, and the CPU time of the master."""
    if quick:
        return []
    kinds = [databases.MEMORY, *([databases.POSTGRESQL] if databases.there() else [])]
    return [found for database in kinds for found in _measured(database)]


def _measured(database):
    # (who only shows tables needs no browser)
    from benchmarks import page  # noqa: PLC0415
    from tests.integration.browser import executable  # noqa: PLC0415

    page.inMemory()
    case = page.Case()
    try:
        url = databases.url(database, None) if database == databases.POSTGRESQL else None
        bench = page.Bench(case, url)
        orders = [("rest", _rest), ("command", _command)]
        if executable() is None or importlib.util.find_spec("playwright") is None:
            print("Chromium or Playwright is missing: the page is left out", file=sys.stderr)
        else:
            orders.append(("page", _OnPage(bench, case)))
        for way, order in orders:
            yield {"way": way, "database": database, **_rounds(bench, order)}
    finally:
        case.cleanUp()


def _rounds(bench, order):
    taken, cpu = [], []
    for _ in range(_ROUNDS):
        before = _cpu(bench.farm.master.pid)
        taken.append(order(bench))
        cpu.append(_cpu(bench.farm.master.pid) - before)
        if bench.ready():
            raise RuntimeError("not all are held")
        bench.farm.post("presences", "release", workers=_NAMES)
        bench.farm.waitFor("all are available", lambda: bench.ready() == len(_NAMES))
        time.sleep(1)
    return {"seconds": median(taken), "worst": max(taken), "cpu": median(cpu)}


def _rest(bench):
    begun = time.perf_counter()
    bench.farm.post("presences", "hold", workers=_NAMES, reason="disks")
    return time.perf_counter() - begun


def _command(bench):
    url = f"http://127.0.0.1:{bench.farm.www}/"
    command = [
        sys.executable,
        "-m",
        "presence.commands.main",
        "hold",
        "--url",
        url,
        "--reason",
        "disks",
        "w*",
    ]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


class _OnPage:
    """Orders in the dialog of a page that shows all workers."""

    def __init__(self, bench, case):
        # (as what it needs, it is not there for who only shows tables)
        from benchmarks.unwatched import UnwatchedPage  # noqa: PLC0415

        self._page = UnwatchedPage(case)
        with self._page.watched() as page:
            bench.show(page, "workers")
            page.get_by_role("button", name="Show all").click()
            page.wait_for_function(f"rows() === {len(_NAMES)}")

    def __call__(self, _bench):
        count = len(_NAMES)
        with self._page.watched() as page:
            page.get_by_role("button", name=f"Select all {count} workers").click()
            page.get_by_role("button", name=f"Hold… {count} selected").click()
            page.get_by_role("dialog").get_by_label("Why", exact=True).fill("disks")
            page.evaluate(_CLICK, _CLICKED)
        time.sleep(_UNWATCHED)
        with self._page.watched() as page:
            page.wait_for_function("taken")
            taken, rows = page.evaluate("taken")
        if rows != count:
            raise RuntimeError(f"the page shows {rows} rows")
        return taken / 1000


def _cpu(pid):
    """The CPU time of a process, in seconds."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tables(results):
    """The table."""
    rows = [
        (
            f"{WAYS[each['way']]}, {databases.NAMES[each['database']]}",
            report.seconds(each["seconds"]),
            report.seconds(each["worst"]),
            report.seconds(each["cpu"]),
        )
        for each in results
    ]
    return report.table(TITLE, ("given and heeded", "s", "at most s", "CPU s of the master"), rows)
