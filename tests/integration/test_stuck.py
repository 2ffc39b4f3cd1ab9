"""A deadline that comes while a real worker, or a function of the site, does not answer any more."""

import signal

from tests.integration.buildrequest import RETRY, SUCCESS
from tests.integration.farm import Farm
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


#: Which request "any" builds is never answered: nothing of any builder starts from then on.
NEVER = """
from twisted.internet.defer import Deferred
c["builders"][-1].nextBuild = lambda *_: Deferred()
"""


class StuckDistributorTests(DrainTestCase):
    def test_bothWires(self):
        """The deadline of a reconfig that takes the function away is kept, over PB and msgpack, and all is built."""
        workers = ("one", "pb"), ("two", "msgpack")
        self.farm = Farm(self, "pb", "msgpack")
        declared = [f'worker.BuildSlave("{name}", PASSWORD)' for name, _ in workers]
        self.farm.configure(*declared, extra=NEVER)
        self.farm.start()
        self.url = f"http://127.0.0.1:{self.farm.www}/"
        for name, protocol in workers:
            self.farm.worker(name, protocol=protocol).start().waitUntilConnected()
        running = [self.farm.force(name, held=True).waitUntilRuns() for name, _ in workers]
        stuck = self.farm.force()
        late = self.farm.force("one")
        self.farm.configure(*declared)
        self.done("reconfig", "--all", "--deadline", "1s", "--on-deadline", "interrupt")
        for build in running:
            self.farm.waitFor("it is built again", lambda build=build: len(build.builds) == 2)
            build.letFinish().waitUntilBuilt()
            self.assertEqual(self.results(build), [RETRY, SUCCESS])
        for request in (stuck, late):
            request.waitUntilBuilt()
            self.assertEqual(self.results(request), [SUCCESS])
