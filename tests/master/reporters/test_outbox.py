"""When notices go, to whom, and how many of them."""

from datetime import time, timezone

from twisted.trial.unittest import SynchronousTestCase

from presence.master.reporters.notice import Notice
from presence.master.reporters.outbox import DAY, MOST_AT_ONCE, Outbox
from tests.master.fakemaster import HOUR


class OutboxTests(SynchronousTestCase):
    def setUp(self):
        self.sent = []

    def outbox(self, **terms):
        return Outbox(
            lambda to, notices, left_out, digest: self.sent.append((to, len(notices), left_out, digest)),
            **{"digest": None, "mostADay": 2, "zone": timezone.utc, **terms},
        )

    def test_digest(self):
        """With a time of day all is sent then, in one message for each; nothing is sent where nothing is to be told."""
        outbox = self.outbox(digest=time(8))
        for number in range(3):
            outbox.put("ann", Notice(str(number), "drains", "x"), 9 * HOUR)
        outbox.put("bob", Notice("1", "drains", "x"), 9 * HOUR)
        for hour in range(9, 60):
            outbox.look(hour * HOUR)
        self.assertEqual(self.sent, [("ann", 3, 0, True), ("bob", 1, 0, True)])

    def test_setBack(self):
        """A clock that is set back, by however little, is no other day: nobody gets more than so many because of it."""
        outbox = self.outbox()
        now = 10.0
        for number in range(20):
            outbox.put("ann", Notice(f"n{number}", "drains", "x"), now)
            outbox.look(now - 0.001)
            now -= 0.0005
        self.assertEqual(len(self.sent), 2)
        outbox.look(now + DAY + 1)
        self.assertEqual((len(self.sent), self.sent[-1][1]), (3, 18))

    def test_bounded(self):
        """So many messages a day and person; what waits is bounded, and it is said how much was left out."""
        outbox = self.outbox()
        for number in range(MOST_AT_ONCE + 7):
            outbox.put("ann", Notice(str(number), "drains", "x"), 0)
        outbox.put("bob", Notice("1", "drains", "x"), 0)
        self.assertEqual(self.sent, [("ann", 1, 0, False)] * 2 + [("bob", 1, 0, False)])
        self.sent.clear()
        outbox.look(DAY - 1)
        self.assertEqual(self.sent, [])
        outbox.look(DAY)
        self.assertEqual(self.sent, [("ann", MOST_AT_ONCE, 5, True)])
        outbox.look(3 * DAY)
        self.assertEqual(outbox._boxes, {})
