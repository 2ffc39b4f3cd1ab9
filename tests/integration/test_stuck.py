"""A deadline that comes while a real worker does not answer any more."""

import signal

from tests.integration.farm import RETRY, SUCCESS
from tests.integration.test_drain import DrainTestCase

#: The connection is cut after two seconds, not after a minute.
IMPATIENT = """
from presence.master.builds import requeue
requeue.GRACE = 2
"""


class StuckTests(DrainTestCase):
    def stuck(self, protocol):
        """What it builds is built elsewhere, and it is drained."""
        mac, _ = self.startBoth(protocol, extra=IMPATIENT)
        self.done("hold", "aarch64")
        build = self.farm.force(held=True).waitUntilRuns()
        self.done("release", "aarch64")
        mac.signal(signal.SIGSTOP)
        self.done("drain", "mac-mini", "--deadline", "1s")
        self.farm.waitFor("it is built again", lambda: len(build.builds) == 2)
        build.letFinish().waitUntilBuilt()
        self.assertEqual(self.results(build), [RETRY, SUCCESS])
        self.assertEqual(self.state(), "drained")
        # when it answers again it is as drained as before
        mac.signal(signal.SIGCONT)
        self.farm.waitFor("it is back", lambda: mac.connections == 2)
        self.farm.waitFor("its builders are there", lambda: self.sources() == ["admin"])

    def test_pb(self):
        """Over PB its connection is cut, and no request is lost."""
        self.stuck("pb")

    def test_msgpack(self):
        """So it is over msgpack."""
        self.stuck("msgpack")
