"""Whether long answers are whole: `python -m benchmarks.answers`, with each Buildbot that is supported (see noxfile.py).

A real master with many workers and builders, in a process of its own, is asked over its REST API again and again, for Buildbot's own
resources and ours. (With TMPDIR=/dev/shm it starts within seconds.) An answer that is cut off never ends (Buildbot #9065): it counts when nothing comes for ten seconds.
"""

import argparse
import json
import sys
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException

import buildbot
from twisted.trial.unittest import SynchronousTestCase

from tests.integration.farm import Farm

RESOURCES = ("workers", "builders", "buildrequests", "presences", "builderpresences", "requestpresences")

# How many of these are Buildbot's own.
_THEIRS = 3

# How many builders each worker has, and how long an answer may be silent, in seconds.
_EACH, _SILENT = 4, 10.0

# How long the master may take to start, in seconds.
_START = 600.0

# Workers without processes; every builder has some of them.
_PRELUDE = """
names = [f"worker-{{number}}-with-a-name-that-is-not-short" for number in range({workers})]
"""
_EXTRA = """
from buildbot.util.service import BuildbotService
from twisted.internet.defer import Deferred
from twisted.python import log

class Requests(BuildbotService):
    # requests that wait
    name = "requests"

    async def ask(self):
        model = self.master.db.model
        ids = [each._builderid for each in self.master.botmaster.getBuilders()]
        def thd(connection):
            buildset = {{"submitted_at": 1, "complete": 0, "results": -1}}
            [number] = connection.execute(model.buildsets.insert(), [buildset]).inserted_primary_key
            stamp = {{"ss_hash": 40 * "0", "repository": "", "codebase": "", "project": "", "created_at": 1}}
            [stampid] = connection.execute(model.sourcestamps.insert(), [stamp]).inserted_primary_key
            connection.execute(
                model.buildset_sourcestamps.insert(), [{{"buildsetid": number, "sourcestampid": stampid}}]
            )
            request = {{**buildset, "buildsetid": number, "waited_for": 0, "priority": 0}}
            found = [{{**request, "builderid": ids[each % len(ids)]}} for each in range({pending})]
            connection.execute(model.buildrequests.insert(), found)
            connection.commit()
        await self.master.db.pool.do(thd)
        log.msg("the requests wait")

    def startService(self):
        self.look()
        return super().startService()

    def look(self):
        builders = self.master.botmaster.getBuilders()
        if len(builders) < {builders} or any(each._builderid is None for each in builders):
            self.master.reactor.callLater(0.5, self.look)
        else:
            Deferred.fromCoroutine(self.ask()).addErrback(log.err)

{service}
c["services"] = [*c.get("services", ()), *([Requests()] if {pending} else [])]
c["workers"] = [worker.Worker(name, PASSWORD) for name in names]
c["builders"] = [
    util.BuilderConfig(
        name=f"builder-{{number}}", factory=util.BuildFactory(),
        workernames=[names[(number * {each} + more) % len(names)] for more in range({each})],
    )
    for number in range({builders})
]
c["schedulers"] = [schedulers.ForceScheduler(name="force", builderNames=[each.name for each in c["builders"]])]
"""
_SERVICE = 'c["services"] = [util.PresenceService()]'


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument("--builders", type=int, default=1000)
    parser.add_argument(
        "--pending",
        type=int,
        default=200,
        help="how many requests of builds wait (Buildbot asks for each of them by itself)",
    )
    parser.add_argument("--requests", type=int, default=2000, help="for each resource")
    parser.add_argument(
        "--without", action="store_true", help="without presence, to see what Buildbot does alone"
    )
    parser.add_argument(
        "--compact", action="store_true", help="as pages ask; without it answers are indented, and longer"
    )
    parser.add_argument("--seconds", type=float, default=3600, help="how long it may take in all")
    parser.add_argument("resources", nargs="*", metavar="RESOURCE", help=f"by default {', '.join(RESOURCES)}")
    options = parser.parse_args()
    case = SynchronousTestCase("run")
    try:
        return _run(case, options)
    finally:
        case.doCleanups()


def _run(case, options):
    farm = Farm(case)
    service = "" if options.without else _SERVICE
    farm.configure(
        'worker.Worker("first", PASSWORD)',
        prelude=_PRELUDE.format(workers=options.workers),
        extra=_EXTRA.format(service=service, each=_EACH, builders=options.builders, pending=options.pending),
    )
    # (a thousand builders take their time)
    farm.master.launch()
    farm.master.waitForLog("the master starts", "BuildMaster is running", deadline=_START)
    ours = () if options.without else RESOURCES[_THEIRS:]
    resources = options.resources or (*RESOURCES[:_THEIRS], *ours)
    if options.pending:
        farm.master.waitForLog("the requests wait", "the requests wait", deadline=_START)
    size = f"{options.workers} workers, {options.builders} builders, {options.pending} requests"
    form = "compact" if options.compact else "indented"
    print(
        f"Buildbot {buildbot.version}{', without presence' if options.without else ''}, {size}, {form}",
        flush=True,
    )
    end, broken = time.monotonic() + options.seconds, 0
    for resource in resources:
        found = Counter()
        begun, length = time.monotonic(), 0
        for _ in range(options.requests):
            if time.monotonic() > end:
                break
            how, read = _asked(farm.www, resource, options.compact)
            found[how] += 1
            length = max(length, read)
        said = ", ".join(f"{number} {how}" for how, number in sorted(found.items()))
        took = (time.monotonic() - begun) / max(1, found.total())
        print(f"{resource}: {said}; {length} bytes, {took * 1000:.0f} ms each", flush=True)
        broken += found.total() - found["whole"]
    return 1 if broken else 0


def _asked(port, resource, compact):
    """How the answer to one question went, and how many bytes have come."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_SILENT)
    text = b""
    try:
        headers = {"Accept": "application/json"} if compact else {}
        connection.request("GET", f"/api/v2/{resource}", headers=headers)
        response = connection.getresponse()
        while piece := response.read1(1 << 20):
            text += piece
        json.loads(text)
    except (TimeoutError, HTTPException, ValueError) as problem:
        return f"cut off ({type(problem).__name__})", len(text)
    finally:
        connection.close()
    return "whole", len(text)


if __name__ == "__main__":
    sys.exit(main())
