import buildbot.util
from buildbot.plugins import util
from buildbot.process.results import RETRY, SUCCESS
from buildbot.www.authz.authz import Authz
from twisted.internet.error import ReactorNotRunning
from twisted.internet.task import deferLater

from presence.master.api import shutdown as shutdownapi
from presence.master.builds.requeue import GRACE
from presence.master.quiesce.ending import LOST
from presence.master.quiesce.shutdown import COURTESY, LOOK
from presence.orders.reconfig import ReconfigOrder
from tests.master.apicase import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, ApiTestCase, user
from tests.master.fakemaster import HOUR, MINUTE, Job
from tests.master.triggers import family

ANN = user("ann")


def rules(**keywords):
    return Authz(
        allowRules=[util.AnyControlEndpointMatcher(role="admins", **keywords)],
        roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["ann"])],
    )


class ShutdownTestCase(ApiTestCase):
    def startFarm(self, *args, authz=None, **more):
        self.startMaster([self.slave("mac-mini"), self.stock("plain")], *args, authz=authz or rules(), **more)
        self.stops = 0
        self.patch(self.reactor, "stop", self.stopped)
        # Buildbot's own loop sleeps by the clock of the real reactor
        self.patch(buildbot.util, "asyncSleep", lambda delay: deferLater(self.reactor, delay))
        self.resultOf(self.master.mq.startConsuming(self.heard, ("shutdowns", None, None)))

    def stopped(self):
        """As the real one: it is an error to stop it twice."""
        if self.stops:
            raise ReactorNotRunning
        self.stops += 1

    def stop(self, **params):
        entity = self.post("shutdown", "stop", ANN, **params).result
        self.assertEntity(entity, shutdownapi.Shutdown)
        return entity

    def told(self):
        """What GET tells; there is one master."""
        return self.getOne("shutdown")

    def finishOne(self):
        self.jobs[0].finish()
        self.pass_(1)


