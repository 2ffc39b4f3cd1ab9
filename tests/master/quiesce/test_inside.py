from types import SimpleNamespace

from twisted.logger import globalLogPublisher

from presence.master.quiesce.inside import insideOf
from presence.orders.reconfig import ReconfigOrder
from tests.master.apicase import ApiTestCase
from tests.master.quiescecase import QuiesceTestCase


class InsideTests(QuiesceTestCase, ApiTestCase):
    """A reconfig that is ordered from inside of a build is known as that."""

    def setUp(self):
        super().setUp()
        # a and b wait for the build that runs below them
        self.builders = {"top": ["mac"], "below": ["arm"], "other": ["vm"]}
        self.triggers = {"top": ["below"]}
        workers = [self.stock(name) for name in ("mac", "arm", "vm")]
        self.farm(*workers, builders=self.builders, triggers=self.triggers)
        self.request("top")
        self.request("other")
        self.assertEqual(sorted(self.running()), ["below", "other"])
        for name in ("mac", "arm", "vm"):
            self.worker(name).worker_basedir = f"/srv/{name}"
        self.steps = {job.buildername: job for job in self.jobs}

    def inside(self, *ancestors):
        """The builders of the builds to which these processes belong."""
        ids = self.resultOf(insideOf(self.master, ancestors))
        builds = [each for builder in self.master.botmaster.builders.values() for each in builder.building]
        return sorted(each.builder.name for each in builds if each.buildid in ids)

    def test_directory(self):
        """Whatever the worker builds in whose directory one of the processes runs, and what waits for that."""
        for directory in ("/srv/arm", "/srv/arm/", "/srv/arm/below/build"):
            self.assertEqual(self.inside("77 /home/ann", f"76 {directory}", "1 /"), ["below", "top"])
        self.assertEqual(self.inside("76 /srv/vm"), ["other"])
        for directory in ("/srv", "/srv/armada", "", "/"):
            self.assertEqual(self.inside(f"76 {directory}"), [])

    def test_process(self):
        """The build whose step on the master has started one of the processes."""
        self.steps["other"].process = SimpleNamespace(process=SimpleNamespace(pid=76))
        self.assertEqual(self.inside("77 /tmp", "76 /tmp"), ["other"])
        self.assertEqual(self.inside("7 /tmp", "None /tmp", "0 /tmp"), [])

    def test_order(self):
        """The answer to an order says it; without any such processes there is none, and what is no list is refused."""
        below, top = (self.buildOf(name) for name in ("below", "top"))
        order = {"all": True, "ancestors": ["5 /srv/arm"]}
        self.assertEqual(self.post("reconfig", "reconfig", **order).result["inside"], sorted([top, below]))
        self.assertEqual(self.post("reconfig", "reconfig", all=True).result["inside"], [])
        for bad in ("5 /srv", ["a"] * 101, [7], ["x" * 600]):
            self.assertEqual(self.post("reconfig", "reconfig", ancestors=bad).status, 400)

    def test_otherOrders(self):
        """So does that to a drain, of one or of several, and to a stop of the master, where the order says from where it comes."""
        inside = sorted(self.buildOf(name) for name in ("below", "top"))
        told = {"ancestors": ["5 /srv/arm"]}
        self.assertEqual(self.post("presences/arm", "drain", **told).result["inside"], inside)
        both = self.post("presences", "drain", workers=["arm", "vm"], **told).result
        self.assertEqual((both["inside"], len(both["presences"])), (inside, 2))
        self.assertNotIn("inside", self.post("presences/arm", "drain").result)
        self.assertEqual(self.post("presences/arm", "drain", ancestors="5 /srv").status, 400)

    def buildOf(self, builder):
        (build,) = self.master.botmaster.builders[builder].building
        return build.buildid

    def test_signal(self):
        """Buildbot's own command need not watch any longer, when the build that is waited for runs it; else it watches on."""
        said = []
        globalLogPublisher.addObserver(said.append)
        self.addCleanup(globalLogPublisher.removeObserver, said.append)
        self.quiesce.buildbotsOwn.takeOver(ReconfigOrder)
        self.write(
            *(self.slave(name) for name in ("mac", "arm", "vm")),
            builders=self.builders,
            triggers=self.triggers,
        )
        for command, builders in (
            ("make check", None),
            ("git pull && buildbot reconfig ..", ["below #1", "top #1"]),
            (["presence", "reconfig"], ["below #1", "top #1"]),
            ('kill -HUP "$(cat twistd.pid)"', ["below #1", "top #1"]),
            (["true", None], None),
        ):
            said.clear()
            self.steps["below"].command = command
            self.master.reconfig()
            self.pass_(1)
            lines = [each["builds"] for each in said if "completes when" in (each["log_format"] or "")]
            self.assertEqual(
                [[part.partition(" on ")[0] for part in each.split(", ")] for each in lines],
                [builders] if builders else [],
            )
