from datetime import timezone

from buildbot.config import BuilderConfig
from buildbot.locks import MasterLock, WorkerLock
from buildbot.process.factory import BuildFactory

from presence.commands.master.text import AdminText
from presence.words.holds import stateText
from tests.master.apicase import ApiTestCase
from tests.master.fakemaster import Job
from tests.master.quiescecase import QuiesceTestCase


class BlocksCase(ApiTestCase):
    def builder(self, name, *workers, **more):
        return BuilderConfig(name, workernames=list(workers), factory=BuildFactory([Job(self)]), **more)

    def states(self):
        """What each worker is called, and why nothing starts on it though nothing holds it."""
        self.pass_(0.5)
        found = {}
        for each in self.getAll("presences"):
            self.assertEntity(each)
            found[each["name"]] = (stateText(each), [block["text"] for block in each["blocked"]])
        return found

    def builders(self):
        return {
            each["name"]: (each["state"] == "AVAILABLE", each["ready"], each["reason"])
            for each in self.getAll("builderpresences")
        }

    def announced(self):
        """What each worker was called last in an event."""
        return {each["name"]: stateText(each) for each in self.changes()}


class BlocksTests(BlocksCase):
    """No worker is called available while nothing would start on it."""

    def test_workersLock(self):
        """A worker whose lock another worker's build has is not available until that releases it; those who listen hear both."""
        lock = MasterLock("db").access("exclusive")
        self.startMaster(
            [self.slave("a", locks=[lock]), self.stock("b", locks=[lock]), self.slave("free")],
            {"on-a": ["a"], "on-b": ["b"], "any": ["b", "free"]},
        )
        free = {name: ("available", []) for name in ("a", "b", "free")}
        self.assertEqual(self.states(), free)
        self.request("on-a")
        taken = "waits for the lock db, which on-a #1 has"
        # who builds is busy, which is something else
        self.assertEqual(self.states(), {**free, "b": ("waiting for a lock", [taken])})
        self.assertEqual(self.announced(), {"a": "available", "b": "waiting for a lock"})
        self.assertEqual(
            self.builders(),
            {"on-a": (True, 1, None), "on-b": (False, 0, f"b: {taken}"), "any": (True, 1, None)},
        )
        entity = self.getOne(f"buildrequests/{self.request('on-b')}/presence")
        self.assertEqual([each["text"] for each in entity["summary"]], [f"b: {taken}"])
        (row,) = [each for each in self.getAll("presences") if each["name"] == "b"]
        self.assertIn(taken, AdminText(self.reactor.seconds(), timezone.utc).workers([row]))
        self.changes()
        self.jobs[0].finish()
        self.pass_(0.5)
        self.jobs[0].finish()
        self.assertEqual(self.states(), free)
        self.assertEqual(self.announced()["b"], "available")
        self.assertEqual(self.builders()["on-b"], (True, 1, None))

    def test_ownLock(self):
        """What the builds of a worker have taken does not block it: it is busy, and then free."""
        lock = WorkerLock("disk").access("exclusive")
        self.startMaster([self.slave("mac-mini", locks=[lock], max_builds=2)])
        self.request()
        self.assertEqual(self.states(), {"mac-mini": ("available", [])})
        self.assertEqual(self.assembly._blocks.ofWorker("mac-mini"), ())
        self.finishAll()
        self.assertEqual(self.states(), {"mac-mini": ("available", [])})
        self.assertNotIn("waiting for a lock", self.announced().values())

    def test_buildersLock(self):
        """A worker is not available when a lock of all its builders is taken elsewhere; nor are these."""
        lock = MasterLock("db").access("exclusive")
        self.startMaster(
            [self.slave("a"), self.slave("b"), self.slave("c")],
            [
                self.builder("one", "a", locks=[lock]),
                self.builder("two", "b", "c", locks=[lock]),
                self.builder("free", "c"),
            ],
        )
        self.request("one")
        text = "waits for the lock db, which one #1 has"
        self.assertEqual(
            self.states(),
            {"a": ("available", []), "b": ("waiting for a lock", [text]), "c": ("available", [])},
        )
        self.assertEqual(
            self.builders(), {"one": (True, 1, None), "two": (False, 0, text), "free": (True, 1, None)}
        )
        self.finishAll()
        self.assertEqual(self.states()["b"], ("available", []))
        self.assertEqual(self.builders()["two"], (True, 2, None))

    def test_heldForGood(self):
        """A lock whose owner nobody knows, and who never releases it, is told of too."""
        lock = MasterLock("db").access("exclusive")
        self.startMaster([self.slave("mac-mini", locks=[lock])])
        self.states()
        ((real, access),) = self.worker("mac-mini").locks
        owner = object()
        real.claim(owner, access)
        self.assertEqual(self.states(), {"mac-mini": ("waiting for a lock", ["waits for the lock db"])})
        real.release(owner, access)
        self.assertEqual(self.states(), {"mac-mini": ("available", [])})

    def test_foundLate(self):
        """Locks that Buildbot finds after it has told of the configuration, as it does when it starts, count for each worker."""
        lock = MasterLock("db").access("exclusive")
        names = ("a", "b", "c")
        self.startMaster([self.slave(name, locks=[lock]) for name in names], connect=False)
        found = {name: self.worker(name).locks for name in names}
        for name in names:
            self.worker(name).locks = None
        self.assembly._blocks.follow()
        self.pass_(0.5)
        for name in names:
            self.worker(name).locks = found[name]
            self.connect(name)
        self.states()
        self.request()
        self.assertEqual(
            sorted(state for state, _ in self.states().values()), ["available"] + ["waiting for a lock"] * 2
        )

    def test_reconfigured(self):
        """A lock that a worker needs no longer does not block it, nor does one that nobody listens to any more."""
        lock = MasterLock("db").access("exclusive")
        self.startMaster([self.slave("mac-mini", locks=[lock])])
        ((real, access),) = self.worker("mac-mini").locks
        real.claim(self, access)
        self.assertEqual(self.states()["mac-mini"][0], "waiting for a lock")
        self.reconfig([self.slave("mac-mini")])
        self.assertEqual(self.states()["mac-mini"], ("available", []))


