"""What is announced while many workers connect one after the other."""

from twisted.trial.unittest import SynchronousTestCase

from presence.model.gathering import PAUSE
from presence.model.wave import CALM, LONGEST
from tests.master.api.test_events import farm


class AnnouncementTests(SynchronousTestCase):
    """Each worker works for each builder; `heard` is what a listener has been told, in order."""

    WORKERS, BUILDERS = 30, 20

    def setUp(self):
        self.heard = []
        self.connected = set()

        def entity(name, *_):
            worker = self.events._roster.findWorker(name)
            if worker is not None:
                state = {
                    "name": name,
                    "state": worker.state.name,
                    "holds": [{"source": each.source} for each in worker.holds],
                    "connected": name in self.connected,
                }
            else:
                ready = self.events._counts.readyOf(name)
                state = {
                    "name": name,
                    "state": ["NOT_ACCEPTING_NEW_BUILDS", "AVAILABLE"][ready > 0],
                    "ready": ready,
                }
            self.heard.append(state)
            return state

        names = [f"w{number}" for number in range(self.WORKERS)]
        builders = [f"b{number}" for number in range(self.BUILDERS)]
        self.clock, self.told, self.events = farm(names, builders, entity)
        self.clock.advance(1000)
        for presence in self.presences:
            presence.hold("offline")
            presence.observe(lambda presence: self.events.workerChanged(presence.name))
        self.events.follow()
        self.pass_(1)
        self.told.clear()

    @property
    def presences(self):
        return list(self.events._roster.workers.values())

    def pass_(self, seconds):
        self.clock.pump([PAUSE / 4] * round(4 * seconds / PAUSE))

    def begin_to_connect(self, presence, masterid=1):
        self.connected.add(presence.name)
        message = {"name": presence.name, "connected_to": [{"masterid": masterid}]}
        self.events._worker_event(("workers", "1", "connected"), message)

    def connect(self, presence):
        self.begin_to_connect(presence)
        presence.release("offline")

    def last(self, name):
        return [each for each in self.heard if each["name"] == name][-1]

    def test_atMostTwoForEach(self):
        """While all connect one after the other each worker and each builder is announced twice at most, and what was
        told last is true.
        """
        for presence in self.presences:
            self.connect(presence)
            self.pass_(0.3)
        self.pass_(CALM + PAUSE)
        names = [name for name, _ in self.told]
        self.assertLessEqual(max(map(names.count, names)), 2)
        self.assertEqual(
            [self.last(f"b{number}")["ready"] for number in range(self.BUILDERS)],
            [self.WORKERS] * self.BUILDERS,
        )
        self.assertEqual({self.last(each.name)["state"] for each in self.presences}, {"AVAILABLE"})

    def test_slowly(self):
        """Also where all have connected at once, and their connections are taken one by one, each after a while."""
        for presence in self.presences:
            self.begin_to_connect(presence)
        for presence in self.presences:
            self.pass_(0.8 if presence is not self.presences[9] else 1.5 * CALM)
            presence.release("offline")
        self.pass_(CALM + PAUSE)
        names = [name for name, _ in self.told]
        self.assertLessEqual(max(map(names.count, names)), 2)
        self.assertEqual(self.last("b0")["ready"], self.WORKERS)

    def test_atOnce(self):
        """Also then it is announced at once that a worker is ready, or no longer, and that a builder can build, or not."""
        first, second, third = self.presences[:3]
        for presence in (first, second):
            self.connect(presence)
            self.pass_(0.3)
        self.told.clear()
        self.connect(third)
        self.pass_(PAUSE)
        self.assertEqual([name for name, _ in self.told], [third.name])
        self.told.clear()
        for presence in (first, second, third):
            presence.hold("admin")
        self.pass_(2 * PAUSE)
        self.assertEqual(len(self.told), 3 + self.BUILDERS)

    def test_oneAlone(self):
        """Of one worker that connects alone, and of its builders, everything is told at once."""
        self.connect(self.presences[0])
        self.pass_(2 * CALM)
        self.told.clear()
        self.connect(self.presences[1])
        self.pass_(PAUSE)
        self.assertEqual(len(self.told), 1 + self.BUILDERS)

    def test_elsewhere(self):
        """Nobody waits here for those that connect to another master, and stay offline here."""
        for presence in self.presences[:3]:
            self.begin_to_connect(presence, masterid=2)
        self.pass_(CALM + PAUSE)
        self.assertEqual(self.events._wave.size, 0)
        self.assertEqual({name for name, _ in self.told}, {each.name for each in self.presences[:3]})

    def test_firstIsToldOnce(self):
        """The first one is told of when its connection has been taken, also if that takes a while; and with it what holds it."""
        first, second = self.presences[:2]
        self.begin_to_connect(first)
        self.pass_(0.3)
        self.assertEqual(self.told, [])
        first.release("offline")
        self.pass_(PAUSE)
        self.assertEqual([name for name, _ in self.told].count(first.name), 1)
        self.pass_(2 * CALM)
        self.told.clear()
        self.begin_to_connect(second)
        second.hold("admin")
        self.pass_(PAUSE)
        self.assertEqual([name for name, _ in self.told], [second.name])

    def test_connectionIsNotTaken(self):
        """That it has one, and builds nothing, is told after a while."""
        self.begin_to_connect(self.presences[0])
        self.pass_(CALM + PAUSE)
        self.assertEqual([name for name, _ in self.told], [self.presences[0].name])

    def test_withoutEnd(self):
        """A worker that connects again and again keeps nobody's numbers from being told for ever."""
        self.connect(self.presences[0])
        for number in range(round(2 * LONGEST / 0.5)):
            if number == 10:
                self.connect(self.presences[1])
            self.begin_to_connect(self.presences[0])
            self.pass_(0.5)
        self.assertEqual(self.last("b0")["ready"], 2)

    def test_putOff(self):
        """What is put off until the wave is over is looked at then, and not ten times a second."""
        for presence in self.presences[:3]:
            self.connect(presence)
            self.pass_(0.3)
        looks = []
        ready_of = self.events._counts.readyOf
        self.patch(self.events._counts, "readyOf", lambda name: looks.append(name) or ready_of(name))
        self.events._wave.goesOn()
        self.pass_(0.8 * CALM)
        self.assertEqual(looks, [])
        self.pass_(CALM)
        self.assertEqual(self.last("b0")["ready"], 3)
