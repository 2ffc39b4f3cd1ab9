import sqlalchemy as sa

from presence.master import wakeup
from tests.master.fakemaster import MasterTestCase


class WakeupTests(MasterTestCase):
    """What waits starts at once when a worker becomes ready, for as little work as can be."""

    def startFarm(self, workers=3, builders=None):
        names = [f"w{number}" for number in range(workers)]
        self.startMaster(
            [self.slave(name) for name in names], builders or {"a": names, "b": names, "c": names}
        )
        for name in names:
            self.presence(name).hold("admin")
        self.pass_(1)
        self.calls = []
        real = self.master.botmaster.brd.maybeStartBuildsOn

        def maybeStartBuildsOn(names):
            self.calls.append(sorted(names))
            return real(names)

        self.patch(self.master.botmaster.brd, "maybeStartBuildsOn", maybeStartBuildsOn)
        return names

    def release(self, *names):
        for name in names:
            self.presence(name).release("admin")

    def countStatements(self):
        """A list to which every SQL statement is appended from now on."""
        statements = []

        def executed(connection, cursor, statement, *rest):
            statements.append(statement)

        engine = self.master.db.pool.engine
        sa.event.listen(engine, "before_cursor_execute", executed)
        self.addCleanup(sa.event.remove, engine, "before_cursor_execute", executed)
        return statements

    def test_oneCall(self):
        """All workers that become ready in one reactor turn make one call, for the builders with requests."""
        names = self.startFarm()
        self.request("a")
        self.request("c")
        self.calls.clear()
        self.release(*names)
        self.assertEqual(self.calls, [])
        self.reactor.advance(0)
        self.assertEqual(self.calls, [["a", "c"]])
        self.assertEqual(sorted(start.builder for start in self.starts), ["a", "c"])

    def test_onlyItsBuilders(self):
        """A builder that does not use the worker is not woken, even if it has requests."""
        self.startFarm(2, {"a": ["w0"], "b": ["w1"]})
        self.request("a")
        self.request("b")
        self.calls.clear()
        self.release("w0")
        self.reactor.advance(0)
        self.assertEqual(self.calls, [["a"]])

    def test_nothingWaits(self):
        """When nothing waits, a thousand flips make no call, and a wake-up is three SQL statements at most."""
        names = self.startFarm(5)
        statements = self.countStatements()
        self.release(*names)
        self.reactor.advance(0)
        self.assertEqual(self.calls, [])
        self.assertTrue(1 <= len(statements) <= 3, statements)

    def test_whatIsClaimedDoesNotWait(self):
        """Requests whose builds run, or have finished, wake nobody."""
        self.startFarm(2)
        self.release("w0")
        self.pass_(1)
        self.request("a")
        self.request("b")
        self.jobs[0].finish()
        self.pass_(1)
        self.calls.clear()
        self.release("w1")
        self.pass_(1)
        self.assertEqual(self.calls, [])

    def test_flapping(self):
        """A worker that flaps a thousand times a second costs one wake-up in each `PAUSE`."""
        self.startFarm(1)
        statements = self.countStatements()
        for _ in range(1000):
            self.release("w0")
            self.presence("w0").hold("admin")
            self.pass_(0.001)
        self.assertLessEqual(len(statements), 3 * (1 / wakeup.PAUSE + 2))
        self.assertGreaterEqual(len(statements), 1)

    def test_theLastFlipCounts(self):
        """A worker that becomes ready within the pause after a wake-up is heard at its end."""
        self.startFarm(2)
        self.release("w0")
        self.reactor.advance(0)
        self.pass_(wakeup.PAUSE / 2)
        self.request("a")
        self.finishAll()
        self.presence("w0").hold("admin")
        brid = self.request("a")
        self.release("w1")
        self.pass_(wakeup.PAUSE)
        self.assertEqual(self.results(brid), [None])

    def test_atTheEndOfABreak(self):
        """Two hundred requests for four builders begin to be built at the instant at which the break ends."""
        names = ["w0", "w1"]
        controllers = [self.slave(name, onBreakDuring=("06:30", "08:00"), timezone="UTC") for name in names]
        self.startMaster(controllers, dict.fromkeys("abcd", names))
        self.passUntil(self.at(7))
        for letter in "abcd" * 2:
            self.request(letter)
        self.passUntil(self.at(8))
        self.assertEqual({start.at for start in self.starts}, {self.at(8)})
        self.assertEqual(len(self.starts), 8)

    def test_theDatabaseFails(self):
        """When the question which builders have requests fails, all builders of the worker are woken."""
        self.startFarm(2, {"a": ["w0"], "b": ["w0"], "c": ["w1"]})
        self.request("a")

        def fail(connection):
            raise RuntimeError("the database is gone")

        real = self.master.db.pool.do
        self.patch(self.master.db.pool, "do", lambda thd, *args, **kwargs: real(fail))
        self.calls.clear()
        self.release("w0")
        self.patch(
            self.master.botmaster.brd, "maybeStartBuildsOn", lambda names: self.calls.append(sorted(names))
        )
        self.reactor.advance(0)
        self.patch(self.master.db.pool, "do", real)
        self.assertEqual(self.calls, [["a", "b"]])
        self.flushLoggedErrors(RuntimeError)

    def test_unclaimedLater(self):
        """A request that goes back to the queue after the question wakes its builder by itself."""
        self.startFarm(2)
        self.release("w0")
        self.pass_(1)
        brid = self.request("a")
        self.release("w1")
        self.reactor.advance(0)
        self.disconnect("w0")
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["w0", "w1"])
        self.finishAll()
        self.assertEqual(self.results(brid)[-1], 0)

    def test_stopped(self):
        """After the master has stopped nobody is woken, and nothing is left behind."""
        self.startFarm(2)
        self.request("a")
        roster = self.roster
        self.release("w0")
        self.calls.clear()
        self.stopMaster()
        roster._wakeup.workerReady("w1")
        self.assertEqual(self.calls, [])


class QuestionTests(MasterTestCase):
    """`builderidsWithUnclaimedRequests` says which builders have something to build."""

    def ask(self):
        return self.resultOf(wakeup.builderidsWithUnclaimedRequests(self.master))

    def test_laws(self):
        """Requests in the queue count, each builder once; those that are claimed or complete do not."""
        self.startMaster([self.slave("w0", max_builds=1)], {"a": ["w0"], "b": ["w0"]})
        ids = {name: self.resultOf(self.master.data.updates.findBuilderId(name)) for name in "ab"}
        self.assertEqual(self.ask(), [])
        self.request("a")
        self.assertEqual(self.ask(), [])
        self.request("b")
        self.request("b")
        self.assertEqual(self.ask(), [ids["b"]])
        self.request("a")
        self.assertEqual(self.ask(), sorted(ids.values()))
        self.finishAll()
        self.assertEqual(self.ask(), [])
