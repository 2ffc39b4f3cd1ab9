"""What an admin finds in the log of a master: one line for what is ordinary, at the right level."""

from twisted.python import log

from tests.master.fakemaster import MasterTestCase
from tests.master.starting.test_lostworkers import STEPS, PreparationTestCase


class LogTestCase(MasterTestCase):
    def watch(self):
        """A list to which each line of the log goes from now on: whether it is an error, and its text."""
        lines = []

        def observe(event):
            lines.append((bool(event["isError"]), log.textFromEventDict(event) or ""))

        log.addObserver(observe)
        self.addCleanup(log.removeObserver, observe)
        return lines

    def assertOrdinary(self, lines, *wanted):
        """None is an error, or spans several lines; what is wanted is said once, or in those that tell of their own part."""
        self.assertEqual([text for is_error, text in lines if is_error], [])
        self.assertEqual([text for _, text in lines if "\n" in text.strip()], [])
        for each in wanted:
            self.assertEqual(len([text for _, text in lines if each in text]), 1, each)


class DisconnectTests(LogTestCase, PreparationTestCase):
    def test_nothingWeird(self):
        """When a worker disconnects nothing is called weird, however many builders it has."""
        self.startMaster([self.slave("mac-mini")], {name: ["mac-mini"] for name in "abc"})
        lines = self.watch()
        gate, waiting = self.delay("workerDisconnected", ())
        done = self.controllers["mac-mini"].disconnect_worker()
        self.pass_(0)
        self.assertEqual(len(waiting), 1)
        gate.callback(None)
        self.resultOf(done)
        self.assertOrdinary(lines)
        self.assertEqual([text for _, text in lines if "WEIRD" in text], [])
        self.connect("mac-mini")
        self.pass_(1)
        self.request("a")
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_removed(self):
        """So it is when it is removed from the configuration, and no builder keeps it."""
        self.startMaster([self.slave("mac-mini"), self.slave("aarch64")])
        lines = self.watch()
        self.reconfig([self.slave("aarch64")])
        self.assertEqual([text for _, text in lines if "WEIRD" in text], [])
        workers = self.master.botmaster.builders["runtests"].workers
        self.assertEqual([wfb.worker.workername for wfb in workers], ["aarch64"])


class RefusalTests(LogTestCase, PreparationTestCase):
    def refused(self, step):
        self.startMaster([self.slave("mac-mini")])
        gate, waiting = self.delay(*STEPS[step])
        brid = self.request()
        self.assertEqual(len(waiting), 1)
        lines = self.watch()
        self.presence().hold("admin")
        gate.callback(None)
        self.pass_(1)
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        self.assertOrdinary(lines, "goes back to the queue")
        self.assertIsNone(self.worker("mac-mini").quarantine_timer)

    def test_beforeItsLocks(self):
        """A build that is refused when its locks are to be taken is one line of the log, and none of an error."""
        self.refused("preparingWorker")

    def test_whenTold(self):
        """So is one that is refused when the worker is to be told."""
        self.refused("ready")

    def test_step(self):
        """Its page says why it is built again, and shows no exception."""
        self.refused("ready")
        (step,) = self.resultOf(self.master.data.get(("builds", 1, "steps")))
        self.assertEqual(step["state_string"], "the worker accepts no build any more")
        self.assertEqual(step["results"], 5)

    def test_latent(self):
        """A latent worker that has been started, and whose break has begun meanwhile, is one line."""
        latent = self.latent("cloud", onBreakDuring=("07:00", "19:00"), timezone="UTC")
        self.startMaster([latent])
        latent.auto_start(False)
        self.passUntil(self.at(7) - 60)
        brid = self.request()
        self.passUntil(self.at(7) + 60)
        lines = self.watch()
        latent.auto_start(True)
        self.pass_(1)
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        self.assertOrdinary(lines, "goes back to the queue")

    def test_lost(self):
        """A worker that is lost while its build is prepared is one line."""
        self.startMaster([self.slave("mac-mini")])
        gate, _ = self.delay(*STEPS["pinging"])
        brid = self.request()
        lines = self.watch()
        self.disconnect("mac-mini")
        gate.callback(None)
        self.pass_(1)
        self.assertEqual(self.unclaimed(), [brid])
        self.assertOrdinary(lines, "was lost while")
