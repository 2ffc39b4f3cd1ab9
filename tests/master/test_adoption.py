"""`PresenceService` gives a presence to workers of every class."""

from buildbot.config import ConfigErrors
from buildbot.config.errors import capture_config_errors
from buildbot.plugins import worker as plugins
from buildbot.process.results import RETRY, SUCCESS
from buildbot.worker.base import Worker
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from presence.breaks.schedule import Break
from presence.master.buildslave import BuildSlave, PresenceMixin
from presence.master.service import PresenceService
from tests.master.fakemaster import HOUR, LatentController, MasterTestCase

WORKING_HOURS = ("07:00", "19:00")
BREAKS = {"mac-*": WORKING_HOURS}


class SiteWorker(Worker):
    """A subclass that somebody else has written."""

    asked = 0
    refuses = False

    def canStartBuild(self):
        SiteWorker.asked += 1
        return not self.refuses and super().canStartBuild()


class AdoptionTestCase(MasterTestCase):
    service = {}  # noqa: RUF012

    def config(self, controllers, builders=None, *, service=(), **more):
        """As ever, and with a `PresenceService` of these keywords; None: without one."""
        if service is not None:
            more["services"] = [PresenceService(**{**self.service, **dict(service)})]
        return super().config(controllers, builders, **more)

    def order(self, name, action, **params):
        """An order of an admin's, as it comes over the API."""
        params.setdefault("owner", "ann")
        return self.resultOf(self.master.data.control(action, params, ("presences", name)))


