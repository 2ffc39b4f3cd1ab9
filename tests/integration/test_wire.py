"""Presence over the wire: real masters, real workers, PB and msgpack."""

import os
import random
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.farm import Farm, break_
from tests.integration.ownersline import Owner, RefusedError
from tests.integration.processes import waitFor

#: How many times somebody is killed in the test of the gap.
KILLS = int(os.environ.get("PRESENCE_KILLS", "4"))

OURS = 'worker.BuildSlave("mac-mini", PASSWORD)'
STOCK = 'worker.Worker("mac-mini", PASSWORD)'
AWAY = "NOT_ACCEPTING_NEW_BUILDS"


def onBreakFor(seconds):
    """The source of a break from now on."""
    now = time.time()
    return break_(now - 60, now + seconds)


class Wire:
    """The laws, for each protocol."""

    protocol = None

    def setUp(self):
        self.farm = Farm(self, self.protocol)

    def begin(self, worker=OURS, arguments=""):
        """A master, and a worker with a client; its owner."""
        self.farm.configure(worker)
        self.farm.start()
        owner = Owner(self.farm, "mac-mini", arguments).start()
        owner.worker.waitUntilConnected()
        return owner

    def assertQuiet(self, owner):
        """Nobody has logged a traceback."""
        for log in (self.farm.master.log, owner.worker.log):
            self.assertNotIn("Traceback", log)
            self.assertNotIn("Unhandled", log)

    def sources(self, status):
        return [hold["source"] for hold in status["holds"]]

    # --- away and back

    def test_awayAndBack(self):
        """Away is heeded at once and what runs is finished; back gives the next build at once."""
        owner = self.begin()
        owner.waitUntilKnown()
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        status = owner.away(reason="rendering")
        self.assertEqual(status["state"], AWAY)
        view = status["master"]["view"]
        self.assertEqual(
            [(each["source"], each["reason"]) for each in view["holds"]], [("worker", "rendering")]
        )
        self.assertEqual((view["running"], status["running"][0]["builder"]), (1, "mac-mini"))
        waits = self.farm.force("any")
        runs.letFinish().waitUntilBuilt()
        owner.waitUntil("idle", lambda status: not status["running"])
        self.assertEqual(waits.builds, [])
        back = time.time()
        self.assertEqual(owner.back()["state"], "AVAILABLE")
        waits.assertStartsAtOnce(back)
        self.assertQuiet(owner)

    def test_noGap(self):
        """Master and worker are killed, and start again in any order: no build begins while the owner is away."""
        owner = self.begin()
        owner.waitUntilKnown()
        owner.away(reason="rendering")
        waits = self.farm.force("mac-mini")
        rng = random.Random(1)
        kinds = ["worker", "master", "both, the master starts first", "both, the worker starts first"]
        for kill in range(KILLS):
            kind = kinds[kill % len(kinds)]
            if kind != "worker":
                self.farm.kill()
            if kind != "master":
                owner.worker.kill()
            if "worker starts first" in kind:
                owner.start()
                owner.status()
            if kind != "worker":
                self.farm.start()
            if not owner.worker.running:
                owner.start()
            # anything may be going on when the next is killed; sometimes all of it has happened
            if kill == KILLS - 1 or rng.random() < 0.5:
                status = owner.waitUntilKnown()
                self.assertEqual(self.sources(status), ["worker"], kind)
                self.assertEqual(waits.builds, [], kind)
        back = time.time()
        owner.back()
        waits.assertStartsAtOnce(back)

    def test_backWithoutTheMaster(self):
        """Back that is said while there is no master is kept, and told when there is one again."""
        owner = self.begin()
        owner.waitUntilKnown()
        owner.away()
        self.farm.kill()
        status = owner.waitUntil("disconnected", lambda status: not status["master"]["connected"])
        self.assertIsNone(status["master"]["view"])
        self.assertIn("no connection", status["master"]["why"])
        self.assertEqual(owner.back()["state"], "AVAILABLE")
        self.farm.start()
        self.farm.force("mac-mini").waitUntilBuilt()

    # --- breaks

    def test_breakOfTheOwner(self):
        """A break in buildbot.tac holds the worker from before it connects, until its end."""
        # long enough for a busy machine to start a master and a worker
        end = int(time.time()) + 15
        owner = self.begin(arguments=f", onBreakDuring={break_(end - 60, end)}")
        waits = self.farm.force("mac-mini")
        status = owner.waitUntilKnown()
        self.assertEqual(self.sources(status), ["break"])
        self.assertEqual(
            [(hold["source"], hold["until"]) for hold in status["master"]["view"]["holds"]], [("worker", end)]
        )
        waits.assertStartsAtOnce(end)

    def test_workAnyway(self):
        """The owner suspends the break of master.cfg; when the suspension is over the break holds again."""
        owner = self.begin(f'worker.BuildSlave("mac-mini", PASSWORD, onBreakDuring={onBreakFor(3600)})')
        owner.waitUntilKnown()
        first = self.farm.force("mac-mini")
        end = time.time() + 60
        status = owner.workAnyway(until=end)
        self.assertEqual((self.sources(status), status["work_until"]), ([], end))
        first.waitUntilBuilt()
        status = owner.workAnyway(until=None)
        self.assertEqual((self.sources(status), status["work_until"]), (["break"], None))

    # --- the graceful stop

    def test_stop(self):
        """A stop waits for what runs, starts nothing new, and ends the process; the next one builds."""
        owner = self.begin()
        owner.waitUntilKnown()
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        status = owner.stopWhenIdle()
        self.assertEqual((status["stopping"], status["state"]), ({"deadline": None}, AWAY))
        waits = self.farm.force("any")
        runs.letFinish().waitUntilBuilt()
        waitFor("the worker ends", lambda: not owner.worker.running)
        self.assertEqual(waits.builds, [])
        owner.start()
        waits.waitUntilBuilt()
        self.assertQuiet(owner)

    def test_stopIsCancelled(self):
        """Back before what runs has finished cancels the stop."""
        owner = self.begin()
        owner.waitUntilKnown()
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        owner.stopWhenIdle(deadline=time.time() + 3600)
        self.assertIsNone(owner.back()["stopping"])
        runs.letFinish().waitUntilBuilt()
        self.farm.force("any").waitUntilBuilt()
        self.assertTrue(owner.worker.running)

    # --- old peers, later peers, hostile ones

    def test_stockMaster(self):
        """At a stock master the worker works as a stock worker; its owner is told so, and cannot stop it."""
        owner = self.begin(STOCK)
        owner.away(reason="rendering")
        self.farm.force("mac-mini").waitUntilBuilt()
        status = owner.status()
        self.assertEqual((status["master"]["connected"], status["master"]["knows_presence"]), (True, False))
        self.assertIn("the master knows no presence", status["master"]["why"])
        error = self.assertRaises(RefusedError, owner.stopWhenIdle)
        self.assertIn("graceful", str(error))
        self.assertIsNone(owner.status()["stopping"])
        self.assertQuiet(owner)

    def test_stockWorker(self):
        """A stock worker builds at our master as ever."""
        self.farm.configure(OURS)
        self.farm.start()
        worker = self.farm.worker("mac-mini").start()
        self.farm.force("mac-mini").waitUntilBuilt()
        for log in (self.farm.master.log, worker.log):
            self.assertNotIn("Traceback", log)

    def test_laterVersion(self):
        """What a later version says is refused with a reason; if that may be "away", the worker is held until it says more."""
        owner = self.begin()
        owner.waitUntilKnown()
        answer = owner.raw(name="presence", expression="{'version': 2, 'state': 'AVAILABLE'}")
        self.assertIn("version 2 is not known", answer["error"])
        self.farm.force("mac-mini").waitUntilBuilt()
        answer = owner.raw(name="presence", expression="{'version': 2, 'state': 'SLEEPING'}")
        self.assertIn("version 2 is not known", answer["error"])
        self.assertHeld(owner)

    def assertHeld(self, owner):
        """It is held because it could not be understood, until it says what can be."""
        holds = self.farm.get("presences/mac-mini")["presences"][0]["holds"]
        (hold,) = (each for each in holds if each["source"] == "worker")
        self.assertIn("cannot be understood", hold["reason"])
        waits = self.farm.force("mac-mini")
        back = time.time()
        owner.raw(name="presence", expression="{'version': 1, 'state': 'AVAILABLE'}")
        self.assertGreaterEqual(waits.waitUntilBuilt()["started"], back)

    def test_laterGreeting(self):
        """A worker that connects with a later version is told so, once it is logged, and it builds."""
        self.farm.configure(OURS)
        self.farm.start()
        owner = Owner(
            self.farm,
            "mac-mini",
            extra="""
_greeting = presenceClient.greeting
presenceClient.greeting = lambda: {**_greeting(), "version": 2}
""",
        ).start()
        status = owner.waitUntil("the refusal", lambda status: "version 2" in (status["master"]["why"] or ""))
        self.assertTrue(status["master"]["knows_presence"])
        self.farm.force("mac-mini").waitUntilBuilt()
        self.assertEqual(self.farm.master.log.count("is refused"), 1)
        self.assertQuiet(owner)

    def test_closed(self):
        """A worker that connects while its owner is away, and says so in a way that is refused, is held all the same."""
        self.farm.configure(OURS)
        self.farm.start()
        owner = Owner(
            self.farm,
            "mac-mini",
            extra="""
_greeting = presenceClient.greeting
presenceClient.greeting = lambda: {**_greeting(), "state": "NOT_ACCEPTING_NEW_BUILDS", "by": "\\x1b[2J"}
""",
        )
        owner.start()
        owner.waitUntil("the refusal", lambda status: "was refused" in (status["master"]["why"] or ""))
        self.assertHeld(owner)
        self.assertQuiet(owner)

    def test_hostile(self):
        """Whatever a worker sends is answered with what is wrong with it; nothing changes, nothing breaks."""
        owner = self.begin()
        owner.waitUntilKnown()
        owner.away(reason="rendering")
        view = owner.status()["master"]["view"]
        for name in ("presence", "presence_stop"):
            for expression in HOSTILE:
                answer = owner.raw(name=name, expression=expression)
                self.assertIn("error", answer or {}, expression)
                self.assertLess(len(answer["error"]), 1025)
        self.assertEqual(owner.status()["master"]["view"], view)
        for expression in ("()", "(1, 2)", "({},)"):
            owner.rawCall(name="presence", expression=expression)
        self.assertEqual(owner.away(reason="rendering")["master"]["view"], view)
        self.assertEqual(self.farm.master.log.count("is refused"), 1)
        self.assertQuiet(owner)


