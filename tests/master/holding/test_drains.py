from pathlib import Path

from buildbot.process.results import RETRY, SUCCESS

from presence.master.builds.requeue import GRACE
from tests.master.apicase import INVALID_PARAMS, ApiTestCase, user
from tests.master.fakemaster import HOUR, MINUTE

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
        self.assertTrue(entity.pop("order")["heeded"])
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

    def test_announcedOfAGroup(self):
        """That all of a group are drained, or are not yet, is an event of each: when a build ends, and when the one that builds is
        released.
        """
        self.startFarm("mac-mini", "aarch64", builders={"runtests": ["mac-mini"]})
        for end in (lambda: self.finish("runtests"), lambda: self.order(action="release")):
            self.request()
            self.pass_(1)
            self.changes()
            for name in ("aarch64", "mac-mini"):
                self.order(name, group="g")
            self.pass_(1)
            states = [each["drain"]["state"] for each in self.changes() if each["name"] == "aarch64"]
            self.assertEqual(states[-1], "draining")
            end()
            self.pass_(1)
            states = [each["drain"]["state"] for each in self.changes() if each["name"] == "aarch64"]
            self.assertEqual(states, ["drained"])
            for name in ("aarch64", "mac-mini"):
                self.order(name, action="release")
        self.finishAll()

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
