"""The database is down for a while: what waits for a worker starts when it is up again, and nobody has to do anything.

Real servers, a real master, and a worker on each wire, to which the same happens at the same time. PRESENCE_DATABASES=required
makes a failure of what is skipped where a server is not installed.
"""

import os
import threading
import time

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.databases.servers import MariaDB, PostgreSQL
from tests.integration.farm import PROTOCOLS, Farm, break_
from tests.integration.ownersline import Owner
from tests.integration.processes import DEADLINE, waitFor

#: From when to when the database is down, in seconds after the instant at which the workers are back.
DOWN, UP = -2, 4

#: Within what time after it is up again a build must have started, in seconds: the next attempt, and a machine that is very busy.
#: What is not tried again waits for hours.
SOON = 30

#: How long a busy machine may take until the master knows of a break, and of the requests that wait.
BEFORE = 20


class Databases:
    """The laws, for each server."""

    database = None

    def begin(self):
        """A master with this database, and a worker for each wire, of the name of that, with its owner."""
        if self.database.program is None:
            if os.environ.get("PRESENCE_DATABASES") == "required":
                self.fail(f"{self.database.__name__} is not installed")
            raise SkipTest(f"{self.database.__name__} is not installed")
        self.server = self.database(self).start()
        self.farm = Farm(self, *PROTOCOLS)
        self.configure(self.farm.configure)
        self.farm.upgradeDatabase()
        self.farm.start()
        self.owners = [Owner(self.farm, name, protocol=name).start() for name in PROTOCOLS]
        for owner in self.owners:
            owner.worker.waitUntilConnected()
            owner.waitUntilKnown()

    def configure(self, write, more=""):
        """Have this master.cfg written."""
        write(
            *(f"worker.BuildSlave({name!r}, PASSWORD{more})" for name in PROTOCOLS),
            extra=f'c["db_url"] = {self.server.url!r}',
        )

    def force(self):
        """A request for each of them."""
        return [self.farm.force(name) for name in PROTOCOLS]

    def sleepUntil(self, instant):
        waitFor(f"the instant {instant}", lambda: time.time() >= instant)

    def outage(self, instant):
        """The database is down from a moment before `instant` to a moment after it: when it was up again."""
        self.assertLess(time.time(), instant, "the machine is too busy")
        self.sleepUntil(instant + DOWN)
        self.server.crash()
        self.sleepUntil(instant + UP)
        self.server.start()
        return time.time()

    def answer(self, ask):
        """The first answer of `ask()` that is one: the first statement of each connection of before fails."""

        def answered():
            try:
                return ask()
            except AssertionError:
                return None

        return waitFor("the master answers", answered)

    def assertStart(self, requests, instant, up):
        """They start when the database is up again, and not before the workers are back."""
        for request in requests:
            self.answer(lambda request=request: request.complete)
            (build,) = self.answer(lambda request=request: request.builds)
            self.assertEqual(build["results"], 0)
            self.assertGreaterEqual(build["started"], instant)
            self.assertLess(build["started"] - up, SOON)

    def sources(self):
        """Who holds a worker."""
        presences = self.farm.get("presences")["presences"]
        return [hold["source"] for each in presences for hold in each["holds"]]

    def test_endOfABreak(self):
        """A break ends while the database is down."""
        self.begin()
        end = int(time.time()) + BEFORE
        self.configure(self.farm.reconfigure, f", onBreakDuring={break_(end - 3600, end)}")
        requests = self.force()
        self.assertEqual(self.sources(), ["break", "break"])
        self.assertStart(requests, end, self.outage(end))

    def test_ownerIsBack(self):
        """Owners say "back" while the database is down, and it is acknowledged."""
        self.begin()
        for owner in self.owners:
            owner.away()
        requests = self.force()
        self.server.crash()
        back = time.time()
        for owner in self.owners:
            owner.back()
            owner.waitUntil(
                "the master heeds it", lambda status: status["master"]["view"]["state"] == "AVAILABLE"
            )
        self.sleepUntil(back + UP)
        self.server.start()
        self.assertStart(requests, back, time.time())

    def test_adminsHoldEnds(self):
        """An admin's hold ends while the database is down."""
        self.begin()
        end = time.time() + BEFORE / 2
        for name in PROTOCOLS:
            self.farm.post(f"presences/{name}", "hold", until=end)
        requests = self.force()
        self.assertStart(requests, end, self.outage(end))

    def test_adminReleases(self):
        """An admin who releases a worker while the database is down is told that it has failed, or when it is done."""
        self.begin()
        for name in PROTOCOLS:
            self.farm.post(f"presences/{name}", "hold")
        requests = self.force()
        self.server.crash()
        answers = {}

        def release(name):
            try:
                self.farm.post(f"presences/{name}", "release")
                answers[name] = True
            except AssertionError:
                answers[name] = False

        threads = [threading.Thread(target=release, args=(name,), daemon=True) for name in PROTOCOLS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(UP / 2)
        self.assertNotIn(True, answers.values(), "it was acknowledged, and nothing can have been stored")
        released = time.time()
        self.server.start()
        up = time.time()
        for thread in threads:
            thread.join(DEADLINE)
        refused = [name for name in PROTOCOLS if not answers[name]]
        self.assertEqual(self.answer(lambda: [self.sources()])[0], ["admin"] * len(refused))
        for name in refused:
            self.answer(lambda name=name: self.farm.post(f"presences/{name}", "release") or True)
            up = time.time()
        self.assertStart(requests, released, up)


class PostgreSQLTests(Databases, SynchronousTestCase):
    database = PostgreSQL


class MariaDBTests(Databases, SynchronousTestCase):
    database = MariaDB
