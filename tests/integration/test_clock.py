"""A real master whose clock is set: by libfaketime (Debian: `apt-get install faketime`), which shows it another one."""

import time
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.integration.farm import Farm, break_, waitFor

HOUR = 3600
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))

#: Within this time a jump is to be noticed, in seconds; and how much longer a busy machine may take to answer.
NOTICED, SLACK = 2.0, 3.0


class SetClockTests(SynchronousTestCase):
    def setUp(self):
        if not LIBRARIES:
            raise SkipTest("there is no libfaketime")
        self.farm = Farm(self)
        self.offset = self.farm.directory / "offset"
        self.setClock(0)
        self.farm.master.environment = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.offset),
            "FAKETIME_NO_CACHE": "1",
            # the reactor sleeps by this one
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def setClock(self, seconds):
        """The master's clock shows so much more than ours."""
        new = self.offset.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self.offset)

    def sources(self, name):
        return [hold["source"] for hold in self.farm.get(f"presences/{name}")["presences"][0]["holds"]]

    def assertNoticed(self, **expected):
        """Within two seconds these workers are held by these."""
        deadline = NOTICED + SLACK
        for name, sources in expected.items():
            waitFor(f"{name} is held by {sources}", lambda: self.sources(name) == sources, deadline)  # noqa: B023

    def test_thereAndBack(self):
        """Set forward three hours and back within seconds, holds and breaks are what they were: nothing is lost for good."""
        now = time.time()
        self.farm.configure(
            'worker.BuildSlave(name="held", passwd=PASSWORD)',
            f'worker.BuildSlave(name="later", passwd=PASSWORD, onBreakDuring=[{break_(now + HOUR, now + 9 * HOUR)}])',
            f'worker.BuildSlave(name="now", passwd=PASSWORD, onBreakDuring=[{break_(now - HOUR, now + HOUR)}])',
        )
        self.farm.start()
        for name in ("held", "later", "now"):
            self.farm.worker(name).start().waitUntilConnected()
        self.farm.post("presences/held", "hold", reason="disk", until=now + HOUR)
        before = {"held": ["admin"], "later": [], "now": ["break"]}
        self.assertNoticed(**before)
        self.setClock(3 * HOUR)
        self.assertNoticed(held=[], later=["break"], now=[])
        self.setClock(0)
        self.assertNoticed(**before)
        # Faster than the guard looks: the timers have acted by another clock, and are heard of for that.
        for _ in range(5):
            self.setClock(3 * HOUR)
            while self.sources("held"):
                pass
            self.setClock(0)
            self.assertNoticed(**before)
        self.assertEqual(self.farm.get("presences/held")["presences"][0]["holds"][0]["reason"], "disk")
