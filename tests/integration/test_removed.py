"""A worker that is removed from the configuration of a real master, in the middle of a build."""

import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.farm import RETRY, SUCCESS, Farm, break_

HOUR = 3600


def buildSlave(name, *breaks):
    return f'worker.BuildSlave(name="{name}", passwd=PASSWORD, onBreakDuring=[{", ".join(breaks)}])'


class RemovedTests(SynchronousTestCase):
    def removed(self, protocol):
        """Its build is retried on another worker, and its request is not lost."""
        farm = Farm(self, protocol)
        away = break_(time.time() - 1, time.time() + HOUR)
        farm.configure(buildSlave("mac-mini"), buildSlave("aarch64", away))
        farm.start()
        for name in ("mac-mini", "aarch64"):
            farm.worker(name).start().waitUntilConnected()
        build = farm.force(held=True).waitUntilRuns()
        farm.reconfigure(buildSlave("aarch64"))
        farm.waitFor("it is tried again", lambda: len(build.builds) == 2)
        build.letFinish().waitUntilBuilt()
        self.assertEqual([each["results"] for each in build.builds], [RETRY, SUCCESS])
        self.assertNotIn("from finishing a build", farm.master.log)

    def test_pb(self):
        """Over PB the build is retried on another worker, and its request is not lost."""
        self.removed("pb")

    def test_msgpack(self):
        """So it is over msgpack."""
        self.removed("msgpack")
