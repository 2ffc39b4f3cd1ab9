from pathlib import Path

from buildbot_worker.bot import LocalWorker as RemoteWorker
from twisted.internet.defer import Deferred, succeed

from presence.master.owner.link import OwnerLink
from presence.worker.client import PresenceClient
from presence.worker.store import Away, Store, Wish
from tests.master.fakemaster import HOUR, MasterTestCase, SlaveController

WORKING_HOURS = ("07:00", "19:00")

AWAY = "NOT_ACCEPTING_NEW_BUILDS"


class ClientController(SlaveController):
    """A worker with a `PresenceClient` beside it, over the null protocol. What its owner says survives."""

    client = None
    onBreakDuring = None

    def connect_worker(self):
        self.basedir = getattr(self, "basedir", None) or self.case.mktemp()
        Path(self.basedir).mkdir(exist_ok=True)
        remote = self.remote_worker = RemoteWorker(self.worker.name, self.basedir, False)
        self.client = PresenceClient(
            remote, self.onBreakDuring, "UTC", localPort=None, reactor=self.case.reactor
        )
        self.client.startService()
        self.case.clients.append(self.client)
        remote.setServiceParent(self.worker)
        stop = remote.stopService
        remote.stopService = lambda: stop() if remote.running else succeed(None)
        return succeed(None)

    def disconnect_worker(self):
        if self.client is not None:
            self.case.clients.remove(self.client)
            self.client.stopService()
            self.client = None
        return super().disconnect_worker()


class ClientTestCase(MasterTestCase):
    def setUp(self):
        super().setUp()
        self.clients = []
        self.patch(PresenceClient, "tickerFactory", staticmethod(self.makeTicker))

    def begin(self, connect=True, **keywords):
        controller = ClientController(self, self.slave("mac-mini", **keywords).worker)
        self.startMaster([controller], connect=connect)
        return controller

    @property
    def client(self):
        return self.controllers["mac-mini"].client

    def view(self):
        self.pass_(0.2)
        return self.client.owner.status()["master"]["view"]


