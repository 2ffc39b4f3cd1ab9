from pathlib import Path

import sqlalchemy as sa
from buildbot.db.model import Model
from twisted.trial.unittest import SynchronousTestCase

from presence.master.holding.leftovers import Leftover, databaseOf, findLeftovers, hasName, removeLeftovers
from presence.master.holding.recordtable import RecordTable
from presence.orders.record import AdminRecord
from tests.master.fakemaster import MasterTestCase


class LeftoversTests(MasterTestCase):
    """What is left in the database of a farm that has gone back to stock workers."""

    def order(self, name, action, **params):
        self.resultOf(self.master.data.control(action, params, ("presences", name)))

    def do(self, function, *args):
        def thd(connection):
            with connection.begin():
                return function(connection, *args)

        return self.resultOf(self.master.db.pool.do(thd))

    def begin(self):
        self.startMaster([self.slave(name) for name in ("aarch64", "mac-mini", "riscv")])
        self.order("mac-mini", "hold", reason="disk")
        self.order("aarch64", "hold")
        self.order("aarch64", "release")

    def goBack(self):
        for name in ("aarch64", "mac-mini", "riscv"):
            self.disconnect(name)
        self.reconfig([self.stock(name) for name in ("aarch64", "mac-mini", "riscv")])

    def test_found(self):
        """Each worker of which something is stored is told, and whether that would hold it."""
        self.begin()
        self.goBack()
        released, held = self.do(findLeftovers)
        self.assertEqual(released, Leftover("aarch64", AdminRecord()))
        self.assertEqual((held.worker, held.record.hold.reason), ("mac-mini", "disk"))
        self.assertEqual((released.holds, held.holds), (False, True))

    def test_comesBack(self):
        """A hold that is not removed comes back when the farm adopts presence again; one that is does not."""
        self.begin()
        self.order("riscv", "hold")
        self.goBack()
        self.assertEqual(self.do(removeLeftovers, ["riscv", "nobody"]), 1)
        self.reconfig([self.slave(name) for name in ("aarch64", "mac-mini", "riscv")])
        self.assertEqual(
            {name: "admin" in self.sources(name) for name in self.controllers},
            {"aarch64": False, "mac-mini": True, "riscv": False},
        )

    def test_all(self):
        """All of it can be removed, and nothing else is."""
        self.begin()
        before = self.query(sa.select(Model.object_state))
        self.assertEqual(self.do(removeLeftovers, []), 0)
        self.assertTrue(self.do(hasName))
        self.assertEqual(self.do(removeLeftovers), 2)
        self.assertEqual(self.do(findLeftovers), [])
        self.assertFalse(self.do(hasName))
        self.assertEqual(len(self.query(sa.select(Model.object_state))), len(before) - 2)

    def test_whateverItIs(self):
        """A name under which no order was ever stored is found, too, as that of the notices."""
        self.begin()
        self.assertEqual(self.do(removeLeftovers), 2)
        self.resultOf(self.master.db.state.getObjectId("presence", "presence.Notices"))
        self.assertTrue(self.do(hasName))
        self.assertEqual(self.do(removeLeftovers), 0)
        self.assertFalse(self.do(hasName))

    def test_services(self):
        """What Buildbot has stored for each `BuildSlave`, as for any service, is removed, and no other name."""
        self.begin()
        names = self.query(sa.select(Model.objects.c.class_name))
        self.assertIn(("presence.master.buildslave.BuildSlave",), names)
        self.do(removeLeftovers)
        left = self.query(sa.select(Model.objects.c.class_name))
        self.assertEqual(set(names) - set(left), {each for each in names if each[0].startswith("presence.")})

    def test_unreadable(self):
        """What cannot be read is told, and would hold the worker."""
        self.begin()
        state = self.master.db.state
        objectid = self.resultOf(RecordTable(self.master).objectId())
        self.resultOf(state.setState(objectid, "riscv", "nonsense"))
        self.assertEqual(self.do(findLeftovers)[-1], Leftover("riscv", None))
        self.assertTrue(Leftover("riscv", None).holds)


class DatabaseTests(SynchronousTestCase):
    """The database of a master that does not run."""

    def basedir(self, db_url):
        directory = Path(self.mktemp())
        directory.mkdir()
        (directory / "buildbot.tac").write_text("configfile = 'master.cfg'\n")
        (directory / "master.cfg").write_text(
            "from buildbot.plugins import util, worker\n"
            "from buildbot.config import BuilderConfig\n"
            "c = BuildmasterConfig = {}\n"
            "c['workers'] = [worker.Worker('a', 'b')]\n"
            "c['builders'] = [BuilderConfig('x', workernames=['a'], factory=util.BuildFactory())]\n"
            "c['multiMaster'] = True  # another one has the schedulers\n"
            "c['protocols'] = {'null': {}}\n"
            f"c['db_url'] = {db_url}\n"
        )
        return str(directory.resolve())

    def test_itsDatabase(self):
        """It is found as master.cfg says, also where that is relative to the directory."""
        basedir = self.basedir("'sqlite:///state.sqlite'")
        engine = sa.create_engine(f"sqlite:///{basedir}/state.sqlite")
        Model.metadata.create_all(engine, [Model.objects, Model.object_state])
        engine.dispose()
        with databaseOf(basedir) as connection:
            self.assertEqual(findLeftovers(connection), [])
            self.assertEqual(removeLeftovers(connection), 0)

    def test_rendered(self):
        """One that only a running master can work out is an error that says so."""
        basedir = self.basedir("util.Interpolate('sqlite:///%(secret:x)s')")
        with self.assertRaisesRegex(ValueError, "only a running master"), databaseOf(basedir):
            pass
