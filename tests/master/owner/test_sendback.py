from dataclasses import replace

from presence.wire.messages import AVAILABLE, Announcement
from tests.master.owner.test_link import ClientTestCase

AWAY = Announcement(type(AVAILABLE.state).NOT_ACCEPTING_NEW_BUILDS, "used", "sensor", None, None, None)
BACK = replace(AWAY, sendBack=True)


class SendBackTests(ClientTestCase):
    def setUp(self):
        super().setUp()
        controller = self.begin()
        self.worker = controller.worker
        self.sent = []
        requeue = self.worker._assembly._requeue
        self.patch(requeue, "send", lambda builds, reason: self.sent.append((list(builds), reason)))

    def say(self, announcement):
        return self.worker._owner_link._receive("presence", announcement.toDict(self.reactor.seconds()))

    def test_known(self):
        """The view says that this master knows the word, so that a worker's side need not guess."""
        self.assertIs(self.say(AWAY)["sends_back"], True)

    def test_once(self):
        """What runs is sent back once for each time that it is asked for, and not again for the same word."""
        self.say(AWAY)
        self.assertEqual(self.sent, [])
        self.say(BACK)
        self.say(replace(BACK, reason="used, and on battery"))
        self.assertEqual(self.sent, [([], "the owner of mac-mini needs the machine")])
        self.say(AWAY)
        self.say(BACK)
        self.assertEqual(len(self.sent), 2)

    def test_held(self):
        """When it is sent back the worker is held already, so that it does not come back to it."""
        held = []
        self.patch(self.worker._assembly._requeue, "send", lambda *_: held.append(self.worker.presence.ready))
        self.say(BACK)
        self.assertEqual(held, [False])

    def test_available(self):
        """Of a worker that accepts builds nothing is sent back: it would come back at once."""
        self.say(replace(AVAILABLE, sendBack=True))
        self.assertEqual(self.sent, [])

    def test_wrong(self):
        """Anything but a truth value is refused, closed: the worker is held."""
        answer = self.say(AWAY) and self.worker._owner_link._receive(
            "presence", {**AWAY.toDict(self.reactor.seconds()), "send_back": "yes"}
        )
        self.assertIn("send_back 'yes' is not a truth value", answer["error"])
        self.assertEqual((self.sent, self.worker.presence.ready), ([], False))
