"""Many masters, a database and a queue that fail at random, on a fake clock: after that all heed what is stored, within five seconds."""

import json
import random
from types import SimpleNamespace

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.farm.reconciliation import JITTER, ORDERED, PERIOD, Reconciliation
from presence.master.holding.recordtable import REVISION
from presence.master.holding.storedorders import Followed
from presence.model.states import Hold
from presence.orders.record import AdminRecord
from tests.searches import THOROUGH

#: Within this time after the last fault everybody agrees, in seconds.
AGREE = 5.0

SEEDS = 400 if THOROUGH else 40

WORKERS = [f"w{number}" for number in range(12)]


class World:
    """What all masters share: the clock, the database, and the queue."""

    def __init__(self, seed, masters, workers=WORKERS, share=2):
        self.random = random.Random(seed)
        self.workers, self.share = workers, len(workers) // share
        self.clock = Clock()
        self.clock.advance(1e9)
        self.revision = 0
        self.stored = dict.fromkeys(workers, 0)
        #: what it costs: statements, the rows that these read, messages to one master, and their bytes
        self.statements = self.rows = self.messages = self.size = 0
        self.down = False
        self.lossy = 0.0
        self.masters = [Master(self, number) for number in range(masters)]
        for each in self.masters:
            each.reconciliation.start()

    def ask(self, answer):
        """A statement: it takes its time, and what it reads is what there is at some moment of that; or it fails."""
        self.statements += 1
        done = Deferred()
        first, rest = self.random.uniform(0, 0.02), self.random.uniform(0, 0.5 if self.down else 0.02)

        def read():
            if self.down:
                self.clock.callLater(rest, done.errback, RuntimeError("the server has gone"))
            else:
                self.clock.callLater(rest, done.callback, answer())

        self.clock.callLater(first, read)
        return done

    def say(self, message):
        """To everybody, in whatever order it comes, unless it is lost."""
        self.count(message)
        for each in self.masters:
            if self.random.random() >= self.lossy and each.hear is not None:
                self.clock.callLater(self.random.uniform(0, 0.05), each.hear, ORDERED, message)

    def count(self, message):
        self.messages += len(self.masters)
        self.size += len(self.masters) * len(json.dumps(message))

    def costs(self, seconds):
        """What it has cost a second since this was asked last, `seconds` ago."""
        found = {name: getattr(self, name) / seconds for name in ("statements", "rows", "messages", "size")}
        self.statements = self.rows = self.messages = self.size = 0
        return found

    def order(self, names, killed=0.3):
        """Some master stores an order, and may be killed before it says so."""
        self.revision += 1
        self.stored.update(dict.fromkeys(names, self.revision))
        taker = self.random.choice(self.masters)
        if self.random.random() >= killed:
            taker.take(names, dict.fromkeys(names, self.revision))
            taker.stored(Followed(self.revision, dict.fromkeys(names, _Record(self.revision))))

    def disagreeing(self):
        """Who does not heed what is stored, and which revision it says that it heeds."""
        return [
            (each.number, each.reconciliation.revision)
            for each in self.masters
            if each.heeded != {name: self.stored[name] for name in each.heeded}
            or each.reconciliation.revision != self.revision
        ]


class _Record:
    """What is stored of a worker: its revision, and a hold, so that messages are as long as they are."""

    def __init__(self, revision):
        self.revision = revision

    def toDict(self):
        record = AdminRecord(Hold("admin", "the disk is full", "somebody@example.org", 1e9, 1e9 + 3600))
        return {**record.toDict(), "revision": self.revision}


class Master:
    """One of them, in the place of its database, its queue and its stored orders; it has a share of the workers."""

    def __init__(self, world, number):
        self.world = world
        self.number = number
        self.heeded = dict.fromkeys(world.random.sample(world.workers, world.share), 0)
        self.hear = None
        self.stored = None
        self.table = SimpleNamespace(farmStates=lambda *_: world.ask(lambda: {REVISION: world.revision}))
        self.reconciliation = Reconciliation(
            SimpleNamespace(reactor=world.clock, mq=self, masterid=number), self, self.checkHeeded
        )
        self.wrong = []

    def startConsuming(self, hear, _key):
        self.hear = hear
        return succeed(SimpleNamespace(stopConsuming=lambda: succeed(None)))

    def produce(self, _key, message):
        self.world.say(message)

    def reread(self, names=None):
        names = [name for name in (self.heeded if names is None else names) if name in self.heeded]
        if not names:
            return succeed(None)
        self.world.rows += len(names)
        found = self.world.ask(lambda: {name: self.world.stored[name] for name in names})
        return found.addCallback(lambda records: self.take(names, records))

    def takeTold(self, records):
        self.take(records, {name: record["revision"] for name, record in records.items()})
        return True

    def take(self, names, records):
        for name in names:
            if name in self.heeded:
                # (nothing that is older than what is known)
                self.heeded[name] = max(self.heeded[name], records[name])

    def checkHeeded(self, revision):
        """It says that it heeds all orders up to this: that has to be true in the moment in which it says so."""
        # (and it stores it, and says it to all others)
        self.world.statements += 1
        self.world.count({"masterid": self.number, "revision": revision})
        late = {
            name: (known, self.world.stored[name])
            for name, known in self.heeded.items()
            if known < self.world.stored[name] <= revision
        }
        if late:
            self.wrong.append((self.number, revision, late))


