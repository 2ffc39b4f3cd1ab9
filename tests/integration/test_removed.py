"""A worker that is removed from the configuration of a real master, in the middle of builds."""

import re
import signal

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.buildrequest import RETRY, SUCCESS
from tests.integration.farm import Farm

MAC, ARM = (f'worker.BuildSlave(name="{name}", passwd=PASSWORD)' for name in ("mac-mini", "aarch64"))

#: Builders that stay when a worker goes, and use all that there are. Builds of `locked` need a lock for their step, builds
#: of `slow` are prepared until a file exists.
BUILDERS = """
import os
from buildbot.process.build import Build
from twisted.internet import reactor, task

if not hasattr(Build, "before_the_test"):
    Build.before_the_test = Build._setup_locks

def slowly(build):
    def look():
        if build.builder.name == "slow" and not os.path.exists("go-on"):
            return task.deferLater(reactor, 0.05, look)
        return build.before_the_test()
    return look()

Build._setup_locks = slowly

lock = util.MasterLock("one at a time")
locked = steps.SetPropertyFromCommand(
    command=list(factory.steps[0].kwargs["command"]), property="began", locks=[lock.access("exclusive")]
)
for name, steps_ in (("one", factory.steps), ("two", factory.steps), ("locked", [locked]), ("slow", factory.steps)):
    c["builders"].append(
        util.BuilderConfig(
            name=name,
            workernames=[each.workername for each in c["workers"]],
            factory=util.BuildFactory(list(steps_)),
            collapseRequests=False,
            # the first one of the configuration, if it may
            nextWorker=lambda builder, workers, request: max(workers, key=lambda each: each.worker.workername),
        )
    )
    c["schedulers"].append(
        schedulers.ForceScheduler(
            name=f"force-{name}", builderNames=[name], properties=[util.StringParameter(name="hold", default="")]
        )
    )
"""


class RemovedTests(SynchronousTestCase):
    def start(self, protocol):
        self.farm = farm = Farm(self, protocol)
        farm.configure(MAC, ARM, extra=BUILDERS)
        farm.start()
        self.mac, self.arm = (
            farm.worker(name).start().waitUntilConnected() for name in ("mac-mini", "aarch64")
        )
        farm.waitFor("both are ready", lambda: all(self.ready(name) for name in ("mac-mini", "aarch64")))

    def ready(self, name):
        return self.farm.get(f"presences/{name}")["presences"][0]["state"] == "AVAILABLE"

    def remove(self):
        self.farm.reconfigure(ARM, extra=BUILDERS)

    def workersOf(self, request):
        names = {each["workerid"]: each["name"] for each in self.farm.get("workers")["workers"]}
        return [names[each["workerid"]] for each in request.builds]

    def assertBuiltAgain(self, *requests):
        for request in requests:
            request.letFinish().waitUntilBuilt()
            self.assertEqual(self.workersOf(request), ["mac-mini", "aarch64"])
            self.assertEqual([each["results"] for each in request.builds], [RETRY, SUCCESS])
        trouble = re.findall(
            r".*(?:file a bug|Unhandled error in|AttributeError|quarantine).*", self.farm.master.log
        )
        self.assertEqual(trouble, [])

    def test_several(self):
        """All builds on it are built elsewhere, those too that wait for a lock."""
        self.start("pb")
        self.farm.post("presences/mac-mini", "hold")
        first = self.farm.force("locked", held=True).waitUntilRuns()
        self.farm.post("presences/mac-mini", "release")
        builds = [self.farm.force(name, held=True).waitUntilRuns() for name in ("one", "two")]
        waits = self.farm.force("locked", held=True)
        # (a step that has begun, and does not wait yet, fails in Buildbot itself when its worker goes)
        self.farm.master.waitForLog("it waits for the lock", "waiting for lock <MasterLock")
        self.remove()
        self.farm.waitFor("they are tried again", lambda: all(len(each.builds) == 2 for each in builds))
        first.letFinish().waitUntilBuilt()
        self.assertBuiltAgain(*builds, waits)

    def beingPrepared(self, protocol):
        """A build that is being prepared for it, and one that waits for its answer to a ping."""
        self.start(protocol)
        slow = self.farm.force("slow", held=True)
        self.farm.waitFor("it is being prepared", lambda: slow.builds)
        self.mac.signal(signal.SIGSTOP)
        pinged = self.farm.force("one", held=True)
        self.farm.waitFor(
            "it is pinged", lambda: [each["state_string"] for each in pinged.builds] == ["pinging worker"]
        )
        self.remove()
        self.farm.waitFor("it is tried again", lambda: len(pinged.builds) == 2)
        (self.farm.master.directory / "go-on").touch()
        self.assertBuiltAgain(pinged, slow)

    def test_preparedPb(self):
        """Over PB those too that are being prepared, or wait for an answer to a ping."""
        self.beingPrepared("pb")

    def test_preparedMsgpack(self):
        """So it is over msgpack."""
        self.beingPrepared("msgpack")
