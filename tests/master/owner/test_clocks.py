"""The clocks of a master and of an owner's machine, of which one is set."""

from tests.master.fakemaster import HOUR
from tests.master.owner.test_link import ClientTestCase


class ClockTests(ClientTestCase):
    """The clock of the master is set, and that of the owner's machine is not, or later."""

    def held(self):
        return self.presence().heldBy("worker")

    def jump(self, seconds):
        # (there is one clock for both in this test: the machine's side does not look at it)
        ticker = self.assembly.roster.clock._ticker
        ticker.tick(0.0)
        self.reactor.rightNow += seconds
        ticker.tick(seconds)

    def test_masters(self):
        """An owner's hour is an hour; what he says between the jump and its notice is meant by the clock as it is then."""
        self.begin()
        self.client.owner.away(until=self.reactor.seconds() + HOUR)
        self.pass_(1)
        until = self.held().until
        self.jump(1800)
        self.assertEqual(self.held().until, until + 1800)
        ticker = self.assembly.roster.clock._ticker
        ticker.tick(0.0)
        self.reactor.rightNow += 900
        noticed = []
        self.patch(ticker, "hasJumped", lambda: noticed or noticed.append(ticker.tick(900.0)))
        until = self.reactor.seconds() + 60
        self.client.owner.away("rendering", until=until)
        ticker.tick(0.0 if noticed else 900.0)
        self.assertEqual((self.held().reason, self.held().until), ("rendering", until))

    def test_isToldTheTime(self):
        """The view is sent again: the owner's side reckons by the time in it."""
        self.begin()
        self.pass_(1)
        views = []
        self.patch(self.client._conversation, "viewArrived", views.append)
        self.jump(1800)
        self.pass_(1)
        self.assertEqual([each["now"] for each in views], [self.reactor.seconds() - 1])
