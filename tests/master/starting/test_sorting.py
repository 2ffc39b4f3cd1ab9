import random

import sqlalchemy as sa
from twisted.internet.defer import fail

from presence.master.starting import sorting
from tests.master.fakemaster import MasterTestCase

NAMES = [f"b{number}" for number in range(12)]


class SortingTests(MasterTestCase):
    """Builders with random requests, none of which can be built."""

    def setUp(self):
        super().setUp()
        self.startMaster([self.slave("mac-mini")], {name: ["mac-mini"] for name in NAMES})
        self.presence().hold("admin")
        self.rng = random.Random(1)
        for _ in range(30):
            # some have none
            builder = self.master.botmaster.builders[self.rng.choice(NAMES[:9])]
            self.resultOf(
                self.master.data.updates.addBuildset(
                    waited_for=False,
                    builderids=[builder._builderid],
                    priority=self.rng.choice([-1, 0, 0, 1, 5]),
                    sourcestamps=[
                        {"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}
                    ],
                )
            )
            self.pass_(self.rng.choice([0, 0, 3]))
        self.brd = self.master.botmaster.brd

    def sorted(self):
        builders = [self.master.botmaster.builders[name] for name in NAMES]
        self.rng.shuffle(builders)
        return [each.name for each in self.resultOf(self.brd._defaultSorter(self.master, builders))]

    def test_asBuildbotDoes(self):
        """The order is that of Buildbot: highest priority, oldest request, name; those without requests last."""
        ours = self.sorted()
        vars(self.brd).pop("_defaultSorter")
        self.assertEqual(ours, self.sorted())
        self.assertNotEqual(ours, NAMES)

    def test_whatIsNoRequest(self):
        """One that is claimed counts no more, and one without a source stamp does not at all."""
        model = self.master.db.model
        requests, stamps = model.buildrequests, model.buildset_sourcestamps
        first, second, *_ = self.sorted()

        def of(name):
            builderid = self.master.botmaster.builders[name]._builderid
            query = sa.select(requests.c.id, requests.c.buildsetid).where(requests.c.builderid == builderid)
            return self.resultOf(
                self.master.db.pool.do(lambda connection: connection.execute(query).fetchall())
            )

        self.resultOf(self.master.db.buildrequests.claimBuildRequests([each.id for each in of(first)]))

        def thd(connection):
            gone = stamps.c.buildsetid.in_([each.buildsetid for each in of_second])
            connection.execute(stamps.delete().where(gone))
            connection.commit()

        of_second = of(second)
        self.resultOf(self.master.db.pool.do(thd))
        self.assertEqual(self.sorted()[-5:], sorted([first, second, *NAMES[9:]]))
        self.test_asBuildbotDoes()

    def test_oneStatement(self):
        """It takes one statement, however many builders there are."""
        statements = []
        sa.event.listen(
            self.master.db.pool.engine, "before_cursor_execute", lambda *args: statements.append(args[2])
        )
        self.sorted()
        self.assertEqual(len(statements), 1)

    def test_failure(self):
        """When that question fails each builder is asked by itself."""
        ours = self.sorted()
        self.patch(sorting, "requestedUrgencies", lambda _: fail(RuntimeError("no database")))
        self.assertEqual(self.sorted(), ours)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_stop(self):
        """In the end the distributor sorts by itself again."""
        self.assertIn("_defaultSorter", vars(self.brd))
        self.stopMaster()
        self.assertNotIn("_defaultSorter", vars(self.brd))
