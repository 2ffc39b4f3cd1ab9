"""Reconfiguring a master without losing a build: check, hold what would be hurt, wait, let Buildbot reconfigure, go on.

One `Run` at a time. What is requested while it waits joins it; and it is the file as it is at the end that counts. Nothing
of a run is stored: after a crash the master comes up as always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredLock, inlineCallbacks
from twisted.logger import Logger

from presence.errors import PresenceStopped
from presence.master.builds.requeue import GRACE, SendBack
from presence.master.builds.running import affectedBuilds, isLost, newestBuild, workerOf
from presence.master.quiesce.configdiff import planFor
from presence.master.quiesce.gate import Gate
from presence.master.quiesce.newconfig import Mistakes, loadConfig, reconfigureWith
from presence.master.quiesce.plan import Plan
from presence.master.quiesce.reconfiguration import Result, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.interfaces import IDelayedCall

    from presence.master.roster import Roster
    from presence.orders.reconfig import ReconfigOrder

_log = Logger()

#: How often it is looked, at least, whom to wait for, in seconds. Ends of builds are looked at as they happen.
LOOK = 1.0

#: How long a build is waited for that has ended, or lost its worker: Buildbot never removes some of them.
LOST = 60.0

# How often the log says who is waited for, in seconds. `buildbot reconfig` gives up when it sees no progress for ten.
_PROGRESS = 5.0

_ABORTED = "configuration update aborted without making any changes"


class Quiesce:
    """The reconfigurations of one master. `changed` is called whenever there is something new to tell of it."""

    def __init__(self, roster: Roster, changed: Callable[[], object]) -> None:
        self._roster = roster
        self._changed = changed
        self._gate = Gate(roster.master)
        self._asking = DeferredLock()
        self._number = 0
        self._wake: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._consumer: Any = None
        self._stopped = False
        self._buildbots: Callable[[], Deferred[None]] | None = None
        #: the one under way, or None
        self.run: Run | None = None
        #: how the last one ended, or None
        self.last: Result | None = None

    @property
    def _master(self) -> Any:
        return self._roster.master

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen to the ends of builds."""
        self._consumer = yield self._master.mq.startConsuming(
            lambda _key, _message: self.lookSoon(), ("builds", None, "finished")
        )

    def stop(self) -> None:
        """The master ends: hold nothing, leave no timer, and tell those who wait for the end of a run."""
        self._stopped = True
        self.giveBack()
        if self._consumer is not None:
            self._consumer.stopConsuming()
        if self.run is not None:
            self._end(self.run, "stopped")
        if self._timer is not None:
            self._timer.cancel()
            self._look()

    # --- what may be asked for

    @inlineCallbacks
    def request(self, order: ReconfigOrder, by: str | None) -> Generator[Deferred[Any], Any, Run]:
        """Check the new configuration, and begin a run for it, or join the one that waits: the run, in a Deferred.

        Fails with `Mistakes`; then nothing is held that was not held before.
        """
        try:
            return (yield self._asking.run(self._request, order, by))
        except Mistakes as mistakes:
            for message in mistakes.messages:
                _log.error("{message}", message=message)
            _log.error("{aborted}", aborted=_ABORTED)
            raise

    @inlineCallbacks
    def plan(self, everything: bool) -> Generator[Deferred[Any], Any, Plan]:
        """What a request would hold now, in a Deferred. Nothing is done. Fails with `Mistakes`."""
        config = yield loadConfig(self._master)
        return planFor(self._master, config, everything=everything)

    def cancel(self, by: str | None) -> bool:
        """End the run that waits, and go on as before. Whether there was one."""
        run = self.run
        if run is None or run.reconfiguring:
            return False
        self._end(run, "cancelled", by)
        self.lookSoon()
        return True

    def takeOver(self, order: Callable[[], ReconfigOrder]) -> None:
        """Let SIGHUP, `buildbot reconfig` and the manhole go through here, with what `order()` makes."""
        self.giveBack()
        self._buildbots = self._master.reconfig
        self._master.reconfig = lambda: self._asked_by_buildbot(order())

    def giveBack(self) -> None:
        """Let them go their own way again."""
        if self._buildbots is not None:
            self._master.reconfig = self._buildbots
            self._buildbots = None

    def lookSoon(self) -> None:
        """Something has happened: look whom to wait for, in the next turn (Buildbot has yet to do its part)."""
        if self._timer is not None:
            self._timer.reset(0)

    # --- the run

    @inlineCallbacks
    def _request(self, order: ReconfigOrder, by: str | None) -> Generator[Deferred[Any], Any, Run]:
        while True:
            if self.run is not None and self.run.reconfiguring:
                yield self.run.ended()
            config = yield loadConfig(self._master)
            newest = yield newestBuild(self._master)
            if self._stopped:
                raise PresenceStopped("the master is stopping")
            run = self.run
            if run is None or not run.reconfiguring:
                break
        everything = order.everything or (run is not None and run.order.everything)
        plan = planFor(self._master, config, everything=everything)
        if run is not None:
            run.join(order, by)
            _log.info("{by} joins the reconfig that {first} has requested", by=by, first=run.by)
            self._hold(run, plan)
            run.config = config
            self.lookSoon()
            return run
        self._number += 1
        run = self.run = Run(self._number, order, by, self._master.reactor.seconds(), newest, config)
        self._hold(run, plan)
        self._go(run).addErrback(lambda failure: _log.failure("while waiting for a reconfig", failure))
        return run

    @inlineCallbacks
    def _go(self, run: Run) -> Generator[Deferred[Any], Any, None]:
        """Wait until nothing is in the way, and reconfigure."""
        try:
            while self.run is run:
                if self._in_the_way(run) and not self._overdue(run):
                    run.config = None  # by then there may be a newer one
                    yield self._pause(run)
                elif self.run is not run:
                    break
                elif run.config is None:
                    yield self._load(run)
                elif (yield self._close(run)):
                    yield self._reconfigure(run)
        except Exception as problem:
            if self.run is run:
                self._end(run, "failed", mistakes=(f"{type(problem).__name__}: {problem}",))
            raise

    def _in_the_way(self, run: Run) -> bool:
        """Whether there is something to wait for."""
        builds = self.waitedFor(run)
        self._tell(run, builds)
        if run.shuttingDown is not self._master.botmaster.shuttingDown:
            # there are children that may start in a shutdown only
            run.shuttingDown = self._master.botmaster.shuttingDown
            self._roster.wake()
        # a clean shutdown ends the master, or is cancelled; Buildbot's own reconfig changes what there is to do
        return bool(builds or self._master.botmaster.shuttingDown or self._master.reconfig_active)

    def waitedFor(self, run: Run) -> list[Any]:
        """The builds that `run` waits for."""
        now = self._master.reactor.seconds()
        builds = affectedBuilds(self._master, run.plan)
        run.lost = {each: run.lost.get(each, now) for each in builds if isLost(each)}
        return [each for each in builds if now - run.lost.get(each, now) < LOST]

    def _overdue(self, run: Run) -> bool:
        """Whether the deadline has come, and it is not to be waited any longer. It may also be the end."""
        if run.order.deadline is None or self._master.reactor.seconds() < run.order.deadline:
            return False
        if self._master.botmaster.shuttingDown or self._master.reconfig_active:
            return False
        if run.order.onDeadline == "abort":
            self._end(run, "deadline")
            return True
        if run.order.onDeadline == "reconfig":
            return True
        now = self._master.reactor.seconds()
        if run.sendBack is None:
            run.interruptedAt = now
            run.sendBack = SendBack(self._master.reactor)
        self._gate.shut()
        # one that had been chosen when the others were interrupted begins later than that
        fresh = [each for each in self.waitedFor(run) if each not in run.interrupted]
        run.interrupted.update(fresh)
        run.sendBack.send(fresh, "for a reconfig")
        # it cuts the connections when the first of these times is over
        return bool(now - run.interruptedAt >= 2 * GRACE)

    @inlineCallbacks
    def _load(self, run: Run) -> Generator[Deferred[Any], Any, None]:
        """Look at the file as it is now: what it would hurt may be something else, or more."""
        try:
            config = yield loadConfig(self._master)
        except Mistakes as mistakes:
            if self.run is run:
                self._end(run, "failed", mistakes=tuple(mistakes.messages))
            return
        if self.run is run:
            self._hold(run, planFor(self._master, config, everything=run.order.everything))
            run.config = config

    @inlineCallbacks
    def _close(self, run: Run) -> Generator[Deferred[Any], Any, bool]:
        """Shut the gate, if still nothing is in the way: whether it is shut, in a Deferred."""
        # what has been chosen before is not among the builds for a moment, but it is under this lock
        lock = self._master.botmaster.brd.activity_lock
        yield lock.acquire()
        try:
            if self.run is not run or run.config is None:
                return False
            if self._in_the_way(run) and not self._overdue(run):
                return False
            if self.run is not run:
                return False
            # Between the builders' reconfiguration and the schedulers' a build of a new factory would find that a new
            # scheduler is not there yet. So for this moment nothing starts anywhere.
            self._gate.close(Plan(everything=True), run.newest)
            self._gate.shut()
            run.reconfiguring = True
            return True
        finally:
            lock.release()

    @inlineCallbacks
    def _reconfigure(self, run: Run) -> Generator[Deferred[Any], Any, None]:
        self._changed()
        reconfig = self._buildbots or self._master.reconfig
        problems = yield reconfigureWith(self._master, reconfig, run.config)
        failed = "partly" if self._master.config is run.config else "failed"
        if self.run is run:
            self._end(run, failed if problems else "reconfigured", mistakes=tuple(problems))

    def _pause(self, run: Run) -> Deferred[None]:
        wait, deadline = LOOK, run.order.deadline
        now = self._master.reactor.seconds()
        if deadline is not None and deadline > now:
            wait = min(wait, deadline - now)
        self._timer = self._master.reactor.callLater(wait, self._look)
        self._wake = Deferred()
        return self._wake

    def _look(self) -> None:
        wake, self._timer, self._wake = self._wake, None, None
        if wake is not None:
            wake.callback(None)

    def _hold(self, run: Run, plan: Plan) -> None:
        """Hold what `plan` covers, and nothing else."""
        if plan == run.plan and self._gate.isClosed:
            return
        if self._gate.isClosed:
            # for what is held no longer, and for children that may start now
            self._roster.wake()
        run.plan = plan
        self._gate.close(plan, run.newest)
        for name, presence in self._roster.workers.items():
            why = plan.whyWorker(name)
            hold = presence.heldBy("reconfig")
            if why is None:
                presence.release("reconfig")
            elif hold is None or hold.reason != why:
                presence.hold("reconfig", reason=why, by=run.by)
        self._changed()

    def _end(self, run: Run, result: str, by: str | None = None, mistakes: tuple[str, ...] = ()) -> None:
        """The end of a run, in whatever way: nothing is held, and everybody is woken, once."""
        self.run = None
        self.last = Result(run.number, result, by or run.by, self._master.reactor.seconds(), mistakes)
        self._gate.open()
        if run.sendBack is not None:
            run.sendBack.stop()
        for presence in self._roster.workers.values():
            presence.release("reconfig")
        if not self._stopped:
            if not run.reconfiguring:  # or else Buildbot has said it
                for message in mistakes:
                    _log.error("{message}", message=message)
                _log.info("{aborted} ({why})", aborted=_ABORTED, why=result)
            if run.plan or run.reconfiguring:
                # Buildbot has kicked its builders before it has given them their new workers
                self._roster.wake()
            self._changed()
        run.end(self.last)

    # --- Buildbot's own ways to ask, and what the log says

    @inlineCallbacks
    def _asked_by_buildbot(self, order: ReconfigOrder) -> Generator[Deferred[Any], Any, None]:
        """What takes the place of `master.reconfig`. Fires when the run has ended; never fails, as that one."""
        try:
            run = yield self.request(order, "buildbot reconfig")
            yield run.ended()
        except (Mistakes, PresenceStopped):
            pass
        except Exception:  # noqa: BLE001
            # whoever sends a signal takes no answer
            _log.failure("while reconfiguring")

    def _tell(self, run: Run, builds: list[Any]) -> None:
        """Say in the log, and to whoever follows, what has changed of the builds that are waited for."""
        names = sorted(f"{each.builder.name} on {workerOf(each)}" for each in builds)
        now = self._master.reactor.seconds()
        if names != run.told:
            run.told = names
            self._changed()
        elif now - run.toldAt < _PROGRESS:
            return
        if names:
            run.toldAt = now
            # the first words are those by which `buildbot reconfig` knows that there is progress
            _log.info(
                "beginning configuration update when idle. Loading configuration from the file again when what it "
                "would hurt has ended: {builds}",
                builds=", ".join(names),
            )
