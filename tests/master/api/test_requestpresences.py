from datetime import datetime, timezone

from buildbot.config import BuilderConfig
from buildbot.locks import MasterLock, WorkerLock
from buildbot.plugins import util
from buildbot.process.factory import BuildFactory
from twisted.internet.defer import Deferred

from presence.breaks.schedule import Break
from presence.master.api.requestpresences import RequestPresence
from presence.master.why import reader
from presence.orders.shutdown import StopOrder
from presence.words.waiting import whyText
from tests.master.apicase import ApiTestCase
from tests.master.breaks.sparingsimulation import record
from tests.master.fakemaster import HOUR, MINUTE, Job


class RequestPresencesTests(ApiTestCase):
    """Why requests wait, and when they may start."""

    def builder(self, name, *workers, **more):
        return BuilderConfig(name, workernames=list(workers), factory=BuildFactory([Job(self)]), **more)

    def said(self, entity):
        """What is said of a request, with the clocks of UTC."""
        self.assertEntity(entity, RequestPresence)

        def moment(at):
            return f"{datetime.fromtimestamp(at, timezone.utc):%H:%M}"

        return whyText(entity, self.reactor.seconds(), moment)

    def why(self, brid):
        return self.said(self.getOne(f"buildrequests/{brid}/presence"))

    def whyBuilder(self, name="runtests"):
        builderid = self.master.botmaster.builders[name]._builderid
        return self.said(self.getOne(f"builders/{builderid}/requestpresence"))

    def test_workers(self):
        """Each worker is told with its reason: it builds, it has a break, it is held, it is not connected."""
        self.startMaster(
            [
                self.slave("mac-mini"),
                self.slave("sleepy", onBreakDuring=Break("05:00", "19:00", tz="UTC")),
                self.slave("gone"),
            ],
        )
        self.request()
        self.pass_(20 * MINUTE)
        self.finishAll()
        self.assertEqual(self.whyBuilder(), "A request would start at once.")
        self.disconnect("gone")
        running = self.request()
        self.pass_(8 * MINUTE)
        brid = self.request()
        self.assertEqual(
            self.why(brid),
            "Waits: mac-mini: busy with runtests #2, for about 12 min more; sleepy: on a break, until 19:00; "
            "gone: not connected, since 06:20. It may start in about 12 min.",
        )
        self.assertEqual(self.whyBuilder(), self.why(brid).replace("Waits", "A request would wait"))
        self.post("presences/mac-mini", "hold", reason="disks", until=self.reactor.seconds() + HOUR)
        self.assertIn(
            "mac-mini: held by anonymous (disks), until 07:28; busy with runtests #2, for about 12 min more",
            self.why(brid),
        )
        entity = self.getOne(f"requestpresences/{brid}")
        (hold,) = self.getOne("presences/mac-mini")["holds"]
        self.assertEqual((entity["earliest"], entity["estimated"]), (hold["until"], False))
        self.assertEqual(self.why(running), "It is being built.")
        self.finishAll()
        self.assertEqual(self.why(running), "It is complete.")
        self.assertEqual(self.get("buildrequests/77/presence").status, 404)
        self.assertEqual(self.get(f"requestpresences/{2**70}").status, 404)

    def test_pending(self):
        """All that wait in one answer, and those of one builder; those behind others are told how many."""
        self.startMaster(
            [self.slave(f"w{number}") for number in range(5)],
            {"runtests": [f"w{number}" for number in range(5)], "lint": ["w0"]},
            connect=False,
        )
        first, second, other = self.request(), self.request(), self.request("lint")
        found = sorted(self.getAll("requestpresences"), key=lambda each: each["buildrequestid"])
        self.assertEqual([each["buildrequestid"] for each in found], [first, second, other])
        self.assertEqual([each["ahead"] for each in found], [0, 1, 0])
        self.assertEqual(([len(each["workers"]) for each in found], found[0]["total"]), ([3, 3, 1], 5))
        self.assertEqual(
            self.said(found[1]),
            "Waits: 1 request of the builder is ahead of it; w0: not connected, since 06:00; of the others 4 not connected. "
            "When it may start is not known.",
        )
        self.assertEqual(self.said(found[1]), self.why(second))
        page = self.get("requestpresences?limit=1&offset=1").json
        self.assertEqual(
            (page["requestpresences"], page["meta"]["total"]), (self.getAll("requestpresences")[1:2], 3)
        )
        builderid = found[2]["builderid"]
        self.assertEqual(self.getAll(f"builders/{builderid}/requestpresences"), [found[2]])
        self.assertEqual(
            self.getAll("requestpresences?ahead__gt=0&field=buildrequestid&field=ahead"),
            [{"buildrequestid": second, "ahead": 1}],
        )

    def test_siteFunctions(self):
        """What the functions of master.cfg decide is told: of the request, of the worker, of the builder."""

        def prioritize(_master, builders):
            return [each for each in builders if each.name != "forgotten"]

        names = ("nextworker", "canstart", "nextbuild", "broken", "forgotten")
        self.startMaster(
            [self.slave("mac-mini")],
            [
                self.builder("nextworker", "mac-mini", nextWorker=lambda *_: None),
                self.builder("canstart", "mac-mini", canStartBuild=lambda *_: False),
                self.builder("nextbuild", "mac-mini", nextBuild=lambda *_: None),
                self.builder("broken", "mac-mini", nextWorker=lambda *_: 1 // 0),
                self.builder("forgotten", "mac-mini"),
            ],
            prioritizeBuilders=prioritize,
        )
        brids = {name: self.request(name) for name in names}
        self.flushLoggedErrors(ZeroDivisionError)
        self.assertEqual(
            {name: self.why(brid).partition(";")[0] for name, brid in brids.items()},
            {
                "nextworker": "Waits: nextWorker of master.cfg chose none of the workers that are free",
                "canstart": "Waits: mac-mini: canStartBuild of master.cfg said no. When it may start is not known.",
                "nextbuild": "Waits: nextBuild of master.cfg chose none of the requests",
                "broken": "Waits: nextWorker of master.cfg failed: ZeroDivisionError: integer division or modulo by zero",
                "forgotten": "Waits: prioritizeBuilders of master.cfg left this builder out",
            },
        )

    def test_silentFunction(self):
        """While a function of master.cfg does not answer everybody is told so, for everybody waits for it."""
        answer = Deferred()
        self.startMaster(
            [self.slave("mac-mini")],
            [
                self.builder("slow", "mac-mini", nextWorker=lambda *_: answer),
                self.builder("quick", "mac-mini"),
            ],
        )
        self.request("slow")
        brid = self.request("quick")
        self.pass_(MINUTE)
        self.assertIn(
            "nextWorker of builder slow of master.cfg has not answered, and until then nothing starts on this "
            "master, since 06:00",
            self.why(brid),
        )
        answer.callback(None)
        self.pass_(1)
        self.assertEqual(self.why(brid), "It is being built.")

    def test_locks(self):
        """A lock that is taken is told with the builds that have it: that of a builder, and that of workers."""
        lock = MasterLock("board")
        disk = WorkerLock("disk")
        self.startMaster(
            [self.slave("a"), self.slave("b", locks=[disk.access("exclusive")])],
            [
                self.builder("flash", "a", locks=[lock.access("exclusive")]),
                self.builder("test", "a", locks=[lock.access("exclusive")]),
                self.builder("one", "b"),
                self.builder("two", "b"),
            ],
        )
        self.request("flash")
        self.request("one")
        flash, disk = self.request("test"), self.request("two")
        unknown = "When it may start is not known."
        self.assertEqual(
            self.why(flash), f"Waits: a: waits for the lock board, which flash #1 has. {unknown}"
        )
        self.assertEqual(self.why(disk), f"Waits: b: waits for the lock disk, which one #1 has. {unknown}")

    def test_renderedLocks(self):
        """Locks that are worked out for each request are said to be taken when Buildbot has found them so."""
        lock = MasterLock("board")
        rendered = util.renderer(lambda _: [lock.access("exclusive")])
        self.startMaster(
            [self.slave("a"), self.slave("b")],
            [self.builder("flash", "a", locks=rendered), self.builder("test", "b", locks=rendered)],
        )
        self.request("flash")
        self.assertIn("b: the locks that it needs for this request are taken", self.why(self.request("test")))

    def test_partial(self):
        """In a partial break it is told what may start, and until when; and so is a build that would not be finished."""
        lint = Break("05:00", "19:00", tz="UTC", only="lint")
        self.startMaster([self.slave("mac-mini", onBreakDuring=lint)])
        self.assertEqual(
            self.why(self.request()),
            "Waits: mac-mini: in a partial break: only lint, until 19:00. It may start at 19:00.",
        )

    def test_sparing(self):
        """Before a break a build that would not be finished waits for its end; one that nobody has asked for yet would, too."""
        lunch = Break("12:00", "14:00", tz="UTC", finishBefore=True)
        self.startMaster([self.slave("mac-mini", onBreakDuring=lunch)])
        record(self, [("runtests", "mac-mini", self.at(1), self.at(2))])
        self.assertEqual(self.whyBuilder(), "A request would start at once.")
        self.passUntil(self.at(11.5))
        why = (
            "mac-mini: a build may take 1 h, and is to be finished before the next break, until 14:00. "
            "It may start at 14:00."
        )
        self.assertEqual(self.whyBuilder(), f"A request would wait: {why}")
        self.assertEqual(self.why(self.request()), f"Waits: {why}")

    def test_stopping(self):
        """While the master stops nothing is free, whatever its workers are."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")])
        self.request()
        self.assembly.shutdown.request(StopOrder(), "ann")
        self.assertEqual(
            self.whyBuilder().partition(";")[0],
            "A request would wait: the master is stopping, as ann has ordered, since 06:00",
        )
        self.assertIn("When it may start is not known", self.why(self.request()))
        self.assembly.shutdown.cancel("ann")
        self.assertEqual(self.whyBuilder(), "A request would start at once.")

    def test_builderHasGone(self):
        """A builder that goes while the database is asked is not here, and its workers are not asked after."""
        self.startMaster([self.slave("mac-mini")], {"runtests": ["mac-mini"]}, connect=False)
        brid = self.request()
        asked = reader.estimatesOf

        def ask(master, builds):
            del master.botmaster.builders["runtests"]
            return asked(master, builds)

        builder = self.master.botmaster.builders["runtests"]
        self.patch(reader, "estimatesOf", ask)
        self.assertIn("this master does not have the builder", self.why(brid))
        self.master.botmaster.builders["runtests"] = builder

    def test_full(self):
        """A worker that builds as many as it may is busy for every builder; an order makes nothing of it."""
        self.startMaster(
            [self.slave("mac-mini", max_builds=1)], {"runtests": ["mac-mini"], "lint": ["mac-mini"]}
        )
        self.request()
        brid = self.request("lint")
        self.assertIn("mac-mini: busy with runtests #1, at most 1 at once", self.why(brid))
        self.assertEqual(self.post(f"requestpresences/{brid}", "hurry").error[0], 501)
