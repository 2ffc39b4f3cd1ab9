"""A master whose router is away goes on by itself, and is connected again."""

from itertools import pairwise
from types import SimpleNamespace

from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.master.farm.queue import connecting
from presence.master.farm.queue.loopback import Loopback
from presence.master.farm.queue.watch import FIRST, LAST, PATIENCE, SILENT, RouterWatch

PREFIX = "org.buildbot.mq."


class Session:
    """What a master has with its router: autobahn's session, as far as it is used."""

    def __init__(self):
        self.leaving = False
        self._subscriptions = {}
        self._subscribe_reqs = {}
        #: whether it answers what is subscribed
        self.answers = True
        self.heard = []
        self.disowned = self.aborted = False
        self._transport = SimpleNamespace(transport=SimpleNamespace(abortConnection=self.abort))

    def subscribe(self, callback, topic, options=None):
        self.heard.append(topic)
        there = SimpleNamespace(active=True, topic=topic, handler=SimpleNamespace(fn=callback))
        there.unsubscribe = lambda: self.heard.remove(topic)
        if self.answers:
            return succeed(there)
        on_reply = Deferred()
        handler = SimpleNamespace(fn=callback)
        self._subscribe_reqs[topic] = SimpleNamespace(
            topic=topic, on_reply=on_reply, handler=handler, there=there
        )
        return on_reply

    def answer(self):
        """The router answers what is being subscribed."""
        for each in self._subscribe_reqs.values():
            each.on_reply.callback(each.there)
        self._subscribe_reqs.clear()

    def lost(self):
        """It is lost, and then what was not answered fails."""
        self.onLeave(SimpleNamespace(message="lost"))
        for each in self._subscribe_reqs.values():
            each.on_reply.errback(ConnectionLost())

    def onLeave(self, details):
        raise AssertionError("Buildbot stops the master")

    def disownServiceParent(self):
        self.disowned = True

    def abort(self):
        self.aborted = True
        self.onLeave(SimpleNamespace(message="aborted"))


class Consumer:
    """One of Buildbot's consumers."""

    unreg = None

    def __init__(self):
        self.said = []
        self.callback = self.said.append

    @inlineCallbacks
    def subscribe(self, session, topic):
        """As Buildbot does it, which does not wait for this."""
        self.unreg = yield session.subscribe(self.wampInvoke, PREFIX + topic)
        if self.callback is None:
            self.unreg.unsubscribe()
            self.unreg = None

    def wampInvoke(self, message, details):
        self.said.append((details.topic, message))


class RouterTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.app = SimpleNamespace(parent=None, make=lambda config: Session())
        self.connector = SimpleNamespace(
            service=None, serviceDeferred=Deferred(), app=self.app, router_url="ws://router", services=[]
        )
        self.rejoined = []
        self.attempts = []
        self.refuses = False
        self.patch(connecting, "connect", self.connect)
        master = SimpleNamespace(reactor=self.clock, wamp=self.connector)
        self.policy = "rejoin"
        self.watch = RouterWatch(master, lambda: self.policy, lambda: self.rejoined.append(True))
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(self.watch.stop)

    def connect(self, connector, failed):
        self.attempts.append(self.clock.seconds())
        if self.refuses:
            self.clock.callLater(0, failed, "refused")
        return self.app

    def join(self):
        """The router lets a session in."""
        session = self.connector.service = Session()
        self.connector.serviceDeferred.callback(session)
        return session

    def consumer(self, topic):
        """Buildbot consumes, through its connector."""
        found = Consumer()
        found.unreg = self.successResultOf(
            self.connector.service.subscribe(found.wampInvoke, PREFIX + topic, options=None)
        )
        return found

    def publish(self, topic, message):
        self.successResultOf(self.connector.service.publish(PREFIX + topic, message))
        self.clock.advance(0)

    def test_well(self):
        """While all is well nothing is done, and there is no timer."""
        self.watch.start()
        session = self.join()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIs(self.connector.service, session)

    def test_lost(self):
        """It is connected anew, and everything that was subscribed is subscribed there, before the master speaks through it."""
        self.watch.start()
        first = self.join()
        early, gone = self.consumer("builds..new"), self.consumer("x.y")
        first.onLeave(SimpleNamespace(message="lost"))
        self.assertTrue(first.disowned)
        late = self.consumer("builds.1.new")
        gone.unreg.unsubscribe()
        self.clock.advance(0)
        self.assertEqual(len(self.attempts), 1)
        self.publish("builds.1.new", {"a": 1})
        self.assertEqual([early.said, late.said], [[(f"{PREFIX}builds.1.new", {"a": 1})]] * 2)
        second = self.join()
        self.assertEqual(sorted(second.heard), [f"{PREFIX}builds..new", f"{PREFIX}builds.1.new"])
        self.assertIs(self.connector.service, second)
        self.assertEqual(self.rejoined, [True])
        early.unreg.unsubscribe()
        self.assertEqual(second.heard, [f"{PREFIX}builds.1.new"])
        self.flushLoggedErrors()

    def test_lostAgain(self):
        """And as often as it is lost."""
        self.watch.start()
        session = self.join()
        consumer = self.consumer("builds..new")
        for _ in range(3):
            session.onLeave(SimpleNamespace(message="lost"))
            self.clock.advance(0)
            session = self.join()
            self.assertEqual(session.heard, [f"{PREFIX}builds..new"])
        consumer.unreg.unsubscribe()
        self.assertEqual(session.heard, [])
        self.flushLoggedErrors()

    def test_adopted(self):
        """What was subscribed before anybody watched is subscribed again, too."""
        session = Session()
        consumer = Consumer()
        there = self.successResultOf(session.subscribe(consumer.wampInvoke, PREFIX + "builds..new"))
        consumer.unreg = there
        session._subscriptions = {1: [there]}
        self.connector.service = session
        self.watch.start()
        session.onLeave(SimpleNamespace(message="lost"))
        self.clock.advance(0)
        self.assertEqual(self.join().heard, [f"{PREFIX}builds..new"])
        self.flushLoggedErrors()

    def underWay(self, topic="builds..new"):
        """A session whose router has not answered yet what was subscribed before anybody watched."""
        session = self.connector.service = Session()
        session.answers = False
        consumer = Consumer()
        return session, consumer, consumer.subscribe(session, topic)

    def assertHears(self, consumer):
        """The consumer hears what the master says to itself, and is subscribed on the next session, once, as long as it wants."""
        self.publish("builds.1.new", 1)
        self.assertEqual(consumer.said, [(f"{PREFIX}builds.1.new", 1)])
        after = self.join()
        self.assertEqual(after.heard, [f"{PREFIX}builds..new"])
        consumer.unreg.unsubscribe()
        self.assertEqual(after.heard, [])
        self.flushLoggedErrors()

    def test_underWay(self):
        """What was being subscribed then, and is answered later."""
        session, consumer, _ = self.underWay()
        self.watch.start()
        session.answer()
        session.lost()
        self.clock.advance(0)
        self.assertHears(consumer)

    def test_underWayWhenLost(self):
        """What is never answered, as the session is lost first: of before anybody watched, and of after that."""
        session, early, done = self.underWay()
        self.watch.start()
        late = Consumer()
        subscribed = late.subscribe(session, "x..y")
        session.lost()
        self.failureResultOf(done, ConnectionLost)
        self.successResultOf(subscribed)
        self.clock.advance(0)
        self.publish("x.1.y", 2)
        self.assertEqual(late.said, [(f"{PREFIX}x.1.y", 2)])
        late.unreg.unsubscribe()
        self.assertHears(early)

    def test_underWayAndEnded(self):
        """Who has ceased to listen meanwhile is not subscribed again."""
        session, consumer, _ = self.underWay()
        self.watch.start()
        consumer.callback = None
        session.answer()
        self.assertEqual(session.heard, [])
        session.lost()
        self.clock.advance(0)
        self.assertEqual(self.join().heard, [])
        self.flushLoggedErrors()

    def test_refused(self):
        """What the router does not let a master subscribe fails, as without us."""
        self.watch.start()
        session = self.join()
        session.answers = False
        subscribed = Consumer().subscribe(session, "x..y")
        session._subscribe_reqs.popitem()[1].on_reply.errback(ValueError("not authorized"))
        self.failureResultOf(subscribed, ValueError)
        session.lost()
        self.clock.advance(0)
        self.assertEqual(self.join().heard, [])
        self.flushLoggedErrors()

    def test_neverThere(self):
        """A master that is not let in goes on by itself; who waited for the connection waits no longer. It is tried again and
        again, less often each time.
        """
        self.refuses = True
        self.watch.start()
        waiting = Deferred()
        self.connector.serviceDeferred.addCallback(lambda session: waiting.callback(session) or session)
        self.clock.advance(PATIENCE)
        self.assertIsInstance(self.successResultOf(waiting), Loopback)
        self.clock.pump([FIRST] * 200)
        steps = [after - before for before, after in pairwise(self.attempts)]
        self.assertEqual(steps[:2], [FIRST, 2 * FIRST])
        self.assertEqual(steps, sorted(steps))
        self.assertEqual(steps[-1], LAST)
        self.flushLoggedErrors()

    def test_silent(self):
        """A connection that seems to be there, and through which nothing comes, is cut after a while."""
        self.watch.start()
        session = self.join()
        self.clock.advance(SILENT - 1)
        self.watch.heard(True, 0.0)
        self.assertFalse(session.aborted)
        self.clock.advance(2)
        self.watch.heard(True, 0.0)
        self.assertTrue(session.aborted)
        self.assertTrue(self.watch.away)
        self.flushLoggedErrors()

    def test_stops(self):
        """A session that is left because the master stops is no reason to connect again."""
        self.watch.start()
        session = self.join()
        session.leaving = True
        session.onLeave(SimpleNamespace(message="good bye"))
        self.assertIs(self.connector.service, session)
        self.assertEqual(self.attempts, [])
