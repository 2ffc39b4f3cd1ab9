"""Reconfiguring a master without losing a build: check, hold what would be hurt, wait, let Buildbot reconfigure, go on.

One `Reconfiguration` at a time. What is requested while it waits joins it; and it is the file as it is at the end that
counts. Nothing of it is stored: after a crash the master comes up as always.

What it takes is imported when somebody orders one: other masters have not got it in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredLock, inlineCallbacks
from twisted.logger import Logger

from presence.errors import PresenceStopped
from presence.master.builds.requeue import GRACE
from presence.master.builds.running import newestBuild
from presence.master.quiesce.buildbotsown import BuildbotsOwn
from presence.master.quiesce.ending import Ending, affectedBuilds

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.interfaces import IDelayedCall

    from presence.master.quiesce.gate import ReconfigGate
    from presence.master.quiesce.plan import Plan
    from presence.master.quiesce.reconfiguration import Outcome, Reconfiguration
    from presence.master.quiesce.standstill import Standstill
    from presence.master.roster import Roster
    from presence.orders.reconfig import ReconfigOrder

_log = Logger()

#: How often it is looked, at least, whom to wait for, in seconds. Ends of builds are looked at as they happen.
LOOK = 1.0

_NONE: frozenset[str] = frozenset()
_RECONFIG = frozenset({"reconfig"})

_ABORTED = "configuration update aborted without making any changes"


class Reconfigurations:
    """The reconfigurations of one master; `gate` is the door that holds what they would hurt.

    `changed` is called after every change of it, and `wake` when builds may start again.
    """

    def __init__(
        self,
        roster: Roster,
        gate: ReconfigGate,
        standstill: Standstill,
        changed: Callable[[], object],
        wake: Callable[[], object],
    ) -> None:
        self._roster = roster
        self._standstill = standstill
        self._changed = changed
        self._wake_builders = wake
        self.gate = gate
        self._asking = DeferredLock()
        self._number = 0
        self._wake: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._consumer: Any = None
        self._stopped = False
        #: what is asked by SIGHUP and the like
        self.buildbotsOwn = BuildbotsOwn(roster.master, self.request, self.waitedFor)
        #: the one under way, or None
        self.current: Reconfiguration | None = None
        #: how the last one ended, or None
        self.last: Outcome | None = None

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
        """The master ends: hold nothing, leave no timer, and let those know who wait for the end of one."""
        self._stopped = True
        self.buildbotsOwn.giveBack()
        if self._consumer is not None:
            self._consumer.stopConsuming()
        if self.current is not None:
            self._end(self.current, "stopped")
            self._standstill.look()
        if self._timer is not None:
            self._timer.cancel()
            self._look()

    # --- what may be asked for

    @inlineCallbacks
    def request(self, order: ReconfigOrder, by: str | None) -> Generator[Deferred[Any], Any, Reconfiguration]:
        """Check the new configuration, and begin to wait for it, or join the one that waits: the `Reconfiguration`, in a Deferred.

        Fails with `Mistakes`; then nothing is held that was not held before.
        """
        from presence.master.quiesce.newconfig import Mistakes  # noqa: PLC0415

        try:
            return (yield self._asking.run(self._request, order, by))
        except Mistakes as mistakes:
            for message in mistakes.messages:
                _log.error("{message}", message=message)
            _log.error("{aborted}", aborted=_ABORTED)
            raise

    def plan(self, everything: bool) -> Deferred[tuple[Plan, list[str]]]:
        """What a request would hold now, and what the file changes (texts for people). Fails with `Mistakes`; does nothing."""
        from presence.master.quiesce.changes import planAndChanges  # noqa: PLC0415

        return planAndChanges(self._master, everything=everything)

    def cancel(self, by: str | None) -> bool:
        """End the one that waits, and go on as before. Whether there was one."""
        reconfig = self.current
        if reconfig is None or reconfig.reconfiguring:
            return False
        self._end(reconfig, "cancelled", by)
        self.lookSoon()
        return True

    def takeOver(self, order: Callable[[], ReconfigOrder]) -> None:
        """Let Buildbot's own ways to ask for one go through here, with what `order()` makes."""
        self.buildbotsOwn.takeOver(order)

    def giveBack(self) -> None:
        """Let them go their own way again."""
        self.buildbotsOwn.giveBack()

    @property
    def exempts(self) -> frozenset[str]:
        """The sources of holds that do not refuse a build by themselves: while one waits, the gate decides for each request."""
        return _RECONFIG if self.current is not None else _NONE

    def lookSoon(self) -> None:
        """Something has happened: look whom to wait for, in the next turn (Buildbot has yet to do its part)."""
        self._standstill.look()
        if self._timer is not None:
            self._timer.reset(0)

    def configurationChanged(self) -> None:
        """The configuration is another one. If that is not our doing, the file that was looked at is not the newest any more."""
        if self.current is not None and not self.current.reconfiguring:
            self.current.config = None

    def clockJumped(self) -> None:
        """The clock has been set: look now, and wait anew for the builds that were interrupted."""
        if self.current is not None:
            self.current.ending.clockJumped()
        self.lookSoon()

    # --- one reconfiguration

    @inlineCallbacks
    def _request(
        self, order: ReconfigOrder, by: str | None
    ) -> Generator[Deferred[Any], Any, Reconfiguration]:
        from presence.master.quiesce.configdiff import planFor  # noqa: PLC0415
        from presence.master.quiesce.newconfig import loadConfig  # noqa: PLC0415
        from presence.master.quiesce.reconfiguration import Reconfiguration  # noqa: PLC0415

        while True:
            if self.current is not None and self.current.reconfiguring:
                yield self.current.ended()
            config = yield loadConfig(self._master)
            running = self._master.config
            newest = yield newestBuild(self._master)
            if self._stopped:
                raise PresenceStopped("the master is stopping")
            reconfig = self.current
            # (or else Buildbot's own reconfig has read a newer file meanwhile)
            if self._master.config is running and not (reconfig and reconfig.reconfiguring):
                break
        everything = order.everything or (reconfig is not None and reconfig.order.everything)
        plan = planFor(self._master, config, everything=everything)
        if reconfig is not None:
            reconfig.join(order, by)
            _log.info("{by} joins the reconfig that {first} has requested", by=by, first=reconfig.by)
            self._hold(reconfig, plan)
            reconfig.config = config
            self.lookSoon()
            return reconfig
        self._number += 1
        reconfig = self.current = Reconfiguration(
            self._number,
            order,
            by,
            self._master.reactor.seconds(),
            newest,
            config,
            Ending(self._master.reactor),
        )
        self._hold(reconfig, plan)
        self._go(reconfig).addErrback(lambda failure: _log.failure("while waiting for a reconfig", failure))
        return reconfig

    @inlineCallbacks
    def _go(self, reconfig: Reconfiguration) -> Generator[Deferred[Any], Any, None]:
        """Wait until nothing is in the way, and reconfigure."""
        try:
            while self.current is reconfig:
                if self._in_the_way(reconfig) and not self._overdue(reconfig):
                    reconfig.config = None  # by then there may be a newer one
                    yield self._pause(reconfig)
                elif self.current is not reconfig:
                    break
                elif reconfig.config is None:
                    yield self._load(reconfig)
                elif (yield self._close(reconfig)):
                    yield self._reconfigure(reconfig)
        except Exception as problem:
            if self.current is reconfig:
                self._end(reconfig, "failed", mistakes=(f"{type(problem).__name__}: {problem}",))
            raise

    def _in_the_way(self, reconfig: Reconfiguration) -> bool:
        """Whether there is something to wait for."""
        from presence.master.quiesce.progress import logProgress  # noqa: PLC0415

        builds = self.waitedFor(reconfig)
        if logProgress(reconfig, builds, self._master.reactor.seconds()):
            self._changed()
        if reconfig.shuttingDown is not self._master.botmaster.shuttingDown:
            # there are children that may start in a shutdown only
            reconfig.shuttingDown = self._master.botmaster.shuttingDown
            self._wake_builders()
        # a clean shutdown ends the master, or is cancelled; Buildbot's own reconfig changes what there is to do
        return bool(builds or self._master.botmaster.shuttingDown or self._master.reconfig_active)

    def waitedFor(self, reconfig: Reconfiguration) -> list[Any]:
        """The builds that `reconfig` waits for; none when it has ended."""
        if reconfig is not self.current:
            return []
        return reconfig.ending.waitedFor(affectedBuilds(self._master, reconfig.plan))

    def _overdue(self, reconfig: Reconfiguration) -> bool:
        """Whether the deadline has come, and it is not to be waited any longer. It may also be the end."""
        if reconfig.order.deadline is None or self._master.reactor.seconds() < reconfig.order.deadline:
            return False
        if self._master.botmaster.shuttingDown or self._master.reconfig_active:
            return False
        if reconfig.order.onDeadline == "abort":
            self._end(reconfig, "deadline")
            return True
        if reconfig.order.onDeadline == "reconfig":
            return True
        self.gate.shut()
        reconfig.ending.interrupt(self.waitedFor(reconfig), "for a reconfig")
        return reconfig.ending.isOverdue

    @inlineCallbacks
    def _load(self, reconfig: Reconfiguration) -> Generator[Deferred[Any], Any, None]:
        """Look at the file as it is now: what it would hurt may be something else, or more."""
        from presence.master.quiesce.configdiff import planFor  # noqa: PLC0415
        from presence.master.quiesce.newconfig import Mistakes, loadConfig  # noqa: PLC0415

        try:
            config = yield loadConfig(self._master)
        except Mistakes as mistakes:
            if self.current is reconfig:
                self._end(reconfig, "failed", mistakes=tuple(mistakes.messages))
            return
        if self.current is reconfig:
            self._hold(reconfig, planFor(self._master, config, everything=reconfig.order.everything))
            reconfig.config = config

    @inlineCallbacks
    def _close(self, reconfig: Reconfiguration) -> Generator[Deferred[Any], Any, bool]:
        """Shut the gate, if still nothing is in the way: whether it is shut, in a Deferred."""
        from presence.master.quiesce.plan import Plan  # noqa: PLC0415

        # what has been chosen before is not among the builds for a moment
        go_on = yield self._standstill.reach(
            lambda: self._is_wanted(reconfig),
            lambda: reconfig.order.deadline,
            # a build that was chosen before the deadline begins now, and is interrupted then
            lambda: 0.0 if reconfig.order.onDeadline == "reconfig" else 2 * GRACE,
        )
        if go_on is None:
            return False
        try:
            if self.current is not reconfig or reconfig.config is None:
                return False
            if self._in_the_way(reconfig) and not self._overdue(reconfig):
                return False
            if self.current is not reconfig:
                return False
            # Between the builders' reconfiguration and the schedulers' a build of a new factory would find that a new
            # scheduler is not there yet. So for this moment nothing starts anywhere.
            self.gate.close(Plan(everything=True), reconfig.newest)
            self.gate.shut()
            reconfig.reconfiguring = True
            return True
        finally:
            go_on()

    def _is_wanted(self, reconfig: Reconfiguration) -> bool:
        """Whether it is still to be waited for: it may have ended, and it ends here if its deadline says so."""
        if self.current is reconfig and reconfig.order.onDeadline == "abort":
            self._overdue(reconfig)
        return self.current is reconfig

    @inlineCallbacks
    def _reconfigure(self, reconfig: Reconfiguration) -> Generator[Deferred[Any], Any, None]:
        from presence.master.quiesce.newconfig import reconfigureWith  # noqa: PLC0415

        self._changed()
        problems = yield reconfigureWith(self._master, self.buildbotsOwn.reconfig, reconfig.config)
        failed = "partly" if self._master.config is reconfig.config else "failed"
        if self.current is reconfig:
            self._end(reconfig, failed if problems else "reconfigured", mistakes=tuple(problems))

    def _pause(self, reconfig: Reconfiguration) -> Deferred[None]:
        wait, deadline = LOOK, reconfig.order.deadline
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

    def _hold(self, reconfig: Reconfiguration, plan: Plan) -> None:
        """Hold what `plan` covers, and nothing else."""
        if plan == reconfig.plan and self.gate.isGuarding:
            return
        if self.gate.isGuarding:
            # for what is held no longer, and for children that may start now
            self._wake_builders()
        reconfig.plan = plan
        self.gate.close(plan, reconfig.newest)
        for name, presence in self._roster.workers.items():
            why = plan.whyWorker(name)
            hold = presence.heldBy("reconfig")
            if why is None:
                presence.release("reconfig")
            elif hold is None or hold.reason != why:
                presence.hold("reconfig", reason=why, by=reconfig.by)
        self._changed()

    def _end(
        self, reconfig: Reconfiguration, result: str, by: str | None = None, mistakes: tuple[str, ...] = ()
    ) -> None:
        """The end of one, in whatever way: nothing is held, and everybody is woken, once."""
        from presence.master.quiesce.reconfiguration import Outcome  # noqa: PLC0415

        self.current = None
        self.last = Outcome(
            reconfig.number, result, by or reconfig.by, self._master.reactor.seconds(), mistakes
        )
        self.gate.open()
        reconfig.ending.stop()
        for presence in self._roster.workers.values():
            presence.release("reconfig")
        if not self._stopped:
            if not reconfig.reconfiguring:  # or else Buildbot has said it
                for message in mistakes:
                    _log.error("{message}", message=message)
                _log.info("{aborted} ({why})", aborted=_ABORTED, why=result)
            if reconfig.plan or reconfig.reconfiguring:
                # Buildbot has kicked its builders before it has given them their new workers
                self._wake_builders()
            self._changed()
        reconfig.end(self.last)
