"""When a wake-up asks which builders have requests, and what it makes of the answer."""

from types import SimpleNamespace

from sqlalchemy.exc import OperationalError, ProgrammingError
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.starting import wakeup
from presence.master.starting.wakeup import BELIEF, Wakeup
from presence.model.gathering import PAUSE
from presence.model.retries import FIRST
from tests.master.starting.test_passes import Answers, Builder, Distributor

HOUR = 3600


class SortingDistributor(Distributor):
    def _defaultSorter(self, master, builders):
        return builders


class QuestionTests(SynchronousTestCase):
    """A master with two builders, each of which uses one worker. `asked` are the questions that are not answered yet."""

    def setUp(self):
        self.builders = {1: Builder("a", "w0"), 2: Builder("b", "w1")}
        self.distributor = SortingDistributor()
        self.asked = []
        self.patch(wakeup, "unclaimedRequests", lambda _: self.asked.append(Deferred()) or self.asked[-1])
        self.clock = Clock()
        botmaster = SimpleNamespace(
            brd=self.distributor,
            builders={"a": self.builders[1], "b": self.builders[2]},
            getBuilderById=self.builders.get,
            getBuilders=lambda: list(self.builders.values()),
            maybeStartBuildsForWorker=None,
        )
        self.botmaster = botmaster
        queue = SimpleNamespace(
            startConsuming=lambda *_: succeed(SimpleNamespace(stopConsuming=lambda: None))
        )
        master = SimpleNamespace(reactor=self.clock, botmaster=botmaster, mq=queue)
        self.wakeup = Wakeup(master, lambda _: True, Answers())
        self.successResultOf(self.wakeup.start())

    def ready(self, *names):
        for name in names:
            self.wakeup.workerReady(name)
        self.clock.advance(0)

    def answer(self, *builderids):
        """The database says that these builders have requests."""
        self.asked.pop(0).callback(dict.fromkeys(builderids, 1))

    def fails(self):
        self.asked.pop(0).errback(OperationalError("SELECT 1", {}, Exception("the server has gone")))

    def test_thisTurn(self):
        """What becomes ready in one turn is one question, and one call for the builders that have requests; it is counted."""
        self.assertEqual(self.wakeup.wakeups, 0)
        self.ready("w0", "w1")
        self.assertEqual(len(self.asked), 1)
        self.answer(2, 3)
        self.assertEqual((self.distributor.sent, self.wakeup.wakeups), ([["b"]], 1))

    def test_theFirst(self):
        """The first wake-up does not wait for a distributor that is on its way."""
        self.distributor.active = True
        self.ready("w0")
        self.assertEqual(len(self.asked), 1)

    def test_oneAtATime(self):
        """While a question has no answer the next one waits."""
        self.ready("w0")
        self.ready("w1")
        self.clock.pump([PAUSE] * 3)
        self.assertEqual(len(self.asked), 1)
        self.answer()
        self.clock.pump([PAUSE] * (wakeup.PATIENCE + 2))
        self.assertEqual(len(self.asked), 1)

    def test_pending(self):
        """It is pending from the flip to the call."""
        self.assertIs(self.wakeup.isPending, False)
        self.wakeup.workerReady("w0")
        self.assertIs(self.wakeup.isPending, True)
        self.clock.advance(0)
        self.assertIs(self.wakeup.isPending, True)
        self.answer(1)
        self.assertIs(self.wakeup.isPending, False)

    def test_clockSetBack(self):
        """A clock that is set back does not make the pause last."""
        self.ready("w0")
        self.answer(1)
        self.wakeup.workerReady("w0")
        self.clock.rightNow -= HOUR
        self.wakeup.clockJumped()
        self.clock.advance(0)
        self.assertEqual(len(self.asked), 1)

    def test_belief(self):
        """That nothing waits is believed for a second, to the instant; then it is asked once more, without a timer of its own."""
        self.ready("w0")
        self.answer()
        self.ready("w1")
        self.clock.advance(BELIEF - 0.001)
        self.assertEqual(self.asked, [])
        self.clock.advance(PAUSE)
        self.assertEqual(len(self.asked), 1)
        self.answer()
        self.clock.pump([PAUSE] * 20)
        self.assertEqual((self.asked, self.clock.getDelayedCalls()), ([], []))

    def test_askedInVain(self):
        """What was asked in vain is asked with the next question, and is no reason to ask before its time has come."""
        self.ready("w0")
        self.fails()
        self.wakeup._distribution.revisit(self.builders[2])
        self.clock.pump([PAUSE] * 4)
        self.assertEqual(self.asked, [])
        self.ready("w1")
        self.answer(1, 2)
        self.assertEqual(self.distributor.sent, [["a", "b"]])
        # and that is all
        self.clock.pump([PAUSE] * 10)
        self.assertEqual(self.asked, [])

    def test_bothInVain(self):
        """Two questions may be under way, when the first one has no answer for a second: what both failed for is asked again."""
        self.ready("w0")
        self.ready("w1")
        self.clock.pump([PAUSE] * (wakeup.PATIENCE + 2))
        self.assertEqual(len(self.asked), 2)
        self.fails()
        self.fails()
        self.clock.pump([2 * FIRST, PAUSE])
        self.answer(1, 2)
        self.assertEqual(self.distributor.sent, [["a", "b"]])

    def test_soonAgain(self):
        """When a question had an answer the next one that fails is asked again as soon as the first one was."""
        for _ in range(2):
            self.ready("w0")
            self.fails()
            self.clock.pump([FIRST, PAUSE])
            self.answer(1)
            self.clock.pump([PAUSE] * 2)

    def test_patienceAnew(self):
        """When a pass went well the next failure is tried again as soon as the first one was."""
        builder = self.builders[1]
        for seconds in (FIRST, 2 * FIRST):
            self.wakeup._passed(builder, False)
            self.clock.pump([seconds, PAUSE])
            self.answer()
            self.clock.pump([BELIEF])
        self.wakeup._passed(builder, True)
        self.wakeup._passed(builder, False)
        self.clock.pump([FIRST, PAUSE])
        self.assertEqual(len(self.asked), 1)

    def test_builderIsGone(self):
        """A builder that is not in the configuration any more is not returned to, and forgotten."""
        self.wakeup._passed(self.builders[1], False)
        del self.botmaster.builders["a"]
        self.clock.pump([FIRST, PAUSE])
        self.assertEqual(self.asked, [])
        self.assertEqual(self.wakeup._retries._delays, {})

    def test_stop(self):
        """It has stopped when the question has its answer, which is not heeded then; no timer is left, nothing is followed."""
        self.assertIn("_defaultSorter", vars(self.distributor))
        self.ready("w0")
        self.wakeup.workerReady("w1")
        stopped = self.wakeup.stop()
        self.assertNoResult(stopped)
        self.answer(1)
        self.successResultOf(stopped)
        self.wakeup.clockJumped()
        self.wakeup.workerReady("w0")
        self.assertEqual((self.distributor.sent, self.clock.getDelayedCalls()), ([], []))
        self.assertNotIn("_defaultSorter", vars(self.distributor))

    def test_otherTrouble(self):
        """When the question fails, and not for want of a database, all builders of the workers are woken."""
        for problem in (
            RuntimeError("a mistake"),
            ProgrammingError("SELECT", {}, Exception("no such table")),
        ):
            self.patch(wakeup, "unclaimedRequests", lambda _, problem=problem: fail(problem))
            self.ready("w1")
            self.assertEqual(self.distributor.sent.pop(), ["b"])
            self.clock.pump([PAUSE] * 2)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError, ProgrammingError)), 2)
