from types import SimpleNamespace

from buildbot.process.results import CANCELLED, EXCEPTION, RETRY, SUCCESS
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.master.starting.lostworkers import guardChoice, guardPreparation
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


class GuardTests(SynchronousTestCase):
    """What is done where, on a build that is no build."""

    def setUp(self):
        self.said = []

        def note(name):
            return lambda *args: self.said.append((name, *args)) or succeed(None)

        self.build = SimpleNamespace(
            startBuild=lambda _: fail(RuntimeError("it went")),
            buildPreparationFailure=note("fail"),
            buildFinished=note("finished"),
            finished=False,
            stopped=False,
            workername="mac-mini",
            workerforbuilder=self.wfb(lost=True),
            _preparation_step=SimpleNamespace(stepid=7),
            master=SimpleNamespace(
                data=SimpleNamespace(
                    updates=SimpleNamespace(setStepStateString=note("state"), finishStep=note("finishStep"))
                )
            ),
        )

    def wfb(self, *, lost):
        return SimpleNamespace(worker=None if lost else SimpleNamespace(conn=object()))

    def guard(self, *, refused=False):
        guardPreparation(self.build, lambda: refused)
        return self.build

    def test_givenBack(self):
        """A build whose worker goes while it is prepared says so in its step, which is shown, and is tried again."""
        self.successResultOf(self.guard().startBuild(self.wfb(lost=True)))
        self.assertEqual(
            self.said,
            [
                ("state", 7, "worker lost while preparing"),
                ("finishStep", 7, EXCEPTION, False),
                ("finished", ["worker", "lost"], RETRY),
            ],
        )

    def test_isFinished(self):
        """One that has ended already ends once, and what else fails is told."""
        self.build.finished = True
        self.failureResultOf(self.guard().startBuild(self.wfb(lost=True)), RuntimeError)
        self.build.finished = False
        self.failureResultOf(self.build.startBuild(self.wfb(lost=False)), RuntimeError)
        self.assertEqual(self.said, [])

    def test_preparation(self):
        """What is refused is tried again and says so, also when the worker is lost besides; what is stopped, or fails
        otherwise, is Buildbot's.
        """
        self.build.workerforbuilder = self.wfb(lost=False)
        self.guard().buildPreparationFailure("why", "text")
        self.build.stopped = True
        self.build.buildPreparationFailure("why", "text")
        self.assertEqual(self.said, [("fail", "why", "text")] * 2)
        self.said.clear()
        self.setUp()
        self.guard(refused=True).buildPreparationFailure("why", "text")
        self.assertEqual(
            self.said,
            [("state", 7, "the worker accepts no build any more"), ("finishStep", 7, RETRY, False)],
        )

    def test_choice(self):
        """A start that fails, as its worker has gone meanwhile, is none; another failure is told."""
        workers = [self.wfb(lost=False)]

        class Builder:
            def maybeStartBuild(self, wfb, _requests):
                wfb.worker = workers[0].worker
                return fail(RuntimeError("it went"))

        builder = Builder()
        guardChoice(builder)
        self.failureResultOf(builder.maybeStartBuild(self.wfb(lost=False), []), RuntimeError)
        workers[:] = [self.wfb(lost=True)]
        self.assertIs(self.successResultOf(builder.maybeStartBuild(self.wfb(lost=False), [])), False)
