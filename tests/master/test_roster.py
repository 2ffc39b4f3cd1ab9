import signal

from buildbot.locks import WorkerLock
from buildbot.worker.protocols import null
from twisted.internet.defer import Deferred

from presence.errors import PresenceStopped
from presence.master.assembly import Assembly
from presence.master.roster import Roster
from presence.model.clockguard import INTERVAL
from tests.master.fakemaster import DAY, HOUR, MasterTestCase


class RosterTests(MasterTestCase):
    """There is one roster for a master; it knows every worker and builder of the configuration."""

    def test_makesItself(self):
        """The first worker makes it, all share it, and stock workers and builders are in it too."""
        self.startMaster(
            [self.slave("mac-mini"), self.slave("aarch64"), self.stock("plain")],
            {"a": ["mac-mini", "plain"], "b": ["aarch64"]},
        )
        roster = self.resultOf(Roster.getService(self.master))
        self.assertIs(roster, self.roster)
        self.assertEqual(set(roster.workers), {"mac-mini", "aarch64", "plain"})
        self.assertEqual(
            {name: [worker.name for worker in builder.workers] for name, builder in roster.builders.items()},
            {"a": ["mac-mini", "plain"], "b": ["aarch64"]},
        )
        self.assertIs(self.worker("mac-mini").presence, roster.workers["mac-mini"])

    def test_signals(self):
        """Whoever ends the process of these tests ends them, and no master in it."""
        known = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
        before = [signal.getsignal(each) for each in known]
        self.startMaster([self.slave("mac-mini")])
        self.assertEqual([signal.getsignal(each) for each in known], before)

    def test_noRoster(self):
        """A master with stock workers only has none."""
        self.startMaster([self.stock("plain")])
        self.assertNotIn(Roster.getName(), self.master.namedServices)

    def test_stockWorkersOnly(self):
        """Whoever asks for it on a master of stock workers gets one that knows them; the rest comes with the first worker of
        ours, by a reconfig too, and finds the same roster.
        """
        self.startMaster([self.stock("plain")], {"a": ["plain"]})
        roster = self.resultOf(Roster.getService(self.master))
        self.assertIs(self.successResultOf(roster.builder("a").waitUntilReady()), roster.worker("plain"))
        self.assertNotIn(Assembly.getName(), self.master.namedServices)
        self.reconfig([self.stock("plain"), self.slave("mac-mini")], {"a": ["plain"], "b": ["mac-mini"]})
        self.connect("mac-mini")
        self.pass_(1)
        self.assertIs(self.roster, roster)
        self.assertIs(self.worker("mac-mini").presence, roster.worker("mac-mini"))
        self.assertEqual(self.assembly.entities.builder("b", {})["ready"], 1)

    def test_unknownBuilder(self):
        """Asking for a builder that is not in the configuration is a `KeyError`."""
        self.startMaster([self.slave("mac-mini")])
        self.assertRaises(KeyError, self.roster.builder, "nobody")

    def test_waitForABuilder(self):
        """Whoever waits for a builder is fired with the first worker that is back from its break."""
        self.setClock(8)
        self.startMaster(
            [
                self.slave("mac-mini", onBreakDuring=("07:00", "19:00"), timezone="UTC"),
                self.slave("aarch64", onBreakDuring=("07:00", "17:00"), timezone="UTC"),
            ]
        )
        ready = self.roster.builder("runtests").waitUntilReady()
        self.assertEqual(self.roster.builder("runtests").backAt, self.at(17))
        self.passUntil(self.at(17) - 1)
        self.assertNoResult(ready)
        self.passUntil(self.at(17))
        self.assertIs(self.successResultOf(ready), self.presence("aarch64"))

    def test_stop(self):
        """When the master stops, all who wait get `PresenceStopped`, and the guard stops ticking."""
        self.startMaster([self.slave("mac-mini")], connect=False)
        waiters = [self.presence().waitUntilReady(), self.roster.builder("runtests").waitUntilReady()]
        (ticker,) = self.tickers
        self.assertTrue(ticker.running)
        self.stopMaster()
        for waiter in waiters:
            self.failureResultOf(waiter, PresenceStopped)
        self.assertFalse(ticker.running)


class NoPollingTests(MasterTestCase):
    """Between two transitions a master wakes up for nothing, but for one guard, which has a thread of its own."""

    def test_aHundredWorkers(self):
        """A hundred workers on breaks: one timer each, which goes off at its next transition, and no other."""
        controllers = [self.stock("plain")]
        for number in range(100):
            window = (f"{7 + number % 5:02}:00", f"{13 + number % 7:02}:30")
            controllers.append(
                self.slave(f"w{number}", onBreakDuring=window, timezone="UTC", missing_timeout=None)
            )
        self.startMaster(controllers, {"runtests": ["plain"]}, connect=False)
        self.assertEqual(len(self.tickers), 1)
        self.assertEqual(self.tickers[0].interval, INTERVAL)
        timers = sorted(
            call.getTime() for call in self.reactor.getDelayedCalls() if "_missing_timer" not in str(call)
        )
        self.assertEqual(len(timers), 100)
        self.assertEqual({self.at(hour) for hour in range(7, 12)}, set(timers))
        turns = []
        self.turned = lambda: turns.append(self.hour())
        self.passUntil(self.at(6.9))
        self.assertEqual(turns, [])
        self.passUntil(self.at(12))
        hours = {round(turn, 3) for turn in turns}
        self.assertEqual(hours, {7, 8, 9, 10, 11})
        self.assertEqual(sum(not worker.ready for worker in self.roster.workers.values()), 101)

    def test_theGuardTicks(self):
        """A tick of the guard, when the clock has not jumped, asks no schedule anything."""
        self.startMaster([self.slave("mac-mini", onBreakDuring=("07:00", "19:00"), timezone="UTC")])
        (ticker,) = self.tickers
        ticker.tick()
        asked = []
        self.patch(type(self.worker("mac-mini").breakTimer), "reconsider", lambda timer: asked.append(timer))
        for _ in range(10):
            self.pass_(INTERVAL)
            ticker.tick()
        self.assertEqual(asked, [])


