from types import SimpleNamespace

import sqlalchemy as sa
from buildbot.process.results import FAILURE, SUCCESS, WARNINGS
from buildbot.test import fakedb
from buildbot.test.fake import fakemaster
from buildbot.test.reactor import TestReactorMixin
from twisted.internet.defer import gatherResults, inlineCallbacks
from twisted.trial.unittest import SynchronousTestCase, TestCase

from presence.master.builds.estimates import LOOK_BACK, estimates, likelyLongest, remaining, remainingOf
from tests.master.fakemaster import MONDAY

NOW = int(MONDAY.timestamp())
HERE, THERE = 13, 14


class RemainingTests(SynchronousTestCase):
    def test_atFirst(self):
        """What has just begun takes as long as the median: one stray build of the past changes nothing."""
        self.assertEqual(remainingOf(0, [100, 110, 90]), 100)
        self.assertEqual(remainingOf(0, [100, 110, 90, 100, 86400]), 100)

    def test_later(self):
        """As it goes on, the time it has taken is taken off."""
        self.assertEqual(remainingOf(40, [100, 110, 90]), 60)

    def test_longerThanUsual(self):
        """What takes longer than usual is compared with what took longer than usual."""
        self.assertEqual(remainingOf(120, [100, 100, 100, 600, 620]), 490)

    def test_longerThanAll(self):
        """Of what takes longer than all of the past nobody knows anything."""
        self.assertIsNone(remainingOf(111, [100, 110, 90]))
        self.assertIsNone(remainingOf(110, [100, 110, 90]))

    def test_strayBuild(self):
        """One build that took a day among many is nothing to compare with."""
        self.assertIsNone(remainingOf(120, [100] * 20 + [86400]))

    def test_noPast(self):
        """Where there is no past nobody knows anything."""
        self.assertIsNone(remainingOf(0, []))


