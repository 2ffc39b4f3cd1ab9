import os
import signal

from presence.worker.client import PresenceClient
from presence.worker.returning.policy import TICK, checkPolicy
from tests.worker.fakewire import ClientTestCase, FakeWorker, view

STOP, CONT = signal.SIGSTOP, signal.SIGCONT


class FakeProcess:
    def __init__(self, pgid):
        self.pgid = pgid


class FakeCommand:
    """What `RunProcess` is: it has a process group, timeouts, and can be killed."""

    def __init__(self, clock, group, timeout=10):
        self.process = FakeProcess(group)
        self.killed = []
        self.ioTimeoutTimer = clock.callLater(timeout, self.timedOut)
        self.maxTimeoutTimer = None

    def timedOut(self):
        self.killed.append("timeout")

    def kill(self, why):
        self.killed.append(why)


class ReturnTestCase(ClientTestCase):
    policy = "suspend"
    limit = None

    def begin(self, onBreakDuring=None):
        self.signals = getattr(self, "signals", [])
        self.patch(os, "killpg", lambda group, signum: self.signals.append((group, signum)))
        self.nice = {}
        self.patch(os, "getpriority", lambda which, group: self.nice.get(group, 0))
        self.patch(os, "setpriority", lambda which, group, value: self.nice.__setitem__(group, value))
        self.patch(
            PresenceClient,
            "_watches",
            lambda client, sensors: FakeWatches(),
        )
        self.sensors = ["one"]
        super().begin(onBreakDuring)

    def makeClient(self, worker, **keywords):
        return PresenceClient(worker, **keywords, onReturn=self.policy, returnLimit=self.limit)

    def come(self):
        self.client.presence.hold("sensor", "somebody uses the machine", "sensor", name="used")

    def go(self):
        self.client.presence.release("sensor", "used")

    def start(self, *commands):
        self.transport.commands = list(commands)

    def command(self, group, timeout=10):
        command = FakeCommand(self.reactor, group, timeout)
        self.addCleanup(lambda: command.ioTimeoutTimer.active() and command.ioTimeoutTimer.cancel())
        return command

    def pass_(self, seconds):
        self.reactor.pump([TICK] * int(seconds / TICK))

    def connect(self, *, knows):
        self.transport.listener.greeting()
        self.transport.listener.viewArrived(view(sendsBack=knows).toDict(self.reactor.seconds()))
        self.transport.listener.attached()

    @property
    def does(self):
        status = self.client.owner.status()["on_return"]
        return status and status["does"]

    @property
    def saidBack(self):
        """Whether the master was told to have it built elsewhere."""
        return self.transport.sent[-1][1]["send_back"]


class FakeWatches:
    def __getattr__(self, name):
        return lambda *args: [] if name == "status" else None


class SuspendTests(ReturnTestCase):
    def test_suspended(self):
        """What runs is stopped while its owner is there, what begins meanwhile too, and continued when he has gone."""
        one = self.command(100)
        self.start(one)
        self.come()
        self.assertEqual((self.signals, self.does), ([(100, STOP)], "suspend"))
        self.start(one, self.command(200))
        self.pass_(2)
        self.assertEqual(self.signals, [(100, STOP), (200, STOP)])
        self.go()
        self.assertEqual(self.signals[2:], [(100, CONT), (200, CONT)])
        self.assertIsNone(self.does)
        self.assertEqual(one.killed, [])
        self.assertNotIn("kill", one.__dict__)

    def test_clockSetBack(self):
        """When the clock is set back an hour, what begins then is stopped no later than otherwise."""
        one, two = self.command(100, timeout=1e6), self.command(200, timeout=1e6)
        self.start(one)
        self.come()
        self.reactor.rightNow -= 3600
        self.ticker.tick()
        self.start(one, two)
        self.pass_(2)
        self.assertEqual(self.signals, [(100, STOP), (200, STOP)])

    def test_timeouts(self):
        """Buildbot's timeouts do not run while it is stopped, and run on with what was left of them."""
        one = self.command(100, timeout=10)
        self.start(one)
        self.pass_(6)
        self.come()
        self.pass_(60)
        self.go()
        self.pass_(3)
        self.assertEqual(one.killed, [])
        self.pass_(3)
        self.assertEqual(one.killed, ["timeout"])

    def test_killed(self):
        """What is killed is continued first, and is not stopped again; nor is what cleans up after it."""
        one, two = self.command(100), self.command(200)
        self.start(one)
        self.come()
        one.kill("cancelled")
        self.assertEqual((self.signals, one.killed), ([(100, STOP), (100, CONT)], ["cancelled"]))
        self.pass_(1)
        self.start(two)
        self.pass_(3)
        self.assertEqual((len(self.signals), self.nice), (2, {200: 19, 100: 19}))

    def test_ends(self):
        """A process that ends leaves nothing stopped behind."""
        self.start(self.command(100))
        self.come()
        self.restart()
        self.assertEqual(self.signals, [(100, STOP), (100, CONT)])

    def test_disconnected(self):
        """A command that has ended meanwhile is forgotten."""
        self.start(self.command(100))
        self.come()
        self.start()
        self.pass_(1)
        self.go()
        self.assertEqual((self.signals, self.does), ([(100, STOP)], None))

    def test_limit(self):
        """After its limit it is continued, and the master is told to have it built elsewhere, until its owner has gone."""
        self.connect(knows=True)
        self.start(self.command(100, 9999))
        self.come()
        self.transport.sent[-1][2].callback(view(sendsBack=True).toDict(self.reactor.seconds()))
        self.pass_(3599)
        self.assertFalse(self.saidBack)
        self.pass_(1)
        self.assertTrue(self.saidBack)
        self.assertEqual(self.signals, [(100, STOP), (100, CONT)])
        self.assertEqual(self.does, "sent")
        self.transport.sent[-1][2].callback(view(sendsBack=True).toDict(self.reactor.seconds()))
        self.go()
        self.assertFalse(self.saidBack)

    def test_sleep(self):
        """What the machine has slept does not count."""
        self.connect(knows=True)
        self.start(self.command(100, 9999))
        self.come()
        self.transport.sent[-1][2].callback(view(sendsBack=True).toDict(self.reactor.seconds()))
        self.reactor.advance(9 * 3600)
        self.assertFalse(self.saidBack)

    def test_oneInstant(self):
        """Whenever it is asked for, the instant at which it is sent back is one; when the machine has slept it is another, and is told."""
        self.start(self.command(100, 9999))
        began = self.reactor.seconds()
        self.come()
        seen = set()
        for _ in range(10):
            self.reactor.advance(TICK * 0.3)
            seen.add(round(self.client.owner.status()["on_return"]["until"] - began, 6))
        self.assertEqual(seen, {3600.0})
        told = []
        self.client.owner.observe(lambda: told.append(self.client.owner.status()["on_return"]["until"]))
        self.reactor.advance(9 * 3600)
        self.reactor.advance(0)
        self.assertLess(abs(told[-1] - began - (3600.0 + 9 * 3600 - 60)), 2 * TICK)

    def test_olderMaster(self):
        """A master that does not know the word is not told it: what runs goes on, last, and that is said."""
        self.connect(knows=False)
        self.start(self.command(100, 9999))
        self.come()
        self.transport.sent[-1][2].callback(view().toDict(self.reactor.seconds()))
        self.pass_(3601)
        self.assertFalse(self.saidBack)
        self.assertEqual((self.signals[-1], self.nice), ((100, CONT), {100: 19}))
        self.assertEqual(self.does, "cannot")
        self.go()
        self.assertEqual(self.nice, {100: 0})