class ClockTests(MasterTestCase):
    """The state is right as soon as the master runs again, and never flips early."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini", onBreakDuring=("07:00", "19:00"), timezone="UTC")])

    def test_suspendedIntoTheBreak(self):
        """The master sleeps from before the break until into it."""
        self.jump(3 * HOUR)
        self.request()
        self.assertEqual(self.sources(), ["break"])
        self.assertEqual(self.starts, [])
        self.passUntil(self.at(19) - 1)
        self.assertEqual(self.starts, [])
        self.passUntil(self.at(19))
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_suspendedOutOfTheBreak(self):
        """The master sleeps from before the break until after it."""
        self.request()
        self.finishAll()
        self.jump(14 * HOUR)
        self.assertEqual(self.sources(), [])
        self.passUntil(self.at(24 + 7))
        self.assertEqual(self.sources(), ["break"])

    def test_suspendedForDays(self):
        """The master sleeps in a break and wakes in that of some days later."""
        self.passUntil(self.at(8))
        self.jump(3 * DAY)
        self.assertEqual(self.sources(), ["break"])
        self.assertEqual(self.presence().backAt, self.at(3 * 24 + 19))

    def test_setBackIntoTheBreak(self):
        """After the break the clock is set back: it is in the break again, until its end."""
        self.passUntil(self.at(19.5))
        self.assertEqual(self.sources(), [])
        self.jump(-2 * HOUR)
        self.assertEqual(self.sources(), ["break"])
        self.passUntil(self.at(19) - 0.001)
        self.assertEqual(self.sources(), ["break"])
        self.passUntil(self.at(19))
        self.assertEqual(self.sources(), [])

    def test_setBackBeforeTheBreak(self):
        """In the break the clock is set back before it: it may build, until the break begins again."""
        self.passUntil(self.at(7.5))
        self.jump(-HOUR)
        self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()
        self.passUntil(self.at(7))
        self.assertEqual(self.sources(), ["break"])

    def test_requestBeforeTheGuardLooks(self):
        """The clock is set back into the break, and the guard has not looked yet: no build starts."""
        self.passUntil(self.at(20))
        self.setClock(18)
        self.request()
        self.assertEqual(self.starts, [])
        self.assertEqual(self.sources(), ["break"])

    def test_wakeUpAfterSetBack(self):
        """A clock that is set back keeps no wake-up waiting for as long."""
        self.presence().hold("admin")
        self.request()
        wakeup = self.assembly.wakeup
        wakeup.workerReady("nobody")
        self.pass_(0)
        self.presence().release("admin")  # within the pause after that
        self.assertEqual(self.starts, [])
        self.jump(-DAY)
        self.assertEqual(self.startedOn(), ["mac-mini"])


class LikeStockTests(MasterTestCase):
    """What is no matter of breaks is as with Buildbot's own worker."""

    def test_duplicateConnection(self):
        """A second connection is refused while the first is alive; nothing changes."""
        self.startMaster([self.slave("mac-mini")])
        connection = self.worker("mac-mini").conn
        second = null.Connection(self.controllers["mac-mini"].remote_worker)
        self.failureResultOf(self.master.workers.newConnection(second, "mac-mini"), RuntimeError)
        self.assertIs(self.worker("mac-mini").conn, connection)
        self.assertEqual(self.sources(), [])
        self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_deadConnection(self):
        """A second connection is taken when the first does not answer; the worker is offline in between."""
        self.startMaster([self.slave("mac-mini")])
        connection = self.worker("mac-mini").conn
        connection.remotePrint = lambda message: Deferred()
        second = null.Connection(self.controllers["mac-mini"].remote_worker)
        accepted = self.master.workers.newConnection(second, "mac-mini")
        self.pass_(11)
        self.assertTrue(self.successResultOf(accepted))
        self.assertEqual(self.sources(), ["offline"])
        self.resultOf(self.worker("mac-mini").attached(second))
        self.assertEqual(self.sources(), [])
        self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_maxBuilds(self):
        """Not more builds run at once than `max_builds`; being busy is no hold."""
        self.startMaster([self.slave("mac-mini", max_builds=1)], {"a": ["mac-mini"], "b": ["mac-mini"]})
        self.request("a")
        self.request("b")
        self.assertEqual(len(self.jobs), 1)
        self.assertTrue(self.presence().ready)
        self.jobs[0].finish()
        self.pass_(1)
        self.assertEqual([start.builder for start in self.starts], ["a", "b"])

    def test_locks(self):
        """A lock of the worker lets one build run at a time, also when one was refused in between."""
        lock = WorkerLock("cpu", maxCount=1)
        self.startMaster(
            [self.slave("mac-mini", locks=[lock.access("exclusive")])], {"a": ["mac-mini"], "b": ["mac-mini"]}
        )
        self.request("a")
        self.request("b")
        self.assertEqual(len(self.jobs), 1)
        self.presence().hold("admin")
        self.finishAll()
        self.assertEqual(len(self.starts), 1)
        self.presence().release("admin")
        self.pass_(1)
        self.assertEqual([start.builder for start in self.starts], ["a", "b"])
