"""Closed, not open: what cannot be understood, and may have been "away", holds the worker."""

from presence.worker.client import PresenceClient
from tests.each import each
from tests.master.fakemaster import HOUR
from tests.master.owner.test_link import AWAY, ClientTestCase

GOOD = {"version": 1, "state": AWAY, "reason": "rendering", "by": "owner", "since": None, "until": None}

# what may have been "away": a part of it cannot be understood, or nothing can
CLOSED = {
    "reason": {**GOOD, "reason": "two\nlines"},
    "by": {**GOOD, "by": "\u001b[2J"},
    "surrogate": {**GOOD, "by": "\ud800"},
    "until": {**GOOD, "until": "tomorrow"},
    "past": {**GOOD, "until": 5},
    "version": {**GOOD, "version": 2},
    "noVersion": {"state": AWAY},
    "state": {**GOOD, "state": "SLEEPING"},
    "laterState": {"version": 2, "state": "SLEEPING"},
    "noState": {"version": 1},
    "empty": {},
    "text": "away",
    "none": None,
    "number": 7,
}

# what says AVAILABLE, whatever else it says
OPEN = {
    "version": {"version": 2, "state": "AVAILABLE", "mood": "fine"},
    "reason": {"version": 1, "state": "AVAILABLE", "reason": 7},
    "until": {"version": 1, "state": "AVAILABLE", "until": 5},
}


class GreetingTestCase(ClientTestCase):
    """A worker that connects and says this."""

    def attachWith(self, info):
        self.greeting = info
        self.begin(connect=False)
        self.told = []
        self.patch(PresenceClient, "greeting", lambda client: self.greeting)
        self.patch(PresenceClient, "viewArrived", lambda client, message: self.told.append(message))
        self.request()
        self.connect("mac-mini")
        self.pass_(HOUR)

    def assertHeld(self):
        (hold,) = self.presence().holds
        self.assertEqual((hold.source, hold.until), ("worker", None))
        self.assertIn("cannot be understood", hold.reason)
        self.assertIn("connects again", hold.reason)
        self.assertEqual(self.starts, [])


@each(CLOSED, "With a greeting that is wrong ({}) it is held, and no build starts.")
class ClosedGreetingTests(GreetingTestCase):
    def check(self, name):
        self.attachWith(CLOSED[name])
        self.assertHeld()
        self.assertIn("was refused", self.told[0]["error"])
        self.assertIn("held", self.told[0]["error"])

    def test_understoodLater(self):
        """It is held until it says something that can be understood."""
        self.attachWith(CLOSED["by"])
        self.resultOf(
            self.client._conversation._transport.send("presence", {"version": 1, "state": "AVAILABLE"})
        )
        self.pass_(1)
        self.assertEqual((self.sources(), self.startedOn()), ([], ["mac-mini"]))
        self.finishAll()

    def test_connectsAgain(self):
        """It is held until it connects with something that can be understood."""
        self.attachWith(CLOSED["by"])
        self.disconnect("mac-mini")
        self.assertIn("worker", self.sources())
        self.greeting = {"version": 1, "state": "AVAILABLE"}
        self.connect("mac-mini")
        self.pass_(1)
        self.assertEqual((self.sources(), self.startedOn()), ([], ["mac-mini"]))
        self.finishAll()

    def test_noBlink(self):
        """A worker whose owner is away is held all the time when it connects with what cannot be understood."""
        controller = self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        self.disconnect("mac-mini")
        ready = []
        self.presence().observe(lambda presence: ready.append(presence.heldBy("worker") is not None))
        self.patch(PresenceClient, "greeting", lambda client: {})
        self.resultOf(controller.connect_worker())
        self.pass_(1)
        self.assertNotIn(False, ready)
        self.assertEqual(self.sources(), ["worker"])


@each(OPEN, "With a greeting that is wrong ({}) and says AVAILABLE it is told so, and builds.")
class OpenGreetingTests(GreetingTestCase):
    def check(self, name):
        self.attachWith(OPEN[name])
        self.assertEqual((self.sources(), self.startedOn()), ([], ["mac-mini"]))
        self.assertIn("was refused", self.told[0]["error"])
        self.finishAll()


@each(CLOSED, "A message that is wrong ({}) holds it.")
class ClosedMessageTests(ClientTestCase):
    def check(self, name):
        for message in ("presence", "presence_stop"):
            self.begin() if not self.controllers else None
            answer = self.resultOf(self.client._conversation._transport.send(message, CLOSED[name]))
            self.assertIn("was refused", answer["error"])
            (hold,) = self.presence().holds
            self.assertEqual((hold.source, hold.until), ("worker", None))
            self.assertIn("cannot be understood", hold.reason)
            self.resultOf(
                self.client._conversation._transport.send("presence", {"version": 1, "state": "AVAILABLE"})
            )
            self.pass_(1)
            self.assertEqual(self.sources(), [])

    def test_alreadyAway(self):
        """One that is held by its owner's word, without an end, stays held by that."""
        self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        before = self.presence().holds
        for message in CLOSED.values():
            self.resultOf(self.client._conversation._transport.send("presence", message))
        self.assertEqual(self.presence().holds, before)

    def test_awayWithAnEnd(self):
        """Nor does one come back at the end that was said before."""
        self.begin()
        for until in (self.reactor.seconds() + HOUR, "tomorrow"):
            self.resultOf(self.client._conversation._transport.send("presence", {**GOOD, "until": until}))
        self.pass_(2 * HOUR)
        self.assertEqual(self.sources(), ["worker"])

    def test_waitingWord(self):
        """What was said before, and waits for the end of a pause, does not open again."""
        self.begin()
        send = self.client._conversation._transport.send
        for message in (GOOD, {"version": 1, "state": "AVAILABLE"}, {**GOOD, "version": 2}):
            self.resultOf(send("presence", message))
        self.pass_(HOUR)
        self.assertEqual(self.sources(), ["worker"])

    def test_available(self):
        """One that is wrong and says AVAILABLE changes nothing."""
        self.begin()
        for message in OPEN.values():
            self.resultOf(self.client._conversation._transport.send("presence", message))
        self.assertEqual(self.sources(), [])
        self.resultOf(self.client.owner.away("rendering"))
        before = self.presence().holds
        for message in OPEN.values():
            self.resultOf(self.client._conversation._transport.send("presence", message))
        self.assertEqual(self.presence().holds, before)
