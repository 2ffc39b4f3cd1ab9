from buildbot.process.results import CANCELLED, RETRY, SUCCESS
from twisted.internet.defer import Deferred

from tests.each import each
from tests.master.fakemaster import MasterTestCase

# The questions to the database between the choice of a worker and the start of its build, in their order: which
# of Buildbot's updates, and what is among its arguments.
STEPS = {
    "claiming": ("claimBuildRequests", ()),
    "adding": ("addBuild", ()),
    "preparationStep": ("startStep", ()),
    "properties": ("setBuildProperties", ()),
    "starting": ("setBuildStateString", ("starting",)),
    "preparingWorker": ("setBuildStateString", ("preparing worker",)),
    "pinging": ("setBuildStateString", ("pinging worker",)),
    "ready": ("setStepStateString", ("worker mac-mini ready",)),
    "prepared": ("finishStep", ()),
}


class PreparationTestCase(MasterTestCase):
    def delay(self, update, wanted):
        """Let the first such update of the database wait until the Deferred that this returns fires."""
        updates = self.master.data.updates
        original = getattr(updates, update)
        gate = Deferred()
        waiting = []

        def late(*args, **kwargs):
            if not waiting and all(each in args for each in wanted):
                waiting.append(update)
                return gate.addCallback(lambda _: original(*args, **kwargs))
            return original(*args, **kwargs)

        self.patch(updates, update, late)
        return gate, waiting


@each(STEPS, "Lost while the database is waited for ({}), the worker loses no request.")
class LostWorkerTests(PreparationTestCase):
    """A worker that is lost while its build is prepared: the request goes back to the queue."""

    def loseWhile(self, step):
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")])
        self.worker("aarch64").pause("it would be chosen as well")
        gate, waiting = self.delay(*STEPS[step])
        brid = self.request()
        self.assertEqual(len(waiting), 1, f"nothing waits for {step}")
        self.disconnect("mac-mini")
        gate.callback(None)
        self.pass_(1)
        return brid

    def check(self, step):
        brid = self.loseWhile(step)
        self.assertEqual(self.unclaimed(), [brid])
        self.assertEqual(self.starts, [])
        self.assertEqual(self.master.botmaster.builders["runtests"].building, [])
        self.worker("aarch64").unpause()
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["aarch64"])
        self.finishAll()
        lost = [] if step == "claiming" else [RETRY]
        self.assertEqual(self.results(brid), [*lost, SUCCESS])
        self.assertEqual(self.presence("mac-mini").running, 0)

    def test_sameWorkerLater(self):
        """The worker that was lost may build the request when it is back."""
        brid = self.loseWhile("pinging")
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])


class CancelledTests(PreparationTestCase):
    def test_beforeItsPreparation(self):
        """A request that is cancelled while its build is made ends, as in Buildbot it does not; its worker is free again."""
        self.startMaster([self.slave("mac-mini")])
        gate, _ = self.delay(*STEPS["adding"])
        brid = self.request()
        self.resultOf(self.master.data.control("cancel", {"reason": "no"}, ("buildrequests", brid)))
        gate.callback(None)
        self.pass_(1)
        self.assertEqual((self.results(brid), self.starts), ([CANCELLED], []))
        self.assertEqual(self.presence().running, 0)
        self.request()
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])


class RemovedWorkerTests(PreparationTestCase):
    """A worker that is removed from the configuration while it builds, or is about to."""

    def start(self):
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")])
        self.worker("aarch64").pause("it would be chosen as well")

    def assertRetried(self, brid):
        self.pass_(1)
        self.assertEqual(self.master.botmaster.builders["runtests"].building, [])
        self.worker("aarch64").unpause()
        self.pass_(1)
        self.assertEqual(self.startedOn()[-1], "aarch64")
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])

    def test_retried(self):
        """Its build is retried on another worker, and its request is not lost."""
        self.start()
        brid = self.request()
        self.reconfig([self.slave("aarch64")])
        self.assertRetried(brid)

    def test_whilePrepared(self):
        """So is one that is about to begin. The worker has no connection then; nobody takes it from the build."""
        self.start()
        gate, waiting = self.delay(*STEPS["prepared"])
        brid = self.request()
        self.assertEqual((len(waiting), self.starts), (1, []))
        self.reconfig([self.slave("aarch64")])
        gate.callback(None)
        self.assertRetried(brid)