class SimulationTests(SynchronousTestCase):
    def play(self, seed, masters=4):
        """Half a minute of orders and faults, and what comes after it."""
        self.patch(random, "uniform", random.Random(seed).uniform)
        world = World(seed, masters)
        for _ in range(world.random.randrange(5, 40)):
            if world.random.random() < 0.3:
                world.down = not world.down
            if world.random.random() < 0.3:
                world.lossy = world.random.choice((0.0, 0.5, 1.0))
            if not world.down:
                world.order(world.random.sample(WORKERS, world.random.randrange(1, 4)))
            self.passTime(world, world.random.choice((0.0, 0.01, 0.3, 3.0)))
        world.down = False
        self.passTime(world, AGREE)
        self.assertEqual(world.disagreeing(), [], f"seed {seed}")
        self.assertEqual([each.wrong for each in world.masters if each.wrong], [], f"seed {seed}")
        return world

    def passTime(self, world, seconds):
        end = world.clock.seconds() + seconds
        while True:
            due = min((each.getTime() for each in world.clock.getDelayedCalls()), default=float("inf"))
            if due > end:
                break
            # (exactly then: a sum of floats may be a little less)
            world.clock.rightNow = max(world.clock.rightNow, due)
            world.clock.advance(0)
        world.clock.rightNow = end

    def test_agree(self):
        """Whatever is lost, and whenever the database is away, all agree within five seconds after it, and none says before that it
        heeds what it does not.
        """
        for seed in range(SEEDS):
            self.play(seed)

    def test_tenThousand(self):
        """So do ten masters with ten thousand workers, of which ten a second are ordered something; and what that costs is what
        docs/masters.rst says.
        """
        self.patch(random, "uniform", random.Random(1).uniform)
        world = World(2026, 10, [f"w{number}" for number in range(10_000 if THOROUGH else 500)], share=10)
        self.passTime(world, 10)
        world.costs(10)
        self.passTime(world, 20)
        rest = world.costs(20)
        self.orderEvenly(world, 20)
        busy = world.costs(20)
        world.lossy = 0.5
        self.orderEvenly(world, 10, killed=0.3)
        lossy = world.costs(10)
        world.lossy, world.down = 1.0, True
        self.passTime(world, 5)
        world.lossy, world.down = 0.0, False
        self.passTime(world, AGREE)
        self.assertEqual(world.disagreeing(), [])
        self.assertEqual([each.wrong for each in world.masters if each.wrong], [])
        self.assertLessEqual(rest["statements"], 5)
        self.assertEqual((rest["messages"], rest["rows"]), (0, 0))
        # one message of an order to each, and one of each of these to each that it is heeded, which each stores
        self.assertLessEqual(busy["messages"], 10 * (10 + 10 * 10))
        self.assertLessEqual(busy["size"], 10 * (10 * 400 + 10 * 10 * 40))
        self.assertLessEqual(busy["statements"], 5 + 10 * 10)
        # (who looks while a message is on its way reads everything)
        self.assertLessEqual(busy["rows"], len(world.workers) // 10)
        # of those of which nobody has heard everything is read
        self.assertLessEqual(lossy["statements"], 5 + 10 * 10 * 3)
        self.assertLessEqual(lossy["rows"], 10 * 10 * 2 * len(world.workers) // 10)

    def orderEvenly(self, world, seconds, killed=0.0):
        for _ in range(10 * seconds):
            world.order(world.random.sample(world.workers, 1), killed)
            self.passTime(world, 0.1)

    def test_large(self):
        """Ten masters do so, too, and ask the database once in two seconds each when nothing happens."""
        world = self.play(4711, masters=10)
        before = world.statements
        self.passTime(world, 30 * (PERIOD + JITTER))
        self.assertLessEqual(world.statements - before, 10 * (30 * (PERIOD + JITTER) / PERIOD + 1))
        for each in world.masters:
            each.reconciliation.stop()
        self.passTime(world, 1)
        self.assertEqual(world.clock.getDelayedCalls(), [])
