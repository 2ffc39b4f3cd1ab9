"""A real worker whose process ends while the master lets it in, and begins anew."""

from twisted.trial.unittest import TestCase

from tests.integration.farm import Farm

#: The database takes a second to write down that a worker has connected.
SLOW = """
from buildbot.db.workers import WorkersConnectorComponent as Table
from twisted.internet import reactor, task
connected = Table.workerConnected
if not hasattr(connected, "stock"):  # (this file is read more than once)
    def workerConnected(self, *args, **kwargs):
        return task.deferLater(reactor, 1.0, lambda: connected(self, *args, **kwargs))
    workerConnected.stock = connected
    Table.workerConnected = workerConnected
"""

#: The first process ends when it has said who it is.
BRIEF = """
import os
from twisted.internet import reactor
if not os.path.exists(os.path.join(basedir, "again")):
    open(os.path.join(basedir, "again"), "w").close()
    info = s.bot.remote_getWorkerInfo
    def remote_getWorkerInfo():
        reactor.callLater(0.3, os._exit, 1)
        return info()
    s.bot.remote_getWorkerInfo = remote_getWorkerInfo
"""


class LostLoginTests(TestCase):
    def returns(self, protocol, declared):
        farm = Farm(self, protocol)
        farm.configure(declared, prelude=SLOW)
        farm.start()
        mac = farm.worker("mac-mini", tac=BRIEF).start()
        farm.waitFor("its first process has ended", lambda: not mac.running)
        mac.start()
        farm.force("mac-mini").waitUntilBuilt()
        self.assertEqual(mac.connections, 2)

    def test_pb(self):
        """Over PB it is let in again, and builds."""
        self.returns("pb", 'worker.BuildSlave("mac-mini", PASSWORD)')

    def test_msgpack(self):
        """So it is over msgpack."""
        self.returns("msgpack", 'worker.BuildSlave("mac-mini", PASSWORD)')

    def test_stockWorker(self):
        """So is one of Buildbot's own class, where another one has a presence."""
        self.returns("pb", 'worker.BuildSlave("other", PASSWORD), worker.Worker("mac-mini", PASSWORD)')
