"""Workers with conditions, in a whole master."""

from buildbot.config.errors import capture_config_errors
from twisted.trial.unittest import SynchronousTestCase

from presence.master.buildslave import BuildSlave
from presence.master.conditions.written import Condition
from presence.master.service import PresenceService
from presence.master.terms import Terms
from tests.master.fakemaster import MasterTestCase


class WorkersTests(MasterTestCase):
    cool = True

    async def isCool(self, name):
        self.names.append(name)
        return self.cool

    def setUp(self):
        super().setUp()
        self.names = []

    def config(self, controllers, builders=None, *, service=None, **more):
        if service is not None:
            more["services"] = [PresenceService(availableWhile=service)]
        return super().config(controllers, builders, **more)

    def test_buildSlave(self):
        """No build starts while it says no, and what waits starts when it says yes."""
        self.cool = False
        self.startMaster([self.slave("mac-mini", availableWhile=Condition(self.isCool, every="30s"))])
        brid = self.request()
        self.assertEqual((self.sources(), self.unclaimed()), (["condition"], [brid]))
        self.cool = True
        self.pass_(31)
        self.assertEqual((self.startedOn(), self.sources()), (["mac-mini"], []))

    def test_reconfig(self):
        """A reconfig that adds a condition, or takes it away, does so at once, for workers of every class."""
        self.cool = False
        self.startMaster([self.slave("mac-mini"), self.stock("plain")], service={})
        self.reconfig(
            [self.slave("mac-mini", availableWhile=self.isCool), self.stock("plain")],
            service={"pl*": self.isCool},
        )
        self.assertEqual((self.sources(), self.sources("plain")), (["condition"], ["condition"]))
        self.assertEqual(sorted(self.names), ["mac-mini", "plain"])
        self.reconfig([self.slave("mac-mini"), self.stock("plain")], service={})
        self.assertEqual((self.sources(), self.sources("plain")), ([], []))


class MistakesTests(SynchronousTestCase):
    def test_mistakes(self):
        """A mistake is a config.error that names the worker, or the pattern."""
        with capture_config_errors() as errors:
            BuildSlave(name="mac-mini", passwd="s3cret", availableWhile="always")
            Terms(availableWhile={"mac-*": 7})
        self.assertIn(
            "BuildSlave 'mac-mini': availableWhile='always': 'always' cannot be asked", errors.errors[0]
        )
        self.assertIn("PresenceService: 'mac-*': availableWhile=7: 7 cannot be asked", errors.errors[1])
