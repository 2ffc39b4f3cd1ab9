"""Reconfigurations of real masters that wait until they hurt no build."""

import os
import signal
import subprocess
import sys
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.buildrequest import RETRY, SUCCESS
from tests.integration.farm import JOB, PASSWORD, Farm
from tests.integration.processes import DEADLINE

MASTER_CFG = """\
from buildbot.plugins import schedulers, steps, util, worker

c = BuildmasterConfig = {{}}
c["protocols"] = {protocols!r}
c["www"] = {{"port": "tcp:{www}:interface=127.0.0.1"}}
c["buildbotURL"] = "http://127.0.0.1:{www}/"
c["db_url"] = "sqlite:///state.sqlite"
c["buildbotNetUsageData"] = None
c["services"] = [util.PresenceService(**{service!r})]
c["workers"] = [getattr(worker, kind)(name, {password!r}, **more) for name, kind, more in {workers!r}]

def factory(name, triggers):
    steps_ = [steps.SetProperty(property="generation", value="{generation}")]
    if triggers:
        steps_.append(steps.Trigger(
            schedulerNames=[triggers], waitForFinish=True, set_properties={{"hold": util.Property("hold")}}
        ))
    else:
        steps_.append(steps.SetPropertyFromCommand(
            command=[{python!r}, "-c", {job!r}, util.Interpolate("%(prop:hold)s")], property="began"
        ))
    # what comes last finds out whether there is still a worker
    return util.BuildFactory([*steps_, steps.ShellCommand(command=["true"])])

c["builders"] = [
    util.BuilderConfig(name, workernames=workernames, factory=factory(name, triggers), collapseRequests=False)
    for name, workernames, triggers in {builders!r}
]
c["schedulers"] = [
    schedulers.ForceScheduler(
        name=f"force-{{each.name}}",
        builderNames=[each.name],
        properties=[util.StringParameter(name="hold", default="")],
    )
    for each in c["builders"]
] + [schedulers.Triggerable(name=name, builderNames=names) for name, names in {triggerables!r}]
"""


class QuiesceTestCase(SynchronousTestCase):
    def makeFarm(self, protocol="pb"):
        self.farm = Farm(self, protocol)
        self.generation = 0

    def write(self, workers, builders, triggerables=(), **service):
        """The next master.cfg: workers as (name, kind), builders as (name, workers, what it triggers or None)."""
        farm = self.farm
        self.generation += 1
        farm.config.write_text(
            MASTER_CFG.format(
                protocols=farm.protocols,
                www=farm.www,
                service=service,
                password=PASSWORD,
                workers=[(*each, {}) if len(each) == 2 else each for each in workers],
                builders=builders,
                triggerables=list(triggerables),
                generation=self.generation,
                python=sys.executable,
                job=JOB,
            )
        )

    def start(self, *workers):
        self.farm.start()
        for name in workers:
            self.farm.worker(name).start()
        for name in workers:
            self.farm.worker(name).waitUntilConnected()

    def popen(self, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "presence.commands.main", "reconfig", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TZ": "UTC", "HOME": str(self.farm.directory)},
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.kill)
        return process

    def command(self, *arguments, status=0):
        """`presence reconfig` of the master's directory; what it prints."""
        process = self.popen(str(self.farm.master.directory), *arguments)
        out, _ = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, status, out)
        return out

    @property
    def state(self):
        return self.farm.get("reconfig")["reconfigs"][0]

    def waitUntilReconfigured(self):
        self.farm.waitFor("it is reconfigured", lambda: self.state["state"] == "idle")
        self.assertEqual(self.state["last"]["result"], "reconfigured", self.state)

    def generationOf(self, request):
        """The configuration on which the request was built."""
        request.waitUntilBuilt()
        path = f"builds?buildrequestid={request.number}&property=generation"
        builds = [each for each in self.farm.get(path)["builds"] if each["results"] == SUCCESS]
        return int(builds[0]["properties"]["generation"][0])


