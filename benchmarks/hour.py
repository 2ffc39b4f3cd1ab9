"""Five hundred workers that flap for an hour, on a whole master: `python -m benchmarks.hour [--minutes 60] [--speed 1]`.

Each of them loses its connection, or its owner goes away, and is back, every 15 to 60 s. The master is a real `BuildMaster` with its
database in a file, with the trail, the metrics (read every 15 s) and notices of everything that a notice may be of, to each owner and to the admins;
requests wait at every tenth builder. What is imitated is the other ends of the connections, and the mail server.

With `--speed 6` the clock of the reactor goes six times as fast as others, so that the hour takes ten minutes. All timers go by it. On a machine that
has not the time for that the workers flap less often than they should: how often is told.
"""

import argparse
import gc
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from buildbot.reporters.mail import MailNotifier
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed

from benchmarks import databases
from benchmarks.farm import Farm
from benchmarks.meters import after
from presence.master.reporters.generator import PresenceGenerator
from presence.master.service import PresenceService
from presence.model import clockguard

SHORTEST, LONGEST, SCRAPE = 15.0, 60.0, 15.0

# So much more memory than after the first ten minutes is within what an hour may bring: in parts of it.
NOISE = 0.03


class Postbox(MailNotifier):
    """Everything that Buildbot does for a mail, but to connect to a server."""

    sent = characters = 0

    def sendMail(self, m, recipients):
        """Count it."""
        self.sent += len(recipients)
        self.characters += len(m.as_string())
        return succeed(None)


def hurry(speed):
    """From now on the clock of the reactor goes so many times as fast."""
    began, seconds, timeout, monotonic = time.time(), reactor.seconds, reactor.timeout, time.monotonic
    reactor.seconds = lambda: began + (seconds() - began) * speed
    reactor.timeout = lambda: None if (left := timeout()) is None else left / speed
    # so does the clock with which the guard compares it
    clockguard.time = SimpleNamespace(monotonic=lambda: monotonic() * speed)
    clockguard.TOLERANCE *= speed
    clockguard.OVERSLEPT *= speed


