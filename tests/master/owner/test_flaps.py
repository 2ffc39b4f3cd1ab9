"""An owner's worker that flips as fast as it can: what that costs, and that it ends with the truth."""

import sqlalchemy as sa

from tests.master.fakemaster import SUCCESS
from tests.master.owner.test_link import AWAY, ClientTestCase


class FlapTests(ClientTestCase):
    def flap(self, seconds):
        messages = [
            {"version": 1, "state": "AVAILABLE"},
            {"version": 1, "state": AWAY, "reason": "flapping"},
        ]
        send = self.client._conversation._transport.send
        end = self.reactor.seconds() + seconds
        count = 0
        while self.reactor.seconds() < end:
            self.resultOf(send("presence", messages[count % 2]))
            count += 1
            self.pass_(0.001)
        return count

    def test_cost(self):
        """A thousand flips a second make some ten wake-ups a second, each with a few SQL statements."""
        self.begin(max_builds=1)
        self.request()
        self.request()  # which makes each wake-up as dear as it can be
        self.pass_(1)
        statements, wakeups, views = [], [], []
        engine = self.master.db.pool.engine

        def executed(connection, cursor, statement, *rest):
            statements.append(statement)

        sa.event.listen(engine, "before_cursor_execute", executed)
        self.addCleanup(sa.event.remove, engine, "before_cursor_execute", executed)
        real = self.master.botmaster.brd.maybeStartBuildsOn
        self.patch(
            self.master.botmaster.brd,
            "maybeStartBuildsOn",
            lambda names: (wakeups.append(names), real(names)),
        )
        self.client.owner.observe(lambda: views.append(1))
        self.assertGreater(self.flap(2), 1500)
        self.assertTrue(0 < len(wakeups) < 2 * 15, len(wakeups))
        self.assertLess(len(statements), 15 * len(wakeups))
        self.assertLess(len(views), 2 * 45)

    def test_views(self):
        """Whoever changes the presence a thousand times a second: the worker is sent some ten views of it."""
        self.begin()
        self.pass_(1)
        views = []
        self.client.owner.observe(lambda: views.append(1))
        for number in range(1000):
            self.presence().hold("admin", reason=str(number))
            self.pass_(0.001)
        self.assertLess(len(views), 15)
        self.assertEqual(self.view()["holds"][0]["reason"], "999")

    def test_settles(self):
        """Afterwards the last that was said is true."""
        self.begin()
        self.flap(0.5)
        self.resultOf(
            self.client._conversation._transport.send("presence", {"version": 1, "state": "AVAILABLE"})
        )
        self.pass_(0.2)
        brid = self.request()
        self.finishAll()
        self.assertEqual(self.results(brid), [SUCCESS])
