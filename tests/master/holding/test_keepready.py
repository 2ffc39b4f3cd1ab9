"""`keepReady=`: what admins order leaves so many workers ready, in a whole master."""

import warnings
from datetime import datetime, timezone

from buildbot.config import BuilderConfig
from buildbot.config.errors import ConfigErrors, capture_config_errors
from buildbot.config.master import MasterConfig
from buildbot.plugins import schedulers
from buildbot.process.factory import BuildFactory
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import SynchronousTestCase

from presence.master.buildslave import BuildSlave
from presence.master.holding.keepready import KeepReady
from presence.master.holding.shortbreaks import shortBreaks
from presence.master.service import PresenceService
from presence.master.slave.keywords import BreakWarning
from presence.orders.workers import HoldOrder
from tests.master.apicase import INVALID_REQUEST, ApiTestCase, user
from tests.master.farm.farmcase import FarmTestCase

ANN = user("ann")
NAMES = ["w1", "w2", "w3", "w4"]


class KeepReadyTests(ApiTestCase):
    keepReady = {"runtests": 2}  # noqa: RUF012

    def config(self, controllers, builders=None, **more):
        service = PresenceService(keepReady=more.pop("keepReady", self.keepReady), groups={"rack": ["w[12]"]})
        return super().config(controllers, builders, services=[service], **more)

    def start(self, **more):
        slaves = [self.slave(name) for name in NAMES[:3]]
        self.startMaster([*slaves, self.stock("w4")], {"runtests": NAMES, "lint": ["w1"]}, **more)

    def hold(self, *names, action="hold", **params):
        if len(names) == 1:
            return self.post(f"presences/{names[0]}", action, ANN, **params)
        return self.post("presences", action, ANN, workers=list(names), **params)

    def held(self):
        return [name for name in NAMES if "admin" in self.sources(name)]

    def test_refused(self):
        """An order that leaves fewer is refused in the sentence who is away already; of several, all of it."""
        self.start()
        self.presence("w4").hold("worker", reason="rendering")
        self.assertEqual(self.hold("w1", reason="disk").status, 200)
        for answer in (self.hold("w2"), self.hold("w2", action="drain")):
            status, code, text = answer.error
            self.assertEqual((status, code), (400, INVALID_REQUEST))
            self.assertIn("2 of 4 workers of runtests are to stay ready", text)
            self.assertIn("w1 (held by ann (disk)), w4 (held by its owner (rendering))", text)
        self.assertIn("nothing was ordered", self.hold("w2", "w3").error[2])
        self.assertEqual(self.held(), ["w1"])
        self.hold("w1", action="release")
        self.assertEqual(self.hold("w2").status, 200)

    def test_force(self):
        """Who means it may."""
        self.start()
        self.assertEqual(self.hold(*NAMES[:3], force=True).status, 200)
        self.assertEqual(self.held(), NAMES[:3])

    def test_atOnce(self):
        """Of two admins who order at the same moment one is refused."""
        self.start()
        control = self.master.data.control
        both = [
            control("hold", {"workers": names, "owner": "ann"}, ("presences",)).addErrback(
                lambda _: "refused"
            )
            for names in (["w1", "w2"], ["w3", "w4"])
        ]
        self.assertEqual([each == "refused" for each in self.resultOf(gatherResults(both))], [False, True])
        self.assertEqual(self.held(), ["w1", "w2"])

    def test_breaks(self):
        """A break is never refused, nor what its owner says; a worker that is not connected is away."""
        self.start(connect=False)
        for name in NAMES[:3]:
            self.assertEqual(self.hold(name).status, 200)

    def test_others(self):
        """What no floor concerns is not asked, and a reconfig changes the floor."""
        self.start(keepReady={"lint": 1, "rack": "50%"})
        self.assertEqual(self.hold("w2", "w3").status, 200)
        self.assertIn("1 of 1 workers of lint", self.hold("w1").error[2])
        slaves = [self.slave(name) for name in NAMES[:3]]
        self.reconfig([*slaves, self.stock("w4")], {"runtests": NAMES, "lint": ["w1"]}, keepReady={"rack": 1})
        self.assertIn("1 of 2 workers of rack", self.hold("w1").error[2])


