from presence.breaks.schedule import Break
from tests.master.apicase import ApiTestCase
from tests.master.fakemaster import HOUR

WORKING_HOURS = Break("07:00", "19:00", tz="UTC", reason="office hours")


class EventTests(ApiTestCase):
    """Every change is announced, once."""

    def test_hold(self):
        """A hold is announced with the entity as it is then, under the id of the worker."""
        self.startMaster([self.slave("mac-mini")])
        self.presence().hold("worker", reason="rendering")
        self.pass_(0)
        (key, message), *_ = self.events
        self.assertEqual(key, ("presences", str(self.workerid()), "changed"))
        self.assertEntity(message)
        self.assertEqual(message, self.getOne("presences/mac-mini"))

    def test_coalesced(self):
        """Several changes within a turn of the reactor are one event; what ends as it was is none."""
        self.startMaster([self.slave("mac-mini")])
        self.presence().hold("worker")
        self.presence().hold("admin")
        self.pass_(1)
        self.assertEqual([len(each["holds"]) for each in self.changes()], [2])
        self.presence().release("admin")
        self.presence().hold("admin", since=self.presence().heldBy("worker").since)
        self.pass_(1)
        self.assertEqual(self.changes(), [])

    def test_flapping(self):
        """A worker that flaps a thousand times in a second is announced about ten times, and lastly as it is."""
        self.startMaster([self.slave("mac-mini")])
        for _ in range(500):
            self.presence().hold("worker", since=1)
            self.pass_(0.001)
            self.presence().release("worker")
            self.pass_(0.001)
        self.presence().hold("worker", since=1)
        self.pass_(1)
        changes = self.changes()
        self.assertLess(len(changes), 15)
        self.assertEqual(changes[-1]["state"], "NOT_ACCEPTING_NEW_BUILDS")

    def test_clockSetBack(self):
        """After the clock was set back by an hour the next change is announced at once, not an hour later."""
        self.startMaster([self.slave("mac-mini")])
        self.presence().hold("worker")
        self.reactor.advance(0)  # announced; and now there is a pause
        self.changes()
        self.jump(-HOUR)
        self.presence().release("worker")
        self.pass_(1)
        self.assertEqual([each["state"] for each in self.changes()], ["AVAILABLE"])

    def test_builds(self):
        """The beginning and the end of a build are announced, of our workers and of stock workers."""
        self.startMaster([self.slave("mac-mini"), self.stock("plain")], {"a": ["mac-mini"], "b": ["plain"]})
        for name, builder in (("mac-mini", "a"), ("plain", "b")):
            self.request(builder)
            self.pass_(1)
            self.assertEqual([(each["name"], each["running"]) for each in self.changes()], [(name, 1)])
            self.finishAll()
            self.pass_(1)
            self.assertEqual([(each["name"], each["running"]) for each in self.changes()], [(name, 0)])

    def test_connection(self):
        """That a worker has gone, and is there again, is announced."""
        self.startMaster([self.slave("mac-mini")])
        self.disconnect("mac-mini")
        self.pass_(1)
        last = self.changes()[-1]
        self.assertEqual((last["connected"], last["state"]), (False, "NOT_ACCEPTING_NEW_BUILDS"))
        self.connect("mac-mini")
        self.pass_(1)
        last = self.changes()[-1]
        self.assertEqual((last["connected"], last["state"]), (True, "AVAILABLE"))

    def test_builders(self):
        """A flip is announced for the builders of the worker, and for no others."""
        self.startMaster(
            [self.slave("a"), self.slave("b")], {"one": ["a"], "both": ["a", "b"], "other": ["b"]}
        )
        self.presence("a").hold("worker", reason="rendering")
        self.pass_(1)
        changed = {each["name"]: each for each in self.changes("builderpresences")}
        self.assertEqual({name: each["ready"] for name, each in changed.items()}, {"one": 0, "both": 1})
        self.assertEqual(changed["one"], self.getOne("builders/one/presence"))
        self.presence("a").hold("worker", reason="lunch")
        self.pass_(1)
        self.assertEqual([each["name"] for each in self.changes("builderpresences")], ["one"])

    def test_requests(self):
        """That requests wait, and no longer do, is announced of their builder."""
        self.startMaster([self.slave("a"), self.slave("b")], {"one": ["a"], "other": ["b"]})
        self.presence("a").hold("worker")
        self.pass_(1)
        self.events.clear()
        self.request("one")
        self.pass_(1)
        self.assertEqual(
            [(each["name"], each["waiting"]) for each in self.changes("builderpresences")], [("one", 1)]
        )
        self.presence("a").release("worker")
        self.pass_(1)
        last = self.changes("builderpresences")[-1]
        self.assertEqual((last["name"], last["waiting"], last["ready"]), ("one", 0, 1))
        self.finishAll()

    def test_reconfig(self):
        """What a reconfig changes is announced: new breaks, new builders, a worker that has come or gone."""
        self.startMaster([self.slave("a"), self.slave("b")], {"one": ["a", "b"]})
        self.reconfig(
            [self.slave("a", onBreakDuring=Break("12:00", "13:00", tz="UTC")), self.slave("c")],
            {"one": ["a"]},
        )
        removed = [message["name"] for key, message in self.events if key[2] == "removed"]
        self.assertEqual(removed, ["b"])
        changes = {each["name"]: each for each in self.changes()}
        self.assertEqual(changes.keys() - {"b"}, {"a", "c"})
        self.assertEqual(changes["a"]["next_break"]["start"], self.at(12))
        self.assertEqual(self.getOne("builders/one/presence")["total"], 1)

    def test_countsStayTrue(self):
        """After many flips the counts are those that a look at all workers gives."""
        names = [f"w{number}" for number in range(6)]
        self.startMaster(
            [self.slave(name) for name in names], {f"b{n}": names[n:] for n in range(6)}, connect=False
        )
        for step in range(60):
            presence = self.presence(names[step * 7 % 6])
            if step % 3:
                presence.hold("worker")
            else:
                presence.release("offline")
                presence.release("worker")
            if step % 4 == 0:
                self.pass_(0.05)
            for entity in self.getAll("builderpresences"):
                builder = self.roster.builder(entity["name"])
                self.assertEqual(entity["ready"], len(builder.readyWorkers))
