"""The distributor is stuck in a function of a site that answers hours later: deadlines are kept, and the way out is open."""

from buildbot.config import BuilderConfig
from buildbot.process.factory import BuildFactory
from twisted.internet.defer import Deferred

from presence.master.quiesce.standstill import PATIENCE
from presence.orders.reconfig import ReconfigOrder
from presence.orders.shutdown import StopOrder
from tests.each import each
from tests.master.fakemaster import HOUR, MINUTE, Job
from tests.master.quiescecase import QuiesceTestCase

#: The functions that may not answer: keywords of a builder, or of the configuration.
FUNCTIONS = ("nextBuild", "nextWorker", "canStartBuild", "prioritizeBuilders")


class StuckTestCase(QuiesceTestCase):
    """The function of the builder `bad` never answers; `good` is another builder."""

    def begin(self, function="nextBuild"):
        self.mac = self.slave("mac-mini")
        self.asked = []
        self.kept = self.slave("aarch64")
        self.farm(self.mac, self.kept, **self.part(function))
        self.brid = None
        self.request("bad")
        self.pass_(1)
        self.assertEqual((len(self.asked), self.starts), (1, []))

    def part(self, function):
        """What this function makes of a configuration; none is bad when it is None."""

        def never(*args):
            if not hasattr(self, "brid"):
                # the start of the master, which has builders and no request
                return args[-1]
            self.asked.append(Deferred())
            return self.asked[-1]

        bad = {function: never} if function in ("nextBuild", "nextWorker", "canStartBuild") else {}
        builders = [
            BuilderConfig(name, workernames=["mac-mini"], factory=BuildFactory([Job(self)]), **keywords)
            for name, keywords in (("bad", bad), ("good", {}))
        ]
        more = {"prioritizeBuilders": never} if function == "prioritizeBuilders" else {}
        return {"builders": builders, **more}

    def requestReload(self, after=5, **keywords):
        """A reconfig that takes the bad function, and a worker, away; its deadline comes `after` seconds."""
        self.write(self.mac, **self.part(None))
        deadline = None if after is None else self.reactor.seconds() + after
        return self.order(deadline=deadline, everything=True, **keywords)

    def assertBuilds(self):
        """The distributor goes on: what waits is built, and of other builders too."""
        self.request("good")
        self.pass_(2)
        self.assertEqual({start.builder for start in self.starts}, {"bad", "good"})
        self.finishAll()


class WaysOut:
    """They are open, whichever function it is, and whenever it was asked."""

    def test_plainReconfig(self):
        """Buildbot's own reconfig, which waits for nothing, takes the bad function away, and the distributor goes on."""
        self.begin()
        self.write(self.mac, **self.part(None))
        self.resultOf(self.master.reconfig())
        self.pass_(2)
        self.assertBuilds()

    def test_ends(self):
        """A master that is told to end, as by SIGTERM, ends at once."""
        self.begin()
        self.stopMaster()
        self.assertFalse(self.master.running)


