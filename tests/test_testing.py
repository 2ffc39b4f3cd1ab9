"""The test kit behaves as the roster of a master does."""

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from inspect import signature

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from presence.errors import PresenceStopped
from presence.master.roster import Roster
from presence.testing import FakeClock, FakeRoster

UTC = timezone.utc


class FakeClockTests(SynchronousTestCase):
    def setUp(self):
        self.clock = FakeClock(datetime(2026, 3, 29, 0, 30, tzinfo=UTC))

    def test_advanceTo(self):
        """Each timer that is due fires at its own time, those that were set meanwhile included; no later one does."""
        fired = []

        def again(left):
            fired.append(self.clock.now.minute)
            if left:
                self.clock.callLater(600, again, left - 1)

        self.clock.callLater(60, again, 2)
        self.clock.callLater(1801, fired.append, "late")
        self.clock.advanceTo(datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
        self.assertEqual(fired, [31, 41, 51])
        self.assertEqual(self.clock.now, datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
        self.clock.advanceBy(seconds=1)
        self.assertEqual(fired[3:], ["late"])

    def test_atTheInstant(self):
        """What is due at the instant itself has fired."""
        fired = []
        self.clock.callLater(1800, fired.append, True)
        self.clock.advanceBy(minutes=30)
        self.assertEqual(fired, [True])

    def test_past(self):
        """It does not go back, and a time without a zone is none."""
        before = self.clock.now
        error = self.assertRaises(ValueError, self.clock.advanceTo, before - timedelta(seconds=1))
        self.assertIn("is past", str(error))
        self.assertRaises(ValueError, self.clock.advanceTo, datetime(2027, 1, 1))
        self.assertRaises(ValueError, FakeClock, datetime(2027, 1, 1))
        self.assertEqual(self.clock.now, before)


class FakeRosterTests(SynchronousTestCase):
    def setUp(self):
        self.roster = FakeRoster(
            {"mac-mini": ("07:00", "19:00"), "vm-7": None}, {"runtests": ["mac-mini", "vm-7"]}
        )
        self.clock = self.roster.clock

    def test_signatures(self):
        """What the kit has of a roster is called as there."""
        self.assertIsInstance(Roster.workers, property)
        for name in ("worker", "builder", "findWorker", "findBuilder"):
            real, fake = (signature(getattr(each, name)) for each in (Roster, FakeRoster))
            self.assertEqual(str(real), str(fake), name)

    def test_breaks(self):
        """A worker with breaks is on them, and who waits for it is told at their end: at noon it is on its break."""
        ready = self.roster.worker("mac-mini").waitUntilReady()
        self.clock.advanceTo(datetime(2026, 1, 5, 18, 59, 59, tzinfo=UTC))
        self.assertNoResult(ready)
        self.clock.advanceBy(seconds=1)
        self.assertIs(self.successResultOf(ready), self.roster.worker("mac-mini"))

    def test_builder(self):
        """Who waits for a builder gets the first of its workers that is ready."""
        builder = self.roster.builder("runtests")
        self.assertIs(self.successResultOf(builder.waitUntilReady()), self.roster.worker("vm-7"))
        self.roster.worker("vm-7").hold("admin", until=self.clock.seconds() + 60)
        ready = builder.waitUntilReady()
        self.assertNoResult(ready)
        self.clock.advanceBy(minutes=1)
        self.assertIs(self.successResultOf(ready), self.roster.worker("vm-7"))

    def test_likeTheRealOne(self):
        """A name that is new is a worker that is not connected; an unknown builder is a KeyError."""
        self.assertEqual([hold.source for hold in self.roster.worker("new").holds], ["offline"])
        self.assertIsNone(self.roster.findWorker("other"))
        self.assertIsNone(self.roster.findBuilder("other"))
        self.assertRaises(KeyError, self.roster.builder, "other")
        self.assertIs(self.successResultOf(self.roster.getService(object())), self.roster)

    def test_reconfig(self):
        """A builder may be given other workers, as by a reconfig."""
        builder = self.roster.addBuilder("runtests", ["mac-mini", "new"])
        self.assertEqual(builder.workers, (self.roster.worker("mac-mini"), self.roster.worker("new")))
        self.assertIs(self.successResultOf(builder.waitUntilReady()), self.roster.worker("new"))

    def test_otherBreaks(self):
        """A worker may be given other breaks, as by a reconfig; breaks that are wrong change nothing."""
        mac = self.roster.worker("mac-mini")
        self.assertRaises(ValueError, self.roster.addWorker, "mac-mini", ("7", "19:00"))
        self.assertFalse(mac.ready)
        self.assertIs(self.roster.addWorker("mac-mini", None), mac)
        self.assertTrue(mac.ready)

    def test_removed(self):
        """Who waits for what is removed, or for anything when the master ends, is told so; a waiter may be cancelled."""
        mac = self.roster.worker("mac-mini").waitUntilReady()
        self.roster.removeWorker("mac-mini")
        self.failureResultOf(mac, PresenceStopped)
        vm, builder = self.roster.worker("vm-7"), self.roster.builder("runtests")
        self.assertEqual(builder.workers, (vm,))
        vm.hold("worker", until=self.clock.seconds() + 60)
        cancelled, worker, any_of_them = vm.waitUntilReady(), vm.waitUntilReady(), builder.waitUntilReady()
        cancelled.cancel()
        self.failureResultOf(cancelled, CancelledError)
        self.roster.stop()
        self.failureResultOf(worker, PresenceStopped)
        self.failureResultOf(any_of_them, PresenceStopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_names(self):
        """Workers may be given by their names alone, or by those of builders; then they have no breaks."""
        roster = FakeRoster(["a"], {"b": ["a", "c"]})
        self.assertEqual(sorted(roster.workers), ["a", "c"])
        self.assertTrue(all(each.ready for each in roster.workers.values()))

    def test_withoutBuildbot(self):
        """It imports neither Buildbot nor a reactor."""
        code = (
            "import sys, presence.testing\n"
            "print([name for name in sys.modules if name.split('.')[0] in ('buildbot', 'buildbot_worker')"
            " or name == 'twisted.internet.reactor'])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.strip(), "[]")
