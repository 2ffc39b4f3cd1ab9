"""Drains by themselves: workers of which nothing is real but their presences, and nobody who waits for a database."""

from types import SimpleNamespace

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.holding import drains
from presence.master.holding.drains import Drains
from presence.model.workerpresence import WorkerPresence
from presence.orders.placed import Drain

NEVER = Drain(None, "interrupt", None)


class Worker:
    """As one that is enrolled. `run` lets a build (an id) run on it."""

    def __init__(self, name, clock, drain):
        self.workername = name
        self.presence = WorkerPresence(name, clock)
        self.presence.hold("admin")
        self.adminRecord = SimpleNamespace(drain=drain)
        self.wfb = SimpleNamespace(builder=SimpleNamespace(building=[]))
        self.workerforbuilders = {"b": self.wfb}

    def run(self, buildid):
        self.wfb.builder.building.append(
            SimpleNamespace(buildid=buildid, workerforbuilder=self.wfb, finished=False)
        )
        self.presence.buildStarted()

    def finish(self):
        self.wfb.builder.building.clear()
        self.presence.buildFinished()


class Census:
    """What is known of other masters: `busy` are the keys of groups that build there, `there` the builds of each group."""

    def __init__(self):
        self.watched, self.busy, self.there, self.changed = {}, set(), {}, {}

    def watch(self, key, names, group, changed):
        self.watched[key] = (sorted(names), group)
        self.changed[key] = changed

    def forget(self, key):
        del self.watched[key]

    def isBusy(self, key):
        return key in self.busy

    def waitsIn(self, group, builds):
        self.asked = (
            Deferred() if self.there is None else succeed(bool(self.there.get(group, set()) & set(builds)))
        )
        return self.asked


class DrainCase(SynchronousTestCase):
    census = None

    def setUp(self):
        self.clock = Clock()
        self.builders = {}
        self.announced, self.woken, self.released, self.sent = [], [], [], []
        self.waiting = []
        self.patch(drains, "waitingFor", lambda _master, _bsid: maybeDeferred(lambda: self.waiting))
        roster = SimpleNamespace(clock=self.clock, master=None, findBuilder=self.builders.get)
        requeue = SimpleNamespace(
            send=lambda builds, _why: self.sent.append([each.buildid for each in builds])
        )
        self.drains = Drains(
            roster,
            requeue,
            self.announced.append,
            self.woken.append,
            lambda worker: self.released.append(worker.workername),
            census=self.census,
        )

    def worker(self, name="w0", drain=NEVER):
        """A new worker, which is drained so."""
        worker = Worker(name, self.clock, drain)
        self.drains.follow(worker)
        return worker

    def group(self, *names, deadline=None, onDeadline="interrupt"):
        return [self.worker(name, Drain(deadline, onDeadline, "g")) for name in names]

    def mayStart(self, worker, waitedFor=True, builder="runtests"):
        request = SimpleNamespace(id=7, bsid=1, waitedFor=waitedFor)
        return self.drains.mayStart(builder, worker, request)


class FollowTests(DrainCase):
    """Which workers are drained, and who hears of it."""

    def test_new(self):
        """A drain is announced, and its worker may have to build a child that is queued; once."""
        self.assertIs(self.drains.isGuarding, False)
        worker = self.worker()
        self.assertEqual((self.announced, self.woken), (["w0"], ["w0"]))
        self.assertIs(self.drains.isGuarding, True)
        self.assertIs(self.drains.onlyChildren("runtests", worker), True)
        self.drains.follow(worker)
        self.assertEqual((self.announced, self.woken), (["w0"], ["w0"]))

    def test_another(self):
        """Another drain, and a new worker of the same name, are followed anew."""
        worker = self.worker()
        worker.adminRecord.drain = Drain(None, "release", None)
        self.drains.follow(worker)
        self.assertEqual(len(self.woken), 2)
        new = self.worker(drain=worker.adminRecord.drain)
        self.assertEqual(len(self.woken), 3)
        new.run(1)
        self.assertIs(self.drains.admits(new), True)

    def test_released(self):
        """One that is not drained any more is not guarded, and has no timer."""
        worker = self.worker(drain=Drain(5, "interrupt", None))
        worker.adminRecord.drain = None
        self.drains.follow(worker)
        self.assertEqual((self.drains.isGuarding, self.clock.getDelayedCalls()), (False, []))
        self.assertIs(self.drains.onlyChildren("runtests", worker), False)
        self.assertIs(self.mayStart(worker, waitedFor=False), True)
        self.drains.forget("w0")
        self.drains.changed(worker)
        self.assertEqual(self.announced, ["w0"])

    def test_stop(self):
        """When the master stops all of them are forgotten, with their timers."""
        self.group("w0", "w1", deadline=5)
        self.drains.stop()
        self.assertEqual((self.drains.isGuarding, self.clock.getDelayedCalls()), (False, []))

    def test_busy(self):
        """It is done when nothing runs on it, nor on another one of its group; that is announced of each, once."""
        alone = self.worker("alone")
        a, _ = self.group("a", "b")
        self.announced.clear()
        a.run(1)
        self.drains.changed(a)
        self.drains.changed(a)
        self.assertEqual(self.announced, ["a", "b"])
        self.assertEqual(
            [self.drains.isBusy(each) for each in ("a", "b", "alone", "nobody")], [True, True, False, False]
        )
        a.finish()
        self.drains.changed(a)
        self.assertEqual(self.announced, ["a", "b"] * 2)
        self.assertIs(self.drains.isBusy("b"), False)
        self.drains.changed(alone)
        self.assertEqual(self.announced, ["a", "b"] * 2)

    def test_theBusyOneGoes(self):
        """When the one that builds is released the others are drained, and that is announced."""
        a, _ = self.group("a", "b")
        a.run(1)
        self.drains.changed(a)
        self.announced.clear()
        self.drains.forget("a")
        self.assertEqual(self.announced, ["b"])
        self.assertIs(self.drains.isBusy("b"), False)