class TableTests(QuiesceTestCase):
    """Each row of the table in docs/reconfig.rst: nothing is lost, nothing retried, nothing stuck."""

    def row(self, builder, *config, follow=True):
        """A build of `builder` runs while the configuration changes, and (mostly) another is requested."""
        old = self.generation
        running = self.farm.force(builder, held=True).waitUntilRuns()
        self.write(*config)
        self.command("--detach")
        self.assertEqual(self.state["state"], "waiting")
        waiting = self.farm.force(builder if follow else "other")
        if follow:
            self.assertFalse(waiting.claimed)
        else:
            waiting.waitUntilBuilt()
        running.letFinish()
        self.waitUntilReconfigured()
        self.assertEqual(self.generationOf(running), old)
        self.assertEqual(self.generationOf(waiting), self.generation if follow else old)
        for request in (running, waiting):
            self.assertEqual([each["results"] for each in request.builds], [SUCCESS])

    def test_table(self):
        """Every row of the table passes without a loss."""
        # (the commands, and the first adoption among them, are tested over PB)
        self.makeFarm("msgpack")
        w1, w2 = ("w1", "Worker"), ("w2", "Worker")
        other, top = ("other", ["w2"], None), ("top", ["w2"], "trig")
        b1, both, gone = ("b1", ["w1"], None), ("both", ["w1"], None), ("gone", ["w1"], None)
        trig = ("trig", ["b1"])
        self.write([w1, w2], [b1, both, gone, other, top], [trig])
        self.start("w1", "w2")

        # a worker's class: the first adoption of this plugin
        w1 = ("w1", "BuildSlave")
        self.row("b1", [w1, w2], [b1, both, gone, other, top], [trig])
        self.farm.worker("w1").waitUntilConnected()

        # a worker is taken from a builder
        both = ("both", ["w2"], None)
        self.row("both", [w1, w2], [b1, both, gone, other, top], [trig])

        # a builder is removed
        self.row("gone", [w1, w2], [b1, both, other, top], [trig], follow=False)

        # a Triggerable is removed, while a build waits for what it has triggered
        top = ("top", ["w2"], None)
        self.row("top", [w1, w2], [b1, both, other, top])

        # a worker is removed
        b1 = ("b1", ["w2"], None)
        self.row("b1", [w2], [b1, both, other, top])

        # none of it leaves anything behind
        self.assertEqual(self.farm.get("buildrequests?complete=false")["buildrequests"], [])
        self.assertNotIn("serious error", self.farm.master.log)


