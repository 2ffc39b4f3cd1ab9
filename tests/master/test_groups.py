"""Groups: a name for several workers, in `PresenceService` and in Buildbot's machines."""

from buildbot.config import BuilderConfig
from buildbot.config.errors import ConfigErrors, capture_config_errors
from buildbot.config.master import MasterConfig
from buildbot.plugins import schedulers, worker
from buildbot.process.factory import BuildFactory
from buildbot.test.fake.machine import LatentMachineController
from twisted.trial.unittest import SynchronousTestCase

from presence.master.groups import Groups
from presence.master.service import PresenceService
from tests.master.apicase import ApiTestCase

RACK = {"rack-2": ["mac-*", "linux-7"]}


def mistakes(groups, workers=("mac-mini",), machines=()):
    """What `groups` has wrong, in a farm of these."""
    with capture_config_errors() as errors:
        Groups(groups).check(workers, machines)
    return errors.errors


class ConfigTests(SynchronousTestCase):
    def test_mistakes(self):
        """Each mistake is an error that says what would be right."""
        for groups, said in (
            ([], "give a dictionary"),
            ({"mac-*": "x"}, "is not the name of a group"),
            ({"": "x"}, "is not the name of a group"),
            ({7: "x"}, "is not the name of a group"),
            ({"a\nb": "x"}, "is not the name of a group"),
            ({"rack": []}, "give names of workers, or patterns"),
            ({"rack": [7]}, "give names of workers, or patterns"),
            ({"mac-mini": ["mac-*"]}, "'mac-mini' is a worker and a group"),
        ):
            (found,) = mistakes(groups)
            self.assertIn(said, found)
        self.assertEqual(mistakes(RACK), [])
        self.assertEqual(mistakes({"rack": "mac-mini"}), [])

    def test_machines(self):
        """A machine is a group: it has no worker's name, and no other group has its name."""
        (found,) = mistakes(RACK, machines=["rack-2"])
        self.assertIn("there is a machine of this name", found)
        (found,) = mistakes(RACK, machines=["mac-mini"])
        self.assertIn("'mac-mini' is a worker and a machine", found)

    def test_wholeConfig(self):
        """`buildbot checkconfig` says so, wherever in master.cfg the service is made."""

        def load(name):
            return MasterConfig.loadFromDict(
                {
                    "services": [PresenceService(groups={name: ["mac-*"]})],
                    "workers": [worker.Worker("mac-mini", "s3cret")],
                    "builders": [BuilderConfig(name="b", workernames=["mac-mini"], factory=BuildFactory())],
                    "schedulers": [schedulers.ForceScheduler(name="force", builderNames=["b"])],
                    "protocols": {"null": {}},
                },
                "master.cfg",
            )

        load("rack")
        (found,) = self.assertRaises(ConfigErrors, load, "mac-mini").errors
        self.assertIn("is a worker and a group", found)

    def test_unused(self):
        """A pattern that matches nobody is told where those of breaks are."""
        service = PresenceService(groups=RACK)
        self.assertEqual(service.unusedPatterns(["mac-mini"]), ["linux-7"])


class GroupsTests(ApiTestCase):
    def groups(self, **filters):
        return {each["name"]: each["groups"] for each in self.getAll("presences")}

    def config(self, controllers, builders=None, **more):
        groups = more.pop("groups", None)
        return super().config(controllers, builders, services=[PresenceService(groups=groups)], **more)

    def test_entity(self):
        """Each worker says to which groups it belongs, and one may be looked for by them."""
        self.startMaster([self.slave("mac-mini"), self.stock("aarch64")], groups={**RACK, "all": "*"})
        self.assertEqual(self.groups(), {"mac-mini": ["rack-2", "all"], "aarch64": ["all"]})
        found = self.getAll("presences?groups__contains=rack-2")
        self.assertEqual([each["name"] for each in found], ["mac-mini"])
        self.assertEntity(found[0])

    def test_reconfig(self):
        """They follow a reconfig, which tells whoever listens."""
        workers = [self.slave("mac-mini"), self.slave("aarch64")]
        self.startMaster(workers)
        self.assertEqual(self.groups(), {"mac-mini": [], "aarch64": []})
        self.reconfig(workers, groups=RACK)
        self.pass_(1)
        self.assertEqual([each["groups"] for each in self.changes() if each["groups"]], [["rack-2"]])
        self.reconfig(workers)
        self.assertEqual(self.groups(), {"mac-mini": [], "aarch64": []})

    def test_machine(self):
        """The workers of a machine are a group, of its name."""
        machine = LatentMachineController(name="hz-bbw2").machine
        self.startMaster([self.slave("one", machine_name="hz-bbw2"), self.slave("two")], machines=[machine])
        self.assertEqual(self.groups(), {"one": ["hz-bbw2"], "two": []})
