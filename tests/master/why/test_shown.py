"""What is shown as available, and what starts, in every circumstance that there is: the two are the same."""

from buildbot.locks import MasterLock

from presence.breaks.schedule import Break
from presence.orders.shutdown import StopOrder
from presence.words.holds import stateText
from tests.master.quiescecase import QuiesceTestCase
from tests.master.why.test_blocks import BlocksCase

BUILDERS = {"on": ["mac-mini"], "lint": ["mac-mini"], "far": ["other"]}
BOTH, NONE = {"on", "lint"}, set()


class ShownTests(QuiesceTestCase, BlocksCase):
    """Of a worker, and of the two builders that only it has."""

    def setUp(self):
        super().setUp()
        lock = MasterLock("db").access("exclusive")
        # (at six)
        breaks = [Break("07:00", "08:00", tz="UTC"), Break("09:00", "10:00", tz="UTC", only=["lint"])]
        self.workers = (self.slave("mac-mini", locks=[lock], onBreakDuring=breaks), self.stock("other"))
        self.farm(*self.workers, builders=BUILDERS)
        # something runs elsewhere: so a master that stops, and a reconfig, wait
        self.request("far")
        self.going = self.jobs.pop()
        self.check("at first", BOTH)

    def shown(self):
        """Whether the worker is shown as available, and which of its builders are."""
        self.pass_(0.5)
        stopping = self.getOne("shutdown")["state"] == "stopping"
        worker = self.getOne("presences/mac-mini")
        builders = {
            each["name"]
            for each in self.getAll("builderpresences")
            if each["name"] in BOTH and stateText(each, stopping=stopping) == "available"
        }
        return stateText(worker, stopping=stopping) == "available", builders

    def check(self, when, expected):
        """What is shown is what starts, and that is what is expected."""
        worker, builders = self.shown()
        started = set()
        for builder in sorted(BOTH):
            brid = self.request(builder)
            self.pass_(1)
            if any(job.brid == brid for job in self.jobs):
                started.add(builder)
            self.finishAll()
        self.assertEqual(started, expected, when)
        self.assertEqual(builders, started, when)
        self.assertEqual(worker, bool(started), when)

    def over(self, when):
        """It is over."""
        self.pass_(1)
        self.finishAll()
        self.assertEqual(self.unclaimed(), [], when)
        self.check(f"after {when}", BOTH)

    def order(self, action, path="presences/mac-mini", **params):
        answer = self.post(path, action, **params)
        self.assertEqual(answer.status, 200, answer.json)
        self.pass_(1)

    def test_orders(self):
        """An admin's hold and drain; Buildbot's own pause; a builder that is held."""
        for action, end in (("hold", "release"), ("drain", "release")):
            self.order(action)
            self.check(action, NONE)
            self.order(end)
            self.over(action)
        self.order("pause", f"workers/{self.workerid()}", reason="disks")
        self.check("pause", NONE)
        self.order("unpause", f"workers/{self.workerid()}")
        self.over("pause")
        path = f"builderpresences/{self.getOne('builders/lint')['builderid']}"
        self.order("hold", path)
        self.check("builder held", {"on"})
        self.order("release", path)
        self.over("builder held")

    def test_breaks(self):
        """A break, and a partial one: of that the worker is available, and one of its builders is not."""
        self.passUntil(self.at(7.5))
        self.check("break", NONE)
        self.passUntil(self.at(8.1))
        self.over("break")
        self.passUntil(self.at(9.5))
        self.check("partial break", {"lint"})
        self.passUntil(self.at(10.1))
        self.over("partial break")

    def test_connection(self):
        """A worker that is not connected."""
        self.disconnect("mac-mini")
        self.check("not connected", NONE)
        self.connect("mac-mini")
        self.over("not connected")

    def test_lock(self):
        """A lock that somebody else has for good, and nobody knows who."""
        ((real, access),) = self.worker("mac-mini").locks
        owner = object()
        real.claim(owner, access)
        self.check("lock", NONE)
        real.release(owner, access)
        self.over("lock")

    def test_stop(self):
        """A master that stops, and that does not after all."""
        self.assembly.shutdown.request(StopOrder(), "ann")
        self.check("stop", NONE)
        self.assertTrue(self.assembly.shutdown.cancel("ann"))
        self.over("stop")

    def test_reconfig(self):
        """A reconfig that waits for what runs elsewhere, and holds a builder of this worker; and one that holds both."""
        for builders, left in (({"on": ["mac-mini"]}, {"on"}), ({"new": ["mac-mini"]}, NONE)):
            self.write(*self.workers, builders={**builders, "other": ["other"]})
            QuiesceTestCase.order(self)
            self.check("reconfig", left)
            self.assertTrue(self.quiesce.cancel("ann"))
            self.over("reconfig")