class EstimatesTests(TestReactorMixin, TestCase):
    """Builder 77 is that of nearly all builds here."""

    @inlineCallbacks
    def setUp(self):
        self.setup_test_reactor()
        self.reactor.rightNow = NOW
        self.master = yield fakemaster.make_master(self, wantDb=True)
        yield self.master.db.insert_test_data(
            [
                fakedb.Master(id=88),
                *(fakedb.Builder(id=each, name=f"b{each}") for each in (77, 78)),
                *(fakedb.Worker(id=each, name=f"w{each}") for each in (HERE, THERE)),
                fakedb.Buildset(id=1),
                fakedb.BuildRequest(id=1, buildsetid=1, builderid=77),
            ]
        )
        self.numbers = {77: 0, 78: 0}
        self.ids = 0

    @inlineCallbacks
    def build(self, duration=None, *, ago=0, worker=HERE, results=SUCCESS, builder=77, locks=0):
        """A build of the past, or one that began so many seconds ago; its id."""
        self.ids += 1
        self.numbers[builder] += 1
        started = NOW - ago if duration is None else NOW - 100_000
        build = fakedb.Build(
            id=self.ids,
            number=self.numbers[builder],
            builderid=builder,
            buildrequestid=1,
            workerid=worker,
            masterid=88,
            started_at=started,
            complete_at=None if duration is None else started + duration,
            results=None if duration is None else results,
        )
        build.values["locks_duration_s"] = locks  # the fake has no keyword for it
        yield self.master.db.insert_test_data([build])
        return self.ids

    @inlineCallbacks
    def remaining(self, buildid):
        found = yield estimates(self.master, [buildid])
        return found[buildid].remaining

    def countStatements(self):
        statements = []

        def executed(connection, cursor, statement, parameters, *rest):
            statements.append((statement, parameters))

        engine = self.master.db.pool.engine
        sa.event.listen(engine, "before_cursor_execute", executed)
        self.addCleanup(sa.event.remove, engine, "before_cursor_execute", executed)
        return statements

    @inlineCallbacks
    def test_median(self):
        """A build takes as long as the median of the successful ones of its builder, with warnings or without."""
        for duration, results in ((100, SUCCESS), (2, FAILURE), (120, WARNINGS), (3, FAILURE), (90, SUCCESS)):
            yield self.build(duration, results=results)
        yield self.build(7, builder=78)
        buildid = yield self.build(ago=40)
        found = yield estimates(self.master, [buildid])
        self.assertEqual((found[buildid].startedAt, found[buildid].remaining), (NOW - 40, 60))
        build = SimpleNamespace(buildid=buildid)
        self.assertEqual((yield remaining(self.master, build)), 60)

    @inlineCallbacks
    def test_unknown(self):
        """Without a successful build before it, and before the build is there, it is None."""
        yield self.build(100, results=FAILURE)
        buildid = yield self.build(ago=5)
        self.assertIsNone((yield self.remaining(buildid)))
        self.assertIsNone((yield remaining(self.master, SimpleNamespace(buildid=None))))

    @inlineCallbacks
    def test_ended(self):
        """Of builds that have ended, and of those that there are not, nothing is told."""
        buildid = yield self.build(100)
        self.assertEqual((yield estimates(self.master, [buildid, 4711])), {})
        self.assertIsNone((yield remaining(self.master, SimpleNamespace(buildid=buildid))))

    @inlineCallbacks
    def test_sameWorker(self):
        """Where there are enough builds of the same worker they alone count."""
        for _ in range(4):
            yield self.build(1000)
        for _ in range(9):
            yield self.build(10, worker=THERE)
        few = yield self.build()
        self.assertEqual((yield self.remaining(few)), 10)
        yield self.build(1000)
        enough = yield self.build()
        self.assertEqual((yield self.remaining(enough)), 1000)

    @inlineCallbacks
    def test_locks(self):
        """The time that is spent waiting for locks is not a part of it, neither then nor now."""
        yield self.build(600, locks=500)
        buildid = yield self.build(ago=530, locks=500)
        self.assertEqual((yield self.remaining(buildid)), 70)

    @inlineCallbacks
    def test_boundedLookBack(self):
        """What lies further back than the last builds is not even read."""
        yield self.build(1000)
        for _ in range(LOOK_BACK):
            yield self.build(1, results=FAILURE)
        buildid = yield self.build()
        self.assertIsNone((yield self.remaining(buildid)))

    @inlineCallbacks
    def test_manyAtOnce(self):
        """However many of one builder run at once, they are compared with those of before them."""
        yield self.build(100)
        ids = yield gatherResults([self.build() for _ in range(2 * LOOK_BACK + 10)])
        found = yield estimates(self.master, ids)
        self.assertEqual({found[each].remaining for each in ids}, {100})

    @inlineCallbacks
    def test_cost(self):
        """All builds of many builders are two statements, and the database finds the rows by indexes."""
        yield self.build(100)
        yield self.build(50, builder=78)
        ids = yield gatherResults([self.build(builder=each) for each in (77, 78, 77, 78, 77)])
        statements = self.countStatements()
        found = yield estimates(self.master, ids)
        self.assertEqual([found[each].remaining for each in ids], [100, 50, 100, 50, 100])
        self.assertEqual(len(statements), 2)

        def plan(connection):
            return [
                row[3]
                for statement, parameters in list(statements)
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            ]

        said = yield self.master.db.pool.do(plan)
        self.assertEqual([each for each in said if each.startswith("SCAN")], [], said)
        self.assertTrue(any("builds_number" in each for each in said), said)


class LikelyLongestTests(SynchronousTestCase):
    def test_spread(self):
        """It is beyond the median by several times the spread around it, and beyond the longest that there was."""
        self.assertAlmostEqual(likelyLongest([90, 95, 100, 105, 110]), 100 + 4 * 1.4826 * 5)
        self.assertEqual(likelyLongest([10] * 10), 10)

    def test_twoKinds(self):
        """Where some builds take longer than the others, it is no less than these."""
        self.assertEqual(likelyLongest([10] * 8 + [30, 31]), 31)

    def test_stray(self):
        """One build that took far longer than all others says nothing; two of them do."""
        self.assertEqual(likelyLongest([10] * 10 + [1000]), 10)
        self.assertEqual(likelyLongest([10] * 10 + [1000, 1001]), 1000)

    def test_few(self):
        """Of one build it is that one, and of none nobody knows."""
        self.assertEqual(likelyLongest([100]), 100)
        self.assertIsNone(likelyLongest([]))
