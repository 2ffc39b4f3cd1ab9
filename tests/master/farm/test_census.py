"""What runs on a drained worker is counted at all masters."""

import sqlalchemy as sa
from twisted.internet.defer import fail
from twisted.logger import capturedLogs, formatEvent

from presence.master.farm.census import PERIOD, Census
from presence.orders.workers import DrainOrder, ReleaseOrder
from tests.master.farm.farmcase import FarmTestCase

SOURCE = {"codebase": "", "repository": "", "branch": None, "revision": None, "project": ""}


class CensusTests(FarmTestCase):
    """Master b has "theirs", which is configured here too; "mac-mini" is connected here."""

    def setUp(self):
        super().setUp()
        self.startMaster(
            [self.slave("mac-mini"), self.slave("theirs")],
            {"here": ["mac-mini"], "there": ["theirs"]},
        )
        self.disconnect("theirs")
        self.b = self.resultOf(self.master.db.masters.findMasterId("b"))

    def buildElsewhere(self, worker="theirs", builder="there"):
        """A build at master b: its id, and that of its request."""
        builderid = self.resultOf(self.master.data.updates.findBuilderId(builder))
        workerid = self.resultOf(self.master.data.updates.findWorkerId(worker))
        brid = self.requestOf(builderid)
        self.resultOf(self.master.db.buildrequests.claimBuildRequests([brid], claimed_at=None))
        buildid, _ = self.resultOf(
            self.master.db.builds.addBuild(
                builderid=builderid,
                buildrequestid=brid,
                workerid=workerid,
                masterid=self.b,
                state_string="",
            )
        )
        return buildid, brid

    def requestOf(self, builderid, parent=None):
        _, brids = self.resultOf(
            self.master.data.updates.addBuildset(
                waited_for=parent is not None,
                parent_buildid=parent,
                builderids=[builderid],
                sourcestamps=[SOURCE],
            )
        )
        return brids[builderid]

    def end(self, buildid, brid, told=True):
        self.resultOf(self.master.db.builds.finishBuild(buildid, 0))
        self.resultOf(self.master.db.buildrequests.completeBuildRequests([brid], 0))
        if told:
            build = self.resultOf(self.master.data.get(("builds", buildid)))
            self.master.mq.produce(("builds", str(buildid), "finished"), build)
        self.pass_(0.1)

    def states(self):
        return {
            name: self.assembly.entities.worker(name)["drain"]["state"]
            for name in ("mac-mini", "theirs")
            if self.assembly.entities.worker(name)["drain"] is not None
        }

    def test_elsewhere(self):
        """A drain is not over while another master builds there, and it is when that ends."""
        build = self.buildElsewhere()
        self.order(DrainOrder("update"), "theirs")
        self.pass_(3 * PERIOD)
        self.assertEqual(self.states(), {"theirs": "draining"})
        self.end(*build)
        self.assertEqual(self.states(), {"theirs": "drained"})

    def test_messageLost(self):
        """That it ends is seen within a second when the message of that is lost."""
        build = self.buildElsewhere()
        self.order(DrainOrder("update"), "theirs")
        self.end(*build, told=False)
        self.pass_(PERIOD)
        self.assertEqual(self.states(), {"theirs": "drained"})

    def test_notKnown(self):
        """While it cannot be counted it is not said that nothing runs; one line tells of it."""
        broken = self.patch(Census, "_running", lambda *_: fail(RuntimeError("gone")))
        with capturedLogs() as captured:
            self.order(DrainOrder("update"), "theirs")
            self.pass_(10 * PERIOD)
        self.assertEqual(self.states(), {"theirs": "draining"})
        lines = [formatEvent(each) for each in captured if "counted" in (each["log_format"] or "")]
        self.assertEqual(len(lines), 1, lines)
        broken.restore()
        self.pass_(PERIOD)
        self.assertEqual(self.states(), {"theirs": "drained"})

    def test_group(self):
        """Workers that are drained together are so when nothing runs on any of them, also on one that is not configured here."""
        self.resultOf(self.master.data.updates.findWorkerId("far"))
        build = self.buildElsewhere("far")
        self.order(DrainOrder("update", group='the "rack"'), "mac-mini", "far")
        self.order(DrainOrder("update", group="rack"), "theirs")
        self.pass_(2 * PERIOD)
        self.assertEqual(self.states(), {"mac-mini": "draining", "theirs": "drained"})
        self.end(*build)
        self.assertEqual(self.states(), {"mac-mini": "drained", "theirs": "drained"})

    def test_child(self):
        """A build at another master waits for one that only a worker here can do, and they are drained together: it starts."""
        buildid, brid = self.buildElsewhere()
        self.order(DrainOrder("update", group="rack"), "mac-mini", "theirs")
        self.pass_(PERIOD)
        here = self.resultOf(self.master.data.updates.findBuilderId("here"))
        stranger = self.requestOf(here)
        self.pass_(1)
        self.assertEqual(self.starts, [])
        child = self.requestOf(here, parent=buildid)
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.assertEqual(self.states(), {"mac-mini": "draining", "theirs": "draining"})
        self.finishAll()
        self.assertEqual((self.results(child), self.unclaimed()), ([0], [stranger]))
        self.end(buildid, brid)
        self.assertEqual(self.states(), {"mac-mini": "drained", "theirs": "drained"})

    def test_anotherGroup(self):
        """It does not start when they are not drained together."""
        buildid, brid = self.buildElsewhere()
        self.order(DrainOrder("update", group="one"), "mac-mini")
        self.order(DrainOrder("update", group="other"), "theirs")
        self.requestOf(self.resultOf(self.master.data.updates.findBuilderId("here")), parent=buildid)
        self.pass_(2)
        self.assertEqual(self.starts, [])
        self.end(buildid, brid)

    def test_cost(self):
        """It is counted while something runs, and not when nothing does, nor when nothing is drained."""
        build = self.buildElsewhere()
        self.order(DrainOrder("update"), "theirs")
        self.pass_(1)
        for expected in (4, 0):
            asked = []

            def executed(connection, cursor, statement, *rest, asked=asked):
                if "FROM workers" in statement or "FROM builds" in statement or " builds" in statement:
                    asked.append(statement)

            engine = self.master.db.pool.engine
            sa.event.listen(engine, "before_cursor_execute", executed)
            self.pass_(4 * PERIOD)
            sa.event.remove(engine, "before_cursor_execute", executed)
            self.assertEqual(len(asked), expected, asked)
            if expected:
                self.end(*build)
        self.order(ReleaseOrder(), "theirs")
        self.pass_(1)
        self.assertEqual([str(each) for each in self.reactor.getDelayedCalls() if "Census" in str(each)], [])

    def test_restart(self):
        """Whoever starts anew counts anew: what another one drains is draining until it is known that nothing runs."""
        census = self.assembly.farmOrders.census
        self.assertFalse(census.isBusy("rack"))
        census.watch("rack", ["theirs"], None, lambda: None)
        self.assertTrue(census.isBusy("rack"))
        self.pass_(0.1)
        self.assertFalse(census.isBusy("rack"))
        census.forget("rack")
