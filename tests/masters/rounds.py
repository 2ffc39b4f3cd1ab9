"""Random rounds with two real masters: something breaks while one orders a worker of the other held.

    python -m tests.masters.rounds --rounds 500 --seed 7         # by hand; `tests/masters/test_rounds.py` plays a few

Master a takes the orders, master b has the workers and builds on them all the time. In each round one thing is broken
(`tests.masters.faults`: the router is stopped, or killed, PostgreSQL is restarted or killed, a is killed between storing, telling and
answering, b is killed or stands still) and a is ordered to hold a worker somewhere in the midst of that. Then it is mended, both have to say the same
within five seconds, and the worker is released. What was acknowledged is compared with the instants at which b told workers to build.
"""

import argparse
import functools
import json
import random
import statistics
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.integration.processes import waitFor
from tests.masters.faults import DYING, FAULTS, Faults
from tests.masters.masters import Masters
from tests.torture.farm import FAKETIME

WORKERS = ("w1", "w2")

#: Within this time after the fault all masters agree, in seconds.
AGREE = 5.0

#: How much longer a machine may take that is busy with other things, in the tests that always run.
BUSY = 4

# For how long a worker may build nothing when nothing is broken, in seconds: then b is started anew.
_PATIENCE = 5.0

# How often these come where others come three times: a router takes long to start, and after the others Buildbot stands still.
_OFTEN = {"router killed": 1, "database restarted": 2, "database killed": 2}

# How many requests wait, or are built, for each worker.
_WAITING = 3

# the very moment at which a worker is told to build, by a clock that is the same in all processes
_JOURNAL = """\
import json, os
from buildbot.worker.protocols import pb
def follow(kind):
    told = kind.remoteStartBuild
    def remoteStartBuild(self, builderName):
        line = {{"worker": self.worker.workername, "at": time.monotonic()}}
        file = os.open({journal!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, json.dumps(line).encode() + b"\\n")
        os.close(file)
        return told(self, builderName)
    kind.remoteStartBuild = remoteStartBuild
follow(pb.Connection)
{mutant}
"""

#: Without the question to the database before each build, and without the look every two seconds: what has to be noticed.
MUTANT = """\
from presence.master.holding.lastmoment import LastMoment
from presence.master.farm.reconciliation import Reconciliation
from twisted.internet.defer import succeed
LastMoment.heed = lambda self, worker, builder: succeed(True)
Reconciliation._look = lambda self: None
"""


@dataclass
class Order:
    """A hold of `worker` that was ordered, by the clock of the journal: what came of it is None before, or without, an answer."""

    worker: str
    reason: str
    sent: float
    #: set as it is sent
    sending: threading.Event = field(default_factory=threading.Event, repr=False)
    answered: float | None = None
    #: whether it was stored though nobody was told so
    stored: bool = False
    heeded: bool | None = None
    refused: str | None = None
    released: float = field(default=float("inf"))

    @property
    def isOver(self):
        """Whether it was answered, or has failed."""
        return self.answered is not None or self.refused is not None

    def forbids(self, start):
        """Whether a build that started there, then, contradicts it. What is stored holds as well as what is heeded."""
        return (
            self.answered is not None
            and start["worker"] == self.worker
            and self.answered < start["at"] < self.released
        )


