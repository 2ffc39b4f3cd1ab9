"""An order about a worker of another master: how long it takes until that one heeds it, and until it is answered.

    python -m benchmarks.severalmasters [--orders 200]

Real masters, PostgreSQL with `fsync` and the router, all on this machine, for one master alone, for two, and for three with 500 workers, which are really
connected, a third to each. An order goes to one master by REST, about a worker of another one (or of the same, where there is one). What
is printed is a table for docs/masters.rst.
"""

import argparse
import json
import os
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from tests.databases.servers import PostgreSQL
from tests.integration.farm import Farm
from tests.integration.processes import waitFor
from tests.masters.masters import Masters

# So many are connected by one process.
_TOGETHER = 100

# the instant at which a master has done what is ordered, by a clock that is the same in all processes
_JOURNAL = """\
import json, os, time
from presence.master.holding.storedorders import StoredOrders
def follow():
    do = StoredOrders._do
    def doing(self, worker, record):
        do(self, worker, record)
        if record.hold is not None:
            line = {{"reason": record.hold.reason, "pid": os.getpid(), "at": time.monotonic()}}
            with open({journal!r}, "a") as file:
                file.write(json.dumps(line) + "\\n")
    StoredOrders._do = doing
follow()
"""

# Builders of ten workers each, and one of all.
_BUILDERS = """\
names = [each.workername for each in c["workers"]]
groups = {f"b{first}": names[first : first + 10] for first in range(0, len(names), 10)}
c["builders"] = [
    util.BuilderConfig(name=name, workernames=some, factory=factory) for name, some in {**groups, "any": names}.items()
]
c["schedulers"] = []
"""

# more workers in the process of the first of them
_MORE = """
import os
for name in {names!r}:
    os.makedirs(os.path.join(basedir, name, "info"), exist_ok=True)
    Worker(buildmaster_host, port, name, passwd, os.path.join(basedir, name), keepalive, umask=umask).setServiceParent(application)
"""


class _Case:
    """What a farm wants of a test."""

    def __init__(self, stack):
        self.addCleanup = stack.callback

    def fail(self, why):
        raise AssertionError(why)


def _server(case):
    before, tempfile.tempdir = tempfile.tempdir, "/var/tmp"  # on a disk, wherever /tmp may be
    try:
        return PostgreSQL(case, fsync=True)
    finally:
        tempfile.tempdir = before


def _connect(farm, names):
    for first in range(0, len(names), _TOGETHER):
        some = names[first : first + _TOGETHER]
        farm.worker(some[0], tac=_MORE.format(names=some[1:])).start()


def one(case, orders):
    """One master alone, with two workers."""
    farm = Farm(case, "pb")
    database = _server(case).start()
    journal = str(farm.directory / "journal")
    workers = [f"worker.BuildSlave({name!r}, PASSWORD)" for name in ("w1", "w2")]
    farm.configure(*workers, extra=f'c["db_url"] = {database.url!r}\n{_JOURNAL.format(journal=journal)}')
    farm.upgradeDatabase()
    farm.start()
    _connect(farm, ["w1", "w2"])
    farm.worker("w1").waitUntilConnected()
    return _measured(farm, farm, "w1", journal, orders)


def several(case, orders, count, workers):
    """So many masters, each with its share of the workers."""
    names = [f"w{number}" for number in range(workers)]
    masters = Masters(case, *names, count=count, ui=False, database=_server(case))
    journal = str(masters.all[0].directory / "journal")
    masters.extra = _JOURNAL.format(journal=journal) + (_BUILDERS if workers > _TOGETHER else "")
    masters.start()
    for number, farm in enumerate(masters):
        _connect(farm, names[number::count])

    def connected():
        told = [farm.get("presences?field=connected")["presences"] for farm in masters]
        return all(sum(each["connected"] for each in some) == workers for some in told)

    waitFor("all are connected, and all masters know it", connected, 600)
    return _measured(masters.all[0], masters.all[1], names[1], journal, orders)


def _measured(asked, heeding, worker, journal, orders):
    """The seconds from an order to its being heeded, and to its answer: [(heeded, answered)]."""
    pid, found = heeding.master.pid, []
    for number in range(orders):
        reason = f"order {number}"
        sent = time.monotonic()
        answer = asked.post(f"presences/{worker}", "hold", reason=reason)
        answered = time.monotonic()
        if not answer["order"]["heeded"]:
            raise RuntimeError(f"it is not heeded: {answer['order']}")
        lines = map(json.loads, reversed(Path(journal).read_text().splitlines()))
        at = next(each["at"] for each in lines if each["reason"] == reason and each["pid"] == pid)
        found.append((at - sent, answered - sent))
        asked.post(f"presences/{worker}", "release")
        # (what has just been told is told again after a tenth of a second)
        time.sleep(random.uniform(0.3, 0.6))
    return found


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.severalmasters", description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--only", type=int, help="with this number of masters only")
    options = parser.parse_args()
    kinds = {
        1: ("one master", one),
        2: ("two masters", lambda case, orders: several(case, orders, 2, 2)),
        3: ("three masters, 500 workers", lambda case, orders: several(case, orders, 3, 500)),
    }
    for count, (title, measure) in kinds.items():
        if options.only not in (None, count):
            continue
        load = os.getloadavg()[0]
        with ExitStack() as stack:
            found = measure(_Case(stack), options.orders)
        print(f"{title}: {len(found)} orders, load {load:.1f} before, {os.getloadavg()[0]:.1f} after")
        for what, seconds in zip(("heeded", "answered"), zip(*found, strict=True), strict=True):
            ninth = quantiles(seconds, n=10)[-1]
            print(
                f"    {what}: median {1000 * median(seconds):.1f} ms, nine of ten {1000 * ninth:.1f}, "
                f"from {1000 * min(seconds):.1f} to {1000 * max(seconds):.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
