"""What the tests of wake-ups have in common: a farm whose workers are held, and what is asked of its distributor and its database."""

import sqlalchemy as sa

from tests.master.fakemaster import MasterTestCase


class WakeupTestCase(MasterTestCase):
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
