"""The database is down for a while: what waits for a worker starts when it is up again, and nobody has to do anything.

Real servers, a real master, PB and msgpack. PRESENCE_DATABASES=required makes a failure of what is skipped where a server
is not installed.
"""

import os
import threading
import time

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.databases.servers import MariaDB, PostgreSQL
from tests.integration.farm import Farm, break_
from tests.integration.ownersline import Owner
from tests.integration.processes import DEADLINE, waitFor

#: From when to when the database is down, in seconds after the instant at which the worker is back.
DOWN, UP = -2, 4

#: Within what time after it is up again a build must have started, in seconds: the next attempt, and a busy machine.
SOON = 6


class Databases:
    """The laws, for each server."""

    database = None
    protocol = None

    def begin(self, worker):
        """A master with this database, and a worker, with its owner."""
        if self.database.program is None:
            if os.environ.get("PRESENCE_DATABASES") == "required":
                self.fail(f"{self.database.__name__} is not installed")
            raise SkipTest(f"{self.database.__name__} is not installed")
        self.server = self.database(self).start()
        self.farm = Farm(self, self.protocol)
        self.farm.configure(worker, extra=f'c["db_url"] = {self.server.url!r}')
        self.farm.upgradeDatabase()
        self.farm.start()
        owner = Owner(self.farm, "mac-mini").start()
        owner.worker.waitUntilConnected()
        owner.waitUntilKnown()
        return owner

    def sleepUntil(self, instant):
        waitFor(f"the instant {instant}", lambda: time.time() >= instant)

    def outage(self, instant):
        """The database is down from a moment before `instant` to a moment after it: when it was up again."""
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

    def assertStarts(self, request, instant, up):
        """It starts when the database is up again, and not before the worker is back."""
        self.answer(lambda: request.complete)
        (build,) = self.answer(lambda: request.builds)
        self.assertEqual(build["results"], 0)
        self.assertGreaterEqual(build["started"], instant)
        self.assertLess(build["started"] - up, SOON)

    def sources(self):
        return [hold["source"] for hold in self.farm.get("presences/mac-mini")["presences"][0]["holds"]]

    def test_endOfABreak(self):
        """A break ends while the database is down."""
        self.begin('worker.BuildSlave("mac-mini", PASSWORD)')
        # long enough for a busy machine to read it
        end = int(time.time()) + 15
        self.farm.reconfigure(
            f'worker.BuildSlave("mac-mini", PASSWORD, onBreakDuring={break_(end - 3600, end)})',
            extra=f'c["db_url"] = {self.server.url!r}',
        )
        request = self.farm.force("mac-mini")
        self.assertEqual(self.sources(), ["break"])
        self.assertLess(time.time(), end + DOWN, "the machine is too busy")
        self.assertStarts(request, end, self.outage(end))

    def test_ownerIsBack(self):
        """The owner says "back" while the database is down, and it is acknowledged."""
        owner = self.begin('worker.BuildSlave("mac-mini", PASSWORD)')
        owner.away()
        request = self.farm.force("mac-mini")
        self.server.crash()
        back = time.time()
        owner.back()
        owner.waitUntil(
            "the master heeds it", lambda status: status["master"]["view"]["state"] == "AVAILABLE"
        )
        self.sleepUntil(back + UP)
        self.server.start()
        self.assertStarts(request, back, time.time())

    def test_adminsHoldEnds(self):
        """An admin's hold ends while the database is down."""
        self.begin('worker.BuildSlave("mac-mini", PASSWORD)')
        end = time.time() + 4
        self.farm.post("presences/mac-mini", "hold", until=end)
        request = self.farm.force("mac-mini")
        self.assertStarts(request, end, self.outage(end))

    def test_adminReleases(self):
        """An admin who releases a worker while the database is down is told that it has failed, or when it is done."""
        self.begin('worker.BuildSlave("mac-mini", PASSWORD)')
        self.farm.post("presences/mac-mini", "hold")
        request = self.farm.force("mac-mini")
        self.server.crash()
        answers = []

        def release():
            try:
                self.farm.post("presences/mac-mini", "release")
                answers.append(True)
            except AssertionError:
                answers.append(False)

        thread = threading.Thread(target=release, daemon=True)
        thread.start()
        thread.join(UP)
        self.assertNotIn(True, answers, "it was acknowledged, and nothing can have been stored")
        released = time.time()
        self.server.start()
        up = time.time()
        thread.join(DEADLINE)
        if answers == [False]:
            self.assertEqual(self.answer(self.sources), ["admin"], "it was refused, and done")
            released = time.time()
            self.answer(lambda: self.farm.post("presences/mac-mini", "release") or True)
            up = time.time()
        self.assertStarts(request, released, up)


class PostgreSQLTests(Databases, SynchronousTestCase):
    database = PostgreSQL
    protocol = "pb"


class MariaDBTests(Databases, SynchronousTestCase):
    database = MariaDB
    protocol = "msgpack"