class StockTests(AdoptionTestCase):
    """A stock worker is what a `BuildSlave` is."""

    service = {"onBreakDuring": BREAKS, "timezone": "UTC"}  # noqa: RUF012

    def start(self):
        self.startMaster([self.stock("mac-mini"), self.stock("aarch64")])
        self.worker("aarch64").pause("it would be chosen as well")

    def test_break(self):
        """It has breaks by its name: what runs when one begins is finished, what waits starts at its end."""
        self.start()
        first = self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.passUntil(self.at(7.5))
        self.assertEqual(self.sources(), ["break"])
        self.finishAll()
        second = self.request()
        self.passUntil(self.at(18.99))
        self.assertEqual((self.unclaimed(), self.results(first)), ([second], [SUCCESS]))
        self.passUntil(self.at(19) + 1)
        self.assertEqual([each.at >= self.at(19) for each in self.starts[1:]], [True])

    def test_hold(self):
        """An admin holds and releases it, and the hold survives the master."""
        self.start()
        self.order("mac-mini", "hold", reason="new disk")
        brid = self.request()
        self.assertEqual((self.sources(), self.unclaimed()), (["admin"], [brid]))
        self.order("mac-mini", "release")
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_builderAfterwards(self):
        """A builder that is held builds again when nobody has a presence any more, and when there is one another day, too."""
        workers = [self.stock("mac-mini"), self.stock("aarch64")]
        self.startMaster(workers)
        self.resultOf(
            self.master.data.control("hold", {"owner": "ann"}, ("builders", "runtests", "presence"))
        )
        brid = self.request()
        self.pass_(1)
        self.assertEqual(self.unclaimed(), [brid])
        self.reconfig(workers, service=None)
        self.pass_(1)
        self.assertEqual(self.unclaimed(), [])
        self.finishAll()
        self.reconfig(workers)
        self.request()
        self.pass_(1)
        self.assertEqual(self.unclaimed(), [])

    def test_drain(self):
        """It is drained: what runs is finished, and counted."""
        self.start()
        self.request()
        self.order("mac-mini", "drain")
        entity = self.resultOf(self.master.data.get(("presences", "mac-mini")))
        self.assertEqual((entity["drain"]["state"], entity["running"]), ("draining", 1))
        self.finishAll()
        entity = self.resultOf(self.master.data.get(("presences", "mac-mini")))
        self.assertEqual((entity["drain"]["state"], entity["holdable"]), ("drained", True))

    def test_lastMoment(self):
        """No build starts on it that was chosen before it was held; its request waits, and it is in no quarantine."""
        self.start()
        updates = self.master.data.updates
        original, gate, waiting = updates.setBuildStateString, Deferred(), []

        def late(buildid, state):
            if state == "preparing worker" and not waiting:
                waiting.append(state)
                return gate.addCallback(lambda _: original(buildid, state))
            return original(buildid, state)

        self.patch(updates, "setBuildStateString", late)
        brid = self.request()
        self.assertEqual(len(waiting), 1)
        self.order("mac-mini", "hold")
        gate.callback(None)
        self.pass_(1)
        self.assertEqual((self.starts, self.unclaimed(), self.results(brid)), ([], [brid], [RETRY]))
        self.assertEqual(self.sources(), ["admin"])

    def test_reconfigChangesNothing(self):
        """A reconfig keeps its connection, its build and its presence, as long as its configuration is the same."""
        self.start()
        brid = self.request()
        before, worker = self.farm(), self.worker("mac-mini")
        config_of = []
        self.patch(type(worker), "reconfigService", lambda *_args, **_kwargs: config_of.append(1))
        self.reconfig([self.stock("mac-mini"), self.stock("aarch64")])
        self.assertEqual((self.farm(), config_of), (before, []))
        self.finishAll()
        self.assertEqual(self.results(brid), [SUCCESS])

    def test_otherKeywords(self):
        """A reconfig that changes its keywords changes those, and not its breaks."""
        self.start()
        before = self.farm()
        self.reconfig([self.stock("mac-mini", max_builds=3), self.stock("aarch64")])
        self.assertEqual(self.farm(), before)
        self.assertEqual(self.worker("mac-mini").max_builds, 3)
        self.passUntil(self.at(8))
        self.assertEqual(self.sources(), ["break"])

    def test_otherBreaks(self):
        """A reconfig that changes its breaks takes effect at once."""
        self.start()
        workers = [self.stock("mac-mini"), self.stock("aarch64")]
        self.reconfig(workers, service={"onBreakDuring": {"mac-mini": ("05:00", "06:30")}})
        self.assertEqual(self.sources(), ["break"])
        self.reconfig(workers, service={"onBreakDuring": {}})
        self.assertEqual(self.sources(), [])

    def test_newWorker(self):
        """A worker that a reconfig adds has a presence before it can connect."""
        self.start()
        self.passUntil(self.at(8))
        self.reconfig([self.stock("mac-mini"), self.stock("aarch64"), self.stock("mac-pro")])
        self.connect("mac-pro")
        self.assertEqual(self.sources("mac-pro"), ["break"])

    def test_missing(self):
        """One that is offline on its break is missed by nobody."""
        self.startMaster([self.stock("mac-mini", notify_on_missing=["me@example.org"], missing_timeout=60)])
        missed = []
        self.patch(self.worker("mac-mini"), "_missing_timer_fired", lambda: missed.append(1))
        self.passUntil(self.at(8))
        self.disconnect("mac-mini")
        self.pass_(HOUR)
        self.assertEqual(missed, [])


