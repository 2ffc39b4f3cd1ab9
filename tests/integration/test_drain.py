"""Draining real workers: as an admin does it, while builds run, workers come and go, and the master is killed."""

import time

from tests.integration.buildrequest import RETRY, SUCCESS
from tests.integration.processes import DEADLINE
from tests.integration.test_admin import USERS, AdminTestCase

MAC = 'worker.BuildSlave(name="mac-mini", passwd=PASSWORD)'
ARM = 'worker.BuildSlave(name="aarch64", passwd=PASSWORD)'

#: A builder whose builds, when their process has ended, wait for one of another builder on the same worker.
PARENT = """
c["schedulers"] += [
    schedulers.Triggerable(name="children", builderNames=["mac-mini"]),
    schedulers.ForceScheduler(
        name="force-parent", builderNames=["parent"],
        properties=[util.StringParameter(name="hold", default="")],
    ),
]
parent = util.BuildFactory(list(factory.steps))
parent.addStep(steps.Trigger(schedulerNames=["children"], waitForFinish=True))
c["builders"].append(util.BuilderConfig(name="parent", workernames=["mac-mini"], factory=parent))
"""


#: Only Ann may stop the master; everything else is for everybody.
RULES = f"""
from buildbot.www.authz.endpointmatchers import EndpointMatcherBase, Match

class StopMatcher(EndpointMatcherBase):
    def match_ShutdownEndpoint_stop(self, endpoint, arguments, options):
        return defer.succeed(Match(self.master))
    match_ShutdownEndpoint_cancel = match_ShutdownEndpoint_stop

from twisted.internet import defer
c["www"]["auth"] = util.UserPasswordAuth({USERS!r})
c["www"]["authz"] = util.Authz(
    allowRules=[StopMatcher(role="admins")],
    roleMatchers=[util.RolesFromUsername(roles=["admins"], usernames=["ann"])],
)
"""


class DrainTestCase(AdminTestCase):
    def startBoth(self, protocol, **keywords):
        self.start(MAC, ARM, protocol=protocol, **keywords)
        return [self.farm.worker(name).start().waitUntilConnected() for name in ("mac-mini", "aarch64")]

    def state(self, name="mac-mini"):
        drain = self.presence(name)["drain"]
        return drain and drain["state"]

    def done(self, *arguments):
        status, out = self.command(*arguments)
        self.assertEqual(status, 0, out)
        return out

    def results(self, request):
        return [each["results"] for each in request.builds]


class DeadlineTests(DrainTestCase):
    """`presence drain --wait --deadline`."""

    def test_interrupted(self):
        """What runs at the deadline is interrupted and built elsewhere, and the drain survives a kill -9 of the master."""
        mac, _ = self.startBoth("pb")
        self.done("hold", "aarch64")
        build = self.farm.force(held=True).waitUntilRuns()
        self.done("release", "aarch64")
        begun = time.time()
        drain = self.popen("drain", "mac-mini", "--deadline", "2s", "--reason", "update", "--wait")
        self.farm.waitFor("it is built again", lambda: len(build.builds) == 2)
        self.assertGreaterEqual(time.time(), begun + 2)
        out, _ = drain.communicate(timeout=DEADLINE)
        self.assertEqual(drain.returncode, 0, out)
        self.assertIn("mac-mini: draining, drain by anonymous (update), builds are interrupted ", out)
        self.assertIn("  any #1 on mac-mini, for ", out)
        self.assertIn("nothing runs there any more", out)
        self.assertEqual(self.state(), "drained")
        # nobody else's build is touched, the worker is not, and nothing is lost
        build.letFinish().waitUntilBuilt()
        self.assertEqual(self.results(build), [RETRY, SUCCESS])
        self.assertEqual((mac.connections, mac.connected), (1, True))
        waiting = self.farm.force("mac-mini")
        # a master that is killed knows all of it again
        before = self.presence()
        self.farm.kill()
        self.farm.start()
        self.assertEqual(self.presence()["drain"], before["drain"])
        mac.waitUntilConnected()
        self.farm.waitFor("its builders are there", lambda: self.sources() == ["admin"])
        self.assertFalse(waiting.claimed)
        self.done("release", "mac-*")
        waiting.waitUntilBuilt()


