"""What Buildbot claims and releases for a build is the same whether the gate lets it in or not."""

from buildbot.config import BuilderConfig
from buildbot.locks import MasterLock, WorkerLock
from buildbot.process.factory import BuildFactory
from buildbot.process.results import RETRY, SUCCESS

from tests.master.fakemaster import HOUR, Job
from tests.master.starting.test_lostworkers import STEPS, PreparationTestCase


class LockTestCase(PreparationTestCase):
    """Two builders of a worker that takes the lock, and shares it, for each of its builds; the builder `alone` of another
    worker wants it for itself.
    """

    def start(self, lock, controller):
        self.lock = lock
        workers = {"a": "mac-mini", "b": "mac-mini", "alone": "aarch64"}
        self.startMaster(
            [controller, self.slave("aarch64")],
            [
                BuilderConfig(
                    name,
                    workernames=[worker],
                    factory=BuildFactory([Job(self)]),
                    locks=[lock.access("exclusive")] if name == "alone" else [],
                )
                for name, worker in workers.items()
            ],
        )

    def slaveWith(self, lock, **kwargs):
        return self.slave("mac-mini", max_builds=2, locks=[lock.access("counting")], **kwargs)

    def owners(self):
        """How many own the lock."""
        real = self.resultOf(self.master.botmaster.getLockByID(self.lock, 0))
        return len(real.getLockForWorker("mac-mini").owners)

    def refuseSecond(self, refuse):
        """Build 1 runs; build 2 is refused at the last moment, by `refuse()`. The ids of their requests."""
        first = self.request("a")
        self.assertEqual((len(self.jobs), self.owners()), (1, 1))
        gate, waiting = self.delay(*STEPS["preparingWorker"])
        second = self.request("b")
        self.assertEqual(len(waiting), 1)
        refuse()
        gate.callback(None)
        self.pass_(1)
        self.assertEqual(self.results(second), [RETRY])
        self.assertEqual(len(self.jobs), 1)
        return first, second

    def assertStillLocked(self, first, second):
        """Build 1 has its lock, and gives it back; both requests are built."""
        self.assertEqual(self.owners(), 1)
        self.jobs[0].finish()
        self.pass_(1)
        self.assertEqual((self.results(first), self.owners()), ([SUCCESS], 0))
        self.setFree()
        self.pass_(HOUR)
        self.finishAll()
        self.assertEqual((self.results(second), self.owners()), ([RETRY, SUCCESS], 0))

    def setFree(self):
        self.presence().release("admin")


class LockTests(LockTestCase):
    """A build that is refused at the last moment gives away no lock of another one."""

    def hold(self):
        self.presence().hold("admin")

    def test_workerLock(self):
        """The lock of a worker stays with the build that runs there when the next one is refused."""
        lock = WorkerLock("disk", maxCount=2)
        self.start(lock, self.slaveWith(lock))
        self.assertStillLocked(*self.refuseSecond(self.hold))

    def test_masterLock(self):
        """So does a lock of the master: whoever wants that alone does not begin beside it."""
        lock = MasterLock("disk", maxCount=2)
        self.start(lock, self.slaveWith(lock))
        first, second = self.refuseSecond(self.hold)
        alone = self.request("alone")
        self.assertEqual([job.buildername for job in self.jobs], ["a"])
        self.assertEqual(self.owners(), 1)
        self.jobs[0].finish()
        # Buildbot itself does not hear that a worker has released it
        self.master.botmaster.maybeStartBuildsForAllBuilders()
        self.pass_(1)
        self.assertEqual([job.buildername for job in self.jobs], ["alone"])
        self.finishAll()
        self.setFree()
        self.pass_(1)
        self.finishAll()
        self.assertEqual(
            [self.results(brid) for brid in (first, alone, second)], [[SUCCESS], [SUCCESS], [RETRY, SUCCESS]]
        )

    def test_drain(self):
        """So it does when a drain refuses the next one."""
        lock = WorkerLock("disk", maxCount=2)
        self.start(lock, self.slaveWith(lock))
        first, second = self.refuseSecond(lambda: self.order("drain"))
        self.setFree = lambda: self.order("release")
        self.assertStillLocked(first, second)

    def order(self, action):
        self.resultOf(self.master.data.control(action, {}, ("presences", "mac-mini")))

    def test_break(self):
        """So it does when a break has begun."""
        lock = WorkerLock("disk", maxCount=2)
        slave = self.slaveWith(lock, onBreakDuring=("07:00", "08:00"), timezone="UTC")
        self.start(lock, slave)
        self.passUntil(self.at(7) - 5)
        self.assertStillLocked(*self.refuseSecond(lambda: self.passUntil(self.at(7))))

    def test_whatAllowsNoLock(self):
        """A build that finds no lock any more, as another one was faster, gives away none either."""
        lock = WorkerLock("disk", maxCount=2)
        self.start(lock, self.slaveWith(lock))
        first = self.request("a")
        gate, waiting = self.delay(*STEPS["preparingWorker"])
        second = self.request("b")
        self.assertEqual(len(waiting), 1)
        access = lock.access("counting")
        real = self.resultOf(self.master.botmaster.getLockByID(lock, 0)).getLockForWorker("mac-mini")
        real.claim(self, access)
        gate.callback(None)
        self.pass_(1)
        self.assertEqual((self.results(first), self.results(second)), ([None], [RETRY]))
        self.assertEqual(self.owners(), 2)
        real.release(self, access)
        self.worker("mac-mini").unpause()  # ends its quarantine
        self.pass_(1)
        self.finishAll()
        self.assertEqual(self.owners(), 0)

    def test_refusedWhenTold(self):
        """One that is refused when the worker is to be told has taken its lock, and gives it back."""
        lock = WorkerLock("disk", maxCount=2)
        self.start(lock, self.slaveWith(lock))
        first = self.request("a")
        gate, waiting = self.delay(*STEPS["ready"])
        second = self.request("b")
        self.assertEqual((len(waiting), self.owners()), (1, 2))
        self.hold()
        gate.callback(None)
        self.pass_(1)
        self.assertEqual(self.results(second), [RETRY])
        self.assertStillLocked(first, second)

    def test_latent(self):
        """The same holds for a latent worker, on which build 1 runs."""
        lock = WorkerLock("disk", maxCount=2)
        latent = self.latent("mac-mini", max_builds=2, locks=[lock.access("counting")])
        self.start(lock, latent)
        self.assertStillLocked(*self.refuseSecond(self.hold))

    def test_lostWithItsBuilds(self):
        """A worker that is lost while several builds run on it leaves no lock behind."""
        lock = MasterLock("disk", maxCount=2)
        self.start(lock, self.slaveWith(lock))
        self.request("a")
        self.request("b")
        self.assertEqual(self.owners(), 2)
        self.disconnect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.owners(), 0)

    def test_reconfig(self):
        """So it does when a reconfiguration holds the worker, and does not wait any more."""
        lock = WorkerLock("disk", maxCount=2)
        self.start(lock, self.slaveWith(lock))
        first, second = self.refuseSecond(lambda: self.presence().hold("reconfig"))
        self.setFree = lambda: self.presence().release("reconfig")
        self.assertStillLocked(first, second)
