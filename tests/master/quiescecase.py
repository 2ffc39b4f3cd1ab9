"""Whole masters on the fake reactor that are reconfigured when nothing runs that it would hurt."""

from buildbot.config import BuilderConfig
from buildbot.plugins import steps
from buildbot.process.factory import BuildFactory
from buildbot.schedulers.triggerable import Triggerable

from presence.master.quiesce.newconfig import Mistakes
from presence.master.service import PresenceService
from presence.orders.reconfig import ReconfigOrder
from tests.master.fakemaster import Job, MasterTestCase


class QuiesceTestCase(MasterTestCase):
    """`farm()` starts a master with stock workers; `write()` is what its file says from then on."""

    def configOf(self, workers, builders=None, triggers=None, service=None, **more):
        """A configuration with these controllers. `triggers` is `{builder: the builders it triggers, and waits for}`."""
        config = self.config(workers, builders, db_url="sqlite://", buildbotNetUsageData=None, **more)
        # the roster is there also with stock workers only
        config["services"] = [PresenceService(**(service or {}))]
        config["schedulers"] = [
            Triggerable(f"trigger-{top}", builderNames=list(children))
            for top, children in (triggers or {}).items()
        ]
        config["builders"] = [
            BuilderConfig(
                each.name,
                workernames=each.workernames,
                factory=BuildFactory(
                    [
                        steps.Trigger(schedulerNames=[f"trigger-{each.name}"], waitForFinish=True),
                        Job(self),
                    ]
                ),
            )
            if each.name in (triggers or {})
            else each
            for each in config["builders"]
        ]
        return config

    def farm(self, *controllers, builders=None, connect=True, **more):
        """Start a master."""
        config = self.configOf(controllers, builders, **more)
        self.patch(self, "config", lambda *_args, **_more: config)
        self.startMaster(controllers, connect=connect)
        del self.config
        self.kicks = []
        start = self.master.botmaster.brd.maybeStartBuildsOn
        self.master.botmaster.brd.maybeStartBuildsOn = lambda names: (self.kicks.append(names), start(names))[
            1
        ]

    def write(self, *controllers, builders=None, **more):
        """What `master.cfg` says from now on."""
        self.coming = {each.worker.name: each for each in controllers}
        self.master.config_loader.config_dict = self.configOf(controllers, builders, **more)

    @property
    def quiesce(self):
        return self.assembly.reconfigurations

    def order(self, by="ann", **keywords):
        """Request a reconfig, with what `ReconfigOrder` takes: the run."""
        return self.resultOf(self.quiesce.request(ReconfigOrder(**keywords), by))

    def mistakes(self, **keywords):
        """Request a reconfig that is refused: the mistakes."""
        asked = self.quiesce.request(ReconfigOrder(**keywords), "ann")
        for _ in range(1000):
            if asked.called:
                break
            self.reactor.advance(0)
        return self.failureResultOf(asked, Mistakes).value.messages

    def connectNew(self):
        """Connect those workers that the reload has made anew."""
        for name, controller in self.coming.items():
            if self.worker(name) is controller.worker and self.worker(name).conn is None:
                self.controllers[name] = controller
                self.connect(name)
        for name in self.controllers.keys() - self.coming.keys():
            del self.controllers[name]
        self.pass_(1)

    def running(self):
        """The builders of the builds that run, by the order of their start."""
        return [job.buildername for job in self.jobs]

    def finish(self, builder):
        """End one build of this builder."""
        job = next(job for job in self.jobs if job.buildername == builder)
        job.finish()
        self.pass_(1)

    def assertNothingHeld(self):
        self.assertIsNone(self.quiesce.current)
        self.assertFalse(self.quiesce.gate.isGuarding)
        for presence in self.roster.workers.values():
            self.assertIsNone(presence.heldBy("reconfig"))

    def assertEnded(self, run, result, *mistakes):
        self.assertEqual((run.outcome.result, run.outcome.mistakes), (result, mistakes))
        self.assertNothingHeld()
