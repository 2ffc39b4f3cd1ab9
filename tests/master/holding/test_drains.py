from pathlib import Path

from buildbot.process.results import CANCELLED, RETRY, SUCCESS
from buildbot.steps.trigger import Trigger
from twisted.internet.defer import Deferred

from presence.errors import NotAcceptingBuildsError
from presence.master.builds.requeue import GRACE
from presence.orders.reconfig import ReconfigOrder
from tests.master.apicase import INVALID_PARAMS, ApiTestCase, user
from tests.master.fakemaster import HOUR, MINUTE
from tests.master.triggers import family

ANN = user("ann")


class DrainTestCase(ApiTestCase):
    def startFarm(self, *names, builders=None, **more):
        self.startMaster([self.slave(name) for name in names], builders, **more)

    def order(self, name="mac-mini", action="drain", **params):
        return self.post(f"presences/{name}", action, ANN, **params).result

    def drain(self, name="mac-mini"):
        """What is told of its drain."""
        return self.getOne(f"presences/{name}")["drain"]

    def state(self, name="mac-mini"):
        drain = self.drain(name)
        return drain and drain["state"]

    def finish(self, builder):
        """End the one build of this builder that runs."""
        (job,) = (job for job in self.jobs if job.buildername == builder)
        job.finish()
        self.pass_(1)

    def running(self):
        """(worker, builder) of what runs."""
        return sorted((job.workername, job.buildername) for job in self.jobs)


class DrainTests(DrainTestCase):
    """No builds any more; what runs is finished."""

    def test_finishes(self):
        """What runs is finished, and then the worker is drained; what waits goes on waiting until the release."""
        self.startFarm("mac-mini")
        first = self.request()
        entity = self.order(reason="update")
        self.assertEntity(entity)
        self.assertEqual(
            entity["drain"],
            {"state": "draining", "deadline": None, "on_deadline": "interrupt", "group": None},
        )
        (hold,) = entity["holds"]
        self.assertEqual((hold["source"], hold["reason"], hold["by"]), ("admin", "update", "ann"))
        second = self.request()
        self.pass_(HOUR)
        self.assertEqual((self.results(first), self.results(second)), ([None], []))
        self.finish("runtests")
        self.assertEqual(
            (self.state(), self.results(first), self.results(second)), ("drained", [SUCCESS], [])
        )
        self.order(action="release")
        self.pass_(1)
        self.assertIsNone(self.drain())
        self.assertEqual(self.results(second), [None])

    def test_announced(self):
        """That it is draining, and that it is drained, are events."""
        self.startFarm("mac-mini")
        self.request()
        self.pass_(1)
        self.changes()
        self.order()
        self.pass_(1)
        self.assertEqual([each["drain"]["state"] for each in self.changes()], ["draining"])
        self.finish("runtests")
        self.assertEqual(self.changes()[-1]["drain"]["state"], "drained")

    def test_reconnect(self):
        """A worker that comes back is drained as before, and its build is built elsewhere."""
        self.startFarm("mac-mini", "aarch64", builders={"runtests": ["mac-mini", "aarch64"]})
        self.presence("aarch64").hold("break")
        brid = self.request()
        self.order(deadline=self.at(8))
        self.disconnect("mac-mini")
        self.connect("mac-mini")
        self.pass_(MINUTE)
        self.assertEqual(self.drain()["deadline"], self.at(8))
        self.assertEqual((self.results(brid), self.state()), ([RETRY], "drained"))
        self.presence("aarch64").release("break")
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini", "aarch64"])

    def test_holdInstead(self):
        """To hold a worker that is drained ends the drain, and its deadline."""
        self.startFarm("mac-mini")
        self.request()
        self.order(deadline=self.at(7))
        self.assertIsNone(self.order(action="hold")["drain"])
        self.passUntil(self.at(8))
        self.assertEqual(len(self.jobs), 1)

    def test_stock(self):
        """A stock worker cannot be drained, and is told so."""
        self.startMaster([self.slave("mac-mini"), self.stock("plain")])
        status, code, text = self.post("presences/plain", "drain", ANN).error
        self.assertEqual((status, code), (400, INVALID_PARAMS))
        self.assertIn("one of Buildbot's own workers", text)

    def test_nothingIsLeft(self):
        """When the master has stopped, Buildbot's distributor is as before, and no timer is left."""
        self.startFarm("mac-mini")
        self.order(deadline=self.at(8))
        brd = self.master.botmaster.brd
        self.assertIn("BuildChooser", vars(brd))
        self.stopMaster()
        self.assertNotIn("BuildChooser", vars(brd))

    def test_removed(self):
        """A worker that leaves the configuration takes its timer along."""
        self.startFarm("mac-mini", "aarch64")
        self.order(deadline=self.at(7))
        self.reconfig([self.controllers["aarch64"]])
        self.passUntil(self.at(8))


