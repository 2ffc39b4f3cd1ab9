"""A worker that has not been seen for long is out of its builders' reckoning until it is back."""

from buildbot.config.errors import capture_config_errors
from buildbot.process.results import CANCELLED
from twisted.trial.unittest import SynchronousTestCase

from presence.master.absence import absence
from presence.master.absence.absence import Absence
from presence.master.absence.terms import AbsenceTerms
from presence.master.reporters import notices
from presence.master.reporters.generator import PresenceGenerator
from presence.master.service import PresenceService
from presence.words.absent import REASON
from tests.master.apicase import ApiTestCase
from tests.master.fakemaster import DAY, HOUR
from tests.master.reporters.test_notices import Mailbox

WEEK = 7 * DAY


class AbsenceTests(ApiTestCase):
    def config(self, controllers, builders=None, *, service=None, **more):
        more["services"] = [
            PresenceService(**({"absentAfter": "7d"} if service is None else service)),
            Mailbox(generators=[PresenceGenerator(absent=True)]),
        ]
        return super().config(controllers, builders, **more)

    def farm(self, **more):
        self.startMaster(
            [self.slave("mac-mini"), self.slave("aarch64")],
            {"runtests": ["mac-mini", "aarch64"], "mac": ["mac-mini"]},
            **more,
        )

    def setUp(self):
        super().setUp()
        # (a week has ten thousand minutes)
        self.patch(absence, "INTERVAL", 2 * HOUR)
        self.patch(notices, "INTERVAL", DAY)

    def builder(self, name):
        return self.getOne(f"builders/{name}/presence")

    def told(self):
        sent, reporter = [], self.master.service_manager.namedServices["mailbox"]
        sent, reporter.sent = reporter.sent, sent
        return [each["subject"] for each in sent]

    def leave(self, name="mac-mini"):
        self.disconnect(name)
        self.pass_(WEEK + 2 * HOUR)

    def test_absent(self):
        """Its builders do without it, and say so; it is told; and all is as before when it is back."""
        self.farm()
        self.disconnect("mac-mini")
        self.pass_(WEEK - HOUR)
        self.assertEqual(self.builder("runtests")["total"], 2)
        self.pass_(3 * HOUR)
        self.assertEqual((self.builder("runtests")["total"], self.builder("runtests")["ready"]), (1, 1))
        mac = self.builder("mac")
        self.assertEqual((mac["total"], mac["reason"]), (0, "all its workers are long absent: mac-mini"))
        (hold,) = self.getOne("presences/mac-mini")["holds"]
        self.assertEqual((hold["source"], hold["reason"]), ("offline", REASON))
        self.assertEqual(
            self.told(), ["mac-mini has not been seen for long: its builders do without it until it is back"]
        )
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual((self.builder("runtests")["total"], self.builder("mac")["ready"]), (2, 1))
        self.assertEqual(self.told(), ["mac-mini is back"])
        self.request("mac")
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_why(self):
        """A request that waits for it alone says so."""
        self.farm()
        self.leave()
        brid = self.request("mac")
        self.assertIn(REASON, self.getOne(f"requestpresences/{brid}")["summary"][0]["text"])
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_cancel(self):
        """If the admin wants that, what only absent workers could build is cancelled, at once; nothing else is."""
        self.farm(service={"absentAfter": "7d", "whenAbsent": "cancel"})
        waits = self.request("mac")
        self.finishAll()
        self.leave()
        self.worker("aarch64").pause("so that something waits")
        kept, cancelled = self.request("runtests"), self.request("mac")
        self.pass_(1)
        self.assertEqual(self.unclaimed(), [kept])
        request = self.resultOf(self.master.db.buildrequests.getBuildRequest(cancelled))
        self.assertEqual(request.results, CANCELLED)
        self.assertEqual(len(self.results(waits)), 1)

    def test_restart(self):
        """When it was seen last is known after a restart; who was never seen counts from the first time that one looked."""
        self.farm()
        self.disconnect("mac-mini")
        self.pass_(5 * DAY)
        told = []
        fresh = Absence(self.roster, AbsenceTerms(WEEK, cancel=False), told.append)
        self.resultOf(self.assembly.telling.watchAbsence(None))
        self.resultOf(fresh.start())
        self.addCleanup(lambda: self.resultOf(fresh.stop(restore=False)))
        self.pass_(DAY)
        self.assertEqual(told, [])
        self.pass_(DAY + 2 * HOUR)
        self.assertEqual([(each.kind, each.workers) for each in told], [("begin", ("mac-mini",))])

    def test_elsewhere(self):
        """One that is connected to another master is not absent."""
        self.farm()
        self.disconnect("mac-mini")
        workers = self.master.db.workers
        get_worker = workers.getWorker

        def elsewhere(**keywords):
            return get_worker(**keywords).addCallback(
                lambda model: setattr(model, "connected_to", [7]) or model
            )

        self.patch(workers, "getWorker", elsewhere)
        self.pass_(WEEK + DAY)
        self.assertEqual(self.builder("runtests")["total"], 2)

    def test_off(self):
        """Turned off, everybody is reckoned with again, at once."""
        self.farm()
        self.leave()
        self.reconfig(
            [self.slave("mac-mini"), self.slave("aarch64")],
            {"runtests": ["mac-mini", "aarch64"], "mac": ["mac-mini"]},
            service={},
        )
        self.assertEqual(self.builder("runtests")["total"], 2)
        self.assertIs(self.presence().heldBy("offline").reason, None)
        self.assertIs(self.assembly.telling._absence, None)


class TermsTests(SynchronousTestCase):
    def test_mistakes(self):
        """Mistakes are mistakes in the configuration, which say what would be right."""
        for keywords, text in (
            ({"absentAfter": "a month"}, "is not a duration"),
            ({"absentAfter": 60}, "an hour or more"),
            ({"absentAfter": True}, "an hour or more"),
            ({"absentAfter": "30d", "whenAbsent": "refuse"}, "give one of wait, cancel"),
            ({"whenAbsent": "cancel"}, "give absentAfter= as well"),
        ):
            with capture_config_errors() as errors:
                PresenceService(**keywords)
            self.assertIn(text, "".join(errors.errors), keywords)
        with capture_config_errors() as errors:
            PresenceService(absentAfter="30d", whenAbsent="cancel")
        self.assertEqual(errors.errors, [])
