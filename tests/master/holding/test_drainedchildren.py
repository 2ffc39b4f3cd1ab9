"""Builds that wait for others, which a drained worker has to run still."""

from buildbot.process.results import CANCELLED, RETRY, SUCCESS
from buildbot.steps.trigger import Trigger
from twisted.internet.defer import Deferred

from presence.errors import NotAcceptingBuildsError
from presence.master.holding import drains
from presence.model.workerpresence import WorkerPresence
from presence.orders.reconfig import ReconfigOrder
from tests.master.fakemaster import HOUR, MINUTE
from tests.master.holding.test_drains import DrainTestCase
from tests.master.triggers import family


class ChildrenTests(DrainTestCase):
    """What a build waits for that runs on a drained worker is a part of it."""

    def startFamily(self, builders, *names, **more):
        """`builders` as `family()` takes them; the workers take two builds at a time."""
        self.startMaster([self.slave(name, max_builds=2) for name in names], **family(self, builders), **more)

    def trigger(self, builder="parent"):
        """A request for a build that triggers another, which it cannot yet: nobody may build that."""
        brid = self.request(builder)
        self.pass_(1)
        return brid

    def test_sameWorker(self):
        """A child that only the drained worker can build is built there, and nothing else is."""
        self.startFamily({"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}, "mac-mini")
        slow = self.slowTriggers()
        parent = self.trigger()
        self.order()
        strangers = [self.request("child"), self.request("child")]
        slow.callback(None)
        self.pass_(1)
        self.assertEqual(self.running(), [("mac-mini", "child")])
        self.finish("child")
        self.assertEqual((self.results(parent), self.state()), ([SUCCESS], "drained"))
        self.assertEqual(self.unclaimed(), strangers)
        self.pass_(HOUR)
        self.assertEqual(self.starts[-1].builder, "child")
        self.assertEqual(len(self.starts), 2)

    def slowTriggers(self):
        """What to call when the builds that trigger others may do so."""
        go_on, run = Deferred(), Trigger.run
        go_on.addCallback(lambda _: self.patch(Trigger, "run", run))

        def runLater(step):
            later = Deferred()
            go_on.addCallback(lambda _: later.callback(None))
            return later.addCallback(lambda _: run(step))

        self.patch(Trigger, "run", runLater)
        return go_on

    def askedLate(self):
        """A child whose drained worker is asked about it; what to call when the database says for whom it is built."""
        self.startFamily({"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}, "mac-mini")
        slow = self.slowTriggers()
        self.trigger()
        self.order()
        answer, ask = Deferred(), drains.waitingFor
        self.patch(drains, "waitingFor", lambda *args: answer.addCallback(lambda _: ask(*args)))
        slow.callback(None)
        self.pass_(1)
        self.assertEqual(self.running(), [])
        return answer

    def test_heldMeanwhile(self):
        """A child is not sent to a worker that something else holds by then."""
        answer = self.askedLate()
        self.presence().hold("worker")
        answer.callback(None)
        self.pass_(1)
        self.assertEqual((self.running(), self.assembly.refusals), ([], 0))

    def test_releasedMeanwhile(self):
        """When the drain has been released by then the child starts as any other build does."""
        answer = self.askedLate()
        self.order(action="release")
        answer.callback(None)
        self.pass_(1)
        self.assertEqual(self.running(), [("mac-mini", "child")])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_alreadyQueued(self):
        """So is one that is in the queue when the drain begins, behind any number of others."""
        self.startFamily({"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}, "mac-mini")
        self.presence().hold("admin", reason="by a service")
        others = [self.request("child") for _ in range(3)]
        self.presence().release("admin")
        slow = self.slowTriggers()
        self.order(action="hold")
        self.assertEqual(self.unclaimed(), others)
        self.order(action="release")
        self.pass_(1)
        # one of the others runs; the parent is the second build of this worker
        parent = self.trigger()
        self.order(action="hold")
        slow.callback(None)
        self.pass_(1)
        self.finish("child")
        self.assertEqual(self.running(), [])
        self.order()
        self.pass_(1)
        self.assertEqual(self.running(), [("mac-mini", "child")])
        self.finish("child")
        self.assertEqual(self.results(parent), [SUCCESS])
        self.assertEqual(self.unclaimed(), others[1:])

    def test_anotherWorker(self):
        """A child is left to a worker that is not held, though that is busy; and comes back when that one goes."""
        self.startFamily(
            {"parent": (["mac-mini"], "child"), "child": (["mac-mini", "aarch64"], None)},
            "mac-mini",
            "aarch64",
        )
        slow = self.slowTriggers()
        parent = self.trigger()
        self.order()
        for _ in range(2):
            self.request("child")
        self.assertEqual(self.running(), [("aarch64", "child")])
        slow.callback(None)
        self.pass_(MINUTE)
        self.assertEqual(self.running(), [("aarch64", "child")])
        self.presence("aarch64").hold("break")
        self.pass_(1)
        self.assertEqual(self.running(), [("aarch64", "child"), ("mac-mini", "child")])
        next(job for job in self.jobs if job.workername == "mac-mini").finish()
        self.pass_(1)
        self.assertEqual((self.results(parent), self.state()), ([SUCCESS], "drained"))

    def test_anotherMaster(self):
        """Likewise to a worker that is ready at another master."""
        self.startFamily({"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}, "mac-mini")
        far = WorkerPresence("far", self.roster.clock)
        self.roster.builder("child").addElsewhere(far)
        slow = self.slowTriggers()
        self.trigger()
        self.order()
        slow.callback(None)
        self.pass_(MINUTE)
        self.assertEqual(self.running(), [])
        far.hold("offline")
        self.assembly.drains.anotherIsAway()
        self.pass_(1)
        self.assertEqual(self.running(), [("mac-mini", "child")])

    def test_grandchild(self):
        """A grandchild is a part of it too, whoever builds the child."""
        self.startFamily(
            {
                "parent": (["mac-mini"], "child"),
                "child": (["aarch64"], "grandchild"),
                "grandchild": (["mac-mini"], None),
            },
            "mac-mini",
            "aarch64",
        )
        slow = self.slowTriggers()
        parent = self.trigger()
        self.order()
        slow.callback(None)
        self.pass_(2)
        self.assertEqual(self.running(), [("mac-mini", "grandchild")])
        self.finish("grandchild")
        self.assertEqual((self.results(parent), self.state()), ([SUCCESS], "drained"))

    def test_group(self):
        """In a group a child may start on a worker on which nothing runs: it is not drained before all are."""
        self.startFamily(
            {"parent": (["mac-mini"], "child"), "child": (["aarch64"], None)}, "mac-mini", "aarch64"
        )
        slow = self.slowTriggers()
        parent = self.trigger()
        for name in ("mac-mini", "aarch64"):
            self.order(name, group="update")
        self.assertEqual((self.state("mac-mini"), self.state("aarch64")), ("draining", "draining"))
        slow.callback(None)
        self.pass_(1)
        self.assertEqual(self.running(), [("aarch64", "child")])
        self.changes()
        self.finish("child")
        self.assertEqual(self.results(parent), [SUCCESS])
        self.assertEqual((self.state("mac-mini"), self.state("aarch64")), ("drained", "drained"))
        told = {each["name"]: each["drain"]["state"] for each in self.changes()}
        self.assertEqual(told, {"mac-mini": "drained", "aarch64": "drained"})

    def test_drainedStaysDrained(self):
        """Once it is drained, no child of another worker's build starts there."""
        self.startFamily(
            {"parent": (["mac-mini"], "child"), "child": (["aarch64"], None)}, "mac-mini", "aarch64"
        )
        slow = self.slowTriggers()
        self.trigger()
        for name in ("mac-mini", "aarch64"):
            self.order(name)
        self.assertEqual(self.state("aarch64"), "drained")
        slow.callback(None)
        self.pass_(HOUR)
        self.assertEqual(self.running(), [])
        # and who waits for it waits, until a deadline or a release
        self.order("aarch64", action="release")
        self.pass_(1)
        self.assertEqual(self.running(), [("aarch64", "child")])

    def test_anotherHold(self):
        """What else holds the worker counts for children as for all."""
        self.startFamily({"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}, "mac-mini")
        slow = self.slowTriggers()
        self.trigger()
        self.order()
        self.presence().hold("worker", reason="rendering")
        slow.callback(None)
        self.pass_(MINUTE)
        self.assertEqual(self.running(), [])
        self.presence().release("worker")
        self.pass_(1)
        self.assertEqual(self.running(), [("mac-mini", "child")])

    def test_deadline(self):
        """At the deadline parent and child are interrupted, no child starts, and the parent is built elsewhere."""
        self.startFamily(
            {"parent": (["mac-mini", "aarch64"], "child"), "child": (["mac-mini", "aarch64"], None)},
            "mac-mini",
            "aarch64",
        )
        self.presence("aarch64").hold("break")
        parent = self.trigger()
        self.order(deadline=self.at(7))
        self.passUntil(self.at(7) + 2)
        self.assertEqual((self.state(), self.running()), ("drained", []))
        self.assertEqual((self.results(parent), self.results(parent + 1)), ([RETRY], [CANCELLED]))
        self.presence("aarch64").release("break")
        self.pass_(2)
        self.assertEqual(self.running(), [("aarch64", "child")])
        self.finishAll()
        self.assertEqual(self.results(parent), [RETRY, SUCCESS])

    def test_waitsForNobody(self):
        """A parent whose child nobody may build is interrupted at the deadline like any other."""
        self.startFamily(
            {"parent": (["mac-mini"], "child"), "child": (["aarch64"], None)}, "mac-mini", "aarch64"
        )
        self.presence("aarch64").hold("break")
        parent = self.trigger()
        self.order(deadline=self.at(7))
        self.passUntil(self.at(7) + 2)
        self.assertEqual((self.state(), self.unclaimed()), ("drained", [parent]))

    def test_othersBeingPrepared(self):
        """A build that is no child, and was being prepared when the drain began, does not slip in with one."""
        self.startFamily(
            {"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None), "other": (["mac-mini"], None)},
            "mac-mini",
        )
        self.worker("mac-mini").max_builds = 3
        slow_triggers = self.slowTriggers()
        self.trigger()
        slow, add = Deferred(), self.master.data.updates.addBuild
        slowed = []

        def addBuild(**kwargs):
            if slowed:
                return add(**kwargs)
            slowed.append(kwargs)
            return slow.addCallback(lambda _: add(**kwargs))

        self.patch(self.master.data.updates, "addBuild", addBuild)
        other = self.request("other")
        self.order()
        slow_triggers.callback(None)
        self.pass_(1)
        self.assertEqual(self.running(), [("mac-mini", "child")])
        slow.callback(None)
        self.pass_(1)
        self.assertEqual((self.running(), self.unclaimed()), ([("mac-mini", "child")], [other]))
        self.assertIsNone(self.worker("mac-mini").quarantine_timer)
        self.flushLoggedErrors(NotAcceptingBuildsError)
        self.finish("child")
        self.assertEqual(self.state(), "drained")

    def test_duringAReconfig(self):
        """A drain and a reconfiguration that waits for everything: what is waited for is built, and both are done."""
        self.startFamily(
            {"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}, "mac-mini", "aarch64"
        )
        slow = self.slowTriggers()
        parent = self.trigger()
        self.order()
        run = self.resultOf(self.assembly.reconfigurations.request(ReconfigOrder(everything=True), "bob"))
        self.assertEqual(self.sources(), ["admin", "reconfig"])
        stranger = self.request("child")
        slow.callback(None)
        self.pass_(2)
        self.assertEqual(self.running(), [("mac-mini", "child")])
        self.finish("child")
        self.pass_(MINUTE)
        self.assertEqual(self.results(parent), [SUCCESS])
        self.assertEqual(run.outcome.result, "reconfigured")
        self.assertEqual((self.sources(), self.state(), self.unclaimed()), (["admin"], "drained", [stranger]))

    def test_cost(self):
        """However many requests wait, those that are no children are not even looked at."""
        self.startFamily({"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}, "mac-mini")
        slow = self.slowTriggers()
        self.trigger()
        self.order()
        for _ in range(5):
            self.request("child")
        looked = []
        chooser = self.master.botmaster.brd.BuildChooser
        real = chooser._getBuildRequestForBrdict
        self.patch(
            chooser,
            "_getBuildRequestForBrdict",
            lambda chooser, brdict: looked.append(brdict["buildrequestid"]) or real(chooser, brdict),
        )
        slow.callback(None)
        self.pass_(1)
        self.assertEqual(self.running(), [("mac-mini", "child")])
        self.assertEqual(len(set(looked)), 1)
