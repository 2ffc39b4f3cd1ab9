import msgpack
from buildbot.worker.protocols import msgpack as msgpack_protocol
from buildbot.worker.protocols import pb as pb_protocol
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from presence.master.owner.transports import MAX_SIZE, UNREADABLE, openTransport


class Worker:
    heard = 0

    def messageReceivedFromWorker(self):
        self.heard += 1


class Protocol:
    def __init__(self):
        self.stock = []
        self.sent = []

    def onMessage(self, payload, isBinary):
        self.stock.append(payload)

    def sendMessage(self, payload, isBinary):
        self.sent.append(msgpack.unpackb(payload))

    def get_message_result(self, message):
        self.asked = message
        return Deferred()


class ReceiverTestCase(SynchronousTestCase):
    def setUp(self):
        self.received = []

    def receive(self, name, content):
        self.received.append((name, content))
        return {"version": 1}


class MsgpackTests(ReceiverTestCase):
    def setUp(self):
        super().setUp()
        self.conn = msgpack_protocol.Connection.__new__(msgpack_protocol.Connection)
        self.conn.protocol = self.protocol = Protocol()
        self.conn.worker = Worker()
        self.send = openTransport(self.conn, self.receive)

    def arrive(self, message):
        payload = message if isinstance(message, bytes) else msgpack.packb(message)
        self.protocol.onMessage(payload, True)
        return payload

    def test_message(self):
        """A message of ours is received and answered, and counts as a sign of life."""
        for name in ("presence", "presence_stop"):
            self.arrive({"op": name, "seq_number": 7, "args": {"state": "AVAILABLE"}})
            self.assertEqual(self.received.pop(), (name, {"state": "AVAILABLE"}))
            self.assertEqual(
                self.protocol.sent.pop(), {"op": "response", "seq_number": 7, "result": {"version": 1}}
            )
        self.assertEqual((self.protocol.stock, self.conn.worker.heard), ([], 2))

    def test_order(self):
        """The order of the fields does not matter."""
        self.arrive({"args": {"reason": "presence"}, "seq_number": 7, "op": "presence"})
        self.assertEqual(self.received, [("presence", {"reason": "presence"})])

    def test_others(self):
        """All else goes to the stock protocol as it came, large messages that speak of presence too."""
        payloads = [
            self.arrive({"op": "update", "seq_number": 1, "args": [["stdout", "presence" * MAX_SIZE]]}),
            self.arrive({"op": "complete", "seq_number": 2, "args": None}),
            self.arrive({"op": "presences", "seq_number": 2, "args": None}),
        ]
        self.protocol.onMessage(b"presence", False)
        self.assertEqual(self.protocol.stock, [*payloads, b"presence"])
        self.assertEqual(self.received, [])

    def test_tooBig(self):
        """A message that is too big is answered without being unpacked."""
        self.arrive({"op": "presence", "seq_number": 7, "args": {"reason": "x" * MAX_SIZE}})
        self.assertEqual(self.received, [("presence", UNREADABLE)])
        self.assertEqual(self.protocol.sent[0]["seq_number"], 7)

    def test_cannotBeUnpacked(self):
        """What is too deep, or no UTF-8, is answered; what is not a message at all is dropped."""
        head = b"\x83\xa2op\xa8presence\xaaseq_number\x07\xa4args"
        for content in (b"\x91" * 5000 + b"\x00", b"\xa2\xff\xfe", b"\xd9"):
            self.arrive(head + content)
            self.assertEqual(self.received.pop(), ("presence", UNREADABLE))
            self.assertEqual(self.protocol.sent.pop()["seq_number"], 7)
        for payload in (
            b"\xc1presence",
            b"presence",
            b"\x82\xa4args" + b"\x91" * 5000 + b"\x00\xa2op\xa8presence",
            msgpack.packb({"op": ["presence"]}),
        ):
            self.arrive(payload)
        self.assertEqual((self.received, self.protocol.sent, self.protocol.stock), ([], [], []))

    def test_noNumber(self):
        """Without a sequence number there is nobody to answer."""
        for number in ("7", None, 1.5):
            self.arrive({"op": "presence", "seq_number": number, "args": {}})
        self.assertEqual(self.protocol.sent, [])

    def test_send(self):
        """A view is asked for an answer."""
        self.send({"version": 1})
        self.assertEqual(self.protocol.asked, {"op": "presence_view", "args": {"version": 1}})


class Broker:
    """Gives back what it is given."""

    def unserialize(self, value, perspective):
        if isinstance(value, Exception):
            raise value
        return value

    def serialize(self, value, perspective):
        return value


class PBTests(ReceiverTestCase):
    def setUp(self):
        super().setUp()
        self.stock = []
        self.conn = pb_protocol.Connection.__new__(pb_protocol.Connection)
        self.conn.worker = Worker()
        self.conn.perspectiveMessageReceived = lambda *args: self.stock.append(args)
        openTransport(self.conn, self.receive)

    def arrive(self, name, args, kw):
        return self.conn.perspectiveMessageReceived(Broker(), name, args, kw)

    def test_message(self):
        """A message of ours is received, and what it is answered is serialized."""
        self.assertEqual(self.arrive("presence", [{"a": 1}], {}), {"version": 1})
        self.assertEqual((self.received, self.conn.worker.heard), ([("presence", {"a": 1})], 1))

    def test_others(self):
        """All else is called as ever."""
        self.arrive("keepalive", [], {})
        self.assertEqual([call[1] for call in self.stock], ["keepalive"])
        self.assertEqual(self.received, [])

    def test_wrongArguments(self):
        """More than one argument, or none, or what cannot be unserialized, is refused as no message."""
        for args, kw in (
            ([], {}),
            ([1, 2], {}),
            ([1], {"a": 1}),
            (RecursionError(), {}),
            ([1], UnicodeError()),
        ):
            self.arrive("presence_stop", args, kw)
            self.assertEqual(self.received.pop(), ("presence_stop", UNREADABLE))


class OtherTests(ReceiverTestCase):
    def test_unknown(self):
        """A connection of another kind has no transport."""
        self.assertIsNone(openTransport(object(), self.receive))
