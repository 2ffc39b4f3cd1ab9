import itertools
from types import SimpleNamespace

from buildbot.mq.simple import SimpleMQ
from twisted.internet.defer import succeed
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from presence.master.api import events as module
from presence.master.api.events import SLICE, Events
from presence.model.gathering import PAUSE
from presence.model.readycounts import ReadyCounts
from presence.model.turns import LONGEST
from presence.testing import FakeRoster
from tests.oneturn import oneTurn


def farm(workernames, buildernames, entity, mq=None, preparing=None):
    """A clock, what is told, and an events to which `entity` gives whatever there is of a name."""
    roster, told = FakeRoster(workernames, dict.fromkeys(buildernames, workernames)), []
    # what it has besides on a master
    roster.master = SimpleNamespace(reactor=roster.clock, mq=mq, masterid=1)
    kinds = {
        name: SimpleNamespace(
            plural=f"{name}s", produceEvent=lambda entity, event: told.append((entity["name"], event))
        )
        for name in ("presence", "builderpresence")
    }
    entities = SimpleNamespace(
        worker=entity,
        builder=entity,
        follow=lambda: None,
        workerChanged=lambda: None,
        isLimited=lambda _: False,
    )
    events = Events(roster, entities, ReadyCounts(), kinds, preparing)
    events._recount = False  # there is no database here
    return roster.clock, told, events


class PreparingTests(SynchronousTestCase):
    """What takes long of the first event that somebody hears."""

    def setUp(self):
        self.mq = SimpleMQ()
        self.prepared = []
        preparing = (self.prepared.append(each) for each in range(5))
        self.clock, self.told, self.events = farm(
            ["mac-mini"], [], lambda name, *_: {"name": name}, self.mq, preparing
        )
        self.events.follow()

    def turns(self, count):
        for _ in range(count):
            oneTurn(self.clock)

    def test_inTurns(self):
        """It is done a piece in each turn of the reactor, before that event and not again."""
        self.mq.startConsuming(lambda *_: None, ("presences", None, None))
        found = []
        for _ in range(9):
            self.turns(1)
            found.append((len(self.prepared), len(self.told)))
        self.assertEqual(
            found[:6], [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 1)], "pieces and events after each turn"
        )
        self.events.workerChanged("mac-mini")
        self.clock.pump([PAUSE] * 5)
        self.assertEqual(self.prepared, [*range(5)])

    def test_nobodyHears(self):
        """While nobody hears it is not done; nor is what was so of the last event still believed of the next."""
        self.clock.pump([PAUSE] * 5)
        self.assertEqual((self.prepared, self.told), ([], []))
        self.mq.startConsuming(lambda *_: None, ("presences", None, None))
        self.events.workerChanged("mac-mini")
        self.clock.pump([PAUSE] + [0] * 3)
        self.assertEqual(self.told, [])
        self.assertNotEqual(self.prepared, [])


class StartTests(SynchronousTestCase):
    def test_lateServices(self):
        """What has yet to start when the configuration is read is announced when it has, without any event; and then
        nothing is asked any more.
        """
        there = {}
        asked = []

        def entity(name, *_):
            asked.append(name)
            return there.get(name)

        clock, told, events = farm(["mac-mini"], ["one"], entity)
        events.follow()
        clock.pump([0, PAUSE, PAUSE])
        self.assertEqual(told, [])
        there.update((name, {"name": name}) for name in ("mac-mini", "one"))
        clock.pump([PAUSE] * 5)
        self.assertEqual(told, [("mac-mini", "changed"), ("one", "changed")])
        asked.clear()
        clock.pump([PAUSE] * 99)
        self.assertEqual((asked, clock.getDelayedCalls()), ([], []))

    def test_slowServices(self):
        """Where it takes a minute until they have started they are looked at a few times, and not all the time."""
        asked = []
        clock, _, events = farm(["mac-mini"], ["one"], lambda name, *_: asked.append(name))
        events.follow()
        clock.pump([PAUSE] * 600)
        self.assertLess(len(asked), 20)
        # who leaves the configuration is not looked for any longer
        asked.clear()
        self.patch(events._roster, "findWorker", lambda _: None)
        self.patch(events._roster, "findBuilder", lambda _: None)
        clock.pump([1] * 300)
        self.assertEqual((len(asked), clock.getDelayedCalls()), (2, []))