class WaitTests(DrainTestCase):
    """What runs is finished, and what that waits for."""

    def test_finished(self):
        """A child is built on the drained worker, a cancelled drain ends nothing, a reconnect changes nothing."""
        mac, _ = self.startBoth("msgpack", extra=PARENT)
        parent = self.farm.force("parent", held=True).waitUntilRuns()
        # cancelled before its deadline, a drain interrupts nothing
        # (a command takes a second on a busy machine)
        self.done("drain", "mac-mini", "--deadline", "5s")
        deadline = time.time() + 5.5
        self.done("release", "mac-mini")
        drain = self.popen("drain", "mac-mini", "--wait")
        self.farm.waitFor("it is drained", lambda: self.state() == "draining")
        stranger = self.farm.force("mac-mini")
        self.farm.waitFor("the deadline that is none any more", lambda: time.time() > deadline)
        self.assertEqual(self.results(parent), [None])
        # its last step waits for a build that only this worker can do, of a builder for which another request waits
        parent.letFinish().waitUntilBuilt()
        out, _ = drain.communicate(timeout=DEADLINE)
        self.assertEqual(drain.returncode, 0, out)
        self.assertEqual(self.state(), "drained")
        self.assertFalse(stranger.claimed)
        # the worker is killed in mid-drain: it is drained when it comes back, and its build is built elsewhere
        self.done("release", "mac-mini")
        stranger.waitUntilBuilt()
        self.done("hold", "aarch64")
        build = self.farm.force(held=True).waitUntilRuns()
        self.done("release", "aarch64")
        self.done("drain", "mac-mini", "--deadline", "1h")
        mac.kill()
        self.farm.waitFor("it is built again", lambda: len(build.builds) == 2)
        mac.start()
        self.farm.waitFor("it is back", lambda: mac.connections == 2)
        self.farm.waitFor("its builders are there", lambda: self.sources() == ["admin"])
        self.assertEqual(self.state(), "drained")
        build.letFinish().waitUntilBuilt()
        self.assertEqual(self.results(build), [RETRY, SUCCESS])
        waiting = self.farm.force("mac-mini")
        self.assertFalse(waiting.claimed)
        self.done("release", "mac-mini")
        waiting.waitUntilBuilt()


class StopTests(DrainTestCase):
    """`presence stop-master`."""

    def test_stopped(self):
        """A master stops when nothing runs and loses nothing; a cancelled stop is as if it had not been."""
        self.startBoth("pb", extra=PARENT + RULES)
        parent = self.farm.force("parent", held=True).waitUntilRuns()
        status, out = self.command("stop-master", "--detach", user="me@example.org")
        self.assertEqual(status, 1, out)
        self.assertIn("you need to have role 'admins' (you are me@example.org)", out)
        # ordered and cancelled: all goes on at once, though the build of before still runs
        status, out = self.command("stop-master", "--detach", user="ann")
        self.assertEqual(status, 0, out)
        waiting = self.farm.force("aarch64")
        self.assertFalse(waiting.claimed)
        status, out = self.command("stop-master", "--cancel", user="ann")
        self.assertEqual(status, 0, out)
        waiting.waitUntilBuilt()
        # ordered: the child that the build waits for is built, what is requested waits, and the process ends
        stop = self.popen("stop-master", str(self.farm.master.directory), user="ann")
        self.farm.waitFor(
            "it is about to stop", lambda: self.farm.get("shutdown")["shutdowns"][0]["state"] == "stopping"
        )
        waiting = [self.farm.force("mac-mini"), self.farm.force("aarch64")]
        parent.letFinish()
        self.farm.waitFor("the master has stopped", lambda: not self.farm.master.running)
        out, _ = stop.communicate(timeout=DEADLINE)
        self.farm.kill()
        self.assertEqual(stop.returncode, 0, out)
        self.assertIn("  parent #1 on mac-mini, for ", out)
        self.assertIn("the master has stopped", out)
        self.farm.start()
        self.assertEqual(self.results(parent), [SUCCESS])
        for each in waiting:
            each.waitUntilBuilt()
            self.assertEqual(self.results(each), [SUCCESS])

    def test_interrupted(self):
        """With the deadline what runs is interrupted, and built again when the master is started."""
        self.startBoth("msgpack", extra=RULES)
        builds = [self.farm.force(name, held=True).waitUntilRuns() for name in ("mac-mini", "aarch64")]
        status, out = self.command(
            "stop-master", "--deadline", "1s", "--on-deadline", "interrupt", user="ann"
        )
        self.assertEqual(status, 0, out)
        self.farm.waitFor("the process has ended", lambda: not self.farm.master.running)
        self.farm.kill()
        self.farm.start()
        for each in builds:
            each.letFinish().waitUntilBuilt()
            self.assertEqual(self.results(each), [RETRY, SUCCESS])
