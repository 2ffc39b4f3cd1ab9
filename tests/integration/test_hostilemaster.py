"""A master that answers whatever it likes, over PB and msgpack: who reads the log and the owner's commands sees a line of it."""

from twisted.trial.unittest import SynchronousTestCase

from presence.commands import exits
from tests.integration.farm import Farm
from tests.integration.ownerscommands import Terminal
from tests.integration.processes import waitFor

#: It answers as the reason says with which somebody is away, and as it should where there is none of these.
HOSTILE = r"""
import msgpack
from buildbot.worker.protocols.pb import Connection
from presence.master.owner import link

TEXT = "\x1b[2J\x1b]0;owned\x07\x9b1m\u202e\u200bexe\n" + "x" * 600_000
HOLD = {"source": "admin", "since": 0}
ANSWERS = {
    "error": {"version": 1, "error": TEXT},
    "short": {"version": 1, "error": TEXT[:200]},
    "state": {"version": 1, "state": TEXT},
    "hold": {"version": 1, "state": "AVAILABLE", "holds": [{**HOLD, "reason": TEXT}]},
    "text": TEXT,
}
openTransport = link.openTransport

def fail(conn):
    if isinstance(conn, Connection):
        raise RuntimeError(TEXT)
    protocol, send = conn.protocol, conn.protocol.sendMessage
    def sendMessage(payload, isBinary):
        protocol.sendMessage = send
        send(msgpack.packb({**msgpack.unpackb(payload), "is_exception": True}), isBinary=isBinary)
    protocol.sendMessage = sendMessage
    return TEXT

def open_(conn, receive):
    reasons = [None]
    def answer(name, message):
        right = receive(name, message)
        reasons[0] = message.get("reason")
        return fail(conn) if reasons[0] == "exception" else ANSWERS.get(reasons[0], right)
    send = openTransport(conn, answer)
    return lambda view: send(ANSWERS["hold"] if reasons[0] == "view" else view)

link.openTransport = open_
"""

ANSWERS = ("error", "short", "state", "hold", "text", "exception")


class HostileMasterTests(SynchronousTestCase):
    def test_hostile(self):
        """Whatever it is, and however long: a readable line, in the worker's log and at its owner's terminal."""
        self.farm = Farm(self, "pb", "msgpack")
        self.farm.configure(
            'worker.BuildSlave("one", PASSWORD)', 'worker.BuildSlave("two", PASSWORD)', prelude=HOSTILE
        )
        self.farm.start()
        for name, protocol in (("one", "pb"), ("two", "msgpack")):
            self.answered(name, protocol)

    def answered(self, name, protocol):
        owner = Terminal(self, self.farm.worker(name, protocol=protocol)).start()
        owner.waitUntilHeard()
        for reason in ANSWERS:
            said = owner.do(exits.NOT_TOLD, "away", "--reason", reason)
            self.assertReadable(said, reason)
        self.assertReadable(owner.do(exits.DONE, "status"), "status")
        owner.do(exits.DONE, "away", "--reason", "view")
        self.farm.post(f"presences/{name}", "hold")
        status = waitFor("the view", lambda: (now := owner.status())["master"]["why"] and now)
        self.assertIn("not understood", status["master"]["why"])
        self.assertReadable(owner.do(exits.DONE, "status"), "view")
        log = owner.worker.log
        # (as long as the environment of a process, which Buildbot tells the master over msgpack, and writes down)
        self.assertNotIn("x" * 2_000, log)
        self.assertUnescaped(log)
        self.assertNotIn("Traceback", log)

    def assertReadable(self, said, what):
        self.assertLess(len(said), 8_000, what)
        self.assertUnescaped(said)

    def assertUnescaped(self, text):
        wrong = {each for each in text if not (each.isprintable() or each in "\n\t")}
        self.assertEqual(wrong, set())