class DeadlineTests(DrainCase):
    """What is done when it comes."""

    def test_interrupt(self):
        """What runs is sent back, then and not before; also when the clock was set back meanwhile."""
        worker = self.worker(drain=Drain(10, "interrupt", None))
        worker.run(1)
        self.clock.rightNow = 4
        # the timer goes off by a clock that was set since
        (call,) = self.clock.getDelayedCalls()
        call.reset(0)
        self.clock.advance(0)
        self.assertEqual(self.sent, [])
        self.clock.advance(5.9)
        self.assertEqual(self.sent, [])
        self.clock.advance(0.1)
        self.assertEqual((self.sent, self.clock.getDelayedCalls()), ([[1]], []))
        self.drains.forget("w0")

    def test_release(self):
        """All of the group that are to be released, and whose deadline has come, are released when any of it is busy; else none."""
        a, _ = self.group("a", "b", deadline=10, onDeadline="release")
        self.worker("later", Drain(11, "release", "g"))
        self.worker("interrupted", Drain(10, "interrupt", "g"))
        a.run(1)
        self.clock.advance(10)
        self.assertEqual(sorted(set(self.released)), ["a", "b"])
        self.assertEqual(self.sent, [[]])

    def test_releaseIdle(self):
        """What is drained by then stays so."""
        self.worker(drain=Drain(10, "release", None))
        self.clock.advance(10)
        self.assertEqual((self.released, self.clock.getDelayedCalls()), ([], []))

    def test_past(self):
        """One that is over when it is heard of has no timer, and admits nothing."""
        self.clock.rightNow = 10
        worker = self.worker(drain=Drain(10, "interrupt", None))
        worker.run(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIs(self.drains.admits(worker), False)


class DoorTests(DrainCase):
    """What a build that runs there waits for may start, and nothing else."""

    def test_admits(self):
        """It may while something runs there, nothing else holds the worker, and the deadline lies ahead."""
        worker = self.worker(drain=Drain(10, "interrupt", None))
        self.assertIs(self.drains.admits(worker), False)
        worker.run(1)
        self.assertIs(self.drains.admits(worker), True)
        self.assertEqual(self.drains.exempts(worker, child=True), {"admin"})
        self.assertEqual(self.drains.exempts(worker, child=False), set())
        worker.presence.hold("reconfig")
        self.assertIs(self.drains.admits(worker), True)
        worker.presence.hold("break")
        self.assertIs(self.drains.admits(worker), False)
        self.assertEqual(self.drains.exempts(worker, child=True), set())
        worker.presence.release("break")
        self.clock.advance(10)
        self.assertIs(self.drains.admits(worker), False)

    def test_gone(self):
        """A worker without a presence, and one that is not drained, admit nothing."""
        worker = self.worker()
        worker.run(1)
        worker.presence = None
        self.assertEqual((self.drains.admits(worker), self.drains.isBusy("w0")), (False, False))
        self.assertIs(self.drains.admits(Worker("w9", self.clock, None)), False)

    def test_child(self):
        """A request for which a build there waits may start, and its build is known as one that may."""
        worker, other = self.worker(), self.worker("w1")
        # the database is not asked while nothing runs there
        self.waiting = fail(AssertionError("it is asked"))
        self.assertIs(self.successResultOf(self.mayStart(worker)), False)
        self.waiting.addErrback(lambda _: None)
        self.waiting = [1]
        worker.run(1)
        other.run(2)
        self.assertIs(self.successResultOf(self.mayStart(worker, waitedFor=False)), False)
        self.assertIs(self.successResultOf(self.mayStart(other)), False)
        self.assertIs(self.successResultOf(self.mayStart(worker)), True)
        build, stranger = (SimpleNamespace(requests=[SimpleNamespace(id=each)]) for each in (7, 8))
        self.assertIs(self.drains.wasAdmitted(worker, build), True)
        self.assertIs(self.drains.wasAdmitted(worker, stranger), False)
        self.assertIs(self.drains.wasAdmitted(other, build), False)
        self.assertIs(self.drains.wasAdmitted(Worker("w9", self.clock, None), build), False)

    def test_ofTheGroup(self):
        """A build on another worker of the group counts, though this one is idle; one of none does not."""
        a, b = self.group("a", "b")
        a.run(1)
        self.waiting = [1]
        self.assertIs(self.successResultOf(self.mayStart(b)), True)
        self.waiting = [9]
        self.assertIs(self.successResultOf(self.mayStart(b)), False)
        self.waiting = [1]
        a.finish()
        self.assertIs(self.successResultOf(self.mayStart(b)), False)

    def test_anotherHasIt(self):
        """It may not where another worker will build it: one that is not held, or for a reconfiguration only."""
        worker = self.worker()
        worker.run(1)
        self.waiting = [1]
        for holds, elsewhere, may in (
            ([["admin"]], False, True),
            ([["admin"], []], False, False),
            ([["admin"], ["reconfig"]], False, False),
            ([["reconfig", "break"]], False, True),
            ([["admin"]], True, False),
        ):
            workers = [
                SimpleNamespace(holds=[SimpleNamespace(source=each) for each in sources]) for sources in holds
            ]
            self.builders["runtests"] = SimpleNamespace(isReadyElsewhere=elsewhere, workers=workers)
            self.assertIs(self.successResultOf(self.mayStart(worker)), may, (holds, elsewhere))

    def test_meanwhile(self):
        """What has changed while the database was asked counts."""
        for change in (lambda worker: self.drains.forget("w0"), lambda worker: worker.presence.hold("break")):
            worker = self.worker()
            worker.run(1)
            self.waiting = Deferred()
            asked = self.mayStart(worker)
            self.assertNoResult(asked)
            change(worker)
            self.waiting.callback([1])
            self.assertIs(self.successResultOf(asked), False)
            self.drains.forget("w0")

    def test_away(self):
        """When another worker is not ready any more those that build and may start more are woken, and no others."""
        busy, held, idle = self.worker("busy"), self.worker("held"), self.worker("idle")
        for worker in (busy, held):
            worker.run(1)
        held.presence.hold("break")
        self.woken.clear()
        self.drains.holdsChanged(WorkerPresence("other", self.clock))
        self.assertEqual(self.woken, [])
        self.drains.holdsChanged(idle.presence)
        self.assertEqual(self.woken, ["busy"])


class CensusTests(DrainCase):
    """Where there are several masters."""

    def setUp(self):
        self.census = Census()
        super().setUp()

    def test_watched(self):
        """What runs on the workers of a group, at whichever master, is counted while any of them is drained."""
        self.worker("alone")
        self.group("a", "b")
        alone = ("", "alone")
        self.assertEqual(self.census.watched, {alone: (["alone"], None), "g": (["a", "b"], "g")})
        self.drains.forget("a")
        self.drains.forget("alone")
        self.assertEqual(self.census.watched, {"g": (["b"], "g")})
        self.announced.clear()
        self.census.busy.add("g")
        self.census.changed["g"]()
        self.assertEqual((self.announced, self.drains.isBusy("b")), (["b"], True))
        self.drains.forget("b")
        self.assertEqual(self.census.watched, {})

    def test_child(self):
        """What a build of the group at another master waits for may start; without a group nobody asks."""
        alone, (a,) = self.worker("alone"), self.group("a")
        self.census.busy |= {"g", ("", "alone")}
        self.census.there = {"g": {5}, None: {5}}
        for found, may in (([5], True), ([6], False)):
            self.waiting = found
            self.assertIs(self.successResultOf(self.mayStart(a)), may)
        self.waiting = [5]
        self.assertIs(self.successResultOf(self.mayStart(alone)), False)

    def test_releasedMeanwhile(self):
        """What is released, or drained anew, while the other master is asked, is not admitted."""
        for again in (False, True):
            (a,) = self.group("a")
            self.census.busy.add("g")
            self.census.there = None
            self.waiting = [5]
            asked = self.mayStart(a)
            self.drains.forget("a")
            if again:
                self.drains.follow(a)
            self.census.asked.callback(True)
            self.assertIs(self.successResultOf(asked), False)
            self.drains.forget("a")

    def test_heldMeanwhile(self):
        """Nor what is held meanwhile."""
        (a,) = self.group("a")
        self.census.busy.add("g")
        self.census.there = None
        self.waiting = [5]
        asked = self.mayStart(a)
        a.presence.hold("break")
        self.census.asked.callback(True)
        self.assertIs(self.successResultOf(asked), False)
