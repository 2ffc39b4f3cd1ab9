import inspect

from buildbot.plugins import worker as plugins
from buildbot.process.results import SUCCESS
from buildbot.test.fake import fakemaster
from buildbot.test.reactor import TestReactorMixin
from buildbot.test.util.interfaces import InterfaceTests
from buildbot.worker.base import AbstractWorker, Worker
from buildbot.worker.latent import AbstractLatentWorker, States
from buildbot.worker.local import LocalWorker
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import SynchronousTestCase, TestCase

from presence.master.buildslave import BuildSlave, PresenceMixin
from tests.master.fakemaster import DAY, HOUR, MasterTestCase, SlaveController

WIDER = {"__init__", "checkConfig", "reconfigService"}  # they take the new keywords


class FakeMasterTests(TestReactorMixin, TestCase):
    """Buildbot's fake master, in which other people test what they do with workers (see `tests/buildbotsown.py`)."""

    @inlineCallbacks
    def test_lives(self):
        """A `BuildSlave` starts there, accepts builds but in its breaks, and leaves nothing behind when it is stopped."""
        self.setup_test_reactor()
        master = yield fakemaster.make_master(self, wantData=True)
        slave = BuildSlave("mac-mini", "s3cret")
        yield slave.setServiceParent(master)
        yield master.startService()
        self.assertTrue(slave.canStartBuild())
        slave.presence.hold("break")
        self.assertFalse(slave.canStartBuild())
        yield master.stopService()
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class SignatureTests(InterfaceTests, SynchronousTestCase):
    """What we override is called by Buildbot, so it has the signature that Buildbot calls."""

    def test_overrides(self):
        """Every method that the mixin overrides has the signature of the one it overrides."""
        overridden = [
            name
            for part in PresenceMixin.mro()
            for name, value in vars(part).items()
            if inspect.isfunction(value) and hasattr(AbstractWorker, name) and name not in WIDER
        ]
        self.assertIn("canStartBuild", overridden)
        self.assertIn("reconfigServiceWithSibling", overridden)
        for name in overridden:
            self.assertArgSpecMatches(getattr(AbstractWorker, name), getattr(PresenceMixin, name))

    def test_calledBeforeTheStart(self):
        """Before its service has started it accepts no build, and can be stopped being missed."""
        slave = BuildSlave("mac-mini", "s3cret")
        self.assertFalse(slave.canStartBuild())
        slave.stopMissingTimer()

    def test_plugin(self):
        """`from buildbot.plugins import worker` has it, where the distribution is installed."""
        if "BuildSlave" in plugins.names:
            self.assertIs(plugins.BuildSlave, BuildSlave)

    def test_isAWorker(self):
        """It is a `Worker`, for whoever asks."""
        self.assertTrue(issubclass(BuildSlave, Worker))


class LocalBuildSlave(PresenceMixin, LocalWorker):
    """A worker in the process of the master."""


class LocalWorkerTests(MasterTestCase):
    """`LocalWorker` through `PresenceMixin`: its worker's side is a part of the master."""

    def test_builds(self):
        """It connects by itself; it builds, but not during its break."""
        self.setClock(8)
        local = SlaveController(
            self, LocalBuildSlave("mac-mini", onBreakDuring=("07:00", "19:00"), timezone="UTC")
        )
        self.resultOf(self.setup_master(self.config([local])))
        self.pass_(1)
        self.assertEqual(self.sources(), ["break"])
        brid = self.request()
        self.passUntil(self.at(19))
        self.assertEqual([start.at for start in self.starts], [self.at(19)])
        self.finishAll()
        self.assertEqual(self.results(brid), [SUCCESS])


class LatentTests(MasterTestCase):
    """A latent worker through `PresenceMixin`."""

    def startLatent(self, **kwargs):
        latent = self.latent("cloud", onBreakDuring=("07:00", "19:00"), timezone="UTC", **kwargs)
        self.startMaster([latent])
        return latent

    def test_neverOffline(self):
        """It is ready while it is not substantiated, while it is, and after that."""
        latent = self.startLatent()
        self.assertEqual(self.sources("cloud"), [])
        self.assertTrue(latent.stopped)
        self.request()
        self.assertTrue(latent.started)
        self.assertEqual(self.startedOn(), ["cloud"])
        self.assertEqual(self.sources("cloud"), [])
        self.finishAll()
        self.pass_(0.9 * HOUR)
        self.assertTrue(latent.stopped)
        self.assertEqual(self.sources("cloud"), [])

    def test_notSubstantiatedOnABreak(self):
        """During its break it is not substantiated for a build; at the end of the break it is."""
        latent = self.startLatent()
        self.passUntil(self.at(8))
        self.request()
        self.passUntil(self.at(19) - 1)
        self.assertTrue(latent.stopped)
        self.assertEqual(self.worker("cloud").state, States.NOT_SUBSTANTIATED)
        self.passUntil(self.at(19))
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["cloud"])

    def test_breakBeginsWhileSubstantiating(self):
        """A break begins while it is being started: the build does not start, and is not lost."""
        latent = self.startLatent()
        latent.auto_start(False)
        self.passUntil(self.at(7) - 60)
        brid = self.request()
        self.assertTrue(latent.starting)
        self.passUntil(self.at(7) + 60)
        latent.auto_start(True)
        self.pass_(1)
        self.assertEqual(self.starts, [])
        self.assertEqual(self.unclaimed(), [brid])
        self.assertIsNone(self.worker("cloud").quarantine_timer)
        self.passUntil(self.at(19))
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["cloud"])
        self.finishAll()

    def test_substantiationTimeout(self):
        """A break does not stop the timer that limits how long a build waits for it to come up."""
        latent = self.startLatent(missing_timeout=2 * HOUR)
        latent.auto_start(False)
        self.passUntil(self.at(6.5))
        self.request()
        self.passUntil(self.at(8.4))
        self.assertIsNotNone(self.worker("cloud").missing_timer)
        self.passUntil(self.at(8.6))
        self.assertIsNone(self.worker("cloud").missing_timer)
        latent.auto_start(True)
        self.pass_(1)
        self.assertEqual(self.starts, [])
        self.flushLoggedErrors()
        self.passUntil(self.at(20))
        self.assertEqual(self.startedOn(), ["cloud"])
        self.finishAll()

    def test_itsRunningBuild(self):
        """What runs on it when the break begins goes on, and its machine with it."""
        latent = self.startLatent()
        brid = self.request()
        self.passUntil(self.at(10))
        self.assertTrue(latent.started)
        self.finishAll()
        self.assertEqual(self.results(brid), [SUCCESS])
        self.pass_(DAY)
        self.assertTrue(latent.stopped)

    def test_isLatent(self):
        """It is still a latent worker."""
        self.assertTrue(issubclass(type(self.startLatent().worker), AbstractLatentWorker))
