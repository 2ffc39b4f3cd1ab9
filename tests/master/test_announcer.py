from types import SimpleNamespace

from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase

from presence.builderpresence import BuilderPresence
from presence.master import announcer as module
from presence.master.announcer import PAUSE, SLICE, Announcer
from presence.master.census import Census
from presence.workerpresence import WorkerPresence


def farm(workernames, buildernames, entity):
    """A clock, what is told, and an announcer to which `entity` gives whatever there is of a name."""
    clock, told = Clock(), []
    kinds = {
        name: SimpleNamespace(produceEvent=lambda entity, event: told.append((entity["name"], event)))
        for name in ("presence", "builderpresence")
    }
    workers = {name: WorkerPresence(name, clock) for name in workernames}
    builders = {name: BuilderPresence(name, list(workers.values())) for name in buildernames}
    roster = SimpleNamespace(
        master=SimpleNamespace(reactor=clock),
        workers=workers,
        builders=builders,
        findWorker=workers.get,
        findBuilder=builders.get,
    )
    entities = SimpleNamespace(worker=entity, builder=entity, follow=lambda: None, workerChanged=lambda: None)
    announcer = Announcer(roster, entities, Census(), kinds)
    announcer._recount = False  # there is no database here
    return clock, told, announcer


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

        clock, told, announcer = farm(["mac-mini"], ["one"], entity)
        announcer.follow()
        clock.pump([0, PAUSE, PAUSE])
        self.assertEqual(told, [])
        there.update((name, {"name": name}) for name in ("mac-mini", "one"))
        clock.pump([PAUSE])
        self.assertEqual(told, [("mac-mini", "changed"), ("one", "changed")])
        asked.clear()
        clock.pump([PAUSE] * 9)
        self.assertEqual((asked, clock.getDelayedCalls()), ([], []))


class SliceTests(SynchronousTestCase):
    def test_manyAtOnce(self):
        """Of hundreds that have changed no more than a slice is announced in one turn, and each is, once."""
        workers = [f"w{number}" for number in range(3 * SLICE)]
        builders = [f"b{number}" for number in range(2 * SLICE + 7)]
        clock, told, announcer = farm(workers, builders, lambda name, *_: {"name": name})
        announcer.follow()
        turns = []

        def next_turn(*args):
            turns.append(len(told))
            return deferLater(*args)

        self.patch(module, "deferLater", next_turn)
        clock.pump([0, PAUSE])
        self.assertEqual(turns, [SLICE * number for number in range(1, 6)])
        self.assertEqual(sorted(told), sorted((name, "changed") for name in workers + builders))

    def test_changedMeanwhile(self):
        """What changes between two slices is counted by whoever asks, and announced afterwards as it is then."""
        workers = [f"w{number}" for number in range(2 * SLICE)]
        clock, told, announcer = farm(
            workers, ["one"], lambda name, *_: {"name": name, "at": clock.seconds()}
        )
        announcer.follow()
        clock.advance(0)
        for worker in workers:
            announcer._roster.findWorker(worker).hold("admin")
            announcer.workerChanged(worker)
        announcer.settle()
        self.assertEqual(announcer._census.readyOf("one"), 0)
        clock.pump([0] * 9 + [PAUSE] + [0] * 9)
        self.assertEqual(told.count(("w0", "changed")), 2)
        self.assertEqual(told[-1], ("one", "changed"))