class SparingTests(AdoptionTestCase):
    """Breaks that `PresenceService` gives spare builds, too: from its start, for who is there and who comes."""

    def breaks(self, **more):
        return {"onBreakDuring": {"mac-*": Break("08:00", "12:00", tz="UTC", **more)}}

    def startFarm(self, service):
        self.startMaster(
            [self.stock("mac-mini")], {"quick": ["mac-mini"], "bench": ["mac-mini"]}, service=service
        )

    def test_partial(self):
        """In a partial break those builds start that it admits, and the others when it is over."""
        self.startFarm(self.breaks(without="bench"))
        self.passUntil(self.at(9))
        self.request("bench")
        self.request("quick")
        self.assertEqual([each.builder for each in self.starts], ["quick"])
        self.assertIn("partial", self.assembly.breakDoor.why("mac-mini", "bench").reason)
        self.passUntil(self.at(12) + 1)
        self.assertEqual([each.builder for each in self.starts], ["quick", "bench"])

    def test_whileItRuns(self):
        """A partial break that a reconfig gives begins at once, for a worker that was a stock one until then; and without
        `PresenceService` it is over.
        """
        self.startFarm(None)
        worker = self.controllers["mac-mini"]
        self.passUntil(self.at(9))

        def reconfig(service):
            self.reconfig(
                [self.stock("mac-mini")], {"quick": ["mac-mini"], "bench": ["mac-mini"]}, service=service
            )
            return [each.builder for each in self.starts]

        reconfig(self.breaks(without="bench"))
        self.request("bench")
        self.request("quick")
        self.assertEqual([each.builder for each in self.starts], ["quick"])
        self.assertEqual(reconfig(self.breaks(without="quick")), ["quick", "bench"])
        self.jobs[0].finish()
        self.request("quick")
        self.assertEqual(len(self.starts), 2)
        self.assertEqual(reconfig(None), ["quick", "bench", "quick"])
        self.assertIs(self.worker("mac-mini"), worker.worker)


class KindsTests(AdoptionTestCase):
    """Workers of all kinds."""

    service = {"onBreakDuring": {"*": WORKING_HOURS}, "timezone": "UTC"}  # noqa: RUF012

    def test_otherPeoples(self):
        """A subclass of somebody else's keeps what it overrides, and has breaks."""
        self.startMaster([self.slave("mac-mini", worker_class=SiteWorker)])
        self.patch(SiteWorker, "refuses", True)
        brid = self.request()
        self.assertGreater(SiteWorker.asked, 0)
        self.assertEqual(self.unclaimed(), [brid])
        self.patch(SiteWorker, "refuses", False)
        self.passUntil(self.at(8))
        self.master.botmaster.maybeStartBuildsForAllBuilders()
        self.pass_(1)
        self.assertEqual((self.sources(), self.unclaimed()), (["break"], [brid]))
        self.passUntil(self.at(19) + 1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.assertIsInstance(self.worker("mac-mini"), SiteWorker)

    def test_latent(self):
        """A latent worker is not substantiated on its break."""
        self.setClock(8)
        controller = LatentController(self, "cloud")
        controller.auto_connect_worker = True
        self.startMaster([controller])
        brid = self.request()
        self.assertEqual(
            (self.sources("cloud"), self.unclaimed(), controller.started), (["break"], [brid], False)
        )

    def test_ours(self):
        """A worker that is declared with a presence keeps what is said there."""
        self.setClock(8)
        self.startMaster([self.slave("mac-mini"), self.stock("aarch64")])
        self.assertEqual([self.sources(name) for name in ("mac-mini", "aarch64")], [[], ["break"]])
        self.assertIs(type(self.worker("mac-mini")), BuildSlave)

    def test_named(self):
        """Its class has the name that it had, and so has its place in the database."""
        self.startMaster([self.stock("mac-mini")])
        kind = type(self.worker("mac-mini"))
        self.assertTrue(issubclass(kind, PresenceMixin))
        self.assertEqual((kind.__module__, kind.__name__), (Worker.__module__, Worker.__name__))


class MistakeTests(SynchronousTestCase):
    """Mistakes in the keywords are listed by `checkconfig`."""

    def test_all(self):
        """Each names what is wrong and what would be right."""
        with self.assertRaises(ConfigErrors) as caught, capture_config_errors(raise_on_error=True):
            PresenceService(onBreakDuring={"mac-*": ("7", "19:00")}, owners={"mac-*": 7})
            PresenceService(onBreakDuring=[("07:00", "19:00")])
        text = "\n".join(caught.exception.errors)
        for part in ("'mac-*'", "'7'", "owners=7", "give a dictionary"):
            self.assertIn(part, text)

    def test_plugin(self):
        """Nothing of this needs another class of worker."""
        self.assertIs(plugins.Worker, Worker)
