"""Those who order, request, kill and stop, each in a thread of its own, until the time is over."""

import random
import signal
import threading
import time
import traceback
from collections import Counter, defaultdict
from contextlib import contextmanager

from tests.torture import afterwards
from tests.torture.account import Account, Start, overlaps
from tests.torture.disturbances import BACK, Disturbances
from tests.torture.farm import FAKETIME, WORKERS
from tests.torture.orders import Orders

#: A start is compared with the account when it is so old, in seconds: whatever was acknowledged before it is entered by then.
_ENTERED = 5.0

#: How long it may take until a worker is released, and its owner back, when nobody disturbs any more, in seconds.
_PATIENCE = 120.0


class Book:
    """What the threads share: the account, how often what was done, and the end of it all."""

    def __init__(self):
        self.over = threading.Event()
        #: the numbers of the requests that were acknowledged
        self.requests = set()
        #: how many requests have been started, as far as was looked
        self.started = 0
        self.counts = Counter()
        #: when the master or its database was killed, on the clock that is not set
        self.crashes = []
        #: what went wrong that the account knows nothing of, in words
        self.trouble = []
        self._account = Account()
        self._lock = threading.RLock()
        self._processes = defaultdict(threading.Lock)

    def wait(self, seconds):
        """Until then, or the end of it all."""
        self.over.wait(seconds)

    def rest(self, since):
        """As long as it was disturbed, since then: on a busy machine nothing would be built any more."""
        self.wait(time.monotonic() - since)

    def count(self, what):
        with self._lock:
            self.counts[what] += 1

    def crashed(self):
        """The master, or its database, is killed now."""
        with self._lock:
            self.crashes.append(time.monotonic())

    @property
    @contextmanager
    def account(self):
        """The account, for one thread at a time."""
        with self._lock:
            yield self._account

    def process(self, name):
        """Whoever ends and starts the process of this worker."""
        with self._lock:
            return self._processes[name]


class Torment:
    """`run()` it once; what is wrong is in its result, in words. The seed makes it begin alike, not end alike."""

    def __init__(self, farm, seconds, seed, *, untilCaught=False):
        self.farm = farm
        self.book = Book()
        self._orders = Orders(farm, self.book)
        self._disturbances = Disturbances(farm, self.book)
        self._seconds = seconds
        self._seed = seed
        self._until_caught = untilCaught
        # what the starts before `_judged` contradict
        self._found = []
        self._judged = 0.0

    def run(self):
        """Torture the farm; then let it come to rest, and compare."""
        self.farm.launchMaster()
        for worker in [self.farm.makeWorker(name) for name in WORKERS]:
            worker.start()
        for name in WORKERS:
            self.farm.worker(name).waitUntilConnected()
        threads = [
            threading.Thread(target=self._again, args=(act, random.Random(f"{self._seed}-{number}")))
            for number, act in enumerate(self._actors())
        ]
        for thread in threads:
            thread.start()
        shown = 0
        end = time.monotonic() + self._seconds
        while time.monotonic() < end and not self.book.over.wait(5.0):
            self._judge(time.monotonic() - _ENTERED)
            print(f"{end - time.monotonic():5.0f} s left: {self.summary()}", flush=True)
            for each in (self._found + self.book.trouble)[shown:]:
                print(each, flush=True)
                shown += 1
            if self._found and self._until_caught:
                break
        self.book.over.set()
        for thread in threads:
            thread.join()
        left = [] if self._until_caught else self._rest()
        self._judge(time.monotonic())
        return self.book.trouble + self._found + overlaps(_lock_spans(self.farm.notes())) + left

    def summary(self):
        """What was done so far, in a line."""
        starts = sum(each["what"] == "start" for each in self.farm.notes())
        what = ", ".join(f"{number} {name}" for name, number in sorted(self.book.counts.items()))
        with self.book.account as account:
            return f"{starts} starts, {account.acknowledged} orders acknowledged; {what}"

    def _actors(self):
        """A worker's orders come from one thread, so that they have an order."""
        yield from (self._orders.request, self._orders.request)
        for number in range(3):
            yield lambda dice, mine=WORKERS[number::3]: self._orders.order(dice, dice.choice(mine))
        for number in range(2):
            yield lambda dice, mine=WORKERS[number::2]: self._orders.say(dice, dice.choice(mine))
        yield self._disturbances.disturb

    def _again(self, act, dice):
        try:
            while not self.book.over.is_set():
                act(dice)
        except Exception:  # noqa: BLE001 (whatever it is, it is told at the end)
            self.book.trouble.append(f"the driver itself has failed:\n{traceback.format_exc()}")
            self.book.over.set()

    def _judge(self, upto):
        """Compare the starts since the last time, and before `upto`, with the account."""
        notes = self.farm.notes()
        self.book.started = len(
            {each["request"] for each in notes if each["what"] == "start" and not each["child"]}
        )
        starts = [
            Start(each["worker"], each["at"], each["wall"], each["child"])
            for each in notes
            if each["what"] == "start" and self._judged <= each["at"] < upto
        ]
        with self.book.account as account:
            self._found += account.contradictions(starts)
            account.forget(upto)
        self._judged = upto

    def _rest(self):
        """Everything is well again and nobody holds anything: every request is to be built, and just once."""
        if FAKETIME:
            # what was to be done at once when the clock was set back has waited for it
            self._disturbances.setClock(self.farm.clock + 4 * BACK)
        if self.farm.database:
            self.book.crashed()
            # a build that ends while the database is down stays claimed by Buildbot until its master is started anew
            self.farm.kill()
            self.farm.launchMaster()
        for name in WORKERS:
            worker = self.farm.worker(name)
            worker.signal(signal.SIGCONT)
            if not worker.running:
                worker.start()
            self._insist(self._orders.admin, name, "release")
            self._insist(self._orders.admin, name, "work", until=None)
            self._insist(self._orders.owner, name, "back")
        return afterwards.unbuilt(self.farm, self.book.requests, self.book.crashes) + afterwards.held(
            self.farm
        )

    def _insist(self, order, name, *what, **more):
        """Order it until it is acknowledged."""
        end = time.monotonic() + _PATIENCE
        while not order(name, *what, **more):
            if time.monotonic() > end:
                self._found.append(f"{what[0]!r} of {name}: not acknowledged within {_PATIENCE:.0f} s")
                return
            time.sleep(0.5)


def _lock_spans(notes):
    """(lock, exclusive, begin, end) of each build that held the lock `disk` and has said when it ended."""
    begun, spans = {}, []
    for note in notes:
        if note["what"] == "start" or note["builder"] not in {"counting", "exclusive"}:
            continue
        build = note["pid"], note["build"]
        if note["what"] == "begin":
            begun[build] = note
        elif build in begun:
            lock = f"disk on {note['worker']} of process {note['pid']}"
            spans.append((lock, note["builder"] == "exclusive", begun.pop(build)["at"], note["at"]))
    return spans