def memory():
    """What this process has in memory, in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


class Hour:
    """The farm, and what flaps."""

    def __init__(self, workers, builders, seed):
        self._random = random.Random(seed)
        self.flaps = self.scrapes = 0
        names = [f"w{number}" for number in range(workers)]
        wanted = {
            "awayLongerThan": 30,
            "endsWithin": 30,
            "backEarly": True,
            "backLate": True,
            "starvingAfter": 60,
        }
        self.services = [
            PresenceService(owners={name: f"{name}@example.org" for name in names}, trail=True, metrics=True),
            Postbox("buildbot@example.org", name="owners", generators=[PresenceGenerator(**wanted)]),
            Postbox(
                "buildbot@example.org",
                name="admins",
                generators=[
                    PresenceGenerator(**wanted, owners=False, to="admins@example.org", mostADay=1000)
                ],
            ),
        ]
        self.farm = Farm(
            reactor,
            workers,
            builders,
            ours=False,
            database=databases.DISK,
            seats=max(1, 2 * workers // builders),
            # what is requested waits, so that each worker that is back is asked for it
            canStartBuild=lambda *_: False,
            services=self.services,
        )

    async def start(self):
        """All are connected, and every tenth builder has a request."""
        await self.farm.start()
        await self.farm.connect()
        await self.farm.request(10)
        for worker in self.farm.workers:
            self._later(worker, self._go)
        self._scrape()

    def _later(self, worker, what):
        reactor.callLater(self._random.uniform(SHORTEST, LONGEST), what, worker)

    def _go(self, worker):
        self.flaps += 1
        if self._random.random() < 0.5:
            worker.conn.loseConnection()
            self._later(worker, self._connect)
        else:
            now = reactor.seconds()
            until = self._random.choice([None, now + LONGEST, now + 10 * LONGEST, now + 60 * LONGEST])
            worker.presence.hold("worker", "rendering", f"{worker.name}@example.org", until=until)
            self._later(worker, self._release)

    def _connect(self, worker):
        done = Deferred.fromCoroutine(self._attach(worker))
        done.addErrback(lambda failure: print(failure.getTraceback(), file=sys.stderr))

    async def _attach(self, worker):
        connection = self.farm.connection(worker)
        # or its builders would do without it from now on
        connection.answers_with_builders = True
        await worker.attached(connection)
        self._later(worker, self._go)

    def _release(self, worker):
        worker.presence.release("worker")
        self._later(worker, self._go)

    def _scrape(self):
        """Read the metrics, as Prometheus does."""
        reactor.callLater(SCRAPE, self._scrape)
        found = self.farm.master.data.get(("presencemetrics",))
        found.addCallbacks(self._scraped, lambda failure: print(failure.getTraceback(), file=sys.stderr))

    def _scraped(self, found):
        self.scrapes += 1
        self.length = len(found["raw"])

    @property
    def mails(self):
        """How many the owners got, and the admins."""
        return [each.sent for each in self.services[1:]]

    def trail(self):
        """The lines and the bytes of the files of the trail, and how many of the lines say that something was left out."""
        files = list(Path(self.farm.master.basedir).glob("presence-trail.jsonl*"))
        text = "".join(each.read_text(encoding="utf-8") for each in files)
        return text.count("\n"), len(text.encode()), text.count('"left_out"')


async def measure(options):
    """Run it; what is to be told of each ten minutes is printed. The exit status."""
    hour = Hour(options.workers, options.builders, options.seed)
    await hour.start()
    meters = hour.farm.meters
    meters.begin()
    gc.unfreeze()
    began, computing = time.monotonic(), time.process_time()
    print(
        f"{options.workers} workers, {options.builders} builders, a clock {options.speed:g} × as fast",
        flush=True,
    )
    print("minute   flaps   mails to owners, admins   trail: lines, kB   statements   memory", flush=True)
    told = {}
    step = min(options.step, options.minutes)
    for minute in range(step, options.minutes + 1, step):
        await after(reactor, 60 * step)
        gc.collect()
        told[minute] = memory()
        lines, size, _ = hour.trail()
        owners, admins = hour.mails
        print(
            f"{minute:6} {hour.flaps:7} {owners:17} {admins:7} {lines:12} {size / 1000:7.0f} {meters.statements:12} "
            f"{told[minute] / 1e6:7.1f} MB",
            flush=True,
        )
    lines, size, left_out = hour.trail()
    result = meters.end()
    print(
        f"{time.monotonic() - began:.0f} s, {time.process_time() - computing:.0f} s of CPU; the reactor was not free for "
        f"{1000 * result['blocked_computing']:.0f} ms of CPU at most; {hour.scrapes} scrapes of {hour.length / 1000:.0f} kB; "
        f"{left_out} lines of the trail tell of others that were left out"
    )
    for text, number in meters.texts.most_common(8):
        print(f"{number:8} × {' '.join(text.split())[:110]}")
    hour.farm.check()
    first, last = told[step], told[options.minutes]
    grown = last / first - 1
    print(f"memory after the first {step} minutes: {100 * grown:+.1f} %, the bound is {100 * NOISE:.0f} %")
    return 0 if grown <= NOISE else 1


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hour", description=__doc__)
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument("--builders", type=int, default=50)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--step", type=int, default=10, help="after how many minutes it is told each time")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="presence-benchmark-", dir="/var/tmp")
    tempfile.tempdir = folder
    status = [1]
    if options.speed != 1:
        hurry(options.speed)

    async def run():
        try:
            status[0] = await measure(options)
        finally:
            reactor.stop()

    reactor.callWhenRunning(
        lambda: Deferred.fromCoroutine(run()).addErrback(lambda failure: failure.printTraceback())
    )
    reactor.run()
    shutil.rmtree(folder, ignore_errors=True)
    return status[0]


if __name__ == "__main__":
    sys.exit(main())
