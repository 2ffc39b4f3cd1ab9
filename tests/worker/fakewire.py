"""A `PresenceClient` on a fake clock, with a transport at whose other end the test is the master."""

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from presence.model.states import Hold, PresenceState
from presence.wire.messages import Refusal, View
from presence.worker import client as client_module
from presence.worker.client import PresenceClient

NOW = 1_800_000_000.0  # 08:00 UTC, a Friday
HOUR = 3600.0


class FakeTicker:
    def __init__(self, reactor, interval, look, jumped):
        self.interval = interval
        self.look = look
        self.jumped = jumped
        self.running = False

    def tick(self):
        if self.look(self.interval):
            self.jumped()

    def hasJumped(self):
        """Sees nothing: the tests set the clock where others let time pass."""
        return False

    def start(self):
        self.running = True

    def stop(self):
        self.running = False


class FakeReactor(Clock):
    stopped = 0

    def stop(self):
        self.stopped += 1


class FakeTransport:
    """What `transportOf` makes here. `sent` are the messages without an answer: (name, message, Deferred)."""

    ownsProcess = True

    def __init__(self):
        self.listener = None
        self.sent = []
        self.building = []
        self.commands = []

    def listen(self, listener):
        self.listener = listener

    def send(self, name, message):
        self.sent.append((name, message, Deferred()))
        return self.sent[-1][2]

    def runningBuilders(self):
        return self.building

    def runningCommands(self):
        return self.commands


class FakeWorker:
    name = "mac-mini"

    def __init__(self, basedir):
        self.basedir = basedir


def view(*holds, running=0, stopping=False, breaks=(), sendsBack=False):
    state = PresenceState.NOT_ACCEPTING_NEW_BUILDS if holds else PresenceState.AVAILABLE
    return View(state, holds, None, breaks, running, (), stopping, None, sendsBack)


class ClientTestCase(SynchronousTestCase):
    #: where the client listens for its owner
    localPort = None
    reactorFactory = FakeReactor
    sensors = ()

    def setUp(self):
        self.reactor = self.reactorFactory()
        self.reactor.advance(NOW)
        self.basedir = self.mktemp()
        Path(self.basedir).mkdir()
        self.patch(PresenceClient, "tickerFactory", self.makeTicker)
        self.patch(client_module, "transportOf", lambda worker: self.transport)
        self.addCleanup(self.assertNothingLeft)
        self.begin()

    def makeTicker(self, *args):
        self.ticker = FakeTicker(*args)
        return self.ticker

    def begin(self, onBreakDuring=None):
        """The process starts."""
        self.transport = FakeTransport()
        self.client = self.makeClient(
            FakeWorker(self.basedir),
            onBreakDuring=onBreakDuring,
            timezone="UTC",
            localPort=self.localPort,
            sensors=self.sensors,
            reactor=self.reactor,
        )
        self.client.startService()

    def makeClient(self, worker, **keywords):
        return PresenceClient(worker, **keywords)

    def end(self):
        """The process ends."""
        self.client.stopService()

    def restart(self, onBreakDuring=None):
        self.end()
        self.begin(onBreakDuring)

    def assertNothingLeft(self):
        self.end()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertFalse(self.ticker.running)

    # --- the master

    def greet(self):
        """A master connects; what it is told."""
        return self.transport.listener.greeting()

    def show(self, answer):
        """The master sends a view, or a refusal."""
        self.transport.listener.viewArrived(answer.toDict(self.reactor.seconds()))

    def connect(self, *holds):
        """A master that knows presence connects, and attaches the worker; what it was told."""
        greeting = self.greet()
        self.show(view(*holds))
        self.transport.listener.attached()
        return greeting

    def disconnect(self):
        self.transport.listener.disconnected()

    def takeMessage(self):
        """The one message that is under way: its name, and what it says."""
        (name, message, _answer) = self.transport.sent[0]
        self.assertEqual(len(self.transport.sent), 1)
        return name, message

    def answer(self, answer=None):
        """Answer it, by default with a view that agrees."""
        _name, message, deferred = self.transport.sent.pop(0)
        if answer is None:
            hold = Hold("worker", message["reason"], message["by"], message["since"] or 0.0, message["until"])
            answer = view(*([hold] if message["state"] != "AVAILABLE" else []))
        deferred.callback(
            answer.toDict(self.reactor.seconds()) if isinstance(answer, (View, Refusal)) else answer
        )

    def sources(self):
        return [hold["source"] for hold in self.client.owner.status()["holds"]]
