"""A real worker whose process ends while the master lets it in, or whose machine has vanished, and begins anew."""

import re
import shutil
import signal
import subprocess

from twisted.trial.unittest import TestCase

from tests.integration.farm import Farm, Worker

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


class VanishedTests(TestCase):
    skip = None if shutil.which("openssl") else "no openssl here"

    def test_tls(self):
        """Of two connections the one that does not answer is given up, over TLS too; who came second builds."""
        farm = Farm(self)
        key, certificate = farm.directory / "key.pem", farm.directory / "trusted" / "certificate.pem"
        certificate.parent.mkdir()
        make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=master -addext subjectAltName=IP:127.0.0.1"
        subprocess.run(
            [*make.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
        )
        port = farm.ports["pb"]
        address = f"ssl:{port}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
        farm.configure(
            'worker.BuildSlave("mac-mini", PASSWORD)',
            prelude="from buildbot.worker.manager import WorkerManager\nWorkerManager.PING_TIMEOUT = 1",
            extra=f'c["protocols"] = {{"pb": {{"port": {address!r}}}}}',
        )
        farm.start()
        first = farm.worker("mac-mini")
        tac = first.directory / "buildbot.tac"
        secure = f"tls:127.0.0.1:{port}:trustRoots={certificate.parent}"
        text = tac.read_text()
        for name, value in (("buildmaster_host", None), ("port", None), ("connection_string", secure)):
            text = re.sub(f"^{name} = .*$", f"{name} = {value!r}", text, flags=re.MULTILINE)
        tac.write_text(text)
        first.start().waitUntilConnected()
        first.signal(signal.SIGSTOP)
        second = Worker(farm, "mac-mini", "", "pb").start()
        farm.waitFor("it has come", lambda: second.connections == 2)
        farm.force("mac-mini").waitUntilBuilt()