class Rounds:
    """`play(rounds)` them; `wrong` is what is wrong, in words."""

    def __init__(self, case, seed, *, mutant=False, patience=AGREE, skewed=False, say=lambda _: None):
        self.random = random.Random(seed)
        self.wrong = []
        self.orders = []
        self.counts = dict.fromkeys(FAULTS, 0)
        #: how long each took until the masters agreed, after the fault; and until an order of a round without one was heeded
        self.agreed, self.heeded = [], []
        self._patience = patience
        self._say = say
        self._masters = Masters(case, *WORKERS, ui=False)
        self._journal = self._masters.all[0].directory / "journal"
        self.a, self.b = self._masters
        self._faults = Faults(self._masters, WORKERS, self.random)
        journal = _JOURNAL.format(journal=str(self._journal), mutant=MUTANT if mutant else "")
        self._masters.extra = journal + self._faults.hook
        if skewed:
            # its clock is a minute ahead
            self.b.master.environment = {
                "LD_PRELOAD": FAKETIME,
                "FAKETIME": "+60",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        self._masters.start()
        for name in WORKERS:
            self.b.worker(name).start()
        for name in WORKERS:
            self.b.worker(name).waitUntilConnected()
        self._over = threading.Event()
        self._requests = 0
        #: how often a died between storing, telling and answering
        self.died = 0
        #: how often Buildbot stood still in the end
        self.stuck = 0
        #: why requests could not be made, the last time
        self.trouble = None
        self._requesting = threading.Thread(target=self._request, daemon=True)
        case.addCleanup(self._over.set)

    def play(self, rounds, faults=FAULTS, seconds=float("inf")):
        """So many of them, or as many as begin within so many seconds; the first ones have one fault each."""
        self._requesting.start()
        weights, end = [_OFTEN.get(fault, 3) for fault in faults], time.monotonic() + seconds
        for number in range(rounds):
            if time.monotonic() > end:
                break
            fault = faults[number] if number < len(faults) else self.random.choices(faults, weights)[0]
            self.counts[fault] += 1
            began, wrong = time.monotonic(), len(self.wrong)
            order = self._play(number, fault)
            played = time.monotonic()
            if number + 1 < rounds:
                self._build_again(order)
            took = f"{played - began:.1f} s, then {time.monotonic() - played:.1f} s until it built again"
            self._say(f"{number} {fault}: {took}; agreed {self.agreed[-1:]}; {order}")
            for each in self.wrong[wrong:]:
                self._say(f"WRONG: {each}")
            if len(self.wrong) > 20:
                break
        self._over.set()
        self._requesting.join()
        for each in self.orders:
            found = [start for start in self.starts() if each.forbids(start)]
            if found:
                late = [round(start["at"] - each.answered, 3) for start in found]
                self.wrong.append(f"{each}: {len(found)} builds began after the answer: {late}")

    def starts(self):
        """When which worker was told to build."""
        text = self._journal.read_text() if self._journal.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def summary(self):
        """What has happened, in words."""
        acknowledged = [each for each in self.orders if each.answered is not None]
        waits = sum(each.heeded is False for each in acknowledged)
        lines = [
            f"{sum(self.counts.values())} rounds: {', '.join(f'{n} {fault}' for fault, n in self.counts.items())}",
            f"{len(self.starts())} builds began, {self._requests} were requested; b was started anew {self.stuck} times",
            f"a died {self.died} times just between storing, telling and answering",
            f"{len(self.orders)} orders, {len(acknowledged)} stored, {waits} of them not confirmed",
        ]
        if self.heeded:
            lines.append(f"order to answer, heeded: {1000 * statistics.median(self.heeded):.1f} ms (median)")
        if self.agreed:
            lines.append(
                f"fault to agreement: {statistics.median(self.agreed):.2f} s (median), {max(self.agreed):.2f} s at most"
            )
        return "\n".join(lines)

    def _play(self, number, fault):
        worker = self.random.choice(WORKERS)
        order = Order(worker, f"round {number}", time.monotonic())
        self.orders.append(order)
        delay, length = self.random.uniform(0, 0.1), self.random.uniform(0.2, 1.5)
        self._faults.prepare(fault)
        posting = threading.Thread(target=self._post, args=(order, delay), daemon=True)
        posting.start()
        mended = self._faults.strike(fault, order, length)
        posting.join(60)
        order.stored = order.stored or order.answered is not None
        self.died += fault in DYING and order.answered is None and order.stored
        if fault == "none" and order.heeded:
            self.heeded.append(order.answered - order.sent)
        self._agree(number, fault, mended, order)
        self._release(order)
        return order

    def _build_again(self, order):
        """Wait until something begins on the worker: the next hold shall come into the midst of it.

        Of a build in the midst of which the database goes Buildbot may say no more, and has its worker busy for ever: then b
        is started anew.
        """

        def builds():
            return any(
                each["worker"] == order.worker and each["at"] > order.released for each in self.starts()
            )

        try:
            waitFor("it builds again", builds, _PATIENCE)
        except AssertionError:
            self.stuck += 1
            self.b.kill()
            self._faults.startB()

    # --- what is ordered, and asked

    def _post(self, order, delay):
        time.sleep(delay)
        order.sent = time.monotonic()
        order.sending.set()
        try:
            answer = self.a.post(f"presences/{order.worker}", "hold", reason=order.reason)
        except (AssertionError, OSError, ValueError) as problem:
            order.refused = str(problem).splitlines()[0]
            return
        order.heeded = answer["order"]["heeded"]
        order.answered = time.monotonic()

    def _agree(self, number, fault, mended, order):
        """Both masters say whether the worker is held, and the same, and that it is if the order was stored."""

        def reasons():
            try:
                return [self._reason(farm, order.worker) for farm in (self.a, self.b)]
            except (AssertionError, OSError, ValueError):
                # a pooled connection has gone: it is asked again
                return [None, ""]

        def agreed():
            found = reasons()
            return found[0] == found[1] and (not order.stored or found[0] == order.reason)

        try:
            waitFor("they agree", agreed, max(self._patience - (time.monotonic() - mended), 0.5))
            self.agreed.append(time.monotonic() - mended)
        except AssertionError:
            self.wrong.append(f"round {number} ({fault}): they do not agree, {reasons()} after {order}")

    def _reason(self, farm, worker):
        (presence,) = farm.get(f"presences/{worker}")["presences"]
        return next((hold["reason"] for hold in presence["holds"] if hold["source"] == "admin"), None)

    def _release(self, order):
        """A pooled connection that is gone makes it fail; then it is ordered again."""
        by = self.random.choice((self.a, self.b))

        def released():
            order.released = min(order.released, time.monotonic())
            try:
                return by.post(f"presences/{order.worker}", "release")
            except (AssertionError, OSError, ValueError):
                return None

        waitFor("it is released", released)

    def _request(self):
        """Keep a few requests waiting for each worker."""
        builders = {each["builderid"]: each["name"] for each in self.b.get("builders")["builders"]}
        while not self._over.wait(0.3):
            try:
                found = self.b.get("buildrequests?complete=false&limit=100")["buildrequests"]
                waiting = [builders[each["builderid"]] for each in found]
                for name in WORKERS:
                    if waiting.count(name) < _WAITING:
                        self.b.force(name)
                        self._requests += 1
            except (AssertionError, OSError, ValueError) as problem:  # noqa: PERF203 (something is broken)
                self.trouble = str(problem).splitlines()[0]


class _Case:
    """What `Masters` needs of a test case."""

    def __init__(self, stack):
        self.addCleanup = stack.callback

    def fail(self, why):
        raise AssertionError(why)


def main():
    """By hand."""
    parser = argparse.ArgumentParser(prog="python -m tests.masters.rounds", description="Break a farm.")
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no round after so many")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--mutant", action="store_true", help="with the law taken out, to see it noticed")
    parser.add_argument("--skewed", action="store_true", help="the clock of b is a minute ahead")
    parser.add_argument("--faults", nargs="*", choices=FAULTS, default=FAULTS)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with ExitStack() as stack:
        say = functools.partial(print, flush=True)
        rounds = Rounds(_Case(stack), options.seed, mutant=options.mutant, skewed=options.skewed, say=say)
        rounds.play(options.rounds, options.faults, options.seconds)
        print(rounds.summary())
        for each in rounds.wrong:
            print(each)
        if rounds.trouble:
            print(f"the last request that could not be made: {rounds.trouble}")
        if options.mutant:
            print("noticed" if rounds.wrong else "NOT NOTICED")
            return 0 if rounds.wrong else 1
        return 1 if rounds.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
