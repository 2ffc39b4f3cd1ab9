"""A site's `prioritizeBuilders` may leave builders out."""

import sqlalchemy as sa
from twisted.internet.task import deferLater

from tests.master.fakemaster import MINUTE, MasterTestCase


class LeftOutTests(MasterTestCase):
    def begin(self, prioritize):
        """`free` could be built by nobody, and `left` is left out: both have requests, and a worker that is ready."""
        names = ["w0", "w1"]
        self.sorted = []

        def prioritizeBuilders(master, builders):
            self.sorted.append(sorted(builder.name for builder in builders))
            return prioritize(builders)

        self.startMaster(
            [self.slave(name) for name in names],
            {"left": names, "stuck": names},
            prioritizeBuilders=prioritizeBuilders,
        )
        # in a real master the database is asked, which takes a moment
        self.master.botmaster.builders["stuck"].config.canStartBuild = lambda *_: deferLater(
            self.reactor, 0.01, lambda: False
        )
        self.request("left")
        self.request("stuck")
        for name in names:
            self.presence(name).hold("admin")
            self.presence(name).release("admin")
        self.pass_(5)

    def assertQuiet(self):
        self.sorted.clear()
        statements = self.statements()
        self.pass_(MINUTE)
        self.assertEqual((self.sorted, statements), ([], []))

    def statements(self):
        """A list to which every SQL statement is appended from now on."""
        statements = []

        def executed(connection, cursor, statement, *rest):
            statements.append(statement)

        engine = self.master.db.pool.engine
        sa.event.listen(engine, "before_cursor_execute", executed)
        self.addCleanup(sa.event.remove, engine, "before_cursor_execute", executed)
        return statements

    def test_noPolling(self):
        """A builder that is left out, and another one that cannot start, do not make the master poll."""
        self.begin(lambda builders: [each for each in builders if each.name != "left"])
        self.assertQuiet()

    def test_noPollingWhileBusy(self):
        """Nor do they when the one that is left out is asked for while the distributor is about the other one."""
        self.begin(lambda builders: [each for each in builders if each.name != "left"])
        for _ in range(3):
            for name in ("w0", "w1"):
                self.presence(name).hold("admin")
                self.presence(name).release("admin")
            self.pass_(0.05)
        self.pass_(5)
        self.assertQuiet()

    def test_leftOutForNow(self):
        """One that was left out is built when it is left out no longer, and something makes a build possible."""
        left_out = [True]
        self.begin(lambda builders: [each for each in builders if each.name != "left" or not left_out])
        left_out.clear()
        self.presence("w0").hold("admin")
        self.presence("w0").release("admin")
        self.pass_(1)
        self.assertEqual([start.builder for start in self.starts], ["left"])
        self.finishAll()

    def test_fails(self):
        """One that fails is Buildbot's business: it logs that, and the order is unspecified."""

        def prioritize(_):
            raise RuntimeError("a mistake in master.cfg")

        self.begin(prioritize)
        self.assertEqual([start.builder for start in self.starts], ["left"])
        self.finishAll()
        self.flushLoggedErrors(RuntimeError)
