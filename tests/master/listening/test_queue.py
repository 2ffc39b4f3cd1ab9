"""Whose a message queue is."""

from types import SimpleNamespace

from buildbot.mq.simple import SimpleMQ
from twisted.trial.unittest import SynchronousTestCase

from presence.master.listening.queue import isShared


class QueueTests(SynchronousTestCase):
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
