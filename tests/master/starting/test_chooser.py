from twisted.internet.defer import Deferred, succeed

from presence.master.starting.answers import SiteAnswers
from presence.master.starting.chooser import ChooserHook
from tests.master.fakemaster import MasterTestCase
from tests.master.triggers import family


class FakeDoor:
    """Lets in what `opens(builder, worker, request)` says; `asked` is what it was asked whether it may start."""

    def __init__(self, opens, *, children=False):
        self.opens = opens
        self.children = children
        self.isGuarding = True
        self.asked = []
        self.askedForChildren = []

    def onlyChildren(self, builder, worker):
        self.askedForChildren.append((builder, worker.workername))
        return self.children

    def mayStart(self, builder, worker, request):
        self.asked.append((builder, worker.workername, request.id))
        return self.opens(builder, worker.workername, request)


class ChooserTests(MasterTestCase):
    """Every door is asked whether a request may start on a worker, stock or ours."""

    def hook(self, *doors):
        hook = ChooserHook(self.master, doors, SiteAnswers(self.master))
        hook.start()
        return hook

    def kick(self):
        self.master.botmaster.maybeStartBuildsForAllBuilders()
        self.pass_(1)

    def assertAllowed(self, allowed, *answers):
        self.startMaster([self.stock("plain")])
        self.hook(*(FakeDoor(lambda *_, answer=answer: answer) for answer in answers))
        self.request()
        self.assertEqual(len(self.starts), allowed)

    def test_allOpen(self):
        """A build starts when all doors let it in, at once or after a question to the database."""
        self.assertAllowed(1, True, succeed(True))

    def test_oneRefuses(self):
        """A build does not start when the last of the doors refuses it."""
        self.assertAllowed(0, True, False)

    def test_oneRefusesLater(self):
        """A build does not start when the first of the doors refuses it, and then the others are not asked."""
        second = FakeDoor(lambda *_: True)
        self.startMaster([self.stock("plain")])
        self.hook(FakeDoor(lambda *_: succeed(False)), second)
        self.request()
        self.assertEqual((self.starts, second.asked), ([], []))

    def test_whatIsAsked(self):
        """It is asked with the builder's name, the worker and the request; another worker is tried, then the next request."""
        self.startMaster([self.slave("w0"), self.stock("w1")])
        door = FakeDoor(lambda _builder, worker, request: (worker, request.id) == ("w1", 2))
        self.hook(door)
        first, second = self.request(), self.request()
        self.assertEqual((first, second), (1, 2))
        self.assertEqual(self.startedOn(), ["w1"])
        self.assertLessEqual(
            {("runtests", "w0", 1), ("runtests", "w1", 1), ("runtests", "w1", 2)}, set(door.asked)
        )
        self.assertEqual(self.unclaimed(), [1])

    def test_notGuarding(self):
        """A door that has nothing to say is asked nothing."""
        self.startMaster([self.stock("plain")])
        door = FakeDoor(lambda *_: False, children=True)
        door.isGuarding = False
        self.hook(door)
        self.request()
        self.assertEqual((len(self.starts), door.asked, door.askedForChildren), (1, [], []))

    def test_buildbotStillDecides(self):
        """What all doors let in may still be refused by the builder's own `canStartBuild`."""
        self.startMaster([self.stock("plain")])
        self.master.botmaster.builders["runtests"].config.canStartBuild = lambda *_: False
        self.hook(FakeDoor(lambda *_: True))
        self.request()
        self.assertEqual(self.starts, [])

    def test_workerGoes(self):
        """A worker that goes while a door asks the database gets no build, and the request waits for another."""
        self.startMaster([self.slave("w0")])
        answer = Deferred()
        self.hook(FakeDoor(lambda *_: answer))
        brid = self.request()
        self.disconnect("w0")
        answer.callback(True)
        self.pass_(1)
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_onlyChildren(self):
        """Where only children may start nobody is asked about other requests, as Buildbot reads each from its database."""
        self.startMaster([self.stock("plain")])
        door = FakeDoor(lambda *_: True, children=True)
        self.hook(door)
        brid = self.request()
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))
        self.assertEqual((door.asked, set(door.askedForChildren)), ([], {("runtests", "plain")}))

    def test_childrenStart(self):
        """Where only children may start they do."""
        self.startMaster(
            [self.slave("w0")], **family(self, {"parent": (["w0"], "child"), "child": (["w0"], None)})
        )
        self.hook(
            FakeDoor(lambda *_: True, children=False),
            door := FakeDoor(lambda _builder, _worker, request: request.waitedFor, children=True),
        )
        door.isGuarding = False
        self.request("parent")
        door.isGuarding = True
        other = self.request("child")
        self.kick()
        self.assertEqual([start.builder for start in self.starts], ["parent", "child"])
        self.assertEqual(self.unclaimed(), [other])

    def test_oneWorkerIsOpen(self):
        """Others than children are asked about while one worker takes them."""
        self.startMaster([self.slave("w0"), self.slave("w1")])
        door = FakeDoor(lambda _builder, worker, _request: worker == "w1")
        door.onlyChildren = lambda _builder, worker: worker.workername == "w0"
        self.hook(door)
        self.request()
        self.assertEqual(self.startedOn(), ["w1"])

    def test_doorsTogether(self):
        """When one door leaves one worker to children, and another door the other, only children are asked about."""
        self.startMaster([self.slave("w0"), self.slave("w1")])
        doors = [FakeDoor(lambda *_: True) for _ in range(2)]
        doors[0].onlyChildren = lambda _builder, worker: worker.workername == "w0"
        doors[1].onlyChildren = lambda _builder, worker: worker.workername == "w1"
        self.hook(*doors)
        self.request()
        self.assertEqual(self.starts, [])

    def test_busyWorkersDoNotCount(self):
        """When the workers that can build now take only children, others are not asked about for one that is busy."""
        self.startMaster([self.slave("w0"), self.slave("w1")])
        door = FakeDoor(lambda _builder, worker, _request: worker == "w1")
        door.onlyChildren = lambda _builder, worker: worker.workername == "w0"
        self.hook(door)
        self.request()
        door.asked.clear()
        self.request()
        self.assertEqual((self.startedOn(), door.asked), (["w1"], []))

    def test_nobodyIsFree(self):
        """When no worker can build now, and all take only children, no other request is read from the database."""
        self.startMaster([self.slave("w0")])
        self.hook(door := FakeDoor(lambda *_: True, children=True))
        door.isGuarding = False
        self.request()
        door.isGuarding = True
        read = []
        chooser = self.master.botmaster.brd.BuildChooser
        self.patch(chooser, "_getBuildRequestForBrdict", lambda _chooser, brdict: read.append(brdict))
        self.request()
        self.assertEqual((self.startedOn(), read), (["w0"], []))

    def test_workerGoesBefore(self):
        """No door is asked about a worker that goes while `nextWorker` chooses it, and the request is not claimed for it."""
        self.startMaster([self.slave("w0")])
        self.hook(door := FakeDoor(lambda *_: True))
        chosen = Deferred()
        self.master.botmaster.builders["runtests"].config.nextWorker = lambda *_: chosen
        (wfb,) = self.master.botmaster.builders["runtests"].workers
        brid = self.request()
        claims = []
        self.patch(self.master.data.updates, "claimBuildRequests", lambda brids, **_: claims.append(brids))
        self.disconnect("w0")
        chosen.callback(wfb)
        self.pass_(1)
        self.assertEqual((door.asked, self.starts, self.unclaimed()), ([], [], [brid]))
        self.assertEqual(claims, [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_stop(self):
        """When it stops, Buildbot's choosers are its own again."""
        self.startMaster([self.stock("plain")])
        brd = self.master.botmaster.brd
        self.assertNotIn("BuildChooser", vars(brd))
        hook = self.hook(FakeDoor(lambda *_: False))
        hook.stop()
        self.assertNotIn("BuildChooser", vars(brd))
        self.request()
        self.assertEqual(len(self.starts), 1)
