"""What a change of presence costs in SQL statements. They are exact, and so the bounds are laws."""

from contextlib import contextmanager

import sqlalchemy as sa

from presence.master.starting.wakeup import Wakeup
from presence.model.gathering import PAUSE
from tests.master.fakemaster import MasterTestCase


class StatementTests(MasterTestCase):
    """The mass return, the restart and the flapping worker, against what they contain."""

    @contextmanager
    def statements(self):
        """All that are executed meanwhile."""
        found = []

        def executed(connection, cursor, statement, *rest):
            found.append(statement)

        engine = self.master.db.pool.engine
        sa.event.listen(engine, "before_cursor_execute", executed)
        try:
            yield found
        finally:
            sa.event.remove(engine, "before_cursor_execute", executed)

    def startFarm(self, workers, builders, *, ours=True, connect=True):
        """A new master, on which all workers work for all builders: the names of both."""
        if getattr(self, "master", None) is not None:
            self.stopMaster()
        names = [f"w{number}" for number in range(workers)]
        wanted = [f"b{number}" for number in range(builders)]
        self.starts.clear()
        self.startMaster(
            [(self.slave if ours else self.stock)(name) for name in names],
            dict.fromkeys(wanted, names),
            connect=connect,
        )
        return names, wanted

    def costOfReturn(self, workers, builders, waiting, *, stock=False, ideal=False):
        """All workers return in one tick."""
        ours = not (stock or ideal)
        names, wanted = self.startFarm(workers, builders, ours=ours)
        wanted = wanted[:waiting]
        for name in names:
            if ours:
                self.presence(name).hold("break")
            else:
                self.worker(name).pause("lunch")
        self.pass_(1)
        for name in wanted:
            self.request(name)
        if ideal:
            for name in names:
                self.worker(name)._paused = False
        with self.statements() as found:
            if ideal:
                self.master.botmaster.brd.maybeStartBuildsOn(wanted)
            for name in names:
                if ours:
                    self.presence(name).release("break")
                elif stock:
                    self.worker(name).unpause()
            self.pass_(2)
        self.assertEqual(len(self.starts), waiting)
        return len(found)

    def test_nothingWaits(self):
        """When nothing waits the return of all workers is three statements at most, however many there are."""
        self.assertLessEqual(self.costOfReturn(2, 2, 0), 3)
        self.assertLessEqual(self.costOfReturn(7, 9, 0), 3)

    def test_someWait(self):
        """With builders that have requests it is less than the ideal: three statements for each of them, as they are not
        sorted one by one.
        """
        for workers, builders, waiting in ((3, 4, 2), (4, 6, 6)):
            ours = self.costOfReturn(workers, builders, waiting)
            ideal = self.costOfReturn(workers, builders, waiting, ideal=True)
            self.assertLessEqual(ours, ideal - 3 * waiting)

    def test_againstStock(self):
        """It is a fiftieth of stock Buildbot's `unpause()`, the builds themselves subtracted: twelve workers and as
        many builders are enough for that, and with more it is even less.
        """
        ours = self.costOfReturn(12, 12, 0)
        stock = self.costOfReturn(12, 12, 0, stock=True)
        self.assertGreaterEqual(stock, 50 * ours)

    def costOfRestart(self, waiting, woken=True):
        """Four workers connect within a second, after the requests have come."""
        names, wanted = self.startFarm(4, 6, connect=False)
        wanted = wanted[:waiting]
        for name in wanted:
            self.request(name)
        unheard = None if woken else self.patch(Wakeup, "workerReady", lambda wakeup, name: None)
        with self.statements() as found:
            for name in names:
                self.connect(name)
                self.pass_(1 / len(names))
            self.pass_(2)
        if unheard is not None:
            unheard.restore()
            with self.statements() as kick:
                self.master.botmaster.brd.maybeStartBuildsOn(wanted)
                self.pass_(2)
            self.assertEqual(len(self.starts), waiting)
            return len(found), len(kick)
        self.assertEqual(len(self.starts), waiting)
        return len(found)

    def test_restart(self):
        """When all connect again, the kicks of all together cost at most 1.1 × one of the builders with requests."""
        for waiting in (2, 6):
            woken = self.costOfRestart(waiting)
            unheard, kick = self.costOfRestart(waiting, woken=False)
            self.assertLessEqual(woken - unheard, 1.1 * kick)

    def test_restartOfAnIdleMaster(self):
        """When nothing waits, that all connect again within a second is asked for three times at most."""
        woken = self.costOfRestart(0)
        unheard, _ = self.costOfRestart(0, woken=False)
        self.assertLessEqual(woken - unheard, 3)

    def test_flapping(self):
        """A worker that flaps a thousand times a second costs no more than one that does it every 100 ms."""

        def cost(pause):
            with self.statements() as found:
                for _ in range(round(10 / pause)):
                    self.presence().hold("worker")
                    self.presence().release("worker")
                    self.pass_(pause)
                self.pass_(2)
            return len(found)

        self.startMaster([self.slave("mac-mini")], {name: ["mac-mini"] for name in "abcd"})
        # one question a second; where the seconds begin, and so whether the last one is asked, is not the same
        self.assertLessEqual(cost(0.001), cost(PAUSE) + 1)
