"""Connections that Buildbot does not take, of real workers: they change nothing that was known of the worker."""

import time

from twisted.trial.unittest import SynchronousTestCase

from presence.worker.store import Away, Store, Wish
from tests.integration.farm import Farm
from tests.integration.ownersline import Owner

#: Lets the master wait for the worker info until a file exists: both connections are under way then.
SLOWLY = """
def _slowly():
    import os
    from twisted.internet import reactor, task

    bot = s.bot
    ask = bot.remote_getWorkerInfo

    def remote_getWorkerInfo():
        open({asked!r}, "w").close()
        if not os.path.exists({go!r}):
            return task.deferLater(reactor, 0.05, remote_getWorkerInfo)
        return ask()

    bot.remote_getWorkerInfo = remote_getWorkerInfo

from twisted.internet import reactor as _slow_reactor
_slow_reactor.callWhenRunning(_slowly)
"""


#: A latent worker whose machine is started by hand, when there is a file that says so.
CLOUD = """
import os
from buildbot.worker.latent import AbstractLatentWorker
from presence.master import PresenceMixin
from twisted.internet.defer import succeed

class Cloud(PresenceMixin, AbstractLatentWorker):
    def start_instance(self, build):
        open("start-it", "w").close()
        return succeed(True)

    def stop_instance(self, fast=False):
        return self.start_instance(None)
"""


class Latent:
    """The laws for a latent machine that connects when nobody has asked for it, for each protocol."""

    protocol = None

    def holds(self):
        return self.farm.get("presences/mac-mini")["presences"][0]["holds"]

    def test_notAskedFor(self):
        """It says "away", and is refused: nothing holds it, and it is started when there is something to build."""
        self.farm = farm = Farm(self, self.protocol)
        farm.configure('Cloud("mac-mini", PASSWORD)', prelude=CLOUD)
        farm.start()
        owner = Owner(farm, "mac-mini")
        # (over PB the worker ends when it is refused)
        said = Store(owner.worker.directory)
        said.save(Wish(Away("rendering", "owner", time.time(), None), None))
        owner.start()
        farm.master.waitForLog("it is refused", "connection while not trying to substantiate")
        self.assertEqual(self.holds(), [])
        owner.worker.kill()
        said.save(Wish(None, None))
        request = farm.force("mac-mini")
        farm.waitFor("it is to be started", (farm.master.directory / "start-it").exists)
        owner.start()
        request.waitUntilBuilt()
        self.assertEqual(self.holds(), [])


class PBLatentTests(Latent, SynchronousTestCase):
    protocol = "pb"


class MsgpackLatentTests(Latent, SynchronousTestCase):
    protocol = "msgpack"


class SecondConnectionTests(SynchronousTestCase):
    """A second connection of one worker, while the first one is there."""

    def named(self, name, **keywords):
        """The owner of another process that connects as mac-mini."""
        owner = Owner(self.farm, name, **keywords)
        tac = owner.worker.directory / "buildbot.tac"
        tac.write_text(tac.read_text().replace(f"workername = '{name}'", "workername = 'mac-mini'"))
        return owner

    def start(self, name):
        """The owner of a process that connects as mac-mini, and does not say who it is before its file exists."""
        asked, go = (self.farm.directory / f"{name}.{what}" for what in ("asked", "go"))
        owner = self.named(name, extra=SLOWLY.format(asked=str(asked), go=str(go))).start()
        self.farm.waitFor(f"the master asks {name}", asked.exists)
        return owner, go

    def test_msgpack(self):
        """Over msgpack Buildbot lets them log in one after the other. The second one says AVAILABLE, and is refused: the owner
        who is away, on the first one, is heeded.
        """
        self.farm = farm = Farm(self, "msgpack")
        farm.configure('worker.BuildSlave("mac-mini", PASSWORD)')
        farm.start()
        first = Owner(farm, "mac-mini").start()
        first.worker.waitUntilConnected()
        first.away(reason="rendering")
        self.named("second").start()
        farm.master.waitForLog("the second one is refused", "rejecting duplicate worker")
        (hold,) = farm.get("presences/mac-mini")["presences"][0]["holds"]
        self.assertEqual((hold["source"], hold["reason"]), ("worker", "rendering"))
        waits = farm.force("mac-mini")
        self.assertEqual(waits.builds, [])
        first.back()
        waits.waitUntilBuilt()

    def test_second(self):
        """Two that arrive in the same moment, over PB: the second one says AVAILABLE, and is refused: the owner who is away, on
        the first one, is heeded.
        """
        self.farm = farm = Farm(self)
        farm.configure('worker.BuildSlave("mac-mini", PASSWORD)')
        farm.start()
        first, go_first = self.start("first")
        _, go_second = self.start("second")
        first.away(reason="rendering")
        go_first.touch()
        farm.waitFor("the first one is attached", lambda: farm.getWorker("mac-mini")["connected_to"])
        seen = len(farm.master.log)
        go_second.touch()
        farm.master.waitForLog("the second one is refused", "already connected", seen)
        (hold,) = farm.waitFor(
            "the owner alone holds it",
            lambda: len(holds := farm.get("presences/mac-mini")["presences"][0]["holds"]) == 1 and holds,
        )
        self.assertEqual((hold["source"], hold["reason"]), ("worker", "rendering"))
        waits = farm.force("mac-mini")
        # it is still the first one that is heard
        first.away(reason="still rendering")
        farm.waitFor(
            "it is heard",
            lambda: farm.get("presences/mac-mini")["presences"][0]["holds"][0]["reason"] == "still rendering",
        )
        self.assertEqual(waits.builds, [])
        first.back()
        waits.waitUntilBuilt()
