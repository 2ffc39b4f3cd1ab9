"""Reconfigurations that are ordered by a step of the very build that they have to wait for: real masters and workers."""

import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.farm import SUCCESS, Farm

PRESENCE = [sys.executable, "-m", "presence.commands.main", "reconfig"]
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
