from buildbot.process.results import RETRY, SUCCESS
from buildbot.worker.base import AbstractWorker
from twisted.internet.defer import Deferred

from presence.master.buildslave import BuildSlave, PresenceMixin
from tests.master.fakemaster import HOUR, MINUTE, MasterTestCase

WORKING_HOURS = ("07:00", "19:00")


class BreakTests(MasterTestCase):
    """No build starts during a break; what runs, runs on; what waits starts at the end."""

    def test_noBuildStartsDuringABreak(self):
        """A build that is requested during the break waits, and starts at its end, not a moment earlier."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS, timezone="UTC")])
        self.passUntil(self.at(8))
        brid = self.request()
        self.passUntil(self.at(19) - 0.001)
        self.assertEqual(self.starts, [])
        self.assertEqual(self.unclaimed(), [brid])
        self.passUntil(self.at(19))
        self.assertEqual([start.at for start in self.starts], [self.at(19)])

    def test_theBuildThatRunsFinishes(self):
        """The build that runs when the break begins is not touched, and finishes during it."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS, timezone="UTC")])
        brid = self.request()
        self.passUntil(self.at(10))
        self.assertEqual(self.sources(), ["break"])
        self.finishAll()
        self.assertEqual(self.results(brid), [SUCCESS])

    def test_anotherWorkerBuilds(self):
        """What one worker does not build because of its break, another one does."""
        self.startMaster(
            [self.slave("mac-mini", onBreakDuring=WORKING_HOURS, timezone="UTC"), self.slave("aarch64")]
        )
        self.passUntil(self.at(8))
        self.request()
        self.assertEqual(self.startedOn(), ["aarch64"])

    def test_workAnyway(self):
        """While its breaks are suspended it builds, and not a moment longer."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS, timezone="UTC")])
        self.passUntil(self.at(8))
        self.request()
        self.worker("mac-mini").breakTimer.suspend(self.at(9))
        self.pass_(0)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()
        self.passUntil(self.at(9))
        self.assertEqual(self.sources(), ["break"])

    def test_afterARestart(self):
        """A worker that connects to a new master in the middle of its break gets no build before its end."""
        self.setClock(12)
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS, timezone="UTC")], connect=False)
        self.request()
        self.connect("mac-mini")
        self.passUntil(self.at(19) - 1)
        self.assertEqual(self.starts, [])
        self.passUntil(self.at(19))
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_running(self):
        """The presence knows how many builds run, and that none does."""
        self.startMaster([self.slave("mac-mini")], {"a": ["mac-mini"], "b": ["mac-mini"]})
        self.request("a")
        self.request("b")
        presence = self.presence()
        self.assertEqual(presence.running, 2)
        idle = presence.waitUntilIdle()
        self.jobs[0].finish()
        self.pass_(1)
        self.assertEqual(presence.running, 1)
        self.assertNoResult(idle)
        self.jobs[0].finish()
        self.pass_(1)
        self.assertIs(self.successResultOf(idle), presence)

    def test_runningAfterALostConnection(self):
        """A build that is lost with the connection runs no longer."""
        self.startMaster([self.slave("mac-mini")])
        self.request()
        self.disconnect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.presence().running, 0)
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.presence().running, 1)
        self.finishAll()
        self.assertEqual(self.presence().running, 0)


class LastMomentTests(MasterTestCase):
    """Between the choice of a worker and the start of a build Buildbot waits for the database."""

    def setUp(self):
        super().setUp()
        self.slow = []

    def slowDown(self, method):
        """Let `method` of `data.updates` wait until `goOn()`."""
        real = getattr(self.master.data.updates, method)

        def wait(*args, **kwargs):
            deferred = Deferred()
            self.slow.append(deferred)
            deferred.addCallback(lambda _: real(*args, **kwargs))
            return deferred

        self.patch(self.master.data.updates, method, wait)

    def goOn(self):
        while self.slow:
            self.slow.pop().callback(None)
            self.reactor.advance(0)
        self.pass_(0.5)

    def assertRefused(self, brid, name="mac-mini"):
        self.assertNotIn(name, self.startedOn())
        self.assertEqual(self.presence(name).running, 0)
        self.assertIsNone(self.worker(name).quarantine_timer)
        self.assertEqual(self.worker(name).quarantine_timeout, AbstractWorker.quarantine_initial_timeout)
        self.assertIn(RETRY, self.results(brid))

    def check_breakBegins(self, method):
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS, timezone="UTC")])
        self.slowDown(method)
        brid = self.request()
        self.assertEqual((len(self.slow), self.starts), (1, []))
        self.passUntil(self.at(7))
        self.goOn()
        self.assertRefused(brid)
        self.assertEqual(self.unclaimed(), [brid])
        self.passUntil(self.at(19) - 1)
        self.assertEqual(self.starts, [])
        self.passUntil(self.at(19))
        self.goOn()
        self.assertEqual([start.at for start in self.starts], [self.at(19)])
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])

    def test_breakBeginsWhileClaiming(self):
        """A break begins while the request is claimed: the build does not start before the break has ended."""
        self.check_breakBegins("claimBuildRequests")

    def test_breakBeginsWhilePreparing(self):
        """A break begins while the build is written to the database: it does not start before its end."""
        self.check_breakBegins("addBuild")

    def test_breakBeginsJustBefore(self):
        """A break begins at the last thing that is written before the worker is asked to build: likewise."""
        self.check_breakBegins("generateNewBuildEvent")

    def test_adminHolds(self):
        """An admin's hold comes in between: the build does not start before it is released, and then at once."""
        self.startMaster([self.slave("mac-mini")])
        self.slowDown("addBuild")
        brid = self.request()
        self.presence().hold("admin", reason="maintenance", by="admin")
        self.goOn()
        self.assertRefused(brid)
        self.pass_(HOUR)
        self.assertEqual(self.starts, [])
        self.presence().release("admin")
        self.pass_(0)
        self.goOn()
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_anotherWorkerTakesIt(self):
        """What a worker refuses at the last moment starts at once on another one that is ready."""
        self.startMaster(
            [self.slave("mac-mini"), self.slave("aarch64")],
            select_next_worker=lambda builder, workers, request: max(workers, key=lambda w: w.worker.name),
        )
        self.slowDown("addBuild")
        brid = self.request()
        self.presence("mac-mini").hold("admin")
        self.goOn()
        self.goOn()
        self.assertRefused(brid)
        self.assertEqual(self.startedOn(), ["aarch64"])

    def test_comesBackInTime(self):
        """A hold that has come and gone in between refuses nothing."""
        self.startMaster([self.slave("mac-mini")])
        self.slowDown("addBuild")
        brid = self.request()
        self.presence().hold("admin")
        self.presence().release("admin")
        self.goOn()
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.assertEqual(self.results(brid), [None])

    def test_aRealFailureIsStillQuarantined(self):
        """After a refusal, a build that cannot be prepared still puts the worker in Buildbot's quarantine."""
        self.startMaster([self.slave("mac-mini")])
        self.slowDown("addBuild")
        self.request()
        self.presence().hold("admin")
        self.goOn()
        self.assertIsNone(self.worker("mac-mini").quarantine_timer)
        self.worker("mac-mini").putInQuarantine()
        self.assertIsNotNone(self.worker("mac-mini").quarantine_timer)
        self.presence().release("admin")

    def test_lateTimer(self):
        """The master slept over the beginning of the break: the clock counts, not the timer that is late."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS, timezone="UTC")])
        self.slowDown("addBuild")
        brid = self.request()
        self.setClock(8)  # and what the database says is heard before the timer
        self.slow.pop().callback(None)
        self.pass_(1)
        self.assertRefused(brid)

    def test_breakBeginsDuringThePing(self):
        """A break begins while the worker is asked whether it is there: the build does not start."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=WORKING_HOURS, timezone="UTC")])
        pong = Deferred()
        self.worker("mac-mini").conn.remotePrint = lambda message: pong
        brid = self.request()
        self.passUntil(self.at(7) + MINUTE)
        del self.worker("mac-mini").conn.remotePrint
        pong.callback(None)
        self.pass_(1)
        self.assertRefused(brid)
        # what was refused is no error
        self.assertEqual(self.flushLoggedErrors(), [])
        self.passUntil(self.at(19))
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])