def right(wrong):
    """The source of a message in which all is right but this."""
    return f"{{'version': 1, 'state': 'NOT_ACCEPTING_NEW_BUILDS', {wrong}}}"


HOSTILE = [
    "None",
    "1",
    "'away'",
    "[]",
    "{}",
    "b'\\xff\\xfe'",
    "{'state': 'AVAILABLE'}",
    "{'version': True, 'state': 'AVAILABLE'}",
    "{'version': '1', 'state': 'AVAILABLE'}",
    "{'version': 1.5, 'state': 'AVAILABLE'}",
    "{'version': -1, 'state': 'AVAILABLE'}",
    "{'version': 2**63, 'state': 'AVAILABLE'}",
    "{'version': 1}",
    "{'version': 1, 'state': None}",
    "{'version': 1, 'state': 'available'}",
    "{'version': 1, 'state': ['AVAILABLE']}",
    "{'version': 1, 'state': {'AVAILABLE': 1}}",
    right("'reason': 1"),
    right("'reason': b'bytes'"),
    right("'reason': 'x' * 513"),
    right("'reason': 'x' * 600000"),
    right("'reason': 'two\\nlines'"),
    right("'reason': '\\x00'"),
    right("'reason': '\\u2028'"),
    right("'by': 'x' * 129"),
    right("'by': ['me']"),
    right("'since': 'now'"),
    right("'since': float('nan')"),
    right("'until': float('nan')"),
    right("'until': float('inf')"),
    right("'until': -float('inf')"),
    right("'until': 1e300"),
    right("'until': 2**63"),
    right("'until': True"),
    right("'until': 1"),
    right("'until': -1"),
    right("'work_until': 1"),
    right("'work_until': []"),
    right("'now': float('nan')"),
    right("'now': 'noon'"),
    "{str(number): number for number in range(100)}",
    "{str(number): 'x' * 1000 for number in range(1000)}",
    "deep(50)",
    "deep(400)",
    "list(range(100000))",
]


