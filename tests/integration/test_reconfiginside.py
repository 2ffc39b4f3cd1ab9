"""Orders of which the end is waited for by a step of the very build that they have to wait for: real masters and workers."""

import sqlite3
import sys
from contextlib import closing

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.farm import SUCCESS, Farm

COMMAND = [sys.executable, "-m", "presence.commands.main"]
PRESENCE = [*COMMAND, "reconfig"]
BUILDBOT = [sys.executable, "-c", "from buildbot.scripts.runner import run; run()", "reconfig"]

# Each builder orders a reconfig, which makes its worker one of ours: that disconnects it.
EXTRA = """
c["services"] = [util.PresenceService(reconfigWhenIdle=True)]
url, directory = ["--url", c["buildbotURL"]], [{directory!r}]
orders = {{
    "worker": steps.ShellCommand(command={presence!r} + url, workdir="/tmp"),
    "master": steps.MasterShellCommand(command={presence!r} + directory),
    "signal": steps.ShellCommand(command={buildbot!r} + directory),
    "top": steps.Trigger(schedulerNames=["below"], waitForFinish=True, updateSourceStamp=False),
}}
c["builders"] = [
    util.BuilderConfig(name, workernames=["below" if name == "worker" and {below} else "plain"], factory=util.BuildFactory([step]))
    for name, step in orders.items()
]
c["schedulers"] = [
    *(schedulers.ForceScheduler(name=f"force-{{each}}", builderNames=[each]) for each in orders),
    schedulers.Triggerable(name="below", builderNames=["worker"]),
]
"""


# One drains its own worker, and waits; the next one stops its own master.
DRAINS = """
c["logCompressionMethod"] = "raw"
c["services"] = [util.PresenceService(operator="admins")]
c["www"]["authz"] = util.Authz(allowRules=[util.AnyControlEndpointMatcher(role="admins")], roleMatchers=[])
orders = [["drain", "plain", "--wait", "--master", {directory!r}], ["stop-master", {directory!r}]]
c["builders"] = [
    util.BuilderConfig("order", workernames=["plain"], factory=util.BuildFactory([
        steps.ShellCommand(command=[*{command!r}, *order], haltOnFailure=True) for order in orders
    ]))
]
c["schedulers"] = [
    schedulers.Periodic("once", builderNames=["order"], periodicBuildTimer=1e6),
]
"""


class InsideTests(SynchronousTestCase):
    def start(self, *, below=False):
        self.farm = Farm(self)
        self.below = below
        self.write("worker.Worker")
        self.farm.start()
        (self.farm.master.directory / "twistd.pid").write_text(str(self.farm.master.pid))
        for name in ("plain", "below"):
            self.farm.worker(name).start().waitUntilConnected()

    def write(self, kind):
        """The next master.cfg: of this kind is the worker."""
        extra = EXTRA.format(
            directory=str(self.farm.master.directory), presence=PRESENCE, buildbot=BUILDBOT, below=self.below
        )
        self.farm.configure(f'{kind}("plain", PASSWORD)', 'worker.Worker("below", PASSWORD)', extra=extra)

    def order(self, builder):
        """What the step that orders it prints: its build ends well, and then the master is reconfigured."""
        self.farm.worker("plain").waitUntilConnected()
        request = self.farm.force(builder)
        (build,) = self.farm.waitFor("it has ended", lambda: request.complete and request.builds)
        said = self.log(request.number)
        self.assertEqual(build["results"], SUCCESS, said)
        self.farm.waitFor(
            "it is reconfigured", lambda: self.farm.get("reconfig")["reconfigs"][0]["state"] == "idle"
        )
        (reconfig,) = self.farm.get("reconfig")["reconfigs"]
        self.assertEqual(reconfig["last"]["result"], "reconfigured")
        return said, reconfig["last"]["number"]

    def log(self, request):
        build = self.farm.get(f"builds?buildrequestid={request}")["builds"][0]["buildid"]
        last = max(each["number"] for each in self.farm.get(f"builds/{build}/steps")["steps"])
        (log,) = self.farm.get(f"builds/{build}/steps/{last}/logs/stdio/contents")["logchunks"]
        return log["content"]

    def test_itself(self):
        """The command ends at once, as a step on the worker, as one on the master, and as Buildbot's own; then it is done."""
        self.start()
        kinds = ["worker.BuildSlave", "worker.Worker"]
        for number, (builder, said) in enumerate(
            [
                ("worker", "this is part of worker #1: it is done when that has ended"),
                ("master", "this is part of master #1: it is done when that has ended"),
                (
                    "signal",
                    "configuration update completes when what has ordered it has ended: signal #1 on plain",
                ),
            ]
        ):
            self.write(kinds[number % 2])
            printed, ordered = self.order(builder)
            self.assertIn(said, printed)
            self.assertEqual(ordered, number + 1)

    def test_drainAndStop(self):
        """A drain of its own worker, and a stop of its own master, are not waited for: the build ends well, and then the master does."""
        self.farm = farm = Farm(self)
        directory = str(farm.master.directory)
        farm.configure(
            'worker.Worker("plain", PASSWORD)', extra=DRAINS.format(command=COMMAND, directory=directory)
        )
        farm.start()
        farm.worker("plain").start()
        farm.waitFor("the master stops", lambda: not farm.master.running)
        with closing(sqlite3.connect(farm.master.directory / "state.sqlite")) as database:
            ((results,),) = database.execute("SELECT results FROM builds").fetchall()
            steps = database.execute("SELECT state_string FROM steps ORDER BY number").fetchall()
            said = "".join(each.decode() for (each,) in database.execute("SELECT content FROM logchunks"))
        self.assertEqual((results, len(steps)), (SUCCESS, 3), (steps, said))
        self.assertIn("nothing else runs there any more: this is part of order #1", said)
        self.assertIn("this is part of order #1: the master stops when that has ended", said)

    def test_parent(self):
        """So it does in a build for which the one that is waited for waits; where nothing is hurt it is done before."""
        self.start(below=True)
        self.write("worker.BuildSlave")
        parent = self.farm.force("top")
        self.farm.waitFor("it has ended", lambda: parent.complete)
        self.assertEqual([each["results"] for each in parent.builds], [SUCCESS])
        (child,) = self.farm.get("builders/worker/builds")["builds"]
        self.assertIn("this is part of top #1", self.log(child["buildrequestid"]))
        self.farm.worker("plain").waitUntilConnected()
        said, number = self.order("worker")
        self.assertIn("the master is reconfigured", said)
        self.assertEqual(number, 2)
