"""What befalls the processes, the database, the configuration and the clock."""

import signal
import subprocess
import time
import traceback

from tests.integration.processes import waitFor
from tests.torture.account import Planned
from tests.torture.farm import EARLY, FAKETIME, PATIENCE, TOLD, WORKERS

#: How far the clock may be set back, in seconds: `callLater(0)` of Twisted, and so all of Buildbot, waits for as long.
BACK = 3.0

#: How long ago a break ended, on the master's clock, that is taken out of master.cfg, in seconds.
_OVER = 30.0


class Disturbances:
    """One at a time. What they do to what is held is entered in `book` (`tests.torture.torment.Book`)."""

    def __init__(self, farm, book):
        self._farm = farm
        self._book = book
        self._acts = [self._killWorker, self._stopWorker, self._stopMaster, self._reconfig, self._reload]
        self._acts += [self._jump, self._thereAndBack] if FAKETIME else []
        # a master that is started costs a busy machine much, and nothing is built meanwhile
        self._acts = 4 * self._acts + [self._killMaster, self._endMaster]
        self._acts += 2 * [self._restartDatabase] if farm.database else []

    def disturb(self, dice):
        """Do one of them."""
        self._book.wait(dice.uniform(0.5, 3.0))
        act, since = dice.choice(self._acts), time.monotonic()
        try:
            act(dice)
        except (AssertionError, subprocess.TimeoutExpired):
            # it is told at the end, and the rest goes on
            self._book.trouble.append(f"{act.__name__} has failed:\n{traceback.format_exc()}")
            self._book.crashed()
            self._farm.kill()
            self._farm.launchMaster()
        self._book.rest(since)

    # --- workers

    def _killWorker(self, dice):
        """It is killed, and started again with other breaks in its buildbot.tac."""
        name = dice.choice(WORKERS)
        with self._book.process(name):
            worker = self._farm.worker(name)
            with self._book.account as account:
                account.ordered(name, "own break", time.monotonic())
            worker.kill()
            self._book.wait(dice.uniform(0.0, 2.0))
            start = dice.uniform(5.0, 15.0)
            stop = start + TOLD + EARLY + dice.uniform(2.0, 10.0)
            now = time.monotonic()
            self._farm.planOwn(name, time.time() + start, time.time() + stop)
            worker.start()
            with self._book.account as account:
                account.held(name, "own break", now + start + TOLD, upto=now + stop - EARLY)
        self._book.count("kill worker")

    def _stopWorker(self, dice):
        name = dice.choice(WORKERS)
        worker = self._farm.worker(name)
        with self._book.account as account:
            # a process that is stopped tells nobody
            account.ordered(name, "own break", time.monotonic())
        worker.signal(signal.SIGSTOP)
        self._book.wait(dice.uniform(0.2, 3.0))
        worker.signal(signal.SIGCONT)
        self._book.count("stop worker")

    # --- the master

    def _stopMaster(self, dice):
        self._farm.master.signal(signal.SIGSTOP)
        self._book.wait(dice.uniform(0.2, 2.0))
        self._farm.master.signal(signal.SIGCONT)
        self._book.count("stop master")

    def _killMaster(self, dice):
        self._book.crashed()
        self._farm.kill()
        self._book.wait(dice.uniform(0.0, 1.0))
        self._farm.launchMaster()
        self._book.count("kill master")

    def _endMaster(self, dice):
        """`presence stop-master`, with a deadline."""
        status = self._command("stop-master", "--deadline", "4s", "--on-deadline", "interrupt")
        if status:
            self._book.crashed()
            self._farm.kill()
        else:
            waitFor("the master ends", lambda: not self._farm.master.running, PATIENCE)
            self._book.count("end master")
        self._farm.launchMaster()

    def _reconfig(self, dice):
        """SIGHUP, with some breaks more in master.cfg."""
        planned = self._plan(dice)
        # (the first statement after a restart of the database fails)
        if "configuration update complete" in self._farm.reconfig(PATIENCE):
            self._known(planned)
            self._book.count("reconfig")

    def _reload(self, dice):
        """`presence reconfig`, with some breaks more in master.cfg, and a deadline."""
        planned = self._plan(dice)
        then = dice.choice(("abort", "interrupt", "reconfig"))
        more = ("--all",) if dice.random() < 0.5 else ()
        if not self._command("reconfig", "--deadline", "3s", "--on-deadline", then, *more):
            self._known(planned)
            self._book.count("reload")

    def _plan(self, dice):
        """Write master.cfg: the breaks that are new in it."""
        # far enough back for any clock; it would become ever more in an hour
        over = self._farm.wall - _OVER
        with self._book.account as account:
            account.dropped(over, time.monotonic())
        self._farm.breaks = {
            name: [each for each in breaks if each[1] >= over] for name, breaks in self._farm.breaks.items()
        }
        planned = []
        for name in dice.sample(WORKERS, 2):
            start = self._farm.wall + dice.uniform(1.0, 6.0)
            stop = start + dice.uniform(1.5, 6.0)
            self._farm.breaks[name].append((start, stop))
            planned.append((name, start, stop))
        self._farm.write()
        return planned

    def _known(self, planned):
        known = time.monotonic()
        with self._book.account as account:
            account.breaks += [Planned(*each, known) for each in planned]

    def _command(self, *argv):
        url = f"http://127.0.0.1:{self._farm.www}/"
        status, _ = self._farm.presence(argv[0], "--url", url, *argv[1:], admin=True)
        return status

    # --- the database, and the clock

    def _restartDatabase(self, dice):
        self._book.crashed()
        self._farm.database.crash()
        self._book.wait(dice.uniform(0.0, 4.0))
        self._farm.database.start()
        self._book.count("restart database")

    def _jump(self, dice):
        self.setClock(self._farm.clock + dice.uniform(-BACK, 2 * BACK))
        self._book.count("jump")

    def _thereAndBack(self, dice):
        before = self._farm.clock
        self.setClock(before + dice.uniform(-BACK, 2 * BACK))
        self._book.wait(dice.uniform(0.1, 1.5))
        self.setClock(before)
        self._book.count("there and back")

    def setClock(self, offset):
        """Set the master's clock."""
        with self._book.account as account:
            account.jumps.append(time.monotonic())
        self._farm.setClock(offset)