class ImpatientBuildSlave(BuildSlave):
    """One with a gate of its own."""

    impatient = False

    def canStartBuild(self):
        return not self.impatient and super().canStartBuild()


class ShortGateTests(MasterTestCase):
    """While nothing holds it a worker of ours is asked as a stock worker is."""

    def test_nothingOfOursIsAsked(self):
        """Buildbot's own method answers for a worker that is ready, and ours for one that is held."""
        self.startMaster([self.slave("mac-mini")])
        worker = self.worker("mac-mini")
        self.assertIs(worker.canStartBuild.__func__, AbstractWorker.canStartBuild)
        self.assertTrue(worker.canStartBuild())
        self.presence().hold("admin")
        self.assertIs(worker.canStartBuild.__func__, PresenceMixin.canStartBuild)
        self.assertFalse(worker.canStartBuild())
        self.presence().release("admin")
        worker._paused = True
        self.assertFalse(worker.canStartBuild())

    def test_subclass(self):
        """The gate of a subclass is asked in either case."""
        self.startMaster([self.slave("mac-mini", ImpatientBuildSlave)])
        worker = self.worker("mac-mini")
        self.assertTrue(worker.canStartBuild())
        worker.impatient = True
        self.request()
        self.assertEqual(self.starts, [])

    def test_stopped(self):
        """A worker that is removed from the configuration has no short way left."""
        self.startMaster([self.slave("mac-mini"), self.slave("other")])
        worker = self.worker("mac-mini")
        self.reconfig([self.slave("other")])
        self.presence("other").hold("admin")
        self.assertNotIn("canStartBuild", vars(worker))