class OwnerLinkTests(ClientTestCase):
    """A whole master, and the owner's side of a worker."""

    def test_away(self):
        """What the owner says holds the worker on the master, and back releases it, and nothing else."""
        self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        (hold,) = self.presence().holds
        self.assertEqual((hold.source, hold.reason, hold.by), ("worker", "rendering", "owner"))
        self.presence().hold("admin")
        self.pass_(1)
        status = self.resultOf(self.client.owner.back())
        self.assertEqual(self.sources(), ["admin"])
        self.pass_(1)
        self.assertEqual([hold["source"] for hold in self.client.owner.status()["holds"]], ["admin"])
        self.assertEqual(status["master"]["knows_presence"], True)

    def test_clockSetBack(self):
        """When the clock is set back an hour, away, back and the views go on as before: nothing waits for an hour."""
        self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        self.client.owner.back()
        self.reactor.advance(0)
        self.reactor.rightNow -= HOUR
        for ticker in self.tickers:
            ticker.tick()
        self.pass_(0.5)
        self.assertEqual(self.sources(), [])
        self.presence().hold("admin")
        self.reactor.rightNow -= HOUR
        for ticker in self.tickers:
            ticker.tick()
        self.pass_(0.5)
        self.assertEqual([hold["source"] for hold in self.client.owner.status()["holds"]], ["admin"])

    def test_backAt(self):
        """Break 19:00 to 22:00, and the owner says away until 20:00: everybody says 22:00."""
        self.begin(onBreakDuring=("19:00", "22:00"), timezone="UTC")
        self.resultOf(self.client.owner.away("rendering", until=self.at(20)))
        self.assertEqual(self.presence().backAt, self.at(22))
        self.assertEqual(self.roster.builder("runtests").backAt, self.at(22))
        self.pass_(1)
        self.assertEqual(self.client.owner.status()["back_at"], self.at(22))
        self.passUntil(self.at(19.5))
        self.assertEqual(self.presence().backAt, self.at(22))
        self.assertEqual(self.client.owner.status()["back_at"], self.at(22))
        ready = []
        self.presence().observe(lambda presence: ready.append(presence.ready))
        self.passUntil(self.at(21))
        self.assertNotIn(True, ready)

    def test_blink(self):
        """An admin's hold that ends as a break of the owner's own begins lets nobody through, however late its message is."""
        controller = ClientController(self, self.slave("mac-mini").worker)
        controller.onBreakDuring = ("07:00", "08:00")
        self.startMaster([controller])
        self.presence().hold("admin", until=self.at(7))
        self.request()
        ready = []
        self.presence().observe(lambda presence: ready.append(presence.ready))
        self.pass_(1)
        waiting = self.presence().waitUntilReady()
        self.assertEqual(self.presence().backAt, self.at(8))
        self.assertEqual(self.client.owner.status()["back_at"], self.at(8))
        self.patch(self.client._conversation._transport, "send", lambda name, message: Deferred())
        self.passUntil(self.at(8) - 1)
        self.assertEqual((self.sources(), self.starts, self.presence().backAt), (["worker"], [], self.at(8)))
        self.assertNotIn(True, ready)
        self.assertNoResult(waiting)
        self.passUntil(self.at(8) + 1)
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_attachesAway(self):
        """A worker that connects while its owner is away is held before Buildbot can give it a build."""
        controller = self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        self.disconnect("mac-mini")
        self.request()
        ready = []
        self.presence().observe(lambda presence: ready.append(presence.ready))
        self.connect("mac-mini")
        self.pass_(HOUR)
        self.assertEqual((self.sources(), self.starts), (["worker"], []))
        self.assertNotIn(True, ready)
        self.resultOf(controller.client.owner.back())
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])

    def test_saidWhileOff(self):
        """What the owner has said while the master knew nothing of it counts before a build can begin."""
        controller = self.begin()
        self.disconnect("mac-mini")
        Store(controller.basedir).save(Wish(Away("rendering", "owner", self.reactor.seconds(), None), None))
        self.request()
        self.connect("mac-mini")
        self.pass_(HOUR)
        self.assertEqual((self.sources(), self.starts), (["worker"], []))

    def test_infoIsTakenOut(self):
        """What is in the worker info about presence does not become a property of the worker."""
        self.begin()
        self.assertNotIn("presence", self.worker("mac-mini").info)

    def test_comesBackWithout(self):
        """A worker that comes back without a client is held no longer by what it said."""
        controller = self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        self.disconnect("mac-mini")
        self.assertEqual(self.sources(), ["offline", "worker"])
        self.resultOf(SlaveController.connect_worker(controller))
        self.pass_(1)
        self.assertEqual(self.sources(), [])

    def test_running(self):
        """The view says what runs, and what has finished."""
        self.begin()
        self.request()
        self.assertEqual(self.view()["running"], 1)
        (running,) = self.client.owner.status()["running"]
        self.assertEqual(running["builder"], "runtests")
        self.assertLess(self.reactor.seconds() - running["since"], 5)
        self.finishAll()
        self.assertEqual(self.view()["running"], 0)

    def test_views(self):
        """Whatever changes on the master is shown to the owner within a moment."""
        self.begin(onBreakDuring=WORKING_HOURS, timezone="UTC")
        self.assertEqual(self.view()["next_break"]["start"], self.at(7))
        self.passUntil(self.at(8))
        self.assertEqual([hold["source"] for hold in self.view()["holds"]], ["break"])
        self.worker("mac-mini").pause("disk")
        self.assertEqual([hold["source"] for hold in self.view()["holds"]], ["break", "pause"])
        controller = self.controllers["mac-mini"]
        self.reconfig(
            [
                ClientController(
                    self, self.slave("mac-mini", onBreakDuring=("09:00", "10:00"), timezone="UTC").worker
                )
            ]
        )
        self.assertEqual(self.view()["next_break"]["start"], self.at(9))
        self.assertIs(self.controllers["mac-mini"], controller)

    def count_views(self):
        """From now on: each time that it is found out what the owner would be shown."""
        counted, view = [], OwnerLink._view

        def counting(link, now):
            counted.append(now)
            return view(link, now)

        self.patch(OwnerLink, "_view", counting)
        return counted

    def test_oneView(self):
        """A change here, and a word of the owner's, cost one view: what is in an answer is not found out a second time."""
        self.begin()
        self.pass_(1)
        counted = self.count_views()
        self.presence().hold("admin", reason="disk")
        self.pass_(1)
        self.assertEqual(len(counted), 1)
        self.assertEqual(self.client.owner.status()["master"]["view"]["holds"][0]["reason"], "disk")
        self.resultOf(self.client.owner.away("rendering"))
        self.pass_(1)
        self.assertEqual(len(counted), 2)
        self.assertEqual(
            [hold["source"] for hold in self.client.owner.status()["master"]["view"]["holds"]],
            ["worker", "admin"],
        )

    def test_meanwhile(self):
        """What changes while a view has not been answered is told when it has been."""
        self.begin()
        self.pass_(1)
        answer, told = Deferred(), []
        link = self.worker("mac-mini")._owner_link
        self.patch(link, "_send", lambda view: told.append(view) or (succeed(None) if told[1:] else answer))
        self.presence().hold("admin", reason="disk")
        self.pass_(1)
        self.presence().hold("admin", reason="two disks")
        self.pass_(1)
        self.assertEqual([each["holds"][0]["reason"] for each in told], ["disk"])
        answer.callback(None)
        self.pass_(0.2)
        self.assertEqual([each["holds"][0]["reason"] for each in told], ["disk", "two disks"])

    def test_workAnyway(self):
        """The owner suspends the break of master.cfg, and what waits is built."""
        self.begin(onBreakDuring=WORKING_HOURS, timezone="UTC")
        self.passUntil(self.at(8))
        self.request()
        self.resultOf(self.client.owner.workAnyway(self.at(9)))
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.passUntil(self.at(9))
        self.assertEqual(self.sources(), ["break"])

    def test_lastMoment(self):
        """The owner says away while a build is prepared: it does not start."""
        self.begin()
        slow = []
        real = self.master.data.updates.addBuild

        def wait(*args, **kwargs):
            slow.append(Deferred())
            return slow[-1].addCallback(lambda _: real(*args, **kwargs))

        self.patch(self.master.data.updates, "addBuild", wait)
        brid = self.request()
        self.resultOf(self.client.owner.away("rendering"))
        slow.pop().callback(None)
        self.pass_(1)
        self.assertEqual((self.starts, self.unclaimed()), ([], [brid]))

    def test_notMissing(self):
        """A worker whose owner has said away and switched it off is not missing; one that is lost is."""
        self.begin(notify_on_missing="me@example.org", missing_timeout=60)
        self.resultOf(self.client.owner.away("holidays"))
        self.disconnect("mac-mini")
        self.assertIsNone(self.worker("mac-mini").missing_timer)
        self.connect("mac-mini")
        self.resultOf(self.client.owner.back())
        self.pass_(1)
        self.disconnect("mac-mini")
        self.assertIsNotNone(self.worker("mac-mini").missing_timer)

    def test_removed(self):
        """A worker that leaves the configuration and comes back is not held by what was said before."""
        self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        self.disconnect("mac-mini")
        self.reconfig([self.slave("other")])
        self.reconfig([self.slave("other"), self.slave("mac-mini")])
        self.assertEqual(self.sources(), ["offline"])

    def test_stopIsRefused(self):
        """A LocalWorker cannot end the process of its master."""
        self.begin()
        self.assertIn(
            "lives in the process",
            self.failureResultOf(self.client.owner.stopWhenIdle(), ValueError).getErrorMessage(),
        )


