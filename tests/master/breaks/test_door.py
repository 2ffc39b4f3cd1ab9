from presence.breaks.schedule import Break
from presence.master.breaks.door import REMEMBERED, Refusal
from tests.master.breaks.sparingsimulation import record
from tests.master.fakemaster import HOUR, MINUTE, MasterTestCase
from tests.master.triggers import family

UTC = "UTC"


class BreakDoorCase(MasterTestCase):
    def built(self, minutes, builder="runtests"):
        """Builds of the past, of so many minutes each."""
        [worker, *_] = self.master.botmaster.builders[builder].config.workernames
        now = self.reactor.seconds()
        record(self, [(builder, worker, now - length * MINUTE, now) for length in minutes])

    def away(self, *breaks, name="mac-mini", **more):
        return self.slave(name, onBreakDuring=list(breaks), timezone=UTC, **more)

    @property
    def door(self):
        return self.assembly.breakDoor


class FinishBeforeTests(BreakDoorCase):
    """No build starts that would, by the builds of the past, still run when the break begins."""

    def startFarm(self, *others, minutes=(10,) * 6, **more):
        self.startMaster([self.away(Break("12:00", "14:00", finishBefore=True)), *others], **more)
        self.built(minutes)

    def test_fits(self):
        """A build that is done by then, as far as one knows, starts."""
        self.startFarm()
        self.setClock(11.5)
        self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_tooLong(self):
        """A build that would still run waits in the queue, starts at the end of the break, and why it waits is told."""
        self.startFarm()
        self.passUntil(self.at(11.9))
        brid = self.request()
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        why = self.door.why("mac-mini", "runtests")
        self.assertIn("a build may take 10 min", why.reason)
        self.assertEqual((why.until, why.finishBy), (self.at(14), self.at(12)))
        self.passUntil(self.at(14) - 1)
        self.assertEqual((self.starts, self.sources()), ([], ["break"]))
        self.passUntil(self.at(14) + 1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.assertIsNone(self.door.why("mac-mini", "runtests"))

    def test_goesElsewhere(self):
        """A build that would not be done here starts on another worker."""
        self.startFarm(self.slave("other"), builders={"runtests": ["mac-mini"], "any": ["mac-mini", "other"]})
        self.built([10] * 6, "any")
        self.passUntil(self.at(11.95))
        self.request("any")
        self.assertEqual(self.startedOn(), ["other"])

    def test_shortOnesStart(self):
        """Short builds go on starting when a long one does not any more."""
        self.startMaster(
            [self.away(Break("12:00", "14:00", finishBefore=True))],
            {"long": ["mac-mini"], "short": ["mac-mini"]},
        )
        self.built([60] * 3, "long")
        self.built([3] * 3, "short")
        self.passUntil(self.at(11.5))
        self.request("long")
        self.request("short")
        self.assertEqual([each.builder for each in self.starts], ["short"])

    def test_withoutAPast(self):
        """A build without a past may start, also just before."""
        self.startMaster([self.away(Break("12:00", "14:00", finishBefore=True))])
        self.passUntil(self.at(11.99))
        self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_otherBreaks(self):
        """Breaks that do not say so are begun with builds running, as always."""
        self.startMaster([self.away(("12:00", "14:00"))])
        self.built([10] * 6)
        self.passUntil(self.at(11.99))
        self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.assertFalse(self.door.isGuarding)

    def test_suspended(self):
        """Who lets the machine work anyway lets long builds start: within a minute, and until that ends."""
        self.startFarm()
        self.passUntil(self.at(11.95))
        self.request()
        self.worker("mac-mini").breakTimer.suspend(self.at(13))
        self.pass_(REMEMBERED + 1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.passUntil(self.at(12.9))
        self.jobs[0].finish()
        self.starts.clear()
        self.request()
        self.assertEqual(self.starts, [])

    def test_reconfig(self):
        """A configuration without the break lets what waits start at once."""
        self.startFarm()
        self.passUntil(self.at(11.95))
        self.request()
        self.assertEqual(self.starts, [])
        self.reconfig([self.away(("20:00", "21:00"))])
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.assertFalse(self.door.isGuarding)

    def test_child(self):
        """What a build on the same worker waits for starts: that one would run into the break until it is built."""
        self.startMaster(
            [self.away(Break("12:00", "14:00", finishBefore=True))],
            **family(self, {"parent": (["mac-mini"], "child"), "child": (["mac-mini"], None)}),
        )
        self.built([30] * 3, "child")
        self.passUntil(self.at(11.9))
        self.request("child")
        self.assertEqual(self.starts, [])
        self.request("parent")
        self.assertEqual([each.builder for each in self.starts], ["parent", "child"])

    def test_nothingLeft(self):
        """A master that stops in such a moment leaves no timer behind."""
        self.startFarm()
        self.passUntil(self.at(11.95))
        self.request()
        self.stopMaster()


class WhyTests(BreakDoorCase):
    """Why a build does not start, for people."""

    def startFarm(self, *breaks):
        self.startMaster([self.away(*breaks)])
        record(self, [("runtests", "mac-mini", self.at(1), self.at(2))])

    def test_asked(self):
        """It can be asked before anything is refused; then the builds of the past are asked."""
        self.startFarm(Break("12:00", "14:00", finishBefore=True))
        self.passUntil(self.at(11.5))
        self.assertIsNone(self.door.why("mac-mini", "runtests"))
        why = self.resultOf(self.door.whyNot("mac-mini", "runtests"))
        self.assertEqual((why.until, why.finishBy), (self.at(14), self.at(12)))
        for worker, builder in (("nobody", "runtests"), ("mac-mini", "nothing")):
            self.assertIsNone(self.resultOf(self.door.whyNot(worker, builder)))

    def test_fits(self):
        """What fits before the break, or begins in it, is refused by nobody."""
        self.startFarm(Break("12:00", "14:00", finishBefore=True))
        for hour in (10.5, 12.5, 14.5):
            self.passUntil(self.at(hour))
            self.assertIsNone(self.resultOf(self.door.whyNot("mac-mini", "runtests")))

    def test_nextTime(self):
        """If the time after the break is too short as well it is the one after that; and if none is long enough, that is said."""
        short = Break("14:30", "16:00", finishBefore=True)
        self.startFarm(Break("12:00", "14:00", finishBefore=True), short)
        self.passUntil(self.at(11.5))
        self.request()
        self.assertEqual(self.door.why("mac-mini", "runtests").until, self.at(16))
        hourly = [Break(f"{hour}:45", f"{hour + 1}:00", finishBefore=True) for hour in range(23)]
        self.reconfig([self.away(*hourly, ("23:00", "24:00"))])
        self.request()
        why = self.door.why("mac-mini", "runtests")
        self.assertEqual(why.until, None)
        self.assertIn("no time between the coming breaks is long enough", why.reason)

    def test_nobodyWaits(self):
        """What was refused is told for as long as it waits."""
        self.startFarm(Break("12:00", "14:00", finishBefore=True))
        self.passUntil(self.at(11.5))
        brid = self.request()
        self.pass_(5 * REMEMBERED)
        self.assertEqual(list(self.door.refusals("mac-mini")), ["runtests"])
        self.resultOf(self.master.data.control("cancel", {"reason": "mistake"}, ("buildrequests", str(brid))))
        self.pass_(3 * REMEMBERED)
        self.assertEqual(self.door.refusals("mac-mini"), {})

    def test_clockSetBack(self):
        """A clock that is set back does not put off that what waits no longer is forgotten."""
        self.startFarm(Break("12:00", "14:00", finishBefore=True))
        self.passUntil(self.at(11.5))
        brid = self.request()
        self.resultOf(self.master.data.control("cancel", {"reason": "mistake"}, ("buildrequests", str(brid))))
        self.jump(-HOUR)
        self.pass_(3 * REMEMBERED)
        self.assertEqual(self.door.refusals("mac-mini"), {})


class PartialTests(BreakDoorCase):
    """In a partial break some builds start, and others wait or go elsewhere."""

    BUILDERS = ("quick-a", "bench-a", "other")

    def startFarm(self, break_, *others, workers=("mac-mini",), **more):
        self.startMaster(
            [self.away(break_, **more), *others], {name: list(workers) for name in self.BUILDERS}
        )

    def test_patterns(self):
        """Of `only` and `without` those start that match, and the others when the break is over, at once."""
        self.startFarm(Break("08:00", "18:00", without="bench-*"))
        self.passUntil(self.at(8))
        for name in self.BUILDERS:
            self.request(name)
        self.assertEqual([each.builder for each in self.starts], ["quick-a", "other"])
        self.assertEqual(self.sources(), [])
        why = self.door.why("mac-mini", "bench-a")
        self.assertEqual(why, Refusal("in a partial break: without bench-*", self.at(18)))
        self.assertIsNone(self.door.why("mac-mini", "quick-a"))
        self.passUntil(self.at(18) + 1)
        self.assertEqual([each.builder for each in self.starts], ["quick-a", "other", "bench-a"])

    def test_builds(self):
        """At most so many builds run; when one ends the next starts."""
        self.startFarm(Break("08:00", "18:00", builds=2))
        self.passUntil(self.at(8))
        for name in self.BUILDERS:
            self.request(name)
        self.assertEqual(len(self.starts), 2)
        self.pass_(HOUR)
        self.assertEqual(len(self.starts), 2)
        why = self.door.why("mac-mini", "other")
        self.assertEqual(why, Refusal("in a partial break: at most 2 builds, and 2 run", None))
        self.jobs[0].finish()
        self.pass_(1)
        self.assertEqual(len(self.starts), 3)

    def test_endWakesUp(self):
        """At the end of a break with a limit what waits starts at once."""
        self.startFarm(Break("08:00", "18:00", builds=1))
        self.passUntil(self.at(9))
        for name in self.BUILDERS:
            self.request(name)
        self.assertEqual(len(self.starts), 1)
        self.passUntil(self.at(18) + 1)
        self.assertEqual(len(self.starts), 3)

    def test_whatRunsGoesOn(self):
        """A build that runs when the break begins goes on."""
        self.startFarm(Break("08:00", "18:00", only="quick-*"))
        self.request("bench-a")
        self.passUntil(self.at(12))
        self.assertEqual(len(self.jobs), 1)

    def test_atTheLastMoment(self):
        """A break that begins while a build is prepared sends it back to the queue, and the worker is not in quarantine."""
        self.startFarm(Break("08:00", "18:00", only="quick-*"))
        add_build = self.master.data.updates.addBuild

        def addBuild(*args, **kwargs):
            self.setClock(8)
            self.worker("mac-mini").breakTimer.reconsider()
            return add_build(*args, **kwargs)

        self.patch(self.master.data.updates, "addBuild", addBuild)
        brid = self.request("bench-a")
        self.pass_(2)
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        self.assertEqual(self.sources(), [])

    def test_waitForTheBuilder(self):
        """Who waits for a builder that is refused waits until the break is over; who waits for another, or the worker, not."""
        self.startFarm(Break("08:00", "18:00", without="bench-*"))
        self.passUntil(self.at(8))
        bench, quick = (self.roster.builder(name) for name in ("bench-a", "quick-a"))
        waiting = bench.waitUntilReady()
        self.assertNoResult(waiting)
        self.assertEqual(bench.backAt, self.at(18))
        self.assertEqual(bench.readyWorkers, ())
        self.successResultOf(quick.waitUntilReady())
        self.successResultOf(self.presence().waitUntilReady())
        self.passUntil(self.at(18))
        self.assertIs(self.successResultOf(waiting), self.presence())

    def test_beforeAFullBreak(self):
        """A partial break that ends as a full one begins lets nobody through in between."""
        self.startMaster(
            [self.away(Break("08:00", "12:00", without="bench-*"), ("12:00", "13:00"))],
            {"bench-a": ["mac-mini"]},
        )
        self.passUntil(self.at(8))
        waiting = self.roster.builder("bench-a").waitUntilReady()
        self.request("bench-a")
        self.assertEqual(self.door.why("mac-mini", "bench-a").until, self.at(13))
        self.assertEqual(self.roster.builder("bench-a").backAt, self.at(13))
        self.passUntil(self.at(12.5))
        self.assertEqual(self.starts, [])
        self.assertNoResult(waiting)
        self.passUntil(self.at(13) + 1)
        self.successResultOf(waiting)
        self.assertEqual(len(self.starts), 1)

    def test_suspended(self):
        """Who lets the machine work anyway suspends partial breaks, too."""
        self.startFarm(Break("08:00", "18:00", only="quick-*"))
        self.passUntil(self.at(9))
        self.request("bench-a")
        self.assertEqual(self.starts, [])
        self.worker("mac-mini").breakTimer.suspend(self.at(10))
        self.pass_(1)
        self.assertEqual(len(self.starts), 1)
        self.passUntil(self.at(10) + 1)
        self.request("other")
        self.assertEqual(len(self.starts), 1)

    def test_finishBefore(self):
        """A partial break with finishBefore has those builds finished that it does not admit."""
        self.startFarm(Break("12:00", "18:00", without="bench-*", finishBefore=True))
        self.built([10] * 5, "bench-a")
        self.built([10] * 5, "quick-a")
        self.passUntil(self.at(11.95))
        self.request("bench-a")
        self.request("quick-a")
        self.assertEqual([each.builder for each in self.starts], ["quick-a"])
