"""What a flip costs, and a look at everything: 500 workers that all work for 1000 builders.

    python benchmarks/announcements.py

There is no database and no network in it: it is the work of the master's process, which nothing else can do
meanwhile. Somebody listens to all events.
"""

import time
from types import SimpleNamespace

from buildbot.mq.simple import SimpleMQ
from twisted.internet.defer import succeed
from twisted.internet.task import Clock

from presence.breaks.schedule import Break, BreakSchedule
from presence.master.api import events, presences
from presence.master.api.entities import Entities
from presence.master.api.events import Events
from presence.model.breaktimer import BreakTimer
from presence.model.builderpresence import BuilderPresence
from presence.model.gathering import PAUSE
from presence.model.readycounts import ReadyCounts
from presence.model.workerpresence import WorkerPresence
from presence.orders.record import AdminRecord

WORKERS, BUILDERS = 500, 1000
BREAKS = [Break("07:00", "19:00", "MO-FR", tz="UTC"), Break("12:00", "13:00", tz="Europe/Berlin")]


class Farm:
    """Everything between the holds of the workers and the message queue."""

    def __init__(self):
        self.clock = clock = Clock()
        clock.advance(1795413600)
        self.presences = {f"w{number}": WorkerPresence(f"w{number}", clock) for number in range(WORKERS)}
        builders = {
            f"b{number}": BuilderPresence(f"b{number}", list(self.presences.values()))
            for number in range(BUILDERS)
        }
        services = {
            name: SimpleNamespace(
                workerid=number,
                conn=object(),
                schedule=schedule,
                adminRecord=AdminRecord(),
                breakTimer=BreakTimer(schedule, self.presences[name], clock),
            )
            for number, name in enumerate(self.presences, 1)
            for schedule in [BreakSchedule(BREAKS)]
        }
        own = {name: SimpleNamespace(name=name, _builderid=number) for number, name in enumerate(builders, 1)}
        master = SimpleNamespace(
            reactor=clock,
            mq=SimpleMQ(),
            workers=SimpleNamespace(workers=services),
            botmaster=SimpleNamespace(
                builders=own, getBuilderById={each._builderid: each for each in own.values()}.get
            ),
        )
        roster = SimpleNamespace(
            master=master,
            workers=self.presences,
            builders=builders,
            findWorker=self.presences.get,
            findBuilder=builders.get,
            enrolled=services.get,
        )
        self.builders = list(builders)
        counts = ReadyCounts()
        nothing = SimpleNamespace(
            isBusy=lambda _name: False,
            isGuarding=False,
            isGuarded=lambda _name: False,
            refusals=lambda _name: {},
            interruptsAt=lambda _name: None,
            ofWorker=lambda _name: (),
            ofBuilder=lambda _name: None,
            mayConcern=lambda _name: False,
        )
        self.entities = Entities(
            roster,
            counts,
            nothing,
            nothing,
            nothing,
            blocks=nothing,
            groupsOf=lambda _worker: (),
            builderHold=lambda _builderid: None,
        )
        types = {each.name: each(master) for each in (presences.Presence, presences.BuilderPresence)}
        self.sender = Events(roster, self.entities, counts, types)
        self.events = 0
        for plural in ("presences", "builderpresences"):
            master.mq.startConsuming(self.heard, (plural, None, None))
        for presence in self.presences.values():
            presence.observe(lambda presence: self.sender.workerChanged(presence.name))

    def heard(self, _key, _message):
        """Somebody has been told."""
        self.events += 1

    def measure(self, what, action):
        """Print how long `action` takes, and the announcement of what it has changed."""
        self.events = 0
        start = time.perf_counter()
        action()
        for seconds in (0, PAUSE, PAUSE):
            self.clock.advance(seconds)
        print(f"{what:45} {1000 * (time.perf_counter() - start):7.1f} ms  {self.events:5} events")


def main():
    events.unclaimedRequests = lambda _: succeed({})
    farm = Farm()
    one, everybody = farm.presences["w7"], list(farm.presences.values())
    farm.measure("the configuration is new", farm.sender.follow)
    farm.measure("one worker goes away", lambda: one.hold("worker"))
    farm.measure("and comes back", lambda: one.release("worker"))
    farm.measure("all workers go away", lambda: [each.hold("worker") for each in everybody])
    farm.measure("one of them says why", lambda: one.hold("worker", reason="lunch"))
    farm.measure("GET builderpresences", lambda: [farm.entities.builder(each, {}) for each in farm.builders])
    farm.measure("all workers come back", lambda: [each.release("worker") for each in everybody])
    farm.measure("GET presences", lambda: [farm.entities.worker(each) for each in farm.presences])
    farm.measure("GET builderpresences", lambda: [farm.entities.builder(each, {}) for each in farm.builders])


if __name__ == "__main__":
    main()
