"""Farms whose workers are drained at random, alone and together, while builds wait for builds for builds.

PRESENCE_DRAIN_SEEDS says how many there are. It is worked out here, from Buildbot's own tables, who waits for whom.
"""

import random

import sqlalchemy as sa
from buildbot.process.results import CANCELLED, RETRY, SUCCESS

from tests.each import seeds
from tests.master.apicase import ApiTestCase
from tests.master.fakemaster import MINUTE
from tests.master.triggers import family

WORKERS = ("w0", "w1", "w2")
EVENTS = {"request": 10, "finish": 12, "drain": 6, "release": 5, "reconnect": 3, "drainAll": 2}


@seeds("PRESENCE_DRAIN_SEEDS", 2, "The farm that begins with seed {} keeps all laws.", search=16)
class DrainSimulationTests(ApiTestCase):
    """Nothing is lost, nothing starts where it may not, and no drain waits in vain."""

    def simulate(self, seed):
        self.rng = rng = random.Random(seed)
        self.history, self.problems, self.brids = [], [], []
        self.drained = {}  # name: group, or the name itself
        subsets = [rng.sample(WORKERS, rng.randint(1, 3)) for _ in range(4)]
        self.builders = {
            "top": (subsets[0], "middle"),
            "middle": (subsets[1], "leaf"),
            "leaf": (subsets[2], None),
            "plain": (subsets[3], None),
        }
        self.startMaster([self.slave(name) for name in WORKERS], **family(self, self.builders, works=True))
        try:
            for _ in range(14):
                (kind,) = rng.choices(list(EVENTS), list(EVENTS.values()))
                getattr(self, kind)()
                self.pass_(rng.choice((1, 2, MINUTE)))
                self.assertEqual(self.problems, [])
            self.end()
        except Exception as problem:
            raise AssertionError(
                f"seed {seed}: {problem}\n{self.builders}\n" + "\n".join(self.history)
            ) from problem

    def note(self, text):
        self.history.append(f"{self.reactor.seconds() - self.at(6):9.1f} {text}")

    # --- the laws

    def started(self, start):
        super().started(start)
        if not hasattr(self, "drained"):
            return
        building = self.master.botmaster.builders[start.builder].building
        (build,) = (each for each in building if each.workername == start.worker and not each.finished)
        self.note(f"{build.requests[0].id} of {start.builder} starts on {start.worker}")
        self.look(start.worker)
        group = self.drained.get(start.worker)
        if group is None:
            return
        there = {
            each.buildid
            for builder in self.master.botmaster.builders.values()
            for each in builder.building
            if self.drained.get(each.workername) == group and each is not build
        }
        # asked later: nothing may be waited for in here
        self.reactor.callLater(0, self.checkChild, build.requests[0].bsid, there, f"{start} in {there}")

    def checkChild(self, bsid, there, what):
        model = self.master.db.model

        def thd(connection):
            found, child = set(), bsid
            while child is not None:
                parent = connection.execute(
                    sa.select(model.buildsets.c.parent_buildid).where(model.buildsets.c.id == child)
                ).scalar()
                found.add(parent)
                child = connection.execute(
                    sa.select(model.buildrequests.c.buildsetid)
                    .join(model.builds, model.builds.c.buildrequestid == model.buildrequests.c.id)
                    .where(model.builds.c.id == parent)
                ).scalar()
            return found

        def check(ancestors):
            if ancestors.isdisjoint(there):
                self.problems.append(f"{what}: nobody there waits for it, but {ancestors}")

        self.master.db.pool.do(thd).addCallback(check)

    # --- what happens

    def request(self, builder=None):
        builder = builder or self.rng.choice(list(self.builders))
        self.brids.append(super().request(builder))
        self.note(f"request {self.brids[-1]} of {builder}")

    def finish(self):
        for job in self.rng.sample(self.jobs, self.rng.randint(0, len(self.jobs))):
            self.note(f"{job.brid} of {job.buildername} finishes")
            job.finish()

    def drain(self, names=None, **params):
        names = names or self.rng.sample(WORKERS, self.rng.randint(1, 3))
        if not params and self.rng.random() < 2 / 3:
            params = {
                "deadline": self.reactor.seconds() + self.rng.choice((1, 30, 90)),
                "on_deadline": self.rng.choice(("interrupt", "release")),
            }
        params["group"] = self.rng.choice((None, "g", f"{self.rng.random()}"))
        self.note(f"drain {names} {params}")
        for name in names:
            self.drained[name] = params["group"] or name
            self.post(f"presences/{name}", "drain", **params).result  # noqa: B018 (it looks at the status)
            if params.get("on_deadline") == "release":
                self.reactor.callLater(params["deadline"] - self.reactor.seconds(), self.look, name)

    def look(self, name):
        """At its deadline it may have been given up."""
        if self.worker(name).adminRecord.drain is None:
            self.drained.pop(name, None)

    def release(self, names=None):
        for name in names or self.rng.sample(WORKERS, 1):
            self.note(f"release {name}")
            self.drained.pop(name, None)
            self.post(f"presences/{name}", "release").result  # noqa: B018

    def reconnect(self):
        name = self.rng.choice(WORKERS)
        self.note(f"{name} is lost, and back")
        self.disconnect(name)
        self.pass_(self.rng.choice((0, 5)))
        self.connect(name)

    def drainAll(self):
        """All together: as builds finish, all are drained, whatever waited for whatever."""
        for name in WORKERS:
            self.drained[name] = "all"
        self.note("drain all")
        for name in WORKERS:
            self.post(f"presences/{name}", "drain", group="all").result  # noqa: B018
        self.finishAll()
        self.pass_(5)
        self.finishAll()
        states = {each["name"]: each["drain"]["state"] for each in self.getAll("presences")}
        self.assertEqual(states, dict.fromkeys(WORKERS, "drained"))
        starts = len(self.starts)
        self.pass_(MINUTE)
        self.assertEqual(len(self.starts), starts)

    def end(self):
        """Everybody works again, and each request is completed, once."""
        self.note("the end")
        self.release(WORKERS)
        for _ in range(20 * len(self.brids) + 20):
            self.pass_(2)
            if not self.jobs and not self.unclaimed():
                break
            self.finishAll()
        self.pass_(2 * MINUTE)
        model = self.master.db.model
        open_ = self.query(sa.select(model.buildrequests).where(model.buildrequests.c.complete == 0))
        self.assertEqual(open_, [])
        results = {row.id: [] for row in self.query(sa.select(model.buildrequests))}
        for row in self.query(sa.select(model.builds).order_by(model.builds.c.id)):
            results[row.buildrequestid].append(row.results)
        for row in self.query(sa.select(model.buildrequests)):
            # who was interrupted has cancelled what it waited for, and triggered it anew
            allowed = (SUCCESS,) if row.id in self.brids else (SUCCESS, CANCELLED)
            self.assertIn(row.results, allowed, f"request {row.id}")
            found = [each for each in results[row.id] if each != RETRY]
            self.assertIn(found, ([], [CANCELLED]) if row.results == CANCELLED else ([SUCCESS],))
