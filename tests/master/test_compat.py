import json
import threading
from base64 import b64encode
from types import SimpleNamespace

import buildbot
from autobahn.twisted.websocket import WebSocketServerFactory
from buildbot.data import base, types
from buildbot.util.eventual import flushEventualQueue
from buildbot.util.pathmatch import Matcher
from buildbot.worker.protocols.manager.msgpack import BuildbotWebSocketServerProtocol
from buildbot.www.rest import V2RootResource
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import DeferredLock, inlineCallbacks
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from presence.master import compat
from presence.master.compat import (
    Entity,
    adaptPatterns,
    checkVersion,
    healAnswers,
    healMessages,
    healPatterns,
    isWaitedFor,
)


class VersionTests(SynchronousTestCase):
    """`checkVersion()`: Buildbot 4.2 and later."""

    def test_tooOld(self):
        """A Buildbot that would lose builds is refused with a sentence."""
        for version in ("0.9.2", "3.11.9", "4.0.4", "4.1.0"):
            error = self.assertRaises(ImportError, checkVersion, version)
            self.assertIn("presence needs Buildbot 4.2 or later", str(error))
            self.assertIn(f"this is Buildbot {version}", str(error))

    def test_taken(self):
        """All others are taken; a checkout calls itself what it likes."""
        for version in (
            "4.2.0",
            "4.2.1",
            "4.3.0",
            "4.3.1.dev1670",
            "4.10.0",
            "5.0",
            "latest",
            buildbot.version,
        ):
            checkVersion(version)


class DataTests(SynchronousTestCase):
    """What the Data API of each version wants."""

    def test_entity(self):
        """An entity is made with one name."""

        class Thing(Entity):
            thingid = types.Integer()

        thing = Thing("some_thing")
        self.assertEqual(thing.name, "some_thing")
        self.assertEqual(set(thing.fields), {"thingid"})

    def adapted(self, *, text):
        class ThingEndpoint(base.Endpoint):
            pathPatterns = ["/things", "/things/n:thingid"]  # noqa: RUF012

        class Things(base.ResourceType):
            eventPathPatterns = ["/things/:thingid"]  # noqa: RUF012
            endpoints = [ThingEndpoint]  # noqa: RUF012

        self.patch(compat, "_PATTERNS_ARE_TEXT", text)
        adaptPatterns([Things])
        adaptPatterns([Things])
        return ThingEndpoint.pathPatterns, Things.eventPathPatterns

    def test_lines(self):
        """Up to 4.2 the patterns of paths become lines, also when they are registered twice."""
        self.assertEqual(self.adapted(text=True), ("/things\n/things/n:thingid", "/things/:thingid"))

    def test_lists(self):
        """Since 4.3 they stay as they are."""
        self.assertEqual(self.adapted(text=False), (["/things", "/things/n:thingid"], ["/things/:thingid"]))

    def test_waitedFor(self):
        """A request says whether a build waits for it, by its old name and by its new one."""

        class New:
            def __init__(self, waited_for):
                self.waited_for = waited_for

            @property
            def waitedFor(self):
                raise AssertionError("this would warn")

        for waits in (True, False):
            self.assertIs(isWaitedFor(SimpleNamespace(waitedFor=int(waits))), waits)
            self.assertIs(isWaitedFor(New(int(waits))), waits)


class FakeRequest:
    method = b"GET"
    finished = 0
    channel = object()

    def __init__(self):
        self.headers = {}
        self.written = []
        self.threads = set()

    def setHeader(self, name, value):
        self.headers[name] = value

    def write(self, data):
        self.written.append(data)
        self.threads.add(threading.current_thread())


