"""Reconfiguring a real master whose workers have breaks."""

import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.farm import Farm, break_

HOUR = 3600


def buildSlave(name, *breaks):
    return f'worker.BuildSlave(name="{name}", passwd=PASSWORD, onBreakDuring=[{", ".join(breaks)}])'


def now():
    """A break of an hour that has just begun."""
    return break_(time.time() - 1, time.time() + HOUR)


class ReconfigTests(SynchronousTestCase):
    def setUp(self):
        self.farm = Farm(self)
        self.farm.configure(buildSlave("mac-mini"), buildSlave("aarch64", now()), buildSlave("vm-7"))
        self.farm.start()
        self.workers = [self.farm.worker(name).start() for name in ("mac-mini", "aarch64", "vm-7")]
        for worker in self.workers:
            worker.waitUntilConnected()

    def test_oneBreakChanges(self):
        """A break that changes takes effect at once, and touches no connection and no running build."""
        builds = [self.farm.force(name, held=True).waitUntilRuns() for name in ("mac-mini", "vm-7")]
        waiting = self.farm.force("aarch64")

        # vm-7 goes on a break while it builds, and aarch64 stays on the one that it has
        aarch64 = buildSlave("aarch64", now())
        self.farm.reconfigure(buildSlave("mac-mini"), aarch64, buildSlave("vm-7", now()))
        held = self.farm.force("vm-7")
        for build in builds:
            self.assertFalse(build.complete)
            build.letFinish().waitUntilBuilt()
        self.farm.force("mac-mini").waitUntilBuilt()
        self.assertEqual([held.builds, waiting.builds], [[], []])

        # the break of vm-7 is removed, and that of aarch64 still is not touched
        building = self.farm.force("mac-mini", held=True).waitUntilRuns()
        self.farm.reconfigure(buildSlave("mac-mini"), aarch64, buildSlave("vm-7"))
        removed = time.time()
        self.assertLess(held.waitUntilBuilt()["started"] - removed, self.farm.moment)
        self.assertEqual(waiting.builds, [])
        building.letFinish().waitUntilBuilt()
        self.assertEqual([worker.connections for worker in self.workers], [1, 1, 1])

    def test_mistakes(self):
        """A configuration with mistakes changes nothing; `checkconfig` lists all of them, and what is right."""
        before = self.farm.config.read_text()
        said = self.farm.reconfigure(
            buildSlave("mac-mini", '("7", "19:00")'),
            'worker.BuildSlave(name="aarch64", passwd=PASSWORD, onBreakDuring=("07:00", "07:00"))',
            'worker.BuildSlave(name="vm-7", passwd=PASSWORD, onBreakduring=("07:00", "19:00"))',
            'worker.BuildSlave(name="no-password")',
            'worker.BuildSlave(name="martian", passwd=PASSWORD, timezone="Mars/Olympus", '
            'onBreakDuring=[("25:00", "19:00"), ("07:00", "19:00", "XX")])',
        )
        status, listed = self.farm.checkconfig()
        self.assertEqual(status, 1, listed)
        for report in (said, listed):
            for mistake in (
                ("mac-mini", "'7'", "19:00"),
                ("aarch64", "('07:00', '07:00')", "00:00"),
                ("vm-7", "onBreakduring", "did you mean onBreakDuring="),
                ("no-password", 'passwd="…"'),
                ("martian", "'25:00'"),
                ("martian", "'XX'", "MO"),
                ("martian", "'Mars/Olympus'", "Europe/"),
            ):
                lines = [line for line in report.splitlines() if all(each in line for each in mistake)]
                self.assertTrue(lines, f"{mistake} is not in one line of:\n{report}")
        self.assertIn("configuration update aborted without making any changes", said)

        # it goes on as before: who was on a break still is, the others build, and nobody has reconnected
        waiting = self.farm.force("aarch64")
        for name in ("mac-mini", "vm-7"):
            self.farm.force(name).waitUntilBuilt()
        self.assertEqual(waiting.builds, [])
        self.assertEqual([worker.connections for worker in self.workers], [1, 1, 1])
        self.farm.config.write_text(before)
        self.assertEqual(self.farm.checkconfig()[0], 0)
        self.assertIn("configuration update complete", self.farm.reconfig())
