import msgpack
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from presence.worker.link.transports import MsgpackTransport, NullTransport, PBTransport, transportOf


class Listener:
    def __init__(self):
        self.calls = []

    def greeting(self):
        self.calls.append("greeting")
        return {"version": 1}

    def viewArrived(self, message):
        self.calls.append(message)

    def attached(self):
        self.calls.append("attached")

    def disconnected(self):
        self.calls.append("disconnected")


class Bot:
    def __init__(self):
        self.builders = {}
        self.protocol_commands = {}
        self.wanted = []

    def remote_getWorkerInfo(self):
        return {"system": "posix"}

    def remote_setBuilderList(self, builders):
        self.wanted.append(builders)
        return {"runtests": 1}


class Worker:
    name = "mac-mini"

    def __init__(self, bf=None):
        self.bot = Bot()
        if bf is not None:
            self.bf = bf


class PBFactory:
    def __init__(self):
        self.stock = []

    def clientConnectionMade(self, broker, retryPolicy=None):
        self.stock.append(broker)

    def gotPerspective(self, perspective):
        self.stock.append(perspective)


class Broker:
    def notifyOnDisconnect(self, lost):
        self.lost = lost


class Perspective:
    def callRemote(self, name, *args):
        self.called = (name, *args)
        return succeed("answer")


class PBTests(SynchronousTestCase):
    def setUp(self):
        self.factory = PBFactory()
        self.worker = Worker(self.factory)
        self.transport = transportOf(self.worker)
        self.listener = Listener()
        self.transport.listen(self.listener)

    def test_kind(self):
        """The factory of a PB worker is known by what it does."""
        self.assertIsInstance(self.transport, PBTransport)

    def test_info(self):
        """The worker info has what it had, and the presence."""
        self.assertEqual(
            self.worker.bot.remote_getWorkerInfo(), {"system": "posix", "presence": {"version": 1}}
        )

    def test_life(self):
        """A connection is told of from its login to its end, and the stock worker does what it did."""
        broker, perspective = Broker(), Perspective()
        self.factory.clientConnectionMade(broker)
        self.worker.bot.remote_presence_view("view")
        self.factory.gotPerspective(perspective)
        broker.lost()
        self.assertEqual(self.listener.calls, ["view", "attached", "disconnected"])
        self.assertEqual(self.factory.stock, [broker, perspective])

    def test_oldConnection(self):
        """A connection that another one follows is over then; its end afterwards is not the end of that."""
        old, new = Broker(), Broker()
        self.factory.clientConnectionMade(old)
        self.assertEqual(self.listener.calls, [])
        self.factory.clientConnectionMade(new)
        old.lost()
        self.assertEqual(self.listener.calls, ["disconnected"])

    def test_send(self):
        """A message is a call of the perspective."""
        perspective = Perspective()
        self.factory.gotPerspective(perspective)
        self.assertEqual(self.successResultOf(self.transport.send("presence", {"a": 1})), "answer")
        self.assertEqual(perspective.called, ("presence", {"a": 1}))


class Protocol:
    def __init__(self):
        self.stock = []
        self.responses = []
        self.logged = []
        self.seq_number = 0

    def maybe_log_master_to_worker_msg(self, message):
        self.logged.append(message)

    def onMessage(self, payload, isBinary):
        self.stock.append(payload)

    def onClose(self, *args):
        self.stock.append("closed")

    def send_response_msg(self, message, result, is_exception):
        self.responses.append((message["seq_number"], result, is_exception))

    def get_message_result(self, message):
        self.sent = message
        self.seq_number += 1
        return Deferred()


class MsgpackFactory:
    buildbot_bot = None

    def buildProtocol(self, address):
        return Protocol()


class MsgpackTests(SynchronousTestCase):
    def setUp(self):
        factory = MsgpackFactory()
        self.worker = Worker(factory)
        self.transport = transportOf(self.worker)
        self.listener = Listener()
        self.transport.listen(self.listener)
        self.protocol = factory.buildProtocol(None)

    def arrive(self, **message):
        payload = msgpack.packb(message)
        self.protocol.onMessage(payload, True)
        return payload

    def test_kind(self):
        """The factory of a msgpack worker is known by what it does."""
        self.assertIsInstance(self.transport, MsgpackTransport)

    def test_view(self):
        """A view is answered, and the stock protocol does not see it."""
        self.arrive(op="presence_view", seq_number=7, args={"version": 1})
        self.assertEqual(self.listener.calls, [{"version": 1}])
        self.assertEqual((self.protocol.responses, self.protocol.stock), ([(7, None, False)], []))

    def test_others(self):
        """All else goes to the stock protocol as it came; the first settings say that it is attached."""
        payloads = [
            self.arrive(op="print", seq_number=1, message="presence_view"),
            self.arrive(op="set_worker_settings", seq_number=2, args={}),
        ]
        self.protocol.onMessage(b"\xc1 presence_view", True)
        self.protocol.onMessage(b"presence_view", False)
        self.assertEqual(self.protocol.stock, [*payloads, b"\xc1 presence_view", b"presence_view"])
        self.assertEqual(self.listener.calls, ["attached"])

    def test_close(self):
        """The end of the connection is told, once."""
        self.protocol.onClose(True, None, None)
        self.protocol.onClose(True, None, None)
        self.assertEqual(self.listener.calls, ["disconnected"])

    def test_send(self):
        """A message is sent with its name as the op."""
        self.transport.send("presence", {"a": 1})
        self.assertEqual(self.protocol.sent, {"op": "presence", "args": {"a": 1}})

    def test_log(self):
        """What is answered to us is not in the log, however long it is; all else is, as ever."""
        self.transport.send("presence", {"a": 1})
        self.protocol.maybe_log_master_to_worker_msg(
            {"op": "response", "seq_number": 0, "result": "x" * 600_000}
        )
        others = [
            {"op": "response", "seq_number": 0, "result": "another"},
            {"op": "response", "seq_number": []},
            {"op": "print", "seq_number": 0},
            "no message",
        ]
        for each in others:
            self.protocol.maybe_log_master_to_worker_msg(each)
        self.assertEqual(self.protocol.logged, others)


class OtherTests(SynchronousTestCase):
    def test_null(self):
        """What has a bot and no factory is a LocalWorker, which ends with its master."""
        transport = transportOf(Worker())
        self.assertIsInstance(transport, NullTransport)
        self.assertFalse(transport.ownsProcess)

    def test_noWorker(self):
        """Anything else is refused, with what is right."""
        for thing in (None, object(), "mac-mini"):
            error = self.assertRaises(ValueError, transportOf, thing)
            self.assertIn("takes the Worker that buildbot.tac makes", str(error))
