"""What breaks in a round (`tests.masters.rounds`): each fault is a method that breaks something around the instant at which an order is sent,
mends it, and returns when that was, by `time.monotonic()`.
"""

import os
import signal
import time
from pathlib import Path

from tests.integration.processes import waitFor

FAULTS = (
    "none",
    "router",
    "router killed",
    "database restarted",
    "database killed",
    "a killed",
    "a dies before it tells",
    "a dies before it answers",
    "b killed",
    "b stands still",
)

#: Those in which a dies in just this moment: the order is stored, and nobody hears so.
DYING = ("a dies before it tells", "a dies before it answers")

#: Within so many seconds after an order was sent a is killed, in "a killed".
MOMENTS = 0.03

# How long a may live on, in the others.
_DIES = 10.0

#: In master.cfg: a master dies of kill -9 where a file says so, right after an order has been stored and before any message, or
#: when it is heeded and before the answer.
DIE = """\
import os, signal
from presence.master.farm.confirmations import Confirmations
from presence.master.farm.reconciliation import Reconciliation
def die(moment):
    try:
        with open({die!r}) as file:
            due = file.read() == moment
    except OSError:
        return
    if due:
        os.kill(os.getpid(), signal.SIGKILL)
def follow():
    stored, learn = Reconciliation._stored, Confirmations._learn
    def dyingStored(self, followed):
        die("a dies before it tells")
        return stored(self, followed)
    def dyingLearn(self, masterid, revision):
        if masterid != self._master.masterid and any(each.revision <= revision for each in self._waiters):
            die("a dies before it answers")
        return learn(self, masterid, revision)
    Reconciliation._stored, Confirmations._learn = dyingStored, dyingLearn
follow()
"""


class Faults:
    """Those of the masters a and b; `random` says when in a round, and for how long. Workers `names` are connected to b."""

    def __init__(self, masters, names, random):
        self._masters = masters
        self._names = names
        self._random = random
        self.a, self.b = masters
        self._die = Path(self.a.directory) / "die"
        #: what stands in the master.cfg of the masters
        self.hook = DIE.format(die=str(self._die))

    def prepare(self, fault):
        """Before the order is sent."""
        if fault in DYING:
            self._die.write_text(fault)

    def strike(self, fault, order, length):
        """Let it happen: when it was mended. `order` is a `tests.masters.rounds.Order`, which another thread sends."""
        if fault in DYING:
            order.sending.wait(60)
            return self._a_dies(order)
        if fault.startswith("a "):
            order.sending.wait(60)
            time.sleep(self._random.uniform(0, MOMENTS))
        else:
            # before, in, or after it
            time.sleep(self._random.uniform(0, 0.12))
        return getattr(self, "_" + fault.replace(" ", "_"))(length)

    def _none(self, length):
        time.sleep(length / 4)
        return time.monotonic()

    def _router(self, length):
        self._masters.router.freeze()
        # (an order that is not confirmed is answered after a second: what follows is to be seen)
        time.sleep(1.0 + length)
        self._masters.router.thaw()
        return time.monotonic()

    def _router_killed(self, length):
        """And started anew: that takes it some seconds."""
        self._masters.router.crash()
        time.sleep(length)
        self._masters.router.start()
        return time.monotonic()

    def _database_restarted(self, _length):
        self._masters.database.crash()
        self._masters.database.start()
        return time.monotonic()

    def _database_killed(self, length):
        """With kill -9."""
        database = self._masters.database
        pid = int((database.directory / "data/postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        database.crash()
        time.sleep(length / 2)
        database.start()
        return time.monotonic()

    def _a_killed(self, _length):
        self.a.kill()
        return self._a_again()

    def _a_dies(self, order):
        """Where the order has failed before that moment, as in a connection to a database of before, nothing breaks."""
        waitFor("the order ends", lambda: order.isOver or not self.a.master.running, _DIES)
        time.sleep(0.2)
        self._die.unlink()
        order.stored = not self.a.master.running
        return self._a_again() if order.stored else time.monotonic()

    def _a_again(self):
        # (b has to say the same by itself)
        mended = time.monotonic()
        self.a.start()
        return mended

    def _b_killed(self, length):
        self.b.kill()
        time.sleep(length / 2)
        self.startB()
        return time.monotonic()

    def _b_stands_still(self, length):
        self.b.master.signal(signal.SIGSTOP)
        time.sleep(length)
        self.b.master.signal(signal.SIGCONT)
        return time.monotonic()

    def startB(self):
        """Start b again, and its workers, which else would wait longer and longer before they connect."""
        for name in self._names:
            self.b.worker(name).kill()
        self.b.start()
        for name in self._names:
            self.b.worker(name).start()
        for name in self._names:
            self.b.worker(name).waitUntilConnected()
