"""A connection that Buildbot does not take changes nothing that was known of the worker."""

from buildbot.worker.protocols import null
from twisted.internet.defer import succeed

from tests.master.fakemaster import HOUR, MasterTestCase
from tests.master.owner.test_link import ClientTestCase

AWAY = {"version": 1, "state": "NOT_ACCEPTING_NEW_BUILDS", "reason": "rendering", "by": "owner"}
AVAILABLE = {"version": 1, "state": "AVAILABLE"}


class Remote:
    """The other end of a connection. It keeps what it is told of the presence."""

    def __init__(self, name):
        self.workername = name
        self.bot = self
        self.told = []

    def remote_presence_view(self, view):
        self.told.append(view)
        return succeed(None)


class Connection(null.Connection):
    """A connection of somebody whose worker info has this in it."""

    def __init__(self, worker, info):
        super().__init__(Remote(worker.workername))
        self.info = info


class LatentTests(MasterTestCase):
    """A latent machine connects when nobody asked for it."""

    def setUp(self):
        super().setUp()
        self.latent_controller = self.latent("cloud")
        self.startMaster([self.latent_controller])

    def connectWith(self, info):
        worker = self.worker("cloud")
        connection = Connection(worker, info)
        done = worker.attached(connection)
        self.pass_(1)
        self.assertEqual(connection.worker.told, [])
        self.assertIn("not trying to substantiate", str(self.failureResultOf(done, RuntimeError).value))

    def assertBuilds(self):
        self.assertEqual(self.sources("cloud"), [])
        self.request()
        self.assertTrue(self.latent_controller.started)
        self.assertEqual(self.startedOn(), ["cloud"])
        self.finishAll()
        self.pass_(HOUR)

    def test_away(self):
        """It says "away", and is refused: it is started for the next build as ever."""
        self.connectWith({"presence": dict(AWAY)})
        self.assertBuilds()

    def test_nonsense(self):
        """So it is when it says nonsense."""
        self.connectWith({"presence": "away"})
        self.assertBuilds()

    def test_whileItBuilds(self):
        """A second one that connects while it builds changes nothing of it."""
        self.request()
        self.assertEqual(self.startedOn(), ["cloud"])
        self.connectWith({"presence": dict(AWAY)})
        self.assertEqual(self.sources("cloud"), [])
        self.finishAll()
        self.pass_(HOUR)


class SecondConnectionTests(ClientTestCase):
    """A second connection of a worker whose owner is away; Buildbot finds that the first one is still there."""

    def connectSecond(self, info):
        worker = self.worker("mac-mini")
        first = worker.conn
        second = Connection(worker, info)
        self.resultOf(worker.attached(second))
        self.pass_(1)
        self.assertEqual(second.worker.told, [])
        self.assertEqual(len(self.flushLoggedErrors(AssertionError)), 1)
        self.assertIs(worker.conn, first)

    def check_stillAway(self, info):
        self.begin()
        self.resultOf(self.client.owner.away("rendering"))
        self.request()
        holds = self.presence().holds
        self.connectSecond(info)
        self.pass_(HOUR)
        self.assertEqual((self.presence().holds, self.starts), (holds, []))
        # the first one is still heard, and told
        self.presence().hold("admin")
        self.assertEqual([hold["source"] for hold in self.view()["holds"]], ["worker", "admin"])
        self.presence().release("admin")
        self.resultOf(self.client.owner.back())
        self.pass_(1)
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()

    def test_available(self):
        """It says AVAILABLE: the owner is still away, and no build starts."""
        self.check_stillAway({"presence": dict(AVAILABLE)})

    def test_silent(self):
        """It says nothing of its presence: the owner is still away."""
        self.check_stillAway({})

    def test_nonsense(self):
        """It says what cannot be understood: the owner is still away, for the owner's reason."""
        self.check_stillAway({"presence": {"version": 7}})

    def test_away(self):
        """It says "away", and the first one is AVAILABLE: that one goes on building."""
        self.begin()
        self.connectSecond({"presence": dict(AWAY)})
        self.assertEqual(self.sources(), [])
        self.request()
        self.assertEqual(self.startedOn(), ["mac-mini"])
        self.finishAll()
