"""Builders that admins hold."""

from pathlib import Path

from buildbot.plugins import util
from buildbot.process.results import RETRY, SUCCESS
from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs

from presence.master.api.presences import BuilderPresence
from presence.master.assembly import Assembly
from presence.master.holding.recordtable import RecordTable
from presence.master.stored.objects import BUILDERS
from presence.orders.workers import HoldOrder, ReleaseOrder
from tests.master.apicase import INVALID_PARAMS, ApiTestCase, user
from tests.master.fakemaster import HOUR, MINUTE
from tests.master.farm.farmcase import FarmTestCase
from tests.master.triggers import family

ANN = user("ann")


class BuilderHoldTests(ApiTestCase):
    def setUp(self):
        super().setUp()
        self.database = Path(self.mktemp()).resolve()

    def start(self, *workers, builders=None, **more):
        self.startMaster(
            workers or [self.slave("mac-mini"), self.stock("plain")],
            builders or {"lint": ["mac-mini"], "runtests": ["mac-mini", "plain"]},
            db_url=f"sqlite:///{self.database}",
            **more,
        )

    def builderid(self, name):
        return self.resultOf(self.master.data.updates.findBuilderId(name))

    def order(self, action, builder="runtests", who=ANN, **params):
        return self.post(f"builders/{builder}/presence", action, who, **params)

    def entity(self, builder="runtests"):
        return self.getOne(f"builderpresences/{self.builderid(builder)}")

    def test_hold(self):
        """No build of it starts, on workers of whichever class; others start, and those that run go on."""
        self.start()
        first = self.request("runtests")
        answer = self.order("hold", reason="disk", until=self.at(8))
        self.assertEntity(answer.result, BuilderPresence)
        second, other = self.request("runtests"), self.request("lint")
        self.pass_(MINUTE)
        self.assertEqual(self.unclaimed(), [second])
        self.finishAll()
        self.finishAll()
        self.pass_(MINUTE)
        self.assertEqual((self.results(first), self.results(other)), ([SUCCESS], [SUCCESS]))
        self.assertEqual(self.unclaimed(), [second])
        self.order("release")
        self.pass_(1)
        self.assertEqual(self.unclaimed(), [])

    def test_until(self):
        """It ends by itself, never early, and what waits starts then."""
        self.start()
        self.order("hold", until=self.at(8))
        brid = self.request("runtests")
        self.passUntil(self.at(8) - 1)
        self.assertEqual(self.unclaimed(), [brid])
        self.passUntil(self.at(8) + 1)
        self.assertEqual(self.unclaimed(), [])
        self.assertIsNone(self.entity()["hold"])

    def test_shown(self):
        """The builder says so, its workers that can do nothing else are blocked, and a request says why it waits."""
        self.start(self.slave("mac-mini"), builders={"runtests": ["mac-mini"]})
        self.events.clear()
        self.order("hold", reason="disk", until=self.at(8))
        entity = self.entity()
        self.assertEntity(entity, BuilderPresence)
        self.assertEqual(
            (entity["state"], entity["ready"], entity["reason"], entity["back_at"]),
            ("NOT_ACCEPTING_NEW_BUILDS", 0, "the builder is held by ann (disk)", self.at(8)),
        )
        self.assertEqual((entity["hold"]["by"], entity["hold"]["until"]), ("ann", self.at(8)))
        self.pass_(1)
        self.assertEqual(self.changes("builderpresences")[-1]["hold"], entity["hold"])
        blocked = self.getOne("presences/mac-mini")["blocked"]
        self.assertEqual(blocked, [{"kind": "held", "text": "the builder is held by ann (disk)"}])
        why = self.getOne(f"buildrequests/{self.request('runtests')}/presence")
        (reason,) = why["reasons"]
        self.assertEqual(
            (reason["kind"], reason["text"], reason["until"], reason["hint"]),
            (
                "held",
                "the builder is held by ann (disk)",
                self.at(8),
                "presence release --builder-only runtests",
            ),
        )
        self.assertEqual(why["earliest"], self.at(8))
        self.order("release")
        self.pass_(1)
        self.assertEqual(self.getOne("presences/mac-mini")["blocked"], [])
        self.assertEqual(self.entity()["state"], "AVAILABLE")

    def test_waiters(self):
        """Who waits for the builder waits until it is released."""
        self.start()
        self.order("hold")
        builder = self.resultOf(Assembly.getService(self.master)).roster.builder("runtests")
        waiting = builder.waitUntilReady()
        self.assertNoResult(waiting)
        self.order("release")
        self.successResultOf(waiting)

    def test_children(self):
        """Nor does a build of it start for which another one waits."""
        builders = {"parent": (["parent"], "child"), "child": (["child"], None)}
        self.startMaster([self.slave("parent"), self.slave("child")], **family(self, builders))
        self.order("hold", "child")
        self.request("parent")
        self.pass_(MINUTE)
        self.assertEqual([each.builder for each in self.starts], ["parent"])
        self.order("release", "child")
        self.pass_(1)
        self.assertEqual([each.builder for each in self.starts], ["parent", "child"])
        self.finishAll()

    def test_lastMoment(self):
        """A build that was chosen before it was held goes back to the queue."""
        self.start(self.slave("mac-mini"), builders={"runtests": ["mac-mini"]})
        updates = self.master.data.updates
        original, gate, waiting = updates.setBuildStateString, Deferred(), []

        def late(buildid, state):
            if state == "preparing worker" and not waiting:
                waiting.append(state)
                return gate.addCallback(lambda _: original(buildid, state))
            return original(buildid, state)

        self.patch(updates, "setBuildStateString", late)
        brid = self.request("runtests")
        self.assertEqual(len(waiting), 1)
        self.order("hold")
        gate.callback(None)
        self.pass_(1)
        self.assertEqual((self.starts, self.unclaimed(), self.results(brid)), ([], [brid], [RETRY]))
        self.assertEqual(self.sources(), [])

    def test_restart(self):
        """It survives a restart of the master, and is there before a worker can connect; one that is over is over."""
        self.start()
        self.order("hold", reason="disk", until=self.at(8))
        self.order("hold", "lint", until=self.at(7))
        before = self.entity()["hold"]
        self.stopMaster()
        self.reactor.rightNow += HOUR
        self.start()
        self.assertEqual((self.entity()["hold"], self.entity("lint")["hold"]), (before, None))
        brid = self.request("runtests")
        self.pass_(MINUTE)
        self.assertEqual(self.unclaimed(), [brid])
        self.passUntil(self.at(8) + 1)
        self.assertEqual(self.unclaimed(), [])

    def test_reconfig(self):
        """It stays through a reconfig, also for a builder that goes and comes back."""
        self.start()
        self.order("hold")
        workers = [self.slave("mac-mini"), self.stock("plain")]
        self.reconfig(workers, {"lint": ["mac-mini"]})
        self.reconfig(workers, {"lint": ["mac-mini"], "runtests": ["plain"]})
        self.assertEqual(self.entity()["state"], "NOT_ACCEPTING_NEW_BUILDS")
        brid = self.request("runtests")
        self.assertEqual(self.unclaimed(), [brid])

    def test_cannotBeRead(self):
        """Until it is known what is held no build starts, and it is said why."""
        read, broken = RecordTable.readAll, [True]
        self.patch(RecordTable, "readAll", lambda table: fail(OSError("gone")) if broken else read(table))
        with capturedLogs():
            self.start()
            brid = self.request("runtests")
            self.assertEqual(self.unclaimed(), [brid])
            self.assertIn("it cannot be read from the database", self.entity()["reason"])
            broken.clear()
            self.pass_(MINUTE)
        self.assertEqual((self.unclaimed(), self.entity()["hold"]), ([], None))

    def test_clock(self):
        """A hold that was over comes back when the clock is set back."""
        self.start()
        self.order("hold", until=self.at(8))
        self.jump(3 * HOUR)
        self.assertIsNone(self.entity()["hold"])
        self.jump(-3 * HOUR)
        self.pass_(1)
        self.assertIsNotNone(self.entity()["hold"])

    def test_otherMaster(self):
        """Another master that has stored something says so, and it is read."""
        self.start()
        table = RecordTable(self.master, BUILDERS)
        row = str(self.builderid("runtests"))
        order = HoldOrder("there")
        self.resultOf(table.change([row], lambda before: before.after(order, "bob", self.reactor.seconds())))
        self.assertIsNone(self.entity()["hold"])
        self.master.mq.produce(("control", "builderpresences", row, "changed"), {"masterid": 99})
        self.pass_(1)
        self.assertEqual(self.entity()["hold"]["by"], "bob")

    def test_mistakes(self):
        """What is not a builder here, and what cannot be ordered of one, is refused."""
        self.start()
        self.assertEqual(self.post("builderpresences/999", "hold").status, 404)
        self.assertEqual(self.order("drain").error[0], 501)
        self.assertEqual(self.order("hold", until=1).error[1], INVALID_PARAMS)

    def test_rules(self):
        """A rule for orders about workers that names none is about builders, too; owners have no say there."""
        self.start()
        rules = [
            util.PresenceEndpointMatcher(role="owner", actions=["hold"], defaultDeny=False),
            util.PresenceEndpointMatcher(role="admins"),
        ]
        roles = [util.RolesFromWorkerOwner(), util.RolesFromUsername(roles=["admins"], usernames=["ann"])]
        self.setAuthz(util.Authz(allowRules=rules, roleMatchers=roles))
        self.assertEqual(self.order("hold", who=user("eve")).status, 403)
        self.assertEqual(self.order("hold").status, 200)


