from typing import ClassVar

from buildbot.config import ConfigErrors
from buildbot.config.errors import capture_config_errors
from buildbot.config.master import MasterConfig
from buildbot.plugins import db, schedulers, util
from buildbot.worker import Worker
from twisted.trial.unittest import SynchronousTestCase

import presence
from presence.master import enable as module
from presence.master.buildslave import BuildSlave
from presence.master.service import PresenceService


def isOurs(entry):
    """Whether this part of a tree of plugins is an entry point of ours (it may be a branch)."""
    return isinstance(entry, db._PluginEntry) and entry._entry.value.startswith("presence.")


class EnableTests(SynchronousTestCase):
    """`presence.enable(c)`."""

    def startedBefore(self):
        """As in a process that has read which plugins there are before ours were installed."""
        self.patch(db, "_DB", db._PluginDB())
        for namespace in ("worker", "util", "www"):
            children = db.get_plugins(namespace, None)._tree._children
            for name in [name for name, each in children.items() if isOurs(each)]:
                del children[name]
            self.assertNotIn("presence", str(list(children)))

    def test_service(self):
        """Every worker has a presence, by the keywords of `PresenceService`."""
        c = {"services": []}
        presence.enable(c, onBreakDuring={"mac-*": ("07:00", "19:00")})
        (service,) = c["services"]
        self.assertIsInstance(service, PresenceService)
        self.assertEqual(service._config_kwargs["onBreakDuring"], {"mac-*": ("07:00", "19:00")})
        empty = {}
        presence.enable(empty)
        self.assertEqual(len(empty["services"]), 1)

    def test_page(self):
        """The page joins the other plugins of the web UI; what is said of it stays."""
        c = {"www": {"port": 8010, "plugins": {"grid_view": {}}}}
        presence.enable(c)
        self.assertEqual(c["www"]["plugins"], {"grid_view": {}, "presence": {}})
        said = {"www": {"port": 8010, "plugins": {"presence": {"x": 1}}}}
        presence.enable(said)
        self.assertEqual(said["www"]["plugins"], {"presence": {"x": 1}})

    def test_noPage(self):
        """Without a web server, or where nobody wants it, there is none."""
        for c, keywords in (({}, {}), ({"www": {}}, {}), ({"www": {"port": 8010}}, {"page": False})):
            before = dict(c.get("www", {}))
            presence.enable(c, **keywords)
            self.assertEqual(c.get("www", {}), before)

    def test_installedLater(self):
        """A master that was started before presence was installed knows its plugins from then on."""
        self.startedBefore()
        c = {"www": {"port": 8010}}
        presence.enable(c)
        self.assertEqual(c["www"]["plugins"], {"presence": {}})
        self.assertIs(db.get_plugins("worker", None).BuildSlave, BuildSlave)
        self.assertIs(db.get_plugins("util", None).PresenceService, PresenceService)
        self.assertIn("presence", db.get_plugins("www", None))
        presence.enable({"www": {"port": 8010}})

    def test_otherBuildbot(self):
        """Where Buildbot keeps its plugins otherwise the page waits for a restart: nothing is half applied."""
        self.startedBefore()
        self.patch(db, "_PluginEntry", None)
        c = {"www": {"port": 8010}}
        presence.enable(c)
        self.assertEqual((len(c["services"]), c["www"]), (1, {"port": 8010}))
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)

    def test_twice(self):
        """A second service is a mistake that is named."""
        c = {"services": [PresenceService()]}
        with self.assertRaises(ConfigErrors) as caught, capture_config_errors(raise_on_error=True):
            presence.enable(c)
        self.assertIn('PresenceService in c["services"] already', caught.exception.errors[0])

    def test_mistake(self):
        """A keyword that there is not is refused."""
        self.assertRaises(TypeError, presence.enable, {}, onbreakDuring={})
        self.assertIs(presence.enable, module.enable)


class LargeFarmTests(SynchronousTestCase):
    """A farm of 58 workers and 1 037 builders."""

    BREAKS: ClassVar = {
        "mac-*": ("07:00", "19:00"),
        "lab-*": ("22:00", "02:00", "MO-FR"),
        "build-7": ("SA 00:00", "MO 00:00"),
    }

    def farm(self):
        names = [f"{kind}-{number}" for kind in ("mac", "lab", "build") for number in range(20)][:58]
        factory = util.BuildFactory()
        return {
            "workers": [Worker(name, "s3cret") for name in names],
            "builders": [
                util.BuilderConfig(f"b{number}", names[number % 58], factory=factory)
                for number in range(1037)
            ],
            "schedulers": [
                schedulers.ForceScheduler(name="force", builderNames=[f"b{number}" for number in range(1037)])
            ],
            "protocols": {"null": {}},
            "buildbotNetUsageData": None,
        }

    def test_oneLine(self):
        """One line gives it its three breaks: the configuration is good, and each worker has those that are meant."""
        c = self.farm()
        presence.enable(c, onBreakDuring=self.BREAKS)
        config = MasterConfig.loadFromDict(c, "master.cfg")
        self.assertEqual((len(config.workers), len(config.builders)), (58, 1037))
        (service,) = config.services.values()
        service.giveTerms(config.workers)
        on_break = [each.name for each in config.workers if not each.schedule.isEmpty]
        self.assertEqual(len(on_break), 20 + 20 + 1)
        self.assertEqual([name for name in on_break if name.startswith("build")], ["build-7"])
        self.assertEqual(service.unusedPatterns(each.name for each in config.workers), [])
