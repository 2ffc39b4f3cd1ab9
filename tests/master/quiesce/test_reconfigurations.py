from buildbot.process.results import RETRY, SUCCESS
from twisted.internet.defer import fail

from presence.master.quiesce import reconfigurations
from tests.master.fakemaster import HOUR
from tests.master.quiescecase import QuiesceTestCase


class QuiesceTests(QuiesceTestCase):
    """The order of things: checked, held, waited for, reconfigured, gone on."""

    def adoption(self, **more):
        """Two workers of Buildbot's own; the first is to become one of ours."""
        self.farm(self.stock("mac"), self.stock("arm"), **more)
        self.write(self.slave("mac"), self.stock("arm"), **more)

    def test_atOnce(self):
        """Where nothing would be hurt the reload is made at once, although everybody builds."""
        self.farm(self.stock("mac"), self.slave("arm"))
        brids = [self.request(), self.request()]
        self.assertEqual(len(self.jobs), 2)
        self.write(self.stock("mac", max_builds=2), self.slave("arm", max_builds=1))
        run = self.order()
        self.pass_(1)
        self.assertEnded(run, "reconfigured")
        self.assertEqual(self.worker("mac").max_builds, 2)
        self.finishAll()
        self.assertEqual([self.results(brid) for brid in brids], [[SUCCESS], [SUCCESS]])

    def test_idle(self):
        """Where nothing runs that would be hurt it is made at once, too."""
        self.adoption()
        run = self.order()
        self.pass_(1)
        self.assertEnded(run, "reconfigured")
        self.assertEqual(type(self.worker("mac")).__name__, "BuildSlave")
        self.connectNew()
        self.assertEqual(self.results(self.request()), [None])
        self.finishAll()

    def test_overtaken(self):
        """Buildbot's own reconfig, in the moment after the file was read for this one, is not undone."""
        self.farm(self.stock("mac"))
        ask, asked = reconfigurations.newestBuild, []

        def late(master):
            asked.append(master)
            if len(asked) > 1:
                return ask(master)
            self.write(self.stock("mac"), self.stock("later"))
            return master.reconfig().addCallback(lambda _: ask(master))

        self.patch(reconfigurations, "newestBuild", late)
        run = self.order()
        self.pass_(1)
        self.assertEnded(run, "reconfigured")
        self.assertIn("later", self.master.workers.workers)

    def test_waits(self):
        """The build that would be hurt ends on the old configuration, and what waits is built on the new one."""
        self.adoption(builders={"m": ["mac"], "a": ["arm"]})
        running, other = self.request("m"), self.request("a")
        run = self.order()
        waiting = self.request("m")
        self.pass_(HOUR)
        self.assertIsNone(run.outcome)
        self.assertEqual(self.running(), ["m", "a"])
        # the other worker goes on
        self.finish("a")
        another = self.request("a")
        self.assertEqual(self.running(), ["m", "a"])
        self.finish("m")
        self.assertEnded(run, "reconfigured")
        self.assertEqual(self.running(), ["a"])
        self.connectNew()
        self.assertEqual(self.running(), ["a", "m"])
        self.finishAll()
        for brid in (running, other, waiting, another):
            self.assertEqual(self.results(brid), [SUCCESS])

    def test_held(self):
        """Everybody can see what is held and why: the worker's presence says it, until the end."""
        self.adoption(builders={"m": ["mac"], "a": ["arm"]})
        self.request("m")
        run = self.order()
        (hold,) = self.presence("mac").holds
        self.assertEqual((hold.source, hold.by), ("reconfig", "ann"))
        self.assertIn("BuildSlave", hold.reason)
        self.assertTrue(self.presence("arm").ready)
        self.finish("m")
        self.assertEnded(run, "reconfigured")

    def test_mistakes(self):
        """A file with mistakes holds nothing, and they are told."""
        self.adoption()
        self.request()
        self.write(self.slave("mac"), builders={"runtests": ["nobody"]})
        self.assertEqual(self.mistakes(), ["builder 'runtests' uses unknown workers 'nobody'"])
        self.assertNothingHeld()
        self.finishAll()

    def test_lateMistakes(self):
        """What Buildbot would refuse when half of the configuration is exchanged is a mistake, too."""
        self.adoption()
        self.master.config_loader.config_dict["db_url"] = "sqlite:///other.sqlite"
        self.assertEqual(self.mistakes(), ["Cannot change c['db'] after the master has started"])
        self.assertNothingHeld()

    def test_doubled(self):
        """Two workers of one name, which Buildbot takes and then fails at, are a mistake that is found before anything happens."""
        self.adoption()
        self.master.config_loader.config_dict["workers"] += [self.slave("mac").worker]
        (mistake,) = self.mistakes()
        self.assertIn("2 workers are called mac", mistake)
        self.assertNothingHeld()

    def test_mistakesAtTheEnd(self):
        """The file counts as it is at the end: with mistakes in it, everything goes on as before."""
        self.adoption(builders={"m": ["mac"]})
        self.request("m")
        run = self.order()
        waiting = self.request("m")
        self.write(self.slave("mac"), builders={"runtests": ["nobody"]})
        self.finish("m")
        self.assertEnded(run, "failed", "builder 'runtests' uses unknown workers 'nobody'")
        self.assertEqual(self.running(), ["m"])
        self.finishAll()
        self.assertEqual(self.results(waiting), [SUCCESS])

    def test_inTheMiddle(self):
        """When Buildbot fails in the middle of it that is told, and nothing stays held."""
        self.adoption(builders={"m": ["mac"]})
        schedulers = self.master.scheduler_manager
        self.patch(schedulers, "reconfigServiceWithBuildbotConfig", lambda _: fail(ValueError("too bad")))
        run = self.order()
        self.pass_(1)
        self.assertEnded(run, "partly", "too bad")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertNotIn("reconfigServiceWithBuildbotConfig", vars(self.master))
        del schedulers.reconfigServiceWithBuildbotConfig

    def test_newestFile(self):
        """A file that is changed while it waits is what is loaded; what it would hurt as well is waited for."""
        self.adoption(builders={"m": ["mac"], "a": ["arm"]})
        brids = [self.request("m"), self.request("a")]
        run = self.order()
        self.write(self.slave("mac"), self.slave("arm"), builders={"m": ["mac"], "a": ["arm"]})
        self.finish("m")
        self.assertIsNone(run.outcome)
        self.assertEqual(self.sources("arm"), ["reconfig"])
        self.finish("a")
        self.assertEnded(run, "reconfigured")
        self.assertEqual([type(self.worker(each)).__name__ for each in ("mac", "arm")], ["BuildSlave"] * 2)
        self.assertEqual([self.results(brid) for brid in brids], [[SUCCESS]] * 2)

    def test_hurtsLess(self):
        """What a newer file would hurt no more is let go."""
        builders = {"m": ["mac"], "a": ["arm"]}
        self.farm(self.stock("mac"), self.stock("arm"), builders=builders)
        self.write(self.slave("mac"), self.slave("arm"), builders=builders)
        self.request("m")
        self.request("a")
        self.order()
        waiting = self.request("a")
        self.finish("a")
        self.assertEqual(self.running(), ["m"])
        self.write(self.slave("mac"), self.stock("arm"), builders=builders)
        run = self.order()
        self.pass_(1)
        self.assertEqual(self.running(), ["m", "a"])
        self.finish("m")
        self.assertEnded(run, "reconfigured")
        self.finishAll()
        self.assertEqual(self.results(waiting), [SUCCESS])

    def test_joins(self):
        """A second request joins the first; everything, a deadline and a newer name are taken over."""
        self.adoption(builders={"m": ["mac"], "a": ["arm"]})
        self.request("m")
        self.request("a")
        first = self.order(deadline=self.reactor.seconds() + HOUR, onDeadline="reconfig")
        second = self.order("bob", everything=True)
        self.assertIs(second, first)
        self.assertEqual((first.by, first.order.onDeadline), ("bob", "reconfig"))
        self.assertEqual(self.sources("arm"), ["reconfig"])
        self.finish("m")
        self.assertIsNone(first.outcome)
        self.finish("a")
        self.assertEnded(first, "reconfigured")

    def test_joinWithMistakes(self):
        """Whoever joins with a file that has mistakes is told, and the first goes on waiting."""
        self.adoption(builders={"m": ["mac"]})
        self.request("m")
        run = self.order()
        self.write(self.slave("mac"), builders={"runtests": ["nobody"]})
        self.assertEqual(len(self.mistakes()), 1)
        self.assertIs(self.quiesce.current, run)
        self.assertEqual(self.sources("mac"), ["reconfig"])
        self.quiesce.cancel("ann")
        self.pass_(1)
        self.finishAll()

    def test_cancel(self):
        """Cancelled, it goes on as before, with what has been requested meanwhile."""
        self.adoption(builders={"m": ["mac"], "a": ["mac"]})
        self.request("m")
        run = self.order()
        waiting = self.request("a")
        self.assertEqual(self.running(), ["m"])
        self.assertTrue(self.quiesce.cancel("bob"))
        self.assertFalse(self.quiesce.cancel("bob"))
        self.pass_(1)
        self.assertEnded(run, "cancelled")
        self.assertEqual(run.outcome.by, "bob")
        self.assertEqual(type(self.worker("mac")).__name__, "Worker")
        self.assertEqual(self.running(), ["m", "a"])
        self.finishAll()
        self.assertEqual(self.results(waiting), [SUCCESS])

    def test_oneWakeup(self):
        """When it is over everybody is woken by one call to the distributor."""
        self.adoption(builders={"m": ["mac"], "a": ["arm"], "b": ["arm"]})
        self.request("m")
        self.request("a")
        self.order(everything=True)
        self.request("b")
        self.kicks.clear()
        self.quiesce.cancel("ann")
        self.pass_(1)
        self.assertEqual(self.kicks, [["b"]])
        self.assertEqual(self.running(), ["m", "a", "b"])
        self.finishAll()

    def test_busy(self):
        """A master that gets more requests than it can build is idle when its longest build has ended."""
        self.adoption()
        brids = [self.request() for _ in range(6)]
        run = self.order(everything=True)
        brids += [self.request() for _ in range(6)]
        self.finish("runtests")
        brids.append(self.request())
        self.finish("runtests")
        self.assertEnded(run, "reconfigured")
        self.connectNew()
        while self.jobs:
            self.finishAll()
        self.assertEqual([self.results(brid) for brid in brids], [[SUCCESS]] * len(brids))

    def test_workerDies(self):
        """A worker that dies while it is waited for is waited for no longer; its request is built afterwards."""
        self.adoption(builders={"m": ["mac"]})
        brid = self.request("m")
        run = self.order()
        self.jobs.clear()
        self.disconnect("mac")
        self.pass_(1)
        self.assertEnded(run, "reconfigured")
        self.connectNew()
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])

    def test_comesBack(self):
        """A worker that dies and comes back while it is held gets nothing before the reload."""
        self.adoption(builders={"m": ["mac"], "a": ["arm"]})
        brid = self.request("m")
        self.request("a")
        run = self.order(everything=True)
        self.jobs[:] = [job for job in self.jobs if job.buildername == "a"]
        self.disconnect("mac")
        self.connect("mac")
        self.pass_(1)
        self.assertEqual(self.running(), ["a"])
        self.finish("a")
        self.assertEnded(run, "reconfigured")
        self.connectNew()
        self.finishAll()
        self.assertEqual(self.results(brid), [RETRY, SUCCESS])

    def test_wedged(self):
        """A build that Buildbot has forgotten to remove is waited for no longer than a minute."""
        self.adoption(builders={"m": ["mac"]})
        self.request("m")
        (build,) = self.master.botmaster.builders["m"].building
        self.finish("m")
        self.master.botmaster.builders["m"].building.append(build)
        run = self.order()
        self.pass_(59)
        self.assertIsNone(run.outcome)
        self.pass_(3)
        self.assertEnded(run, "reconfigured")
        # Buildbot's own shutdown would wait for ever
        self.master.botmaster.builders["m"].building.remove(build)

    def test_masterStops(self):
        """A master that stops holds nothing, and whoever waits for the end is told."""
        self.adoption(builders={"m": ["mac"]})
        self.request("m")
        run = self.order()
        ended = run.ended()
        self.stopMaster()
        self.assertEqual(self.successResultOf(ended).result, "stopped")

    def test_latent(self):
        """A latent worker is waited for from the moment at which it is chosen, and then replaced."""
        latent = self.latent("vm")
        latent.auto_start(False)
        self.farm(latent, self.stock("arm"), builders={"v": ["vm"], "a": ["arm"]})
        brid = self.request("v")
        self.assertEqual(self.running(), [])
        self.write(self.stock("arm"), self.stock("vm"), builders={"v": ["vm"], "a": ["arm"]})
        run = self.order()
        waiting = self.request("v")
        self.pass_(60)
        self.assertIsNone(run.outcome)
        self.resultOf(latent.start_instance(True))
        self.pass_(1)
        self.assertEqual(self.running(), ["v"])
        self.finish("v")
        self.pass_(2)
        self.assertEnded(run, "reconfigured")
        self.connectNew()
        self.finishAll()
        self.assertEqual([self.results(each) for each in (brid, waiting)], [[SUCCESS]] * 2)