class ReconfigBlocksTests(QuiesceTestCase, BlocksCase):
    """The same while a reconfig waits."""

    def test_reconfigWaits(self):
        """A builder that a waiting reconfig holds is not available, nor a worker that has no other; then they are again."""
        a, b = self.stock("a", max_builds=1), self.stock("b", max_builds=1)
        self.farm(a, b, builders={"going": ["b", "a"], "stays": ["b"]})
        self.request("stays")
        self.request("going")
        self.assertEqual(self.startedOn(), ["b", "a"])
        self.jobs[0].finish()
        self.write(a, b, builders={"stays": ["a", "b"]})
        self.order()
        why = "held for a reconfiguration (the builder is removed from the configuration)"
        # b has another one, and a builds
        self.assertEqual(self.states(), {"a": ("available", []), "b": ("available", [])})
        self.assertEqual(self.builders(), {"going": (False, 0, why), "stays": (True, 1, None)})
        self.write(a, b, builders={"other": ["a", "b"]})
        self.order()
        self.assertEqual(self.states(), {"a": ("available", []), "b": ("not accepting", [why])})
        self.assertEqual(self.announced()["b"], "not accepting")
        self.assertEqual(self.builders(), {"going": (False, 0, why), "stays": (False, 0, why)})
        self.assertTrue(self.quiesce.cancel("ann"))
        self.assertEqual({state for state, _ in self.states().values()}, {"available"})
        self.assertEqual(self.announced()["b"], "available")
        self.assertEqual(self.builders(), {"going": (True, 2, None), "stays": (True, 1, None)})

    def test_workerTaken(self):
        """A builder from which a reconfig that waits takes a worker has one less that is ready, and is told why if it was the last."""
        a, b = self.stock("a"), self.stock("b")
        self.farm(a, b, builders={"one": ["a", "b"], "two": ["a"]})
        self.request("two")
        self.write(a, b, builders={"one": ["b", "a"], "two": ["b"]})
        self.order()
        self.pass_(0.5)
        why = "a: held for a reconfiguration (the worker is taken from the builder)"
        self.assertEqual(self.builders(), {"one": (True, 2, None), "two": (False, 0, why)})
