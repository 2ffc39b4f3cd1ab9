"""What admins order of many workers is stored of all of them, or of none, by real servers of databases.

PRESENCE_DATABASES=required makes a failure of what is skipped where a server is not installed.
"""

import json
import os
import threading
from types import SimpleNamespace

import sqlalchemy as sa
from buildbot.db.enginestrategy import create_engine
from buildbot.db.model import Model
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from presence.master.holding.recordtable import REVISION, RecordTable
from presence.master.stored.objects import FARM, WORKERS
from presence.master.stored.rows import Rows
from presence.orders.floor import Floor, FloorDecision
from presence.orders.record import AdminRecord
from presence.orders.refusals import OrderRefused
from presence.orders.workers import HoldOrder, WorkOrder
from tests.databases.servers import MariaDB, PostgreSQL

# more than are asked for with one SELECT
NAMES = [f"mac-{number}" for number in range(600)]

# how long the one waits for the other at most, in seconds
PATIENCE = 60


class RecordTables:
    """The laws, for each server."""

    database = None
    #: what is added to the URL
    options = ""

    def setUp(self):
        if self.database.program is None:
            if os.environ.get("PRESENCE_DATABASES") == "required":
                self.fail(f"{self.database.__name__} is not installed")
            raise SkipTest(f"{self.database.__name__} is not installed")
        url = self.database(self).start().url
        self.engine = create_engine(url + self.options, basedir=".")
        self.addCleanup(self.engine.dispose)
        Model.metadata.create_all(self.engine, tables=[Model.objects, Model.object_state])
        with self.engine.begin() as connection:
            for name, kind in (WORKERS, FARM):
                connection.execute(sa.insert(Model.objects).values(name=name, class_name=kind))
            chosen = sa.select(Model.objects.c.id).order_by(Model.objects.c.id)
            self.objectid, self.farmid = connection.execute(chosen).scalars()

    def change(self, names, order, by="ann", decision=None):
        """As the pool of Buildbot does it, which tries again after a deadlock."""
        table = RecordTable(SimpleNamespace(db=SimpleNamespace(model=Model), reactor=Clock()))
        while True:
            try:
                with self.engine.connect() as connection:
                    return table._change(
                        connection,
                        Rows(Model.object_state, self.objectid),
                        sorted(names),
                        lambda record: record.after(order, by, 7.0),
                        farm=Rows(Model.object_state, self.farmid),
                        decision=decision,
                        check=None,
                    )
            except sa.exc.OperationalError as problem:  # noqa: PERF203
                if not self.engine.should_retry(problem):
                    raise

    def stored(self):
        with self.engine.connect() as connection:
            rows = connection.execute(
                sa.select(Model.object_state.c.name, Model.object_state.c.value_json).where(
                    Model.object_state.c.objectid == self.objectid
                )
            )
            return {name: AdminRecord.fromDict(json.loads(value)) for name, value in rows}

    def revision(self):
        with self.engine.connect() as connection:
            chosen = sa.select(Model.object_state.c.value_json).where(
                Model.object_state.c.objectid == self.farmid, Model.object_state.c.name == REVISION
            )
            return json.loads(connection.execute(chosen).scalar())

    def test_counted(self):
        """Orders that come at once, the very first ones too, get numbers one after the other; one that changes nothing gets none."""
        everybody = threading.Barrier(4)

        def order(worker):
            everybody.wait(PATIENCE)
            for until in (7.0, 8.0, 8.0):
                self.change([worker], WorkOrder(until))

        others = [threading.Thread(target=order, args=(name,), daemon=True) for name in NAMES[:3]]
        for each in others:
            each.start()
        order(NAMES[3])
        for each in others:
            each.join(PATIENCE)
        self.assertEqual(self.revision(), 8)
        latest = [each.revision for each in self.stored().values()]
        self.assertEqual((len(set(latest)), max(latest)), (4, 8))

    def test_floor(self):
        """Of masters that would together leave too few workers ready, each with orders of its own, so many are refused that enough stay."""
        floor = (Floor("b", 3), tuple(NAMES[:8]))
        everybody, refused = threading.Barrier(8), []

        def order(worker):
            everybody.wait(PATIENCE)
            decision = FloorDecision(frozenset([worker]), (floor,), {}, lambda: 7.0)
            if isinstance(self.change([worker], HoldOrder(), decision=decision), OrderRefused):
                refused.append(worker)

        others = [threading.Thread(target=order, args=(name,), daemon=True) for name in NAMES[1:8]]
        for each in others:
            each.start()
        order(NAMES[0])
        for each in others:
            each.join(PATIENCE)
        held = [name for name, each in self.stored().items() if each.hold is not None]
        self.assertEqual((len(refused), sorted([*held, *refused])), (3, NAMES[:8]))

    def test_all(self):
        """New ones and known ones are stored together."""
        self.change(NAMES[:300], WorkOrder(9.0))
        found = self.change(NAMES, HoldOrder("disks"))
        self.assertEqual(self.stored(), {name: each.record for name, each in found.items()})
        self.assertEqual({each.hold.reason for each in self.stored().values()}, {"disks"})
        self.assertEqual([each.workUntil for each in self.stored().values()].count(9.0), 300)

    def test_none(self):
        """When the server refuses one of them nothing is stored of any, and what was there stays."""
        self.change(NAMES[:300], HoldOrder("before"))
        before = self.stored()
        write = Rows.write

        def last_twice(rows, connection, values, known):
            write(rows, connection, values, known)
            if NAMES[-1] in values:
                # there is one row for each, says the table
                write(rows, connection, {NAMES[-1]: values[NAMES[-1]]}, ())

        self.patch(Rows, "write", last_twice)
        self.assertRaises(sa.exc.IntegrityError, self.change, NAMES, HoldOrder("after"))
        self.assertEqual(self.stored(), before)

    def test_atOnce(self):
        """Two masters order something of the same workers at the same time, of which nothing is stored: both is."""
        both = threading.Barrier(2)
        waited = set()

        def together(*args):
            if threading.get_ident() not in waited:
                waited.add(threading.get_ident())
                both.wait(PATIENCE)
            return count(*args)

        count = RecordTable._last_order
        self.patch(RecordTable, "_last_order", together)
        other = threading.Thread(target=self.change, args=(NAMES, WorkOrder(9.0), "bob"), daemon=True)
        other.start()
        self.change(NAMES, HoldOrder("disks"))
        other.join(PATIENCE)
        found = {(each.hold and each.hold.by, each.workUntil, each.workBy) for each in self.stored().values()}
        self.assertEqual((found, len(self.stored())), ({("ann", 9.0, "bob")}, len(NAMES)))


class PostgreSQLTests(RecordTables, SynchronousTestCase):
    database = PostgreSQL


class MariaDBTests(RecordTables, SynchronousTestCase):
    database = MariaDB
    # Buildbot's default for it, MyISAM, has no transactions
    options = "&storage_engine=InnoDB"