class RestartTests(DrainTestCase):
    def test_restart(self):
        """After a restart a worker is drained as before, with its deadline, and gets no build."""
        database = Path(self.mktemp()).resolve()
        more = {"db_url": f"sqlite:///{database}"}
        self.startFarm("mac-mini", **more)
        before = self.order(reason="update", deadline=self.at(8), on_deadline="release", group="g")
        self.stopMaster()
        self.startFarm("mac-mini", **more)
        self.request()
        self.assertEqual(self.drain(), before["drain"])
        self.assertEqual(self.getOne("presences/mac-mini")["holds"], before["holds"])
        # there is nothing left to interrupt, or to give up for
        self.passUntil(self.at(9))
        self.assertEqual((self.state(), self.starts), ("drained", []))


class DeadlineTests(DrainTestCase):
    """At the deadline what still runs is interrupted, and not lost; or the drain is given up."""

    def test_interrupt(self):
        """It is interrupted and built elsewhere; the worker is drained and stays so."""
        self.startFarm("mac-mini", "aarch64", builders={"runtests": ["mac-mini", "aarch64"]})
        self.presence("aarch64").hold("break")
        brid = self.request()
        self.order(deadline=self.at(7))
        self.presence("aarch64").release("break")
        self.passUntil(self.at(7) - 1)
        self.assertEqual((self.state(), self.results(brid)), ("draining", [None]))
        self.passUntil(self.at(7) + 1)
        self.assertEqual((self.state(), self.results(brid)), ("drained", [RETRY, None]))
        self.assertEqual(self.startedOn(), ["mac-mini", "aarch64"])
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])
        self.passUntil(self.at(7) + 2 * GRACE)
        self.assertIsNotNone(self.worker("mac-mini").conn)

    def test_nothingRuns(self):
        """When nothing runs at the deadline nothing happens."""
        for then in ("interrupt", "release"):
            self.startFarm("mac-mini")
            self.order(deadline=self.reactor.seconds() + HOUR, on_deadline=then)
            self.pass_(2 * HOUR)
            self.assertEqual(self.state(), "drained")
            self.stopMaster()

    def test_cancelled(self):
        """A drain that is released before its deadline interrupts nothing."""
        self.startFarm("mac-mini")
        brid = self.request()
        self.order(deadline=self.at(7))
        self.order(action="release")
        self.passUntil(self.at(8))
        self.assertEqual(self.results(brid), [None])

    def test_anotherDeadline(self):
        """To drain again changes the deadline."""
        self.startFarm("mac-mini")
        brid = self.request()
        self.order(deadline=self.at(7))
        self.order(deadline=self.at(8))
        self.passUntil(self.at(8) - 1)
        self.assertEqual(self.results(brid), [None])
        self.passUntil(self.at(8) + 1)
        self.assertEqual(self.results(brid), [RETRY])

    def test_release(self):
        """Given up, the worker goes on as if nothing had been: also after a restart."""
        self.startFarm("mac-mini")
        first, second = self.request(), self.request()
        self.order(deadline=self.at(7), on_deadline="release")
        self.finish("runtests")
        self.assertEqual((self.results(first), self.results(second)), ([SUCCESS], []))
        self.order(action="release")
        self.pass_(1)
        self.order(deadline=self.at(7), on_deadline="release")
        self.passUntil(self.at(7) + 1)
        self.assertEqual((self.drain(), self.sources()), (None, []))
        self.assertEqual(self.results(second), [None])
        self.assertIsNone(self.worker("mac-mini").adminRecord.hold)

    def test_releaseTheGroup(self):
        """A group is given up together, those on which nothing runs included."""
        self.startFarm("mac-mini", "aarch64", "other", builders={"runtests": ["mac-mini"]})
        self.request()
        for name in ("aarch64", "mac-mini"):
            self.order(name, deadline=self.at(7), on_deadline="release", group="g")
        self.order("other", deadline=self.at(7), on_deadline="release")
        self.passUntil(self.at(7) + 1)
        self.assertEqual(
            [self.state(name) for name in ("mac-mini", "aarch64", "other")], [None, None, "drained"]
        )

    def test_jump(self):
        """When the clock jumps over the deadline, what runs is interrupted when the master notices."""
        self.startFarm("mac-mini")
        brid = self.request()
        self.order(deadline=self.at(7))
        self.jump(2 * HOUR)
        self.pass_(1)
        self.assertEqual(self.results(brid), [RETRY])


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
