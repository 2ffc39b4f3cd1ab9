"""The properties of a build, stored together: as Buildbot stores them one by one, with less."""

import sqlalchemy as sa
from buildbot.process.properties import Interpolate, Properties

from presence.master.builds.properties import PropertiesTogether
from tests.master.fakemaster import MasterTestCase


class PropertiesTests(MasterTestCase):
    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("one"), self.slave("two")], {"ours": ["one"], "stock": ["two"]})
        for name in ("ours", "stock"):
            self.request(name)
        self.pass_(1)
        updates = self.master.data.updates
        together = updates.setBuildProperties.__self__
        self.ways = {"ours": updates.setBuildProperties, "stock": together._one_by_one}
        self.builds = {name: self.master.botmaster.builders[name].building[0].buildid for name in self.ways}
        self.events = {each: [] for each in self.builds.values()}
        for each, told in self.events.items():
            self.master.mq.startConsuming(
                lambda key, message, told=told: told.append(message),
                ("builds", str(each), "properties", "update"),
            )
        self.commits = 0
        sa.event.listen(self.master.db.pool.engine, "commit", self.committed)

    def committed(self, connection):
        self.commits += 1

    def store(self, **values):
        """The same in both ways: how many transactions each has taken."""
        taken = {}
        for name, way in self.ways.items():
            properties = Properties()
            for key, value in values.items():
                properties.setProperty(key, value, f"a test: {type(value).__name__}")
            before = self.commits
            self.resultOf(way(self.builds[name], properties))
            taken[name] = self.commits - before
        return taken

    def rows(self, build):
        table = self.master.db.model.build_properties
        query = sa.select(table.c.name, table.c.value, table.c.source).where(table.c.buildid == build)
        rows = self.resultOf(self.master.db.pool.do(lambda connection: connection.execute(query).fetchall()))
        # these say where it is built
        return sorted(
            row for row in rows if row.name not in {"buildername", "builderid", "workername", "builddir"}
        )

    def assertAlike(self):
        self.assertEqual(*map(self.rows, self.builds.values()))
        self.assertEqual(*self.events.values())

    def test_asStock(self):
        """New ones, other values, other sources, the same again, rendered ones: the same rows and events, in at most two transactions."""
        number = len(self.rows(self.builds["ours"]))
        self.assertGreater(number, 3)
        for values in (
            {"a": 1, "b": "two", "c": [3, {"d": None}]},
            {"a": 1, "b": "2", "c": 3},
            {"a": "1"},
            {"a": "1"},
            {},
            {"e": Interpolate("%(prop:f)s"), "f": True},
        ):
            taken = self.store(**values)
            self.assertLessEqual(taken["ours"], 2)
            self.assertLessEqual(taken["ours"], taken["stock"])
            self.assertAlike()
        self.assertEqual(len(self.rows(self.builds["ours"])), number + 5)

    def test_allOrNone(self):
        """What cannot be stored fails, as with Buildbot, and nothing of the rest is stored."""
        before = self.rows(self.builds["ours"])
        properties = Properties()
        properties.setProperty("first", 1, "a test")
        properties.properties["last"] = (object(), "a test")
        done = self.ways["ours"](self.builds["ours"], properties)
        for _ in range(9):
            self.reactor.advance(0)
        self.failureResultOf(done, TypeError)
        self.assertTrue(self.flushLoggedErrors(TypeError))
        self.assertEqual(self.rows(self.builds["ours"]), before)

    def test_secondFails(self):
        """Where what has changed cannot be stored nothing that is new is, either."""
        self.store(a=1)
        before = self.rows(self.builds["ours"])

        def refuse(_connection, _cursor, statement, *_):
            if statement.startswith("UPDATE build_properties"):
                raise ValueError("not today")

        engine = self.master.db.pool.engine
        sa.event.listen(engine, "before_cursor_execute", refuse)
        properties = Properties()
        properties.setProperty("a", 2, "a test")
        properties.setProperty("b", 3, "a test")
        done = self.ways["ours"](self.builds["ours"], properties)
        self.pass_(1)
        sa.event.remove(engine, "before_cursor_execute", refuse)
        self.failureResultOf(done, ValueError)
        self.assertTrue(self.flushLoggedErrors(ValueError))
        self.assertEqual(self.rows(self.builds["ours"]), before)

    def test_stop(self):
        """Afterwards Buildbot does it, as if nothing had been."""
        data = self.master.data
        self.ways["ours"].__self__.stop()
        self.assertEqual(data.updates.setBuildProperties, self.ways["stock"])
        # one that never began leaves it alone
        PropertiesTogether(self.master).stop()
        self.assertEqual(data.updates.setBuildProperties, self.ways["stock"])