class PBWireTests(Wire, SynchronousTestCase):
    """And what one of the two ends does by itself: no wire can make a difference to that."""

    protocol = "pb"

    def test_awayEndsWhileDisconnected(self):
        """A worker whose away has ended while it was off gets builds right after it attaches."""
        owner = self.begin()
        owner.waitUntilKnown()
        end = time.time() + 2
        owner.away(until=end)
        waits = self.farm.force("mac-mini")
        owner.worker.kill()
        waitFor("the end of the away", lambda: time.time() > end)
        owner.start()
        waits.waitUntilBuilt()
        self.assertEqual(self.sources(owner.status()), [])

    def test_endsByItself(self):
        """An away with an end ends at that instant, and not earlier."""
        owner = self.begin()
        owner.waitUntilKnown()
        end = time.time() + 2
        owner.away(until=end)
        self.farm.force("mac-mini").assertStartsAtOnce(end)

    def test_ownership(self):
        """Back ends what the owner said, and no break of master.cfg."""
        owner = self.begin(f'worker.BuildSlave("mac-mini", PASSWORD, onBreakDuring={onBreakFor(3600)})')
        status = owner.waitUntilKnown()
        self.assertEqual(self.sources(status), ["break"])
        self.assertEqual(self.sources(owner.away(reason="rendering")), ["break", "worker"])
        status = owner.back()
        self.assertEqual((status["state"], self.sources(status)), (AWAY, ["break"]))

    def test_deadline(self):
        """At the deadline the process ends, and Buildbot builds again what was interrupted."""
        owner = self.begin()
        owner.waitUntilKnown()
        runs = self.farm.force("mac-mini", held=True).waitUntilRuns()
        deadline = time.time() + 1.5
        owner.stopWhenIdle(deadline=deadline)
        waitFor("the worker ends", lambda: not owner.worker.running)
        self.assertGreaterEqual(time.time(), deadline)
        runs.letFinish()
        owner.start()
        runs.waitUntilBuilt()

    def test_stopWithoutMaster(self):
        """Without a master nothing runs, and a stop ends the process at once."""
        owner = Owner(self.farm, "mac-mini").start()
        owner.stopWhenIdle(deadline=time.time() + 3600)
        waitFor("the worker ends", lambda: not owner.worker.running)

    def test_tooDeep(self):
        """Over PB what is deeper than Python can look is refused like anything else."""
        owner = self.begin()
        owner.waitUntilKnown()
        self.assertIn("error", owner.rawJelly(name="presence", depth=3000))
        self.assertHeld(owner)
        self.assertQuiet(owner)


class MsgpackWireTests(Wire, SynchronousTestCase):
    protocol = "msgpack"
