"""Ends of connections that Buildbot does not hear of, at a real broker of Perspective Broker."""

from types import SimpleNamespace

from buildbot.worker.protocols.msgpack import Connection as MsgpackConnection
from buildbot.worker.protocols.pb import Connection
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.spread.pb import Broker
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from presence.master.owner.unheardends import UnheardEnds


class UnheardEndsTests(SynchronousTestCase):
    def setUp(self):
        self.detached = []
        self.clock = Clock()
        self.answer = Deferred()
        self.workers = SimpleNamespace(newConnection=lambda _conn, _name: self.answer)
        self.buildbots = self.workers.newConnection
        self.ends = UnheardEnds(SimpleNamespace(workers=self.workers, reactor=self.clock))
        self.ends.start()
        self.conn = Connection.__new__(Connection)
        self.conn.mind = SimpleNamespace(broker=Broker())
        self.conn.detached = self.detach

    def detach(self, mind):
        """As `Connection.detached` does it: at a second time there is no mind any more."""
        self.detached.append(mind)
        self.conn.mind = None

    def accept(self):
        """The worker is let in; what follows of its login is under way."""
        accepted = self.workers.newConnection(self.conn, "mac-mini")
        self.answer.callback(True)
        self.assertTrue(self.successResultOf(accepted))
        return self.conn.mind

    def lose(self, mind):
        """The connection goes."""
        mind.broker.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(0)

    def test_lost(self):
        """The connection goes while the login is under way: Buildbot is told, once."""
        mind = self.accept()
        self.lose(mind)
        self.assertEqual(self.detached, [mind])

    def test_loggedIn(self):
        """When the login has ended it is Perspective Broker who tells, and nobody tells again."""
        mind = self.accept()
        mind.broker.notifyOnDisconnect(lambda: self.conn.detached(mind))
        self.lose(mind)
        self.assertEqual(self.detached, [mind])

    def test_refused(self):
        """Of a connection that is not accepted nothing is told, and the answer is Buildbot's."""
        accepted = self.workers.newConnection(self.conn, "mac-mini")
        self.answer.errback(RuntimeError("rejecting duplicate worker"))
        self.failureResultOf(accepted, RuntimeError)
        self.lose(self.conn.mind)
        self.assertEqual(self.detached, [])

    def test_otherProtocols(self):
        """They tell at any time, and have no broker."""
        accepted = self.workers.newConnection(MsgpackConnection.__new__(MsgpackConnection), "mac-mini")
        self.answer.callback(True)
        self.assertTrue(self.successResultOf(accepted))

    def giveUp(self):
        """Buildbot gives the connection up: what its transport is asked for."""
        asked = []
        self.conn.loseConnection = lambda: asked.append("lose")
        self.conn.mind.broker.transport = transport = SimpleNamespace(
            abortConnection=lambda: asked.append("abort")
        )
        if self.secure:
            directlyProvides(transport, ISSLTransport)
        self.accept()
        self.conn.loseConnection()
        return asked

    def test_secure(self):
        """Over TLS a connection that is given up does not wait until the other side has agreed."""
        self.secure = True
        self.assertEqual(self.giveUp(), ["lose", "abort"])

    def test_plain(self):
        """Without, it is Buildbot's to end."""
        self.secure = False
        self.assertEqual(self.giveUp(), ["lose"])

    def test_stopped(self):
        """Nothing is left, and what was under way is let in as before; to stop twice is to stop."""
        accepted = self.workers.newConnection(self.conn, "mac-mini")
        self.ends.stop()
        self.ends.stop()
        self.assertIs(self.workers.newConnection, self.buildbots)
        self.answer.callback(True)
        self.assertTrue(self.successResultOf(accepted))
