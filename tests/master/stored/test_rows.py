"""Rows that are read for update and written, on a database in memory."""

import sqlalchemy as sa
from buildbot.db.model import Model
from sqlalchemy.dialects import mysql, postgresql
from twisted.trial.unittest import SynchronousTestCase

from presence.master.stored import rows as rows_
from presence.master.stored.rows import Rows, inTransaction, readKeys

NAMES = [f"w{number:04}" for number in range(1200)]


class RowsTests(SynchronousTestCase):
    def setUp(self):
        engine = sa.create_engine("sqlite://")
        self.addCleanup(engine.dispose)
        self.connection = engine.connect()
        self.addCleanup(self.connection.close)
        Model.metadata.create_all(self.connection, tables=[Model.objects, Model.object_state])
        for name in ("ours", "others"):
            self.connection.execute(sa.insert(Model.objects).values(name=name, class_name="x"))
        self.rows, self.others = (Rows(Model.object_state, objectid) for objectid in (1, 2))
        self.others.write(self.connection, {"w0000": "theirs"}, ())
        self.connection.commit()
        self.statements = []
        sa.event.listen(
            engine, "before_execute", lambda _, statement, *rest: self.statements.append(statement)
        )

    def assertOthersStay(self):
        self.assertEqual(self.others.find(self.connection), {"w0000": "theirs"})

    def test_write(self):
        """New ones and known ones are written with one statement each, and only under their own object."""
        self.rows.write(self.connection, dict.fromkeys(NAMES[:3], "1"), ())
        self.rows.write(self.connection, {NAMES[3]: "2", NAMES[0]: "2"}, NAMES[:3])
        self.assertEqual(len(self.statements), 3)
        expected = {"w0000": "2", "w0001": "1", "w0002": "1", "w0003": "2"}
        self.assertEqual(self.rows.find(self.connection), expected)
        self.assertOthersStay()

    def test_writeNothing(self):
        """Where there is nothing to be written nothing is executed."""
        self.rows.write(self.connection, {}, NAMES)
        self.assertEqual(self.statements, [])

    def test_writeInOrder(self):
        """What is new is written in one order, so that no two masters wait for each other; what is known was locked in that."""
        wrote = []
        execute = self.connection.execute
        self.patch(
            self.connection,
            "execute",
            lambda statement, given: wrote.append(given) or execute(statement, given),
        )
        self.rows.write(self.connection, dict.fromkeys(reversed(NAMES[:4]), "1"), ())
        self.assertEqual([each["name"] for each in wrote[0]], NAMES[:4])

    def test_writeMany(self):
        """Of those that are known a hundred change with one statement, which goes to the database once; each has its own value."""
        self.rows.write(self.connection, dict.fromkeys(NAMES, "before"), ())
        several = []
        sa.event.listen(
            self.connection.engine, "before_cursor_execute", lambda *told: several.append(told[5])
        )
        new = {name: f"of {name}" for name in NAMES[:250]}
        self.rows.write(self.connection, new, NAMES)
        self.assertEqual(several, [False, False, False])
        self.assertEqual(self.rows.find(self.connection), {**dict.fromkeys(NAMES, "before"), **new})
        self.assertOthersStay()

    def test_read(self):
        """Those are read that are there, some hundred with one statement: databases have a bound for parameters."""
        self.rows.write(self.connection, dict.fromkeys(NAMES[1:], "1"), ())
        self.statements.clear()
        self.assertEqual(self.rows.read(self.connection, NAMES), dict.fromkeys(NAMES[1:], "1"))
        self.assertEqual(len(self.statements), 3)

    def test_severalObjects(self):
        """Rows of several objects are read with one statement; one that is not there is None."""
        self.rows.write(self.connection, {"w0001": "1"}, ())
        self.statements.clear()
        keys = [(self.rows, "w0000"), (self.others, "w0000"), (self.rows, "w0001")]
        self.assertEqual(readKeys(self.connection, keys), [None, "theirs", "1"])
        self.assertEqual(len(self.statements), 1)

    def test_lock(self):
        """Who will write locks the rows that are read, in one order, so that no two masters wait for each other."""
        self.rows.read(self.connection, reversed(NAMES[:2]), lock=True)
        self.rows.read(self.connection, NAMES[:2])
        for dialect in (postgresql.dialect(), mysql.dialect()):
            locking, plain = (str(each.compile(dialect=dialect)) for each in self.statements)
            self.assertTrue(locking.endswith("ORDER BY object_state.name FOR UPDATE"), locking)
            self.assertNotIn("FOR UPDATE", plain)
        self.assertEqual(*(each.compile().params["name_1"] for each in self.statements))

    def test_put(self):
        """A value is stored whether there is one or not."""
        for value in ("1", "2"):
            self.rows.put(self.connection, "w0000", value)
            self.assertEqual(self.rows.find(self.connection), {"w0000": value})
        self.assertOthersStay()

    def test_remove(self):
        """These names have no value any more, others keep theirs."""
        self.rows.write(self.connection, dict.fromkeys(NAMES, "1"), ())
        self.rows.remove(self.connection, NAMES[1:])
        self.assertEqual(self.rows.find(self.connection), {"w0000": "1"})
        self.assertOthersStay()

    def test_again(self):
        """When another master has stored a first value meanwhile everything is done again, and nothing is left of before."""
        tries = []

        def work():
            tries.append(None)
            self.rows.write(self.connection, {f"w{len(tries)}": "1"}, ())
            if len(tries) < 3:
                self.rows.write(self.connection, {f"w{len(tries)}": "1"}, ())
            return "done"

        self.assertEqual(inTransaction(self.connection, work), "done")
        self.connection.rollback()
        self.assertEqual(self.rows.find(self.connection), {"w3": "1"})

    def test_givenUp(self):
        """What fails each time fails in the end, and nothing is stored."""
        tries = []

        def work():
            tries.append(None)
            self.rows.write(self.connection, {"w1": "1"}, ())
            self.rows.write(self.connection, {"w1": "1"}, ())

        self.assertRaises(sa.exc.IntegrityError, inTransaction, self.connection, work)
        self.assertEqual(len(tries), rows_._ATTEMPTS)
        self.assertEqual(self.rows.find(self.connection), {})
