from twisted.internet.defer import Deferred

from presence.master.starting import wakeup
from presence.model.gathering import PAUSE
from tests.master.starting.wakeupcase import WakeupTestCase


class BeliefTests(WakeupTestCase):
    """That nothing waits is believed for a moment, and no longer."""

    def startIdle(self):
        """A farm where nothing waits, and where one has just asked."""
        names = self.startFarm(2)
        self.release("w0")
        self.pass_(PAUSE)
        return names

    def test_nothingWaitsIsRemembered(self):
        """That nothing waits is asked once a second at most."""
        self.startIdle()
        statements = self.countStatements()
        self.release("w1")
        self.pass_(PAUSE)
        self.assertEqual(statements, [])
        self.pass_(wakeup.BELIEF)
        self.presence("w1").hold("admin")
        self.release("w1")
        self.pass_(PAUSE)
        self.assertEqual(len(statements), 1)

    def test_anArrivalIsHeardOf(self):
        """A request that has arrived since is seen at once."""
        self.startIdle()
        self.presence("w0").hold("admin")
        self.request("a")
        self.release("w1")
        self.reactor.advance(0)
        self.assertEqual(self.startedOn(), ["w1"])

    def test_anArrivalDuringTheQuestion(self):
        """The answer that nothing waits is not believed if a request has arrived while it was under way."""
        self.startFarm(2)
        answers = []
        self.patch(
            wakeup,
            "unclaimedRequests",
            lambda master: answers.append(Deferred()) or answers[-1],
        )
        self.release("w0")
        self.reactor.advance(0)
        self.presence("w0").hold("admin")
        self.request("a")
        answers.pop().callback({})
        self.release("w1")
        self.pass_(PAUSE)
        self.assertEqual(len(answers), 1)
        answers.pop().callback({})

    def test_anEventIsLost(self):
        """A request of which no event has told, as of another master, is found a second later at the latest."""
        self.startIdle()
        self.presence("w0").hold("admin")
        self.patch(self.master.mq, "produce", lambda key, data: None)
        brid = self.request("a")
        self.pass_(1)
        self.release("w1")
        self.reactor.advance(0)
        self.assertEqual(self.results(brid), [None])

    def test_anEventIsLostAndNobodyElseComes(self):
        """So it is when the worker has become ready before that second is over, and nothing else happens."""
        self.startIdle()
        self.presence("w0").hold("admin")
        self.patch(self.master.mq, "produce", lambda key, data: None)
        brid = self.request("a")
        self.release("w1")
        self.reactor.advance(0)
        self.assertEqual(self.results(brid), [])
        self.pass_(wakeup.BELIEF + PAUSE)
        self.assertEqual(self.results(brid), [None])

    def test_setBackMeanwhile(self):
        """When the clock is set back after nothing waited, that is not believed until it has caught up."""
        self.startIdle()
        self.presence("w0").hold("admin")
        self.patch(self.master.mq, "produce", lambda key, data: None)
        brid = self.request("a")
        self.setClock(-24)
        self.reactor.advance(PAUSE)
        self.release("w1")
        self.assembly.wakeup.clockJumped()
        self.reactor.advance(0)
        self.assertEqual(self.results(brid), [None])