class CommandTests(QuiesceTestCase):
    """`presence reconfig MASTERDIR`, `buildbot reconfig` and SIGHUP."""

    OLD = ([("w1", "Worker"), ("w2", "Worker")], [("b1", ["w1"], None), ("other", ["w2"], None)])
    NEW = ([("w1", "BuildSlave"), ("w2", "Worker")], OLD[1])

    def begin(self, **service):
        self.makeFarm()
        self.write(*self.OLD, **service)
        self.start("w1", "w2")

    def test_command(self):
        """The plan; a reconfig that is followed to its end; the deadlines; a cancellation; and mistakes."""
        self.begin()
        running = self.farm.force("b1", held=True).waitUntilRuns()
        self.write(*self.NEW)
        plan = self.command("--plan")
        self.assertIn("worker w1: its class changes", plan)
        self.assertIn("b1 #1 on w1, running for", plan)
        self.assertEqual(self.state["state"], "idle")

        # the deadline comes first: nothing has changed
        self.assertIn("the deadline came first", self.command("--deadline", "1s", status=5))

        # somebody cancels it
        follower = self.popen(str(self.farm.master.directory))
        self.assertIn("waiting for 1 build:", follower.stdout.readline())
        self.command("--cancel")
        out, _ = follower.communicate(timeout=DEADLINE)
        self.assertEqual(follower.returncode, 4, out)
        self.assertIn("no reconfig waits", self.command("--cancel", status=1))

        # it is interrupted, and built again: on the new configuration
        out = self.command("--deadline", "1s", "--on-deadline", "interrupt")
        self.assertIn("the master is reconfigured", out)
        self.farm.worker("w1").waitUntilConnected()
        self.assertEqual(self.generationOf(running.letFinish()), 2)
        self.assertEqual([each["results"] for each in running.builds], [RETRY, SUCCESS])

        # mistakes are shown, and hold nothing
        self.write(self.OLD[0], [("b1", ["nobody"], None)])
        self.assertIn("uses unknown workers 'nobody'", self.command(status=3))
        self.assertIn("uses unknown workers 'nobody'", self.command("--plan", status=3))
        self.farm.force("b1").waitUntilBuilt()

        # it is reconfigured all the same: as Buildbot does it
        running = self.farm.force("b1", held=True).waitUntilRuns()
        self.write(*self.OLD)
        self.command("--deadline", "1s", "--on-deadline", "reconfig")
        running.letFinish().waitUntilBuilt()
        self.assertEqual([each["results"] for each in running.builds], [RETRY, SUCCESS])

    def test_busy(self):
        """A master that gets more than it can build is idle soon, and reloads; nothing is lost, or built twice."""
        self.begin()
        requests = [self.farm.force("b1") for _ in range(4)]
        longest = self.farm.force("other", held=True).waitUntilRuns()
        self.write(*self.NEW)
        self.command("--all", "--detach")
        requests += [self.farm.force(name) for name in ("b1", "other", "b1", "other")]
        self.farm.waitFor("b1 is done with what it began", lambda: len(self.state["waiting_for"]) == 1)
        self.assertEqual(self.state["waiting_for"][0]["builder"], "other")
        longest.letFinish()
        ended = time.time()
        self.waitUntilReconfigured()
        self.assertLess(time.time() - ended, 20)
        self.farm.worker("w1").waitUntilConnected()
        for request in (*requests, longest):
            request.waitUntilBuilt()
            self.assertEqual([each["results"] for each in request.builds], [SUCCESS])

    def test_buildbotReconfig(self):
        """`buildbot reconfig` waits when the master says so, and ends when it is done; the next is SIGHUP."""
        self.begin(reconfigWhenIdle=True)
        running = self.farm.force("b1", held=True).waitUntilRuns()
        self.write(*self.NEW, reconfigWhenIdle=True)
        (self.farm.master.directory / "twistd.pid").write_text(str(self.farm.master.pid))
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from buildbot.scripts.runner import run; run()",
                "reconfig",
                "--progress_timeout",
                "10",
                str(self.farm.master.directory),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.kill)
        self.farm.waitFor("it waits", lambda: self.state["state"] == "waiting")
        self.assertEqual(self.state["by"], "buildbot reconfig")
        # longer than it watches a log in which nothing moves
        end = time.monotonic() + 12
        self.farm.waitFor("that passes", lambda: time.monotonic() > end)
        self.assertIsNone(process.poll())
        running.letFinish()
        out, _ = process.communicate(timeout=DEADLINE)
        self.assertIn("Reconfiguration appears to have completed successfully", out)
        self.assertIn("b1 on w1", out)
        self.assertEqual(self.generationOf(running), 1)
        self.farm.worker("w1").waitUntilConnected()
        self.assertIn("configuration update complete", self.farm.reconfig())

    def test_stopClean(self):
        """`buildbot stop --clean` (SIGUSR1) and a reconfig that waits, in either order: the master ends, cleanly."""
        self.begin()
        for shutdown_first in (False, True):
            running = self.farm.force("b1", held=True).waitUntilRuns()
            self.write(*self.NEW)
            if shutdown_first:
                self.farm.master.signal(signal.SIGUSR1)
                self.farm.waitFor(
                    "the shutdown begins", lambda: "Waiting for 1 build" in self.farm.master.log
                )
            self.command("--detach")
            self.assertEqual(self.state["state"], "waiting")
            if not shutdown_first:
                self.farm.master.signal(signal.SIGUSR1)
                self.farm.waitFor(
                    "the shutdown begins", lambda: "Waiting for 1 build" in self.farm.master.log
                )
            running.letFinish()
            self.farm.waitFor("the master ends", lambda: not self.farm.master.running)
            # it read the file when it started, and knows nothing of what waited
            (self.farm.master.directory / "twistd.log").unlink()
            self.write(*self.OLD)
            self.farm.start()
            self.assertEqual(self.state["last"], None)
            running.waitUntilBuilt()
            self.assertEqual([each["results"] for each in running.builds], [SUCCESS])
            self.farm.worker("w1").waitUntilConnected()

    def test_crash(self):
        """After a kill -9 in the middle the master comes up normal, holding nothing."""
        self.begin()
        running = self.farm.force("b1", held=True).waitUntilRuns()
        self.write(*self.NEW)
        self.command("--all", "--detach")
        waiting = self.farm.force("other")
        self.assertFalse(waiting.claimed)
        self.farm.kill()
        self.farm.start()
        running.letFinish()
        waiting.waitUntilBuilt()
        self.assertEqual((self.state["state"], self.state["last"]), ("idle", None))
        for name in ("w1", "w2"):
            self.assertNotIn(
                "reconfig",
                [each["source"] for each in self.farm.get(f"presences/{name}")["presences"][0]["holds"]],
            )
        self.farm.force("b1").waitUntilBuilt()

    def test_notRunning(self):
        """A directory in which no master runs, or none at all, is told from others."""
        self.makeFarm()
        self.assertIn("does not run", self.command(status=2))
        process = self.popen(str(self.farm.directory))
        out, _ = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 2, out)
        self.assertIn("is not a master's directory", out)
