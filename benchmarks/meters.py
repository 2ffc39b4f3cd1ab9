"""What a run is measured with: SQL statements, CPU, how long the reactor was not free, starts of builds, memory."""

import gc
import operator
import os
import re
import resource
import time
from collections import Counter

import sqlalchemy as sa
from twisted.internet.defer import Deferred

#: A master is at rest when nothing has been asked of the database, and next to nothing computed, for so long, in seconds, in which it
#: was looked at so often.
REST = 0.3
_LOOKS = 5

# What is next to nothing of CPU time between two looks: events are told in slices, for which nobody asks the database.
_IDLE = 0.005


def after(reactor, seconds):
    """A Deferred that fires so many seconds from now."""
    deferred = Deferred()
    reactor.callLater(seconds, deferred.callback, None)
    return deferred


class _Steal:
    """What the host of a virtual machine has given to others meanwhile, as far as it says so (Linux does, in hundredths of a second)."""

    # It is not read anew within so many seconds, of which that takes less than a hundredth.
    _FRESH = 0.005

    def __init__(self):
        self._file = os.open("/proc/stat", os.O_RDONLY)
        self._tick = 1 / os.sysconf("SC_CLK_TCK")
        self._begin, self._at = self._read(), time.perf_counter()

    def begin(self, now):
        """Count from now on."""
        if now - self._at > self._FRESH:
            self._begin, self._at = self._read(), now

    def taken(self):
        """So many seconds since then, of the processor of which most was taken."""
        return self._tick * max(map(operator.sub, self._read(), self._begin))

    def _read(self):
        lines = os.pread(self._file, 65536, 0).decode("ascii").splitlines()
        return [int(line.split()[8]) for line in lines if re.match(r"cpu\d", line)]


class _Poller:
    """Stands before the poller of the reactor: between two polls the reactor is not free.

    The `longest` time is without what the host has taken of it; `longest_on_the_clock` is with that.
    """

    def __init__(self, poller):
        self._poller = poller
        self._steal = _Steal()
        self.begin()

    def __getattr__(self, name):
        return getattr(self._poller, name)

    def begin(self):
        """Count from this turn of the reactor on, and of that only what is to come."""
        self.longest = self.longest_on_the_clock = self.longest_computing = 0.0
        self._turn()

    def look(self):
        """Count what has been of this turn."""
        taken = time.perf_counter() - self._since
        self.longest_on_the_clock = max(self.longest_on_the_clock, taken)
        self.longest_computing = max(self.longest_computing, time.thread_time() - self._computing)
        if taken > self.longest:
            self.longest = max(self.longest, taken - self._steal.taken())

    def poll(self, *args):
        self.look()
        try:
            return self._poller.poll(*args)
        finally:
            self._turn()

    def _turn(self):
        self._since, self._computing = time.perf_counter(), time.thread_time()
        self._steal.begin(self._since)


class Meters:
    """Measures one master from `begin()` to `end()`.

    Only one kind of reactor is known, that of Linux; it has to be the one that runs the process.
    """

    def __init__(self, master):
        self._reactor = master.reactor
        self._brd = master.botmaster.brd
        self._poller = self._reactor._poller = _Poller(self._reactor._poller)
        self.statements = self.commits = 0
        self.texts = Counter()
        self.starts = []
        sa.event.listen(master.db.pool.engine, "before_cursor_execute", self._executed)
        sa.event.listen(master.db.pool.engine, "commit", self._committed)

    def _executed(self, _connection, _cursor, statement, *_):
        self.statements += 1
        self.texts[statement] += 1

    def _committed(self, _connection):
        self.commits += 1

    def started(self):
        """A worker is told to build."""
        self.starts.append(self._reactor.seconds())

    def settle(self):
        """What has been set up stays: a look at half a million objects is not part of the work."""
        gc.collect()
        gc.freeze()

    def begin(self, zero=None):
        """Begin to count. Times are told from the instant `zero` on, before which it was settled; by default that is now."""
        if zero is None:
            self.settle()
        self.statements = self.commits = 0
        self.texts.clear()
        self.starts.clear()
        self._zero = self._reactor.seconds() if zero is None else zero
        # this turn of the reactor has had nothing to do with the work so far
        self._poller.begin()
        self._cpu = time.process_time()

    async def rest(self, most=None):
        """Wait until the master is at rest; False if that has not come within `most` seconds."""
        begun = self._reactor.seconds()
        # looks are counted, and not seconds: a reactor that is not free for long is not at rest
        quiet, seen, computed = 0, self.statements, time.process_time()
        while quiet <= _LOOKS or self._brd.active:
            if most is not None and self._reactor.seconds() - begun > most:
                return False
            cpu = time.process_time() - computed
            quiet = quiet + 1 if self.statements == seen and cpu <= _IDLE else 0
            seen, computed = self.statements, computed + cpu
            await after(self._reactor, REST / _LOOKS)
        return True

    def end(self):
        """What has been measured."""
        self._poller.look()
        return {
            "statements": self.statements,
            "commits": self.commits,
            "cpu": time.process_time() - self._cpu,
            "blocked": self._poller.longest,
            "blocked_on_the_clock": self._poller.longest_on_the_clock,
            "blocked_computing": self._poller.longest_computing,
            "builds": len(self.starts),
            "first": self.starts[0] - self._zero if self.starts else None,
            "last": self.starts[-1] - self._zero if self.starts else None,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
