"""The owner's commands, with real masters and real workers.

Over PB: that the client in the worker does the same over msgpack is shown in test_wire.
"""

import json
import time

from twisted.trial.unittest import SynchronousTestCase

from presence.commands import exits
from presence.wire.localaddress import FILENAME
from tests.integration.farm import Farm
from tests.integration.ownerscommands import Terminal
from tests.integration.processes import waitFor
from tests.integration.test_wire import AWAY, OURS, STOCK, onBreakFor


class OwnerTests(SynchronousTestCase):
    def begin(self, worker=OURS, arguments=""):
        """A master, and a worker with the presence installed; its owner."""
        self.farm = Farm(self)
        self.farm.configure(worker)
        self.farm.start()
        owner = Terminal(self, self.farm.worker("mac-mini"), arguments).start()
        owner.worker.waitUntilConnected()
        return owner

    def presence(self):
        """What the master thinks."""
        (presence,) = self.farm.get("presences")["presences"]
        return presence

    def assertQuiet(self, owner):
        for log in (self.farm.master.log, owner.worker.log):
            self.assertNotIn("Traceback", log)
            self.assertNotIn("Unhandled", log)

    def test_awayAndBack(self):
        """Away is heeded at once, what runs is finished and waited for; back gives the next build at once."""
        owner = self.begin()
        owner.waitUntilHeard()
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        waits = owner.begin("away", "--reason", "rendering", "--for", "2h", "--wait")
        waits.waitUntilSaid("waiting for mac-mini (since ")
        self.assertIn("away (rendering), until", waits.said[0])
        presence = self.presence()
        self.assertEqual(
            (presence["state"], [hold["reason"] for hold in presence["holds"]]), (AWAY, ["rendering"])
        )
        request = self.farm.force("any")
        self.assertTrue(waits.running)
        runs.letFinish().waitUntilBuilt()
        self.assertIn("Nothing runs any more", waits.ends(exits.DONE))
        said = owner.do(exits.DONE, "status")
        for part in (
            "mac-mini does not accept builds, until",
            "away (rendering)",
            "nothing",
            "sees it so too",
        ):
            self.assertIn(part, said)
        self.assertEqual(request.builds, [])
        self.assertIn("mac-mini accepts builds.", owner.do(exits.DONE, "back"))
        # the command is done when the master has heard of it
        told = time.time()
        self.assertLess(request.waitUntilBuilt()["started"], told + self.farm.moment)
        self.assertQuiet(owner)

    def test_work(self):
        """Work takes a worker out of its scheduled break for a while; back ends no break."""
        owner = self.begin(f'worker.BuildSlave("mac-mini", PASSWORD, onBreakDuring={onBreakFor(3600)})')
        owner.waitUntilHeard()
        self.assertIn("on a break", owner.do(exits.DONE, "back"))
        self.assertEqual(owner.sources(), ["break"])
        request = self.farm.force("any")
        self.assertIn("in spite of its breaks until", owner.do(exits.DONE, "work", "--for", "8h"))
        request.waitUntilBuilt()
        owner.do(exits.DONE, "away", "--reason", "rendering")
        self.assertIn("You are still away", owner.do(exits.DONE, "work", "--for", "8h"))
        self.assertIn("on a break", owner.do(exits.DONE, "work", "--end"))
        # what was said with a reason survives the break, and the other way round
        self.assertEqual(owner.sources(), ["break", "worker"])
        owner.do(exits.DONE, "back")
        self.assertEqual(owner.sources(), ["break"])
        self.assertQuiet(owner)

    def test_stop(self):
        """Stop waits for what runs, starts nothing new, and ends the process; then the worker is not running."""
        owner = self.begin()
        owner.waitUntilHeard()
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        stop = owner.begin("stop")
        stop.waitUntilSaid("waiting for mac-mini")
        request = self.farm.force("any")
        runs.letFinish().waitUntilBuilt()
        self.assertIn("The worker has stopped.", stop.ends(exits.DONE))
        self.assertFalse(owner.worker.running)
        self.assertEqual(request.builds, [])
        self.assertFalse((owner.worker.directory / FILENAME).exists())
        for command in (["status"], ["stop"], ["open", "--no-browser"]):
            self.assertIn("is not running: buildbot-worker start", owner.do(exits.NOT_RUNNING, *command))
        owner.start()
        request.waitUntilBuilt()
        self.assertQuiet(owner)

    def test_stopIsCancelled(self):
        """Back cancels a stop, and who waits for it is told so; Ctrl-C cancels nothing; at the deadline the
        process ends, and Buildbot builds again what was interrupted.
        """
        owner = self.begin()
        owner.waitUntilHeard()
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        stop = owner.begin("stop", "--deadline", "2h")
        stop.waitUntilSaid("waiting for mac-mini")
        owner.do(exits.DONE, "back")
        self.assertIn("cancelled", stop.ends(exits.OVERTAKEN))
        self.assertEqual((owner.status()["stopping"], owner.sources()), (None, []))
        stop = owner.begin("stop")
        stop.waitUntilSaid("waiting for mac-mini")
        self.assertIn("`presence back`", stop.interrupt().ends(exits.INTERRUPTED))
        self.assertEqual(owner.status()["stopping"], {"deadline": None})
        deadline = time.time() + 1
        owner.begin("stop", "--deadline", "1s").ends(exits.DONE)
        self.assertGreaterEqual(time.time(), deadline)
        self.assertFalse(owner.worker.running)
        runs.letFinish()
        owner.start()
        runs.waitUntilBuilt()

    def test_withoutTheMaster(self):
        """What is said while there is no master is kept, and says so; the master hears it when it is there."""
        owner = self.begin()
        owner.waitUntilHeard()
        self.farm.kill()
        waitFor("the worker has noticed", lambda: not owner.status()["master"]["connected"])
        said = owner.do(exits.NOT_TOLD, "away", "--reason", "rendering", "--wait")
        self.assertIn("no connection to the master", said)
        self.assertIn("It is kept here", said)
        self.assertIn("no connection to the master", owner.do(exits.DONE, "status"))
        # killed as well: it is kept on disk
        owner.worker.kill()
        self.assertIn("it was killed", owner.do(exits.NOT_RUNNING, "status"))
        owner.start()
        self.farm.start()
        request = self.farm.force("mac-mini")
        owner.waitUntilHeard()
        self.assertEqual(request.builds, [])
        self.assertEqual([hold["reason"] for hold in self.presence()["holds"]], ["rendering"])
        owner.do(exits.DONE, "back")
        request.waitUntilBuilt()

    def test_stockMaster(self):
        """At a stock master what is said is kept, its owner is told that nobody heeds it, and a stop is refused."""
        owner = self.begin(STOCK)
        self.farm.force("mac-mini").waitUntilBuilt()
        self.assertIn("the master knows no presence", owner.do(exits.NOT_TOLD, "away", "--wait"))
        self.farm.force("mac-mini").waitUntilBuilt()
        self.assertIn("graceful shutdown", owner.do(exits.REFUSED, "stop"))
        self.assertEqual(owner.status()["stopping"], None)
        self.assertQuiet(owner)

    def test_mistakes(self):
        """What makes no sense is refused with what would be right, and changes nothing."""
        owner = Terminal(self, Farm(self).worker("mac-mini"))
        self.assertIn("is not running", owner.do(exits.NOT_RUNNING, "stop"))
        self.assertIn("from its start on it is away", owner.do(exits.NOT_TOLD, "away"))
        owner.start()
        self.assertEqual(owner.sources(), ["worker"])
        before = owner.status()["holds"]
        for argv, status, said in (
            (["away", "--reason", "x" * 513], exits.REFUSED, "at most 512"),
            (["away", "--reason", "two\nlines"], exits.REFUSED, "one line"),
            (["away", "--for", "2"], exits.USAGE, "does 2 mean 2m or 2h?"),
            (["away", "--until", "2020-01-01"], exits.USAGE, "is past"),
            (["away", "--for", "1h", "--until", "18:00"], exits.USAGE, "not allowed with"),
            (["work"], exits.USAGE, "--for 8h"),
            (["work", "--for", "8h", "--end"], exits.USAGE, "--end"),
            (["stop", "--deadline", "soon"], exits.USAGE, "is not a time: write 18:00"),
        ):
            self.assertIn(said, owner.do(status, *argv))
        self.assertEqual(owner.status()["holds"], before)
        elsewhere = owner.run(
            "status", "--json", "--basedir", str(owner.worker.directory.parent), basedir=False
        )
        self.assertEqual(elsewhere.returncode, exits.USAGE)
        self.assertIn("is not a worker's directory", json.loads(elsewhere.stdout)["error"])

    def test_stopWithoutMaster(self):
        """Without a master nothing runs, and a stop ends the process at once, with or without waiting."""
        farm = Farm(self)
        owner = Terminal(self, farm.worker("mac-mini")).start()
        done = owner.run("stop", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)), (exits.DONE, {"stopped": True}))
        self.assertFalse(owner.worker.running)
        owner.start()
        owner.do(exits.NOT_TOLD, "stop", "--no-wait")
        waitFor("the worker ends", lambda: not owner.worker.running)