class RefusalTests(ClientTestCase):
    def attachWith(self, info):
        """Connect with this in the worker info; what the worker is sent first."""
        self.begin(connect=False)
        told = []
        self.patch(PresenceClient, "greeting", lambda client: info)
        self.patch(PresenceClient, "viewArrived", lambda client, message: told.append(message))
        self.connect("mac-mini")
        self.pass_(1)
        # what is so is told as well
        self.assertEqual([hold["source"] for hold in told[1]["holds"]], self.sources())
        return told[0]

    def check_wrongInfo(self, info, problem):
        self.assertIn(problem, self.attachWith(info)["error"])
        self.request()
        self.assertEqual((self.sources(), self.starts), (["worker"], []))

    def test_laterVersion(self):
        """A worker of a later version is told that, and is held unless it says AVAILABLE: see `test_closed`."""
        self.check_wrongInfo({"version": 2}, "version 2 is not known here: version 1 is spoken")

    def test_available(self):
        """One that says AVAILABLE, and nonsense besides, is told so, and is not held."""
        problem = self.attachWith({"version": 1, "state": "AVAILABLE", "until": 5})["error"]
        self.assertIn("until 5 is past", problem)
        self.assertEqual(self.sources(), [])

    def test_nonsense(self):
        """A worker that says nonsense when it connects is told so, and is held."""
        self.check_wrongInfo("away", "'away' is not a message")

    def test_messages(self):
        """A message that is not right is answered with what is wrong, and an owner who is away stays away."""
        self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        before = self.presence().holds
        send = self.client._conversation._transport.send
        for name in ("presence", "presence_stop"):
            for message in (None, {}, {"version": 2}, {"version": 1, "state": "AVAILABLE", "until": 5}):
                answer = self.resultOf(send(name, message))
                self.assertIn(f"{name} was refused", answer["error"])
        self.assertEqual(self.presence().holds, before)
        self.assertEqual(self.flushLoggedErrors(), [])
