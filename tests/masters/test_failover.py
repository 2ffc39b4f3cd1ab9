"""A master that has fifty workers is killed: they connect to the other one, and what waits starts at once, each once."""

import re
import time
from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.processes import DEADLINE, waitFor
from tests.masters.masters import Masters

#: So many workers, all in one process: fifty processes would be a test of the machine.
COUNT = 50

WORKERS = tuple(f"w{number}" for number in range(COUNT))

# what is added to the buildbot.tac of the first
MORE = """
import os
for name in {names!r}:
    os.makedirs(os.path.join(basedir, name, "info"), exist_ok=True)
    Worker(buildmaster_host, port, name, passwd, os.path.join(basedir, name), keepalive, umask=umask).setServiceParent(application)
"""

#: Within what time after a worker is connected the first waiting build must start, in seconds.
AT_ONCE = 2.0


class FailoverTests(SynchronousTestCase):
    def test_fifty(self):
        """Nothing starts on a worker that is held, nothing is lost or built twice, and the first starts within two seconds."""
        masters = Masters(self, *WORKERS, ui=False).start()
        a, b = masters
        masters.moving("w0", tac=MORE.format(names=WORKERS[1:])).start()

        def connected(farm, at):
            told = farm.get("presences?field=connected&field=masterid")["presences"]
            return sum(each["connected"] and each["masterid"] == at.masterid for each in told)

        waitFor("all are at a", lambda: connected(a, a) == COUNT)
        waitFor("b knows it", lambda: connected(b, a) == COUNT)
        for name in ("w1", "w2"):
            b.post(f"presences/{name}", "hold")
        a.kill()
        killed = time.time()
        requests = [b.force() for _ in range(COUNT)]
        waitFor("all are at b", lambda: connected(b, b) == COUNT)
        waitFor("all is built", lambda: all(each.complete for each in requests), 2 * DEADLINE)
        began = []
        for each in requests:
            (build,) = each.builds
            self.assertEqual(build["results"], 0)
            began.append(build["started"])
            (worker,) = b.get(f"workers/{build['workerid']}")["workers"]
            self.assertNotIn(worker["name"], ("w1", "w2"))
        # (the log has whole seconds)
        first = re.search(r"(\S+ \S+)\+0000 .*Got workerinfo from", b.master.log).group(1)
        back = datetime.strptime(f"{first}+0000", "%Y-%m-%d %H:%M:%S%z").timestamp()
        self.assertGreaterEqual(back, int(killed))
        self.assertLess(min(began) - back, max(AT_ONCE, b.moment) + 1)
