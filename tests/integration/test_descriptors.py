"""Strangers hold as many connections to the owner's server as they get, on real workers that may open few files: `ulimit -n`."""

import contextlib
import resource
import socket

from twisted.trial.unittest import SynchronousTestCase

from presence.commands import exits
from presence.wire.localaddress import LocalFile
from presence.worker.local.site import MAX_CONNECTIONS
from tests.integration.farm import Farm
from tests.integration.ownerscommands import Terminal

#: What its worker may open. A build opens some files at a time, and a worker has some twenty of its own.
LIMITS = {"narrow": 64, "wide": 110}
PROTOCOLS = ("pb", "msgpack")


class DescriptorTests(SynchronousTestCase):
    def crowd(self, worker):
        """Connections without end, on which nothing is said: the oldest makes room for the newest."""
        port = LocalFile(str(worker.directory)).read().port
        for _ in range(2 * MAX_CONNECTIONS):
            with contextlib.suppress(ConnectionError):
                stranger = socket.create_connection(("127.0.0.1", port))
                self.addCleanup(stranger.close)

    def test_buildsGoOn(self):
        """Builds succeed, and the owner's commands are heard, on a worker with 64 files and on one with 110, over PB and msgpack."""
        farm = Farm(self, *PROTOCOLS)
        limits = {(f"{name}-{each}", each): LIMITS[name] for name in LIMITS for each in PROTOCOLS}
        farm.configure(*[f'worker.BuildSlave("{name}", PASSWORD)' for name, _ in limits])
        farm.start()
        owners = {name: Terminal(self, farm.worker(name, protocol=protocol)) for name, protocol in limits}
        for (name, _), limit in limits.items():
            worker = farm.worker(name)
            worker.launch()
            resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (limit, limit))
        for name, owner in owners.items():
            owner.worker.waitUntilConnected()
            self.crowd(owner.worker)
            farm.force(name).waitUntilBuilt()
            owner.do(exits.DONE, "away")
            self.assertNotIn("Too many open files", owner.worker.log)