class AnswerTests(SynchronousTestCase):
    """The answers of the REST API are written whole, by the thread of the reactor (Buildbot #9065)."""

    DATA = {"presences": ["ä" * 1000 for _ in range(200)]}  # noqa: RUF012

    def setUp(self):
        # the test is the reactor's thread here
        self.patch(compat.threadable, "ioThread", threading.get_ident())
        self.request = FakeRequest()

    def write(self):
        compat._write_json(
            json.JSONEncoder.encode, self.request, json.JSONEncoder(ensure_ascii=False), self.DATA
        )

    def test_whole(self):
        """All of it is written, and it is as long as it says."""
        self.write()
        body = b"".join(self.request.written)
        self.assertEqual(json.loads(body), self.DATA)
        self.assertEqual(self.request.headers, {b"content-length": str(len(body)).encode()})

    def test_byTheReactor(self):
        """A thread that has made the JSON lets the reactor write it."""
        handed = []
        self.patch(compat.threadable, "ioThread", -1)
        self.patch(reactor, "callFromThread", handed.append)
        self.write()
        self.assertEqual((len(handed), self.request.written), (1, []))
        handed[0]()
        self.assertEqual(json.loads(b"".join(self.request.written)), self.DATA)

    def test_noReactorRuns(self):
        """Where no reactor has run yet (as in tests of a master on a fake one) it is written at once."""
        self.patch(compat.threadable, "ioThread", None)
        self.write()
        self.assertEqual(json.loads(b"".join(self.request.written)), self.DATA)

    def test_head(self):
        """Who asks how long it is gets no more."""
        self.request.method = b"HEAD"
        self.write()
        self.assertEqual(self.request.written, [])
        self.assertGreater(int(self.request.headers[b"content-length"]), 400_000)

    def test_hungUp(self):
        """Nothing is written to somebody who has hung up."""
        self.request.channel = None
        self.write()
        self.assertEqual((self.request.written, self.request.headers), ([], {}))

    def test_healed(self):
        """A version that writes in a thread is healed, once; another one is left alone."""
        self.patch(V2RootResource, "_write_json_data", staticmethod(lambda *_: None))
        healAnswers(json.JSONEncoder.encode)
        self.assertIs(V2RootResource._write_json_data.func, compat._write_json)

        def own(self, request, encoder, data):
            """As after 4.3.0."""

        self.patch(V2RootResource, "_write_json_data", own)
        healAnswers(json.JSONEncoder.encode)
        self.assertIs(vars(V2RootResource)["_write_json_data"], own)


class PatternTests(SynchronousTestCase):
    def test_sortedOnce(self):
        """Patterns are sorted when they are added, and not for each question; what is added later is found, too."""
        matcher = Matcher()
        matcher["builds", "n:buildid"] = "build"
        healPatterns(matcher)
        sorted_ = matcher._by_length
        self.assertEqual(matcher["builds", "7"], ("build", {"buildid": 7}))
        self.assertIs(matcher._by_length, sorted_)
        matcher[("builders",)] = "builders"
        self.assertEqual(matcher["builders",], ("builders", {}))


class MessageTests(TestCase):
    """`healMessages()`, with Buildbot's own protocol."""

    REQUEST = (
        "GET / HTTP/1.1",
        "Host: 127.0.0.1:9989",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Basic {b64encode(b'mac-mini:s3cret').decode()}",
    )

    def setUp(self):
        self.patch(
            BuildbotWebSocketServerProtocol,
            "get_message_result",
            BuildbotWebSocketServerProtocol.get_message_result,
        )
        self.patch(BuildbotWebSocketServerProtocol, "debug", False)
        self.lock = DeferredLock()
        self.asked = []
        factory = WebSocketServerFactory("ws://127.0.0.1:9989")
        factory.protocol = BuildbotWebSocketServerProtocol
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        factory.buildbot_dispatcher = SimpleNamespace(
            # (after 4.3 the lock has methods of the master's)
            master=SimpleNamespace(
                initLock=self.lock, acquire_lock=self.lock.acquire, release_lock=self.lock.release
            ),
            users={"mac-mini": ("s3cret", self.greet)},
        )
        self.protocol = factory.buildProtocol(None)

    def greet(self, protocol, name):
        """As `WorkerManager.newConnection()` does."""
        self.asked.append(protocol.get_message_result({"op": "get_worker_info"}))
        return self.asked[0]

    @inlineCallbacks
    def hangUp(self):
        """A worker connects while there is a reconfig, and hangs up before that is over."""
        yield self.lock.acquire()
        transport = StringTransport(peerAddress=IPv4Address("TCP", "127.0.0.1", 1))
        self.protocol.makeConnection(transport)
        self.protocol.dataReceived("\r\n".join((*self.REQUEST, "", "")).encode())
        self.protocol.connectionLost(Failure(ConnectionLost()))
        self.lock.release()
        yield flushEventualQueue()
        self.assertEqual(len(self.asked), 1)

    @inlineCallbacks
    def test_hangsUp(self):
        """It is not waited for, and the next worker comes in."""
        healMessages()
        yield self.hangUp()
        self.assertFalse(self.lock.locked)

    def test_once(self):
        """What is healed is not healed again."""
        healMessages()
        healed = BuildbotWebSocketServerProtocol.get_message_result
        healMessages()
        self.assertIs(BuildbotWebSocketServerProtocol.get_message_result, healed)
