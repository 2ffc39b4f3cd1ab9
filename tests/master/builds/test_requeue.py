from buildbot.process.results import CANCELLED, RETRY, SUCCESS
from twisted.internet.defer import Deferred

from presence.master.builds.requeue import CHILDREN_LAST, GRACE, Requeue
from tests.master.fakemaster import HOUR, Job, MasterTestCase
from tests.master.triggers import family


class RequeueTests(MasterTestCase):
    def startMaster(self, *args, **more):
        super().startMaster(*args, **more)
        self.requeue = Requeue(self.reactor)
        self.addCleanup(self.requeue.stop)

    @property
    def running(self):
        """All builds of Buildbot that run."""
        return [build for builder in self.master.botmaster.builders.values() for build in builder.building]

    def send(self, name="mac-mini"):
        """Hold the worker, and send its builds back."""
        self.presence(name).hold("admin")
        meant = [build for build in self.running if build.workername == name]
        self.requeue.send(meant, "the deadline has come")

    def startRunning(self):
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")], builders={"runtests": ["mac-mini"]})
        brid = self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])
        return brid

    def interruptedLate(self):
        """Let a job that is interrupted take its time; what ends it then."""
        self.patch(Job, "interrupt", lambda job, reason: None)
        (job,) = self.jobs
        return lambda: job.finish(CANCELLED)

    def stateString(self):
        return self.query(self.master.db.model.builds.select())[0].state_string

    def test_builtAgain(self):
        """What is interrupted is RETRY, its request is in the queue again, and is built when it may."""
        brid = self.startRunning()
        self.send()
        self.pass_(1)
        self.assertEqual((self.results(brid), self.unclaimed(), self.running), ([RETRY], [brid], []))
        self.assertEqual(self.stateString(), "retry (the deadline has come)")
        self.presence().release("admin")
        self.pass_(1)
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])

    def test_clockSetBack(self):
        """When the clock is set back an hour, a build that does not end is not waited for an hour longer: once more as long."""
        self.startRunning()
        self.interruptedLate()
        self.send()
        self.pass_(GRACE / 2)
        self.reactor.rightNow -= HOUR
        self.requeue.clockJumped()
        self.pass_(GRACE - 1)
        self.assertIsNotNone(self.worker("mac-mini").conn)
        self.pass_(2)
        self.assertIsNone(self.worker("mac-mini").conn)

    def test_buildbotLosesIt(self):
        """Buildbot's own stopBuild(…, RETRY), which its quick clean shutdown uses, loses the request."""
        brid = self.startRunning()
        self.running[0].stopBuild("quick", RETRY)
        self.pass_(1)
        self.assertEqual((self.results(brid), self.unclaimed()), ([CANCELLED], []))

    def test_cancelledStaysCancelled(self):
        """A build that a person has cancelled before is not built again, though it has not ended yet."""
        brid = self.startRunning()
        end = self.interruptedLate()
        self.running[0].stopBuild("not wanted")
        self.send()
        end()
        self.pass_(1)
        self.assertEqual((self.results(brid), self.unclaimed()), ([CANCELLED], []))

    def test_cancelledAfterwards(self):
        """So is one that a person cancels while it ends."""
        brid = self.startRunning()
        end = self.interruptedLate()
        self.send()
        self.resultOf(self.master.data.control("cancel", {"reason": "no"}, ("buildrequests", brid)))
        self.pass_(1)
        end()
        self.pass_(1)
        self.assertEqual((self.results(brid), self.unclaimed()), ([CANCELLED], []))

    def test_doesNotEnd(self):
        """The connection of a worker that does not end its builds is cut, and the request is not lost."""
        brid = self.startRunning()
        self.patch(Job, "interrupt", lambda job, reason: None)
        self.send()
        self.pass_(GRACE - 1)
        self.assertIsNotNone(self.worker("mac-mini").conn)
        self.patch(Job, "interrupt", lambda job, reason: job.finish(CANCELLED))
        self.pass_(2)
        self.assertIsNone(self.worker("mac-mini").conn)
        self.assertEqual((self.results(brid), self.unclaimed(), self.running), ([RETRY], [brid], []))

    def test_endedByItself(self):
        """Nobody's connection is cut when all have ended in time."""
        self.startRunning()
        self.send()
        self.pass_(HOUR)
        self.assertIsNotNone(self.worker("mac-mini").conn)

    def test_beingPrepared(self):
        """A build that is being prepared goes back, and does not put the worker in quarantine."""
        self.startMaster([self.slave("mac-mini")])
        slow = Deferred()
        add = self.master.data.updates.addBuild
        self.patch(
            self.master.data.updates,
            "addBuild",
            lambda **kwargs: slow.addCallback(lambda _: add(**kwargs)),
        )
        brid = self.request()
        self.send()
        slow.callback(None)
        self.pass_(1)
        self.assertEqual((self.unclaimed(), self.starts, self.running), ([brid], [], []))
        self.assertIsNone(self.worker("mac-mini").quarantine_timer)
        self.flushLoggedErrors()

    def test_child(self):
        """A build that another one waits for is built elsewhere, and the other one does not notice."""
        self.startMaster(
            [self.slave("mac-mini"), self.slave("aarch64"), self.slave("ppc")],
            **family(self, {"parent": (["ppc"], "child"), "child": (["mac-mini", "aarch64"], None)}),
            select_next_worker=lambda builder, workers, request: max(workers, key=lambda w: w.worker.name),
        )
        parent = self.request("parent")
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["ppc", "mac-mini"])
        self.send()
        self.pass_(CHILDREN_LAST + 1)
        self.assertEqual(self.startedOn(), ["ppc", "mac-mini", "aarch64"])
        self.finishAll()
        self.assertEqual(self.results(parent), [SUCCESS])
        self.assertEqual(self.results(parent + 1), [RETRY, SUCCESS])

    def test_parentAndChild(self):
        """When both are interrupted the child is cancelled, as the parent triggers another one when it is built."""
        self.startMaster(
            [self.slave("mac-mini")],
            **family(self, {"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}),
        )
        parent = self.request("parent")
        self.pass_(1)
        self.assertEqual(len(self.running), 2)
        self.send()
        self.pass_(CHILDREN_LAST + 1)
        self.assertEqual((self.running, self.unclaimed()), ([], [parent]))
        self.assertEqual(self.results(parent + 1), [CANCELLED])
        self.presence().release("admin")
        self.pass_(1)
        self.finishAll()
        self.assertEqual(self.results(parent), [RETRY, SUCCESS])
        self.assertEqual(self.results(parent + 2), [SUCCESS])
