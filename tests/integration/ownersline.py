"""The owner of a machine, who speaks with the `PresenceClient` in the process of a worker, over a line."""

import json
import socket
import time

from tests.integration.ports import freePort
from tests.integration.processes import DEADLINE, INTERVAL

# What is added to buildbot.tac: the two lines, and a server that calls the client's methods.
TAC = """
from presence.worker.client import PresenceClient
from presence import Break
presenceClient = PresenceClient(s{arguments})
presenceClient.setServiceParent(application)

def deep(depth):
    value = {{}}
    for _ in range(depth):
        value = {{"state": value}}
    return value

presenceClient.isAttached = lambda: presenceClient._conversation._attached

# past the client: what only a hostile worker sends
presenceClient.raw = lambda name, expression: presenceClient._conversation._transport.send(name, eval(expression))

def _raw_call(name, expression):
    from twisted.internet.defer import maybeDeferred

    arguments = eval(expression)
    if hasattr(presenceClient._conversation._transport, "_perspective"):
        sent = maybeDeferred(presenceClient._conversation._transport._perspective.callRemote, name, *arguments)
    else:
        sent = presenceClient._conversation._transport._protocol.get_message_result({{"op": name, "arguments": arguments}})
    return sent

presenceClient.rawCall = _raw_call

def _raw_jelly(name, depth):
    # a list in a list in a list …, as it is on the wire: this side could not make it of a value either
    from twisted.internet.defer import Deferred

    broker = presenceClient._conversation._transport._broker
    reference = presenceClient._conversation._transport._perspective
    content = [b"list"]
    for _ in range(depth):
        content = [b"list", content]
    answer = Deferred()
    number = broker.newRequestID()
    broker.waitingForAnswers[number] = answer
    encoded = []
    write = encoded.append
    from twisted.spread.banana import int2b128

    def encode(value):
        # banana's own encoder calls itself
        todo = [value]
        while todo:
            each = todo.pop()
            if isinstance(each, list):
                int2b128(len(each), write)
                write(b"\\x80")
                todo.extend(reversed(each))
            elif isinstance(each, int):
                int2b128(each, write)
                write(b"\\x81")
            else:
                int2b128(len(each), write)
                write(b"\\x82")
                write(each)

    encode([b"message", number, reference.luid, name.encode(), 1, [b"tuple", content], [b"dictionary"]])
    broker.transport.write(b"".join(encoded))
    return answer

presenceClient.rawJelly = _raw_jelly
{extra}
def _listen():
    import json
    from twisted.internet import reactor
    from twisted.internet.defer import maybeDeferred
    from twisted.internet.protocol import Factory
    from twisted.protocols.basic import LineReceiver

    class Line(LineReceiver):
        delimiter = b"\\n"
        MAX_LENGTH = 1 << 20

        def lineReceived(self, line):
            name, arguments = json.loads(line)
            said = getattr(presenceClient, name, None) or getattr(presenceClient.owner, name)
            done = maybeDeferred(said, **arguments)
            done.addCallbacks(lambda status: [True, status], lambda failure: [False, str(failure.value)])
            done.addCallback(lambda answer: self.sendLine(json.dumps(answer).encode()))

    reactor.listenTCP({port}, Factory.forProtocol(Line), interface="127.0.0.1")

from twisted.internet import reactor as _reactor
_reactor.callWhenRunning(_listen)
"""


class RefusedError(AssertionError):
    """The client has failed what it was asked for."""


class Owner:
    """The owner of the worker `name`, whose buildbot.tac gets a `PresenceClient(s, …arguments)`, and `extra`."""

    def __init__(self, farm, name, arguments="", extra="", protocol=None):
        self.port = freePort()
        tac = TAC.format(port=self.port, arguments=arguments, extra=extra)
        self.worker = farm.worker(name, tac, protocol)

    def start(self):
        self.worker.start()
        return self

    def __getattr__(self, name):
        return lambda **arguments: self._ask(name, arguments)

    def waitUntil(self, what, condition):
        """The first status of which the condition is true."""
        end = time.monotonic() + DEADLINE
        while True:
            status = self.status()
            if condition(status):
                return status
            if time.monotonic() > end:
                raise AssertionError(
                    f"{what}: not within {DEADLINE} s; status {status}\n{self.worker.tail()}"
                )
            time.sleep(INTERVAL)

    def waitUntilKnown(self):
        """The first status with a view of the master, when it has attached the worker."""
        return self.waitUntil(
            "the master's view", lambda status: status["master"]["view"] is not None and self.isAttached()
        )

    def _ask(self, name, arguments):
        end = time.monotonic() + DEADLINE
        while True:
            try:
                line = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
                break
            except ConnectionRefusedError:
                if time.monotonic() > end or not self.worker.running:
                    raise AssertionError(
                        f"{name}: the worker does not listen\n{self.worker.tail()}"
                    ) from None
                time.sleep(INTERVAL)
        with line, line.makefile("rwb") as file:
            file.write(json.dumps([name, arguments]).encode() + b"\n")
            file.flush()
            done, answer = json.loads(file.readline())
        if not done:
            raise RefusedError(answer)
        return answer
