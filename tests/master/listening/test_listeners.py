"""Whom an event finds."""

from random import Random
from types import SimpleNamespace

from buildbot.mq.simple import SimpleMQ
from twisted.trial.unittest import SynchronousTestCase

from presence.master.listening.listeners import Listeners, SortedListeners, mayBeHeard

WORDS = ("workers", "builds", "control", "1", "2", "new")


class SortedListenersTests(SynchronousTestCase):
    def setUp(self):
        self.heard = {"compared": [], "sorted": []}
        self.queues = {name: SimpleMQ() for name in self.heard}
        self.connector = SimpleNamespace(impl=self.queues["sorted"], produce=self.queues["sorted"].produce)
        self.sorted = SortedListeners(self.connector)

    def listen(self, number, wanted):
        """The same listener at both queues: its two references."""
        return [
            self.successResultOf(
                queue.startConsuming(
                    lambda key, data, told=self.heard[name]: told.append((number, key, data)), wanted
                )
            )
            for name, queue in self.queues.items()
        ]

    def produce(self, key, data):
        """Heard at both alike."""
        self.queues["compared"].produce(key, data)
        self.connector.produce(key, data)
        self.assertEqual(*self.heard.values())

    def test_asCompared(self):
        """Whoever listens and ceases to, in any order: each event is heard by the same, in the same order, as without."""
        random = Random(4)
        references = []

        def step(number):
            if references and random.random() < 0.4:
                for each in references.pop(random.randrange(len(references))):
                    each.stopConsuming()
            else:
                wanted = tuple(random.choice((*WORDS, None)) for _ in range(random.randint(1, 3)))
                references.append(self.listen(number, wanted))
            self.produce(tuple(random.choice(WORDS) for _ in range(random.randint(1, 3))), number)

        for number in range(100):
            step(number)
        self.sorted.start()
        for number in range(400):
            step(number)
        self.sorted.stop()
        self.assertIs(type(self.queues["sorted"].qrefs), list)
        self.assertEqual(self.connector.produce, self.queues["sorted"].produce)
        for number in range(100):
            step(number)
        self.assertGreater(len(self.heard["sorted"]), 100)

    def test_onlyThose(self):
        """An event is compared with none of the workers and builds that listen to something else."""
        self.sorted.start()
        self.listen(0, ("builds", None, "new"))
        for number in range(1, 50):
            self.listen(number, ("control", "worker", str(number)))
        found = self.queues["sorted"].qrefs.of(("builds", "7", "new"))
        self.assertEqual(len(found), 1)

    def test_nothingIsKept(self):
        """Nothing is kept of who does not listen any more."""
        listeners = Listeners([])
        self.queues["sorted"].qrefs = listeners
        references = [self.listen(number, (str(number), None)) for number in range(9)]
        for each in references:
            each[1].stopConsuming()
            # who stops twice has stopped
            each[1].stopConsuming()
        self.assertEqual((list(listeners), listeners._by_word), ([], {}))

    def test_debug(self):
        """Where a site has each event written to the log it is, by Buildbot."""
        self.sorted.start()
        self.listen(0, ("builds", None))
        queue = self.queues["sorted"]
        queue.debug = True
        logged = []
        self.patch(SimpleMQ.produce.__globals__["log"], "msg", logged.append)
        self.produce(("builds", "1"), {})
        self.assertEqual(len(logged), 1)

    def test_severalMasters(self):
        """The queue between several masters is left alone, and that of a master that has stopped before it began."""
        queue = object()
        each = SortedListeners(SimpleNamespace(impl=queue))
        each.start()
        each.stop()
        self.sorted.stop()
        self.assertIs(type(self.queues["sorted"].qrefs), list)


class WhoListensTests(SynchronousTestCase):
    """Whether anybody may hear of something: nothing is made for nobody."""

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

    def test_sorted(self):
        """Where they lie sorted it is the same, and none of them is looked at: there are as many as workers."""

        def listen(*wanted):
            return self.successResultOf(mq.startConsuming(lambda key, message: None, wanted))

        mq = SimpleMQ()
        connector = SimpleNamespace(impl=mq, produce=mq.produce)
        SortedListeners(connector).start()
        self.patch(Listeners, "__iter__", lambda _: self.fail("they are looked at"))
        listen("control", "worker", "7")
        self.assertFalse(mayBeHeard(connector, "presences"))
        for wanted in (("presences", None), (None, None, None)):
            listener = listen(*wanted)
            self.assertTrue(mayBeHeard(connector, "presences"))
            listener.stopConsuming()
            self.assertFalse(mayBeHeard(connector, "presences"))
