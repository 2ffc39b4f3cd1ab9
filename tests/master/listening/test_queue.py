"""Whether anybody listens on the message queue."""

from types import SimpleNamespace

from buildbot.mq.simple import SimpleMQ
from twisted.trial.unittest import SynchronousTestCase

from presence.master.listening.queue import isShared, mayBeHeard


class WhoListensTests(SynchronousTestCase):
    def test_listenersOfEverything(self):
        """Who listens to all there is hears ours too, and a queue between masters is always told."""
        mq = SimpleMQ()
        self.assertFalse(mayBeHeard(mq, "presences"))
        mq.startConsuming(lambda key, message: None, (None, None, None))
        self.assertTrue(mayBeHeard(mq, "presences"))
        self.assertTrue(mayBeHeard(object(), "presences"))

    def test_theQueueOfAMaster(self):
        """What a master has is a connector, which stands for its queue: it is looked through."""
        connector = SimpleNamespace(impl=SimpleMQ())
        self.assertFalse(mayBeHeard(connector, "presences"))
        connector.impl.startConsuming(lambda key, message: None, ("presences", None, None))
        self.assertTrue(mayBeHeard(connector, "presences"))

    def test_shared(self):
        """Several masters are those that say so, and have a queue between them."""
        for several, queue, shared in (
            (True, SimpleMQ(), False),
            (False, object(), False),
            (True, object(), True),
        ):
            master = SimpleNamespace(
                config=SimpleNamespace(multiMaster=several), mq=SimpleNamespace(impl=queue)
            )
            self.assertEqual(isShared(master), shared)
