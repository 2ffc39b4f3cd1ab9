"""Two masters of one farm, at each of which admins hold, drain and release, all at once: the floor holds. A thousand farms.

The database is a table here that does one transaction at a time, in any order; what each master knows of the other's workers, and when, is
any as well. PRESENCE_FLOOR_SEEDS says how many times fifty farms there are.
"""

import random
from types import SimpleNamespace

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.holding import storedorders
from presence.master.holding.keepready import FloorGuard, KeepReady
from presence.master.holding.recordtable import Changed
from presence.master.holding.storedorders import StoredOrders
from presence.model.builderpresence import BuilderPresence
from presence.model.workerpresence import WorkerPresence
from presence.orders.record import AdminRecord
from presence.orders.refusals import OrderRefused
from presence.orders.workers import DrainOrder, HoldOrder, ReleaseOrder
from tests.each import seeds


class Table:
    """What is stored, for all masters; `waiting` are the transactions that have been begun, each done by `step()`."""

    def __init__(self):
        self.records = {}
        self.waiting = []

    def change(self, names, after, decision=None, check=None):
        done = Deferred()
        self.waiting.append((done, names, after, decision))
        return done

    def step(self, place):
        done, names, after, decision = self.waiting.pop(place)
        before = dict(self.records)
        try:
            if decision is not None:
                decision.check({name: before[name] for name in {*names, *decision.names} if name in before})
            found = {name: after(before.get(name, AdminRecord())) for name in names}
        except OrderRefused as refusal:
            return before, decision, refusal, fail(refusal).addErrback(done.errback)
        self.records.update(found)
        done.callback({name: Changed(record, True) for name, record in found.items()})
        return before, decision, None, succeed(None)


class Farm:
    """Two masters with some workers each, and floors."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.clock = Clock()
        self.clock.rightNow = 1000.0
        self.table = Table()
        self.names = [f"w{number}" for number in range(self.random.randint(2, 7))]
        self.presences = {name: WorkerPresence(name, self.clock) for name in self.names}
        self.keepReady = KeepReady({"b": self.random.choice([1, 2, "50%", "30%", "100%"]), "w[0-3]": 1})
        mine = {name for name in self.names if self.random.random() < 0.5}
        self.masters = [self.master(mine), self.master(set(self.names) - mine)]
        self.refused = self.stored = 0

    def master(self, mine):
        workers = {name: SimpleNamespace(workername=name, machine_name=None) for name in self.names}
        real = SimpleNamespace(
            reactor=self.clock,
            workers=SimpleNamespace(workers=workers),
            config=SimpleNamespace(multiMaster=True),
        )
        offline = {}
        for name in self.names:
            offline[name] = WorkerPresence(name, self.clock)
            offline[name].hold("offline")
        here = {name: self.presences[name] if name in mine else offline[name] for name in self.names}
        roster = SimpleNamespace(
            master=real,
            enrolled=lambda _: None,
            enrolledWorkers=(),
            workers=here,
            builders={"b": BuilderPresence("b", list(here.values()))},
            findWorker=here.get,
        )
        orders = StoredOrders(roster, lambda _: None)
        orders.table = self.table
        orders.floor = FloorGuard(roster, lambda _: (), self.elsewhere, self.everybody)
        orders.floor.keepReady = self.keepReady
        return orders

    def everybody(self):
        return [{"name": name, "groups": [], "builders": [1]} for name in self.names], {1: "b"}.get

    def elsewhere(self, name):
        presence = self.presences[name]
        holds = [{"source": each.source, "reason": None, "by": None} for each in presence.holds]
        return {"state": presence.state.value, "holds": holds}

    def ready(self, members, records, away):
        now = self.clock.seconds()
        holds = {name: record.hold for name, record in records.items()}
        held = {name for name, hold in holds.items() if hold and (hold.until is None or hold.until > now)}
        return sum(name not in held and name not in away for name in members)

    def order(self):
        master = self.random.choice(self.masters)
        names = self.random.sample(self.names, self.random.randint(1, len(self.names)))
        until = self.clock.seconds() + self.random.randint(1, 5)
        order = self.random.choice(
            [HoldOrder(), HoldOrder(until=until), DrainOrder(), ReleaseOrder(), HoldOrder(force=True)]
        )
        master.follow(names, order, "ann").addErrback(lambda failure: failure.trap(OrderRefused))

    def flip(self):
        presence = self.presences[self.random.choice(self.names)]
        presence.release("break") if presence.heldBy("break") else presence.hold("break")

    def check(self, test, before, decision, refusal):
        """By an account of its own: nothing that was not forced has left fewer than are to be kept, and nothing else was refused."""
        if decision is None:
            return
        worse = False
        for floor, members in self.keepReady.members({"b": self.names}, dict.fromkeys(self.names, ())):
            least = floor.of(len(members))
            was = self.ready(members, before, decision.away)
            asked = {name for name in members if name in decision.workers}
            would = self.ready([name for name in members if name not in asked], before, decision.away)
            if would < was and would < least:
                worse = True
        test.assertEqual(refusal is not None, worse, (before, decision))
        self.refused += refusal is not None
        self.stored += refusal is None


@seeds("PRESENCE_FLOOR_SEEDS", 8, "In the fifty farms that begin with seed {} the floor holds.", search=40)
class FloorSimulationTests(SynchronousTestCase):
    def simulate(self, seed):
        self.patch(storedorders._log, "info", lambda *_args, **_more: None)
        farms = [self.live(50 * seed + number) for number in range(50)]
        # the farms are such that both happens
        self.assertGreater(sum(farm.refused for farm in farms), 20)
        self.assertGreater(sum(farm.stored for farm in farms), 20)

    def live(self, seed):
        farm = Farm(seed)
        for _ in range(30):
            act = farm.random.random()
            if act < 0.4:
                farm.order()
            elif act < 0.5 and seed % 2:
                farm.flip()
            elif act < 0.6:
                farm.clock.advance(farm.random.choice([0.5, 1]))
            elif farm.table.waiting:
                place = farm.random.randrange(len(farm.table.waiting))
                before, decision, refusal, _ = farm.table.step(place)
                farm.check(self, before, decision, refusal)
        for presence in farm.presences.values():
            presence.stop()
        return farm