class NiceTests(ReturnTestCase):
    policy = "nice"

    def test_nice(self):
        """What runs has the lowest priority while its owner is there, and its own one again after that."""
        self.nice[100] = 5
        self.start(self.command(100))
        self.come()
        self.assertEqual((self.nice, self.does), ({100: 19}, "nice"))
        self.go()
        self.assertEqual((self.nice, self.signals), ({100: 5}, []))

    def test_notAllowed(self):
        """Who may not give a priority back leaves it as it is, and crashes nothing."""
        self.start(self.command(100))
        self.come()

        def setpriority(*args):
            raise PermissionError

        self.patch(os, "setpriority", setpriority)
        self.go()
        self.come()
        self.assertEqual(self.nice, {100: 19})

    def test_notOurs(self):
        """A command without a group of its own, and one of the worker's group, is left alone: never is a group taken that is not its."""
        self.start(self.command(None), self.command(0), self.command(1), self.command(os.getpgid(0)))
        self.come()
        self.assertEqual(self.nice, {})


class SendBackTests(ReturnTestCase):
    policy = "sendback"
    limit = "2m"

    def test_grace(self):
        """It goes on for the grace time, and is built elsewhere if its owner is still there; else nothing happens."""
        self.connect(knows=True)
        self.start(self.command(100, 9999))
        for seconds, back in ((119, False), (121, True)):
            self.come()
            self.transport.sent[-1][2].callback(view(sendsBack=True).toDict(self.reactor.seconds()))
            self.pass_(seconds)
            self.assertIs(self.saidBack, back)
            if not back:
                self.go()
                self.transport.sent[-1][2].callback(view(sendsBack=True).toDict(self.reactor.seconds()))
        self.assertEqual((self.signals, self.nice), ([], {}))


class CheckTests(ClientTestCase):
    def test_mistakes(self):
        """What cannot be meant is an error that says what would be right."""
        for given, text in (
            (("sleep", None), "'sleep' is not one of finish, nice, suspend, sendback"),
            (("nice", "5m"), "leave it out"),
            (("suspend", "soon"), "returnLimit: 'soon'"),
            (("sendback", True), "returnLimit=True is not a duration"),
        ):
            self.assertIn(text, str(self.assertRaises(ValueError, checkPolicy, *given)))
        self.assertEqual(checkPolicy("suspend", None), ("suspend", 3600.0))
        self.assertEqual(checkPolicy("sendback", 0), ("sendback", 0.0))

    def test_withoutSensors(self):
        """Without sensors it is an error: nobody would ever come."""
        worker = FakeWorker(self.basedir)
        problem = self.assertRaises(
            ValueError, PresenceClient, worker, onReturn="nice", localPort=None, reactor=self.reactor
        )
        self.assertIn("without sensors", str(problem))