class StopTests(ShutdownTestCase):
    """The master stops when nothing runs, and not before."""

    def test_idle(self):
        """When nothing runs it stops, after the order was answered, and once."""
        self.startFarm()
        self.assertEqual(self.told()["state"], "running")
        entity = self.stop(reason="new disks")
        self.assertEqual(
            entity,
            {
                "masterid": self.master.masterid,
                "state": "stopping",
                "reason": "new disks",
                "by": "ann",
                "since": self.reactor.seconds(),
                "deadline": None,
                "on_deadline": None,
            },
        )
        self.assertEqual(self.stops, 0)
        self.pass_(MINUTE)
        self.assertEqual(self.stops, 1)

    def test_waits(self):
        """What runs is finished, what waits is neither begun nor lost, for stock workers as for ours."""
        self.startFarm({"ours": ["mac-mini"], "stock": ["plain"]})
        running = [self.request("ours"), self.request("stock")]
        self.stop()
        waiting = [self.request("ours"), self.request("stock")]
        self.finishOne()
        self.pass_(MINUTE)
        self.assertEqual(self.stops, 0)
        self.finishOne()
        self.pass_(LOOK)
        self.assertEqual(self.stops, 1)
        self.assertEqual([self.results(each) for each in running], [[SUCCESS], [SUCCESS]])
        self.assertEqual(self.unclaimed(), waiting)

    def test_children(self):
        """What a running build waits for is built."""
        self.startFarm(
            **family(self, {"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}),
        )
        self.presence().hold("admin")
        parent = self.request("parent")
        self.presence().release("admin")
        self.pass_(0.2)
        self.stop()
        self.pass_(MINUTE)
        self.assertEqual([job.buildername for job in self.jobs], ["child"])
        self.finishOne()
        self.pass_(LOOK + 1)
        self.assertEqual((self.results(parent), self.stops), ([SUCCESS], 1))

    def test_lostBuild(self):
        """A build that Buildbot has lost is not waited for longer than a minute."""
        self.startFarm()
        self.request()
        (build,) = (b for builder in self.master.botmaster.builders.values() for b in builder.building)
        build.finished = True
        self.stop()
        self.pass_(LOST - 2)
        self.assertEqual(self.stops, 0)
        self.pass_(4)
        self.assertEqual(self.stops, 1)
        build.finished = False

    def test_events(self):
        """Order and cancellation are events."""
        self.startFarm()
        self.request()
        self.stop()
        self.post("shutdown", "cancel", ANN)
        self.pass_(1)
        self.assertEqual([each["state"] for each in self.changes("shutdowns")], ["stopping", "running"])


class CancelTests(ShutdownTestCase):
    """It can be cancelled at any time, and then all goes on at once."""

    def waiting(self):
        self.startFarm({"a": ["mac-mini"], "b": ["plain"]})
        self.request("a")
        self.stop()
        brid = self.request("b")
        self.assertEqual(self.results(brid), [])
        return brid

    def test_cancel(self):
        """What waits begins, though what ran before still does; and the master does not stop."""
        brid = self.waiting()
        self.assertEqual(self.post("shutdown", "cancel", ANN).result["state"], "running")
        self.pass_(1)
        self.assertEqual(self.results(brid), [None])
        self.finishAll()
        self.pass_(HOUR)
        self.assertEqual((self.stops, self.told()["by"]), (0, None))

    def test_cancelledInBuildbotsWay(self):
        """So it is when somebody cancels it in Buildbot's own way."""
        brid = self.waiting()
        self.master.botmaster.cancelCleanShutdown()
        self.pass_(LOOK + 1)
        self.assertEqual(self.results(brid), [None])
        self.finishAll()
        self.pass_(HOUR)
        self.assertEqual(self.stops, 0)

    def test_nothingToCancel(self):
        """Where nothing is to be cancelled that is told."""
        self.startFarm()
        status, code, text = self.post("shutdown", "cancel", ANN).error
        self.assertEqual((status, code), (400, INVALID_REQUEST))
        self.assertIn("not about to stop", text)

    def test_orderedAgain(self):
        """After a cancellation it can be ordered again, and stops once."""
        self.waiting()
        self.post("shutdown", "cancel", ANN)
        self.pass_(1)
        self.stop()
        self.finishAll()
        self.pass_(MINUTE)
        self.assertEqual(self.stops, 1)


class DeadlineTests(ShutdownTestCase):
    def test_abort(self):
        """By default the master goes on at the deadline, as if nothing had been."""
        self.startFarm({"a": ["mac-mini"], "b": ["plain"]})
        self.request("a")
        entity = self.stop(deadline=self.at(7))
        self.assertEqual((entity["deadline"], entity["on_deadline"]), (self.at(7), "abort"))
        brid = self.request("b")
        self.passUntil(self.at(7) - 1)
        self.assertEqual(self.results(brid), [])
        self.passUntil(self.at(7) + LOOK + 1)
        self.assertEqual((self.results(brid), self.told()["state"]), ([None], "running"))
        self.finishAll()
        self.pass_(HOUR)
        self.assertEqual(self.stops, 0)

    def test_interrupt(self):
        """Interrupted, all requests are in the queue when the master stops."""
        self.startFarm({"a": ["mac-mini"], "b": ["plain"]})
        running = [self.request("a"), self.request("b")]
        self.stop(deadline=self.at(7), on_deadline="interrupt")
        self.passUntil(self.at(7) + LOOK + 2)
        self.assertEqual(self.stops, 1)
        self.assertEqual([self.results(each) for each in running], [[RETRY], [RETRY]])
        self.assertEqual(self.unclaimed(), running)

    def test_neverEnds(self):
        """A build that does not even end when its connection is cut does not keep the master from stopping."""
        self.startFarm()
        self.request()
        self.patch(Job, "interrupt", lambda job, reason: None)
        self.stop(deadline=self.at(7), on_deadline="interrupt")
        self.passUntil(self.at(7) + 2 * GRACE - 2)
        self.assertEqual(self.stops, 0)
        self.passUntil(self.at(7) + 2 * GRACE + 2 * LOOK)
        self.assertEqual(self.stops, 1)

    def test_anotherDeadline(self):
        """The newest order counts."""
        self.startFarm()
        brid = self.request()
        self.stop(deadline=self.at(7), on_deadline="interrupt")
        self.stop()
        self.passUntil(self.at(8))
        self.assertEqual(self.results(brid), [None])


class TogetherTests(ShutdownTestCase):
    """Buildbot's clean shutdown, a reconfiguration that waits and this one do not hinder each other, in any order."""

    def test_buildbotsFirst(self):
        """Buildbot's own that is under way is joined; the master stops once; the deadline of ours counts."""
        self.startFarm()
        brid = self.request()
        self.master.botmaster.cleanShutdown()
        self.assertEqual((self.told()["state"], self.told()["by"]), ("stopping", None))
        self.stop(deadline=self.at(7), on_deadline="interrupt")
        self.passUntil(self.at(7) + MINUTE)
        self.assertEqual((self.stops, self.results(brid)), (1, [RETRY]))

    def test_buildbotsAfterwards(self):
        """Buildbot's own that comes later joins ours."""
        self.startFarm()
        self.request()
        self.stop()
        self.master.botmaster.cleanShutdown()
        self.finishAll()
        self.pass_(MINUTE)
        self.assertEqual(self.stops, 1)

    def test_buildbotsIsStuck(self):
        """Where Buildbot's own never ends, because of a build that is lost, ours does."""
        self.startFarm()
        self.request()
        (build,) = (b for builder in self.master.botmaster.builders.values() for b in builder.building)
        build.finished = True
        self.master.botmaster.cleanShutdown()
        self.pass_(HOUR)
        self.assertEqual(self.stops, 0)
        self.stop()
        self.pass_(LOST + COURTESY + 2 * LOOK)
        self.assertEqual(self.stops, 1)
        build.finished = False
        self.master.botmaster.cancelCleanShutdown()
        self.pass_(2)

    def test_cancelBuildbots(self):
        """Buildbot's own can be cancelled here, and then what waits begins at once."""
        self.startFarm({"a": ["mac-mini"], "b": ["plain"]})
        self.request("a")
        self.master.botmaster.cleanShutdown()
        brid = self.request("b")
        self.post("shutdown", "cancel", ANN)
        self.pass_(1)
        self.assertEqual(self.results(brid), [None])
        self.finishAll()
        self.pass_(HOUR)
        self.assertEqual(self.stops, 0)
        self.assertFalse(self.master.botmaster.brd.distribute_only_waited_childs)

    def test_reconfig(self):
        """A reconfiguration that waits waits for the end of the master, or for the cancellation, and then goes on."""
        for reconfig_first in (True, False):
            self.startFarm()
            self.request()
            run = None
            for step in (reconfig_first, not reconfig_first):
                if step:
                    run = self.resultOf(
                        self.assembly.reconfigurations.request(ReconfigOrder(everything=True), "bob")
                    )
                else:
                    self.stop()
            self.pass_(MINUTE)
            self.assertEqual((self.stops, run.outcome), (0, None))
            self.post("shutdown", "cancel", ANN)
            self.pass_(MINUTE)
            self.finishAll()
            self.pass_(MINUTE)
            self.assertEqual(run.outcome.result, "reconfigured")
            self.assertEqual((self.stops, self.sources()), (0, []))
            brid = self.request()
            self.assertEqual(self.results(brid), [None])
            self.finishAll()
            self.stopMaster()

    def test_drain(self):
        """A worker that is drained is drained after a cancelled stop."""
        self.startFarm()
        self.post("presences/mac-mini", "drain", ANN)
        self.request()
        self.stop()
        self.post("shutdown", "cancel", ANN)
        self.pass_(1)
        self.assertEqual(self.getOne("presences/mac-mini")["drain"]["state"], "drained")
        self.assertNotIn("mac-mini", self.startedOn())


class ApiTests(ShutdownTestCase):
    def test_rules(self):
        """Who has the role may; nobody else."""
        self.startFarm()
        self.assertEqual(self.post("shutdown", "stop").error[0], 403)
        self.assertEqual(self.told()["state"], "running")

    def test_noRule(self):
        """Where no rule decides who may, nobody may: Buildbot would let everybody."""
        for authz in (Authz(), rules(defaultDeny=False)):
            self.startFarm(authz=authz)
            status, code, text = self.post("shutdown", "stop").error
            self.assertEqual((status, code), (400, INVALID_REQUEST))
            self.assertIn("no rule in master.cfg says who may stop the master", text)
            self.assertEqual(self.told()["state"], "running")
            self.stopMaster()

    def test_mistakes(self):
        """What makes no sense is refused with what would be right, and changes nothing."""
        self.startFarm()
        for action, params, code, said in (
            ("stop", {"deadline": 1}, INVALID_PARAMS, "deadline: 1 is past"),
            (
                "stop",
                {"on_deadline": "reboot"},
                INVALID_PARAMS,
                "on_deadline: 'reboot' is not one of abort, interrupt",
            ),
            ("stop", {"when": 1}, INVALID_PARAMS, "stop has no parameter 'when'"),
            ("Stop", {}, METHOD_NOT_FOUND, "there are stop, cancel"),
        ):
            error = self.post("shutdown", action, ANN, **params).error
            self.assertEqual(error[1], code)
            self.assertIn(said, error[2])
        self.assertEqual(self.told()["state"], "running")

    def test_anotherMaster(self):
        """Another master is asked at its own URL."""
        self.startFarm()
        # who says from where it comes is told of which builds it is a part
        told = self.post("shutdown", "stop", ANN, ancestors=["5 /srv"]).result
        self.assertEqual((told["state"], told["inside"]), ("stopping", []))
        self.assertEqual(self.get("masters/99/shutdown").status, 404)
        status, _, text = self.post("masters/99/shutdown", "stop", ANN).error
        self.assertEqual(status, 404)
        self.assertIn("ask that one", text)
