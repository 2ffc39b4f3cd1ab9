"""Whether a worker is paused and ends gracefully: stored and told as by Buildbot, with less."""

import sqlalchemy as sa

from presence.master.slave import flags
from tests.master.fakemaster import MasterTestCase

FLAGS = ("paused", "pause_reason", "graceful")


class FlagsTests(MasterTestCase):
    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("ours"), self.stock("stock")], connect=False)
        self.statements, self.told = 0, {"ours": [], "stock": []}
        sa.event.listen(self.master.db.pool.engine, "before_cursor_execute", self.executed)
        self.master.mq.startConsuming(
            lambda _, told: self.told[told["name"]].append({name: told[name] for name in FLAGS}),
            ("workers", None, "state_updated"),
        )

    def executed(self, _connection, _cursor, statement, *_):
        self.statements += "workers" in statement

    def stored(self, name):
        table = self.master.db.model.workers
        query = sa.select(*(table.c[each] for each in FLAGS)).where(table.c.name == name)
        row = self.resultOf(self.master.db.pool.do(lambda connection: connection.execute(query).one()))
        return dict(zip(FLAGS, row, strict=True))

    def both(self, do):
        """The same of both workers: how many statements each has taken."""
        taken = {}
        for name in self.told:
            before = self.statements
            do(name)
            self.pass_(1)
            taken[name] = self.statements - before
        return taken

    def assertAlike(self):
        self.assertEqual(self.stored("ours"), self.stored("stock"))
        self.assertEqual(self.told["ours"][-1], self.told["stock"][-1])

    def test_connecting(self):
        """A worker that connects takes three statements less, and its flags are told once, where the database takes any time."""
        waits = self.holdBack(flags._write)

        def connect(name):
            self.connect(name)
            self.pass_(1)
            while waits:
                waits.pop().callback(None)

        self.assertEqual(self.both(connect), {"ours": 7, "stock": 10})
        self.assertEqual([len(each) for each in self.told.values()], [1, 2])
        self.assertAlike()

    def test_asStock(self):
        """Whatever Buildbot does with a worker is stored, and told, as it does it."""
        self.both(self.connect)
        for do in (
            lambda name: self.worker(name).pause("a test"),
            lambda name: self.worker(name).pause(None),
            lambda name: self.worker(name).unpause(),
            lambda name: self.worker(name).shutdownRequested(),
        ):
            self.both(do)
            self.assertAlike()

    def test_lastIsLast(self):
        """What changes while it is stored is stored after that, however often it has changed."""
        self.connect("ours")
        worker, waits = self.worker("ours"), self.holdBack(flags._write)
        worker.pause("first")
        worker.unpause()
        worker.pause("last")
        self.assertEqual(len(waits), 1)
        waits[0].callback(None)
        self.pass_(1)
        self.assertEqual(len(waits), 2)
        self.assertEqual(self.stored("ours")["pause_reason"], "first")
        waits[1].callback(None)
        self.pass_(1)
        self.assertEqual(len(waits), 2)
        self.assertEqual(self.stored("ours"), {"paused": 1, "pause_reason": "last", "graceful": 0})

    def test_waitedFor(self):
        """It is among what Buildbot waits for before a worker's service ends."""
        self.connect("ours")
        waits = self.holdBack(flags._write)
        self.worker("ours").pause("a test")
        self.assertTrue(self.worker("ours")._deferwaiter.has_waited())
        waits[0].callback(None)
        self.pass_(1)
        self.assertFalse(self.worker("ours")._deferwaiter.has_waited())

    def test_failed(self):
        """What cannot be stored is logged, and stored with what comes next."""
        self.connect("ours")
        worker, waits = self.worker("ours"), self.holdBack(flags._write)
        worker.pause("first")
        worker.pause("second")
        waits[0].errback(OSError("the database is gone"))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        waits[1].errback(OSError("still gone"))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(self.stored("ours")["paused"], 0)
        worker.shutdownRequested()
        waits[2].callback(None)
        self.pass_(1)
        self.assertEqual(self.stored("ours"), {"paused": 1, "pause_reason": "second", "graceful": 1})
