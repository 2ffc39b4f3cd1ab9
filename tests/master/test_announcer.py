from types import SimpleNamespace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.builderpresence import BuilderPresence
from presence.master.announcer import PAUSE, Announcer
from presence.master.census import Census
from presence.workerpresence import WorkerPresence


class StartTests(SynchronousTestCase):
    def test_lateServices(self):
        """What has yet to start when the configuration is read is announced when it has, without any event; and then
        nothing is asked any more.
        """
        clock = Clock()
        there = {}
        asked = []

        def entity(name, *_):
            asked.append(name)
            return there.get(name)

        told = []
        kinds = {
            name: SimpleNamespace(produceEvent=lambda entity, event: told.append((entity["name"], event)))
            for name in ("presence", "builderpresence")
        }
        workers = {"mac-mini": WorkerPresence("mac-mini", clock)}
        builders = {"one": BuilderPresence("one", list(workers.values()))}
        roster = SimpleNamespace(
            master=SimpleNamespace(reactor=clock),
            workers=workers,
            builders=builders,
            findWorker=workers.get,
            findBuilder=builders.get,
        )
        entities = SimpleNamespace(worker=entity, builder=entity, follow=lambda: None)
        announcer = Announcer(roster, entities, Census(), kinds)
        announcer._recount = False  # there is no database here
        announcer.follow()
        clock.pump([0, PAUSE, PAUSE])
        self.assertEqual(told, [])
        there.update((name, {"name": name}) for name in ("mac-mini", "one"))
        clock.pump([PAUSE])
        self.assertEqual(told, [("mac-mini", "changed"), ("one", "changed")])
        asked.clear()
        clock.pump([PAUSE] * 9)
        self.assertEqual((asked, clock.getDelayedCalls()), ([], []))
