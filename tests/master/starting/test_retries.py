"""Whatever fails on the way of a wake-up is tried again, until one pass has been made."""

from sqlalchemy.exc import OperationalError
from twisted.internet.defer import fail

from presence.master.starting import wakeup
from tests.master.fakemaster import HOUR, MINUTE, MasterTestCase

#: When a break ends, in hours.
END = 8


class RetryTests(MasterTestCase):
    """The database is down as a break ends: what waits starts when it is up again, and nobody has to do anything."""

    def begin(self, **kwargs):
        slave = self.slave("mac-mini", onBreakDuring=("07:00", "08:00"), timezone="UTC")
        self.startMaster([slave], **kwargs)
        self.passUntil(self.at(7))
        self.brid = self.request()
        self.passUntil(self.at(END) - MINUTE)

    def down(self, *names):
        """Let questions to the database fail from now on, all of them or those of these updates and queries."""
        pool = self.master.db.pool
        self.asked = []

        def do(thd, *args, **kwargs):
            self.asked.append(self.reactor.seconds())
            return fail(OperationalError("SELECT 1", {}, Exception("the server has gone")))

        for name in ("do", "do_with_transaction"):
            self.patch(pool, name, do)

    def up(self):
        for name in ("do", "do_with_transaction"):
            vars(self.master.db.pool).pop(name, None)
        self.flushLoggedErrors(OperationalError)

    def passDown(self, seconds):
        """Let time pass in which the database is down; the ends of builds, and the like, are of no interest then."""
        self.pass_(seconds)
        self.flushLoggedErrors(OperationalError)

    def assertStarted(self, within):
        up = self.reactor.seconds()
        self.up()
        self.pass_(within)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.assertLessEqual(self.starts[0].at, up + within)
        self.finishAll()
        self.assertEqual(self.results(self.brid), [0])

    def test_endOfABreak(self):
        """From two seconds before the end of a break to four after it: the build starts at most four seconds later."""
        self.begin()
        self.passUntil(self.at(END) - 2)
        self.down()
        self.passDown(6)
        self.assertEqual(self.starts, [])
        self.assertStarted(4)

    def test_forLong(self):
        """After an hour without a database it starts within half a minute, and it has been asked no more than twice a minute."""
        self.begin()
        self.passUntil(self.at(END) - 2)
        self.down()
        self.passDown(5 * MINUTE)
        self.asked.clear()
        self.passDown(HOUR)
        asked = {at // 1 for at in self.asked}
        self.assertTrue(0 < len(asked) <= 122, len(asked))
        self.assertStarted(30)

    def test_ownerIsBack(self):
        """So it is when an owner says "back" meanwhile."""
        self.begin()
        self.presence().hold("worker")
        self.passUntil(self.at(END) + MINUTE)
        self.down()
        self.presence().release("worker")
        self.passDown(4)
        self.assertStarted(4)

    def test_itsPassFails(self):
        """So it is when the question is answered, and the distributor fails on its way."""
        self.begin()
        failing = self.failAtTheBuilder()
        self.passUntil(self.at(END))
        self.pass_(5)
        self.assertEqual(self.starts, [])
        failing.clear()
        self.pass_(4)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()
        self.flushLoggedErrors(OperationalError)

    def failAtTheBuilder(self):
        """Let the distributor fail at the builder as long as what this returns is not empty."""
        builder = self.master.botmaster.builders["runtests"]
        original = builder.getBuilderId
        self.patch(builder, "_builderid", None)
        failing = [True]

        def getBuilderId():
            return fail(OperationalError("SELECT 1", {}, Exception("gone"))) if failing else original()

        builder.getBuilderId = getBuilderId
        return failing

    def test_itsPassFailsLater(self):
        """So it is when there was a time without a database before, and that is over."""
        self.begin()
        self.passUntil(self.at(END) - 2)
        self.down()
        self.passDown(6)
        self.assertStarted(4)
        self.starts.clear()
        self.presence().hold("worker")
        self.request()
        failing = self.failAtTheBuilder()
        self.presence().release("worker")
        self.pass_(5)
        self.assertEqual(self.starts, [])
        failing.clear()
        self.pass_(4)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()
        self.flushLoggedErrors(OperationalError)

    def test_comesToRest(self):
        """When one pass has been made nothing is asked again."""
        self.begin()
        self.passUntil(self.at(END) - 2)
        self.down()
        self.passDown(6)
        self.assertStarted(4)
        self.asked.clear()
        self.pass_(wakeup.BELIEF)
        calls = [str(call) for call in self.reactor.getDelayedCalls() if "Wakeup" in str(call)]
        self.assertEqual(calls, [])

    def test_clockJumps(self):
        """A clock that is set back while it waits to try again does not make it wait longer."""
        self.begin()
        self.passUntil(self.at(END) - 2)
        self.down()
        self.passDown(2 * MINUTE)
        self.up()
        self.jump(-HOUR / 60 * 1.5)
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()

    def test_stops(self):
        """A master that stops while it tries leaves nothing behind."""
        self.begin()
        self.passUntil(self.at(END) - 2)
        self.down()
        self.passDown(10)
        self.up()


class SiteFunctionTests(MasterTestCase):
    def test_alwaysFails(self):
        """A `canStartBuild` of the site that fails each time is asked twice a minute in the end, and the rest goes on."""
        self.startMaster([self.slave("mac-mini")], {"a": ["mac-mini"], "b": ["mac-mini"]})
        asked = []

        def canStartBuild(*_):
            asked.append(self.reactor.seconds())
            raise RuntimeError("a mistake in master.cfg")

        self.master.botmaster.builders["a"].config.canStartBuild = canStartBuild
        self.presence().hold("admin")
        self.request("a")
        self.request("b")
        self.presence().release("admin")
        self.pass_(5)
        self.assertEqual([start.builder for start in self.starts], ["b"])
        self.pass_(HOUR)
        asked.clear()
        self.pass_(HOUR)
        self.assertTrue(0 < len(asked) <= 121, len(asked))
        self.flushLoggedErrors(RuntimeError)