class ClockTests(SynchronousTestCase):
    def test_setBack(self):
        """When the clock is set back an hour in the pause, what changes then is told at once, and what had changed when
        the jump is noticed.
        """
        numbers = itertools.count()
        for noticed in (False, True):
            clock, told, events = farm(["mac-mini"], [], lambda name, *_: {"name": name, "at": next(numbers)})
            events.workerChanged("mac-mini")
            clock.advance(0)
            if noticed:
                events.workerChanged("mac-mini")
            clock.rightNow -= 3600
            if noticed:
                events.clockJumped()
            else:
                events.workerChanged("mac-mini")
            clock.advance(0)
            self.assertEqual(len(told), 2)


class SliceTests(SynchronousTestCase):
    def test_manyAtOnce(self):
        """Of hundreds that have changed no more than a slice is announced in one turn, and each is, once."""
        workers = [f"w{number}" for number in range(3 * SLICE)]
        builders = [f"b{number}" for number in range(2 * SLICE + 7)]
        clock, told, events = farm(workers, builders, lambda name, *_: {"name": name})
        events.follow()
        turns = []

        def next_turn(*args):
            turns.append(len(told))
            return deferLater(*args)

        self.patch(module, "deferLater", next_turn)
        clock.pump([0, PAUSE])
        self.assertEqual(turns, [SLICE * number for number in range(1, 6)])
        self.assertEqual(sorted(told), sorted((name, "changed") for name in workers + builders))

    def test_slow(self):
        """What takes long to announce has turns of its own."""
        workers = [f"w{number}" for number in range(5)]

        def slowly(name, *_):
            clock.rightNow += 0.6 * LONGEST
            return {"name": name}

        clock, told, events = farm(workers, [], slowly)
        events.follow()
        turns = []
        self.patch(module, "deferLater", lambda *args: (turns.append(len(told)), deferLater(*args))[1])
        clock.pump([0, PAUSE])
        self.assertEqual(turns, [2, 4])
        self.assertEqual(len(told), 5)

    def test_changedMeanwhile(self):
        """What changes between two slices is counted by whoever asks, and announced afterwards as it is then."""
        workers = [f"w{number}" for number in range(2 * SLICE)]
        clock, told, events = farm(workers, ["one"], lambda name, *_: {"name": name, "at": clock.seconds()})
        events.follow()
        clock.advance(0)
        for worker in workers:
            events._roster.findWorker(worker).hold("admin")
            events.workerChanged(worker)
        events.settle()
        self.assertEqual(events._counts.readyOf("one"), 0)
        clock.pump([0] * 9 + [PAUSE] + [0] * 9)
        self.assertEqual(told.count(("w0", "changed")), 2)
        self.assertEqual(told[-1], ("one", "changed"))


class ListenerTests(SynchronousTestCase):
    def test_nobodyListens(self):
        """No event is made on the queue of one master while nobody would hear it; who listens hears what changes then."""
        mq, value = SimpleMQ(), {}
        mq.startConsuming(lambda key, message: None, ("workers", None, None))
        clock, told, events = farm(["w0", "w1"], ["one"], lambda name, *_: {"name": name, **value}, mq)
        events.follow()
        clock.pump([0, PAUSE])
        self.assertEqual(told, [])
        listener = self.successResultOf(
            mq.startConsuming(lambda key, message: None, ("presences", "1", "changed"))
        )
        events.workerChanged("w0")
        clock.pump([0, PAUSE])
        self.assertEqual(told, [])  # it is as it was
        value["new"] = 1
        events.workerChanged("w0")
        clock.pump([0, PAUSE])
        self.assertEqual(told, [("w0", "changed")])
        listener.stopConsuming()
        value["new"] = 2
        events.workerChanged("w0")
        clock.pump([0, PAUSE])
        self.assertEqual(len(told), 1)

    def test_nobodyIsToldHowManyWait(self):
        """How many requests wait is not asked of the database while nobody would hear it; who listens hears it."""
        mq, asked, waiting = SimpleMQ(), [], {}
        self.patch(module, "unclaimedRequests", lambda master: asked.append(master) or succeed(dict(waiting)))
        clock, told, events = farm(
            [], ["one"], lambda name, counted=None: {"name": name, "waiting": counted.get(1, 0)}, mq
        )
        events._entities.builderName = {1: "one"}.get
        self.successResultOf(events.start())
        events.follow()
        for count in range(1, 4):
            waiting[1] = count
            events._request_event((), {})
            clock.pump([0, PAUSE])
        self.assertEqual((asked, told, clock.getDelayedCalls()), ([], [], []))
        mq.startConsuming(lambda key, message: None, ("builderpresences", None, None))
        waiting[1] = 4
        events._request_event((), {})
        clock.pump([0, PAUSE])
        self.assertEqual((len(asked), told), (1, [("one", "changed")]))
        self.assertEqual(events._sent["builderpresence"].forget("one")["waiting"], 4)