class FarmTests(FarmTestCase):
    """A builder that is held at another master, where nothing is said of it in the queue."""

    def hold(self, order):
        row = str(self.resultOf(self.master.data.updates.findBuilderId("runtests")))
        now = self.reactor.seconds()
        table = RecordTable(self.master, BUILDERS)
        self.resultOf(table.change([row], lambda before: before.after(order, "bob", now)))

    def entity(self):
        return self.getAll("builderpresences")[0]

    def test_heeded(self):
        """It is heeded within two seconds, told by every master, and so is its end."""
        self.startMaster([self.slave("mac-mini")], {"runtests": ["mac-mini"]})
        self.hold(HoldOrder("key"))
        self.pass_(2.5)
        entity = self.entity()
        self.assertEqual((entity["hold"]["by"], entity["ready"]), ("bob", 0))
        self.assertEqual(entity["reason"], "the builder is held by bob (key)")
        self.request("runtests")
        self.assertEqual(self.starts, [])
        self.hold(ReleaseOrder())
        self.pass_(2.5)
        self.assertEqual((self.startedOn(), self.entity()["hold"]), (["mac-mini"], None))

    def test_lastMoment(self):
        """It is read once more before each build, also where no builder has ever been held."""
        self.startMaster([self.slave("mac-mini")], {"runtests": ["mac-mini"], "lint": ["mac-mini"]})
        self.hold(HoldOrder("key"))
        brid = self.request("runtests")
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        self.request("lint")
        self.assertEqual([each.builder for each in self.starts], ["lint"])

    def test_othersAreNotKnown(self):
        """Where it is not known which builders are held, what is read of one says nothing of the others."""
        self.startMaster([self.slave("mac-mini")], {"runtests": ["mac-mini"], "lint": ["mac-mini"]})
        holds = self.assembly.builderHolds
        broken = self.patch(RecordTable, "readAll", lambda _: fail(OSError("gone")))
        holds._holds = None
        heeded = self.assembly.lastMoment.heed(self.worker("mac-mini"), "runtests")
        self.assertTrue(self.resultOf(heeded))
        self.assertTrue(holds.isHeld("lint"))
        broken.restore()