class FarmTests(FarmTestCase):
    """One master of several."""

    def config(self, controllers, builders=None, **more):
        service = PresenceService(keepReady={"runtests": 2, "elsewhere": 1})
        return super().config(controllers, builders, services=[service], **more)

    def test_anotherOrder(self):
        """What another master has stored counts, also where nothing has been said of it; names may be those of other masters."""
        self.startMaster([self.slave(name) for name in NAMES[:3]], {"runtests": NAMES[:3]})
        self.order(HoldOrder("there"), "w1", told=False)
        self.assertEqual(self.sources("w1"), [])
        said = self.post("presences/w2", "hold", ANN).error[2]
        self.assertIn("2 of 3 workers of runtests are to stay ready", said)
        self.assertIn("away already: w1 (held by bob (there))", said)
        self.assertEqual(self.sources("w2"), [])


def load(keepReady, **breaks):
    return MasterConfig.loadFromDict(
        {
            "services": [PresenceService(keepReady=keepReady, groups={"rack": ["w1", "w2"], "b2": ["w1"]})],
            "workers": [BuildSlave(name, "s3cret", timezone="UTC", **breaks) for name in ("w1", "w2", "w3")],
            "builders": [
                BuilderConfig(name=name, workernames=["w1", "w2", "w3"], factory=BuildFactory())
                for name in ("runtests", "b2")
            ],
            "schedulers": [schedulers.ForceScheduler(name="force", builderNames=["runtests", "b2"])],
            "protocols": {"null": {}},
        },
        "master.cfg",
    )


class ConfigTests(SynchronousTestCase):
    def test_good(self):
        """Builders, groups, workers and patterns."""
        config = load({"runtests": 2, "rack": "50%", "w3": 1, "w*": 1})
        (service,) = config.services.values()
        members = service._keep_ready.members(*service._names_in(config))
        self.assertEqual([len(names) for _, names in members], [3, 2, 1, 3])

    def test_mistakes(self):
        """Each mistake says what would be right, where it is written or when all of master.cfg is known."""
        for floors, said in (
            ({"nobody": 1}, "there is no builder, no group and no worker of this name"),
            ({"b2": 1}, "there is a builder and a group of this name"),
            ({"rack": 3}, "there are only 2 workers of it"),
            ({"rack": "0%"}, 'such as "50%"'),
            ([], "give a dictionary"),
        ):

            def attempt(given=floors):
                with capture_config_errors(raise_on_error=True):
                    load(given)

            (found,) = self.assertRaises(ConfigErrors, attempt).errors
            self.assertIn(said, found)

    def test_breaks(self):
        """Where breaks alone go below the floor it is a warning, with the hours, and no error."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", BreakWarning)
            load({"runtests": 2}, onBreakDuring=("07:00", "19:00"))
        (text,) = (str(each.message) for each in told if each.category is BreakWarning)
        self.assertIn("2 of 3 workers are to stay ready, and breaks alone leave fewer: 0 from", text)
        self.assertIn("more times in a week", text)

    def test_hours(self):
        """The hours are those of the zone, and three of them are told."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BreakWarning)
            config = load({"rack": 1}, onBreakDuring=("07:00", "19:00", "TU"))
        (service,) = config.services.values()
        schedules = {each.name: each.schedule for each in config.workers}
        now = datetime(2026, 11, 23, 6, tzinfo=timezone.utc)
        (text,) = shortBreaks(
            service._keep_ready.members(*service._names_in(config)), schedules, now, timezone.utc
        )
        self.assertTrue(
            text.endswith(
                "1 of 2 workers are to stay ready, and breaks alone leave fewer: 0 from Tue 07:00 to 19:00"
            ),
            text,
        )

    def test_none(self):
        """Without keepReady nothing is made."""
        self.assertEqual(KeepReady().floors, [])
