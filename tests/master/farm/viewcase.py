"""Several masters of one farm, as far as they tell each other of their workers: one database, one queue, one clock."""

from types import SimpleNamespace

from presence.master.farm.reconciliation import PERIOD
from presence.master.farm.seen.snapshots import Snapshots
from presence.master.farm.seen.unheard import TOLD, marksOf
from presence.master.holding.recordtable import REVISION, RecordTable
from tests.master.apicase import ApiTestCase


class Queue:
    """The connection of one master to the queue of all. `cut` lets nothing through."""

    def __init__(self, queue):
        self._queue = queue
        self.cut = False

    def produce(self, key, message):
        if not self.cut:
            self._queue.produce(key, message)

    def startConsuming(self, callback, key):
        return self._queue.startConsuming(lambda *said: self.cut or callback(*said), key)


class Member:
    """A master: its `snapshots`, the connections of its workers by name, and what it has been told."""

    def __init__(self, case, masterid, workers):
        master = case.master
        self.queue = Queue(master.mq)
        self.connections = dict.fromkeys(workers)
        self.stored = []
        self.changed = []
        self.due = []
        self.missed = []
        self.snapshots = Snapshots(
            SimpleNamespace(masterid=masterid, reactor=case.reactor, mq=self.queue, db=master.db),
            connection=self.connections.get,
            isConfigured=lambda name: name in self.connections,
            stored=self.stored.extend,
            changed=self.changed.extend,
            missed=self.missed.extend,
            due=lambda names: self.due.extend(names or ()),
        )

    def tell(self, name, running=0, **more):
        """Tell of a worker what is true of it here."""
        connected = self.connections[name] is not None
        holds = (
            []
            if connected
            else [{"source": "offline", "reason": None, "by": None, "since": 1.0, "until": None}]
        )
        entity = {
            "workerid": int(name[1:]),
            "name": name,
            "state": "AVAILABLE" if connected else "NOT_ACCEPTING_NEW_BUILDS",
            "holds": holds,
            "connected": connected,
            "running": running,
            "builders": [1],
            "back_at": None,
            "breaks": [],
            "partial_breaks": [],
            "blocked": [],
            "stale_since": None,
            **more,
        }
        self.snapshots.offer(name, entity, {})

    def connect(self, name):
        """The worker connects to this master, which tells of it."""
        self.connections[name] = object()
        self.tell(name)

    def killed(self):
        """Nothing that it would say from now on is said; what it has stored is stored."""
        self.queue.cut = True

    def sees(self, name):
        """What is told of a worker: (by which master, its state); None if nothing is."""
        known = self.snapshots.known.get(name)
        return known and (known.masterid, self.snapshots.entity(known)["state"])


class FarmTestCase(ApiTestCase):
    """Two masters with the workers w1 and w2, and one without any."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini")])
        self.members = []
        self.a, self.b = self.join("w1", "w2"), self.join("w1", "w2")
        self.ui = self.join()

    def join(self, *workers):
        """One master more."""
        member = Member(self, 101 + len(self.members), workers)
        self.members.append(member)
        self.resultOf(member.snapshots.start())
        self.addCleanup(lambda: self.resultOf(member.snapshots.stop()))
        self.pass_(0.2)
        return member

    def look(self, seconds):
        """Let time pass, and each master that lives look for orders every now and then."""
        for _ in range(int(seconds / PERIOD)):
            self.pass_(PERIOD)
            states = self.resultOf(RecordTable(self.master).farmStates(REVISION, TOLD))
            for each in self.members:
                if not each.queue.cut:
                    each.snapshots.looked(marksOf(states))

    def assertAllSee(self, name, masterid, state):
        self.assertEqual([each.sees(name) for each in self.members], [(masterid, state)] * len(self.members))