@each(FUNCTIONS, "With {} stuck a reconfig is done at its deadline, and the distributor goes on.")
class StuckReconfigTests(WaysOut, StuckTestCase):
    def check(self, function):
        self.begin(function)
        run = self.requestReload(onDeadline="reconfig")
        self.pass_(4.9)
        if function != "prioritizeBuilders":  # while that is asked nothing is chosen
            self.assertIsNone(run.outcome)
        self.pass_(0.2)
        self.assertEnded(run, "reconfigured")
        self.assertBuilds()

    def test_newerFileMeanwhile(self):
        """What Buildbot's own reconfig has read while it was waited for the distributor is not undone: it is the file as it is at
        the end that counts.
        """
        self.begin()
        run = self.requestReload()
        self.pass_(1)
        self.write(self.mac, self.slave("later"), **self.part(None))
        self.resultOf(self.master.reconfig())
        self.pass_(2)
        self.assertEnded(run, "reconfigured")
        self.assertIn("later", self.master.workers.workers)
        self.assertBuilds()

    def test_abort(self):
        """`abort` changes nothing, at the deadline, and holds nobody any more."""
        self.begin()
        run = self.requestReload(onDeadline="abort")
        self.pass_(5.1)
        self.assertEnded(run, "deadline")
        # nobody has touched the distributor
        self.assertEqual(len(self.asked), 1)
        self.assertTrue(self.master.botmaster.brd.activity_lock.locked)

    def test_interrupt(self):
        """`interrupt` is done at the deadline when nothing has to be interrupted."""
        self.begin()
        run = self.requestReload(onDeadline="interrupt")
        self.pass_(5.1)
        self.assertEnded(run, "reconfigured")
        self.assertBuilds()

    def test_interruptsABuild(self):
        """`interrupt` interrupts what runs, and is done then."""
        self.mac = self.slave("mac-mini")
        self.asked = []
        self.kept = self.slave("aarch64")
        self.farm(self.mac, self.kept, **self.part("nextBuild"))
        self.brid = None
        self.request("good")
        self.request("bad")
        self.pass_(1)
        self.assertEqual([job.buildername for job in self.jobs], ["good"])
        run = self.requestReload(onDeadline="interrupt")
        self.pass_(10)
        self.assertEnded(run, "reconfigured")
        self.pass_(2)
        self.assertEqual(sorted(job.buildername for job in self.jobs), ["bad", "good"])
        self.finishAll()

    def test_noDeadline(self):
        """Without a deadline the function is done without after a minute."""
        self.begin()
        run = self.requestReload(after=None)
        self.pass_(PATIENCE / 2)
        self.assertIsNone(run.outcome)
        self.pass_(PATIENCE)
        self.assertEnded(run, "reconfigured")
        self.assertBuilds()

    def test_cancel(self):
        """It can be cancelled meanwhile, and another one be ordered."""
        self.begin()
        first = self.requestReload(after=HOUR)
        self.pass_(1)
        self.assertTrue(self.quiesce.cancel("bob"))
        self.assertEnded(first, "cancelled")
        second = self.resultOf(
            self.quiesce.request(
                ReconfigOrder(everything=True, deadline=self.reactor.seconds() + 5, onDeadline="reconfig"),
                "ann",
            )
        )
        self.pass_(6)
        self.assertEnded(second, "reconfigured")
        self.assertBuilds()

    def test_clockIsSetBack(self):
        """A clock that is set back meanwhile does not make it wait longer."""
        self.begin()
        run = self.requestReload(after=None)
        self.pass_(1)
        self.jump(-HOUR)
        self.pass_(PATIENCE + 2)
        self.assertEnded(run, "reconfigured")

    def test_answersLate(self):
        """What answers when nobody waits any longer is not heeded, and neither is that it fails."""
        self.begin()
        run = self.requestReload(onDeadline="reconfig")
        self.pass_(6)
        self.assertEnded(run, "reconfigured")
        self.asked[0].errback(RuntimeError("much too late"))
        self.assertBuilds()


class StuckShutdownTests(StuckTestCase):
    def stop(self, after, onDeadline=None):
        self.stops = []
        self.patch(self.reactor, "stop", lambda: self.stops.append(self.reactor.seconds()))
        deadline = None if after is None else self.reactor.seconds() + after
        self.assembly.shutdown.request(
            StopOrder(reason=None, deadline=deadline, onDeadline=onDeadline), "ann"
        )

    def test_interrupt(self):
        """The master stops at its deadline, once."""
        self.begin()
        self.stop(5, "interrupt")
        self.pass_(4)
        self.assertEqual(self.stops, [])
        self.pass_(2)
        self.assertEqual(len(self.stops), 1)

    def test_abort(self):
        """With `abort` it does not stop, from its deadline on, and builds may start again."""
        self.begin()
        self.stop(5, "abort")
        self.pass_(6)
        self.assertEqual(self.stops, [])
        self.assertIsNone(self.assembly.shutdown.stopping)
        self.assertFalse(self.master.botmaster.shuttingDown)

    def test_noDeadline(self):
        """Without a deadline it stops after a minute."""
        self.begin()
        self.stop(None)
        self.pass_(PATIENCE + 3)
        self.assertEqual(len(self.stops), 1)

    def test_cancel(self):
        """It can be cancelled meanwhile."""
        self.begin()
        self.stop(HOUR, "interrupt")
        self.pass_(5)
        self.assertTrue(self.assembly.shutdown.cancel("bob"))
        self.pass_(2 * MINUTE)
        self.assertEqual(self.stops, [])
