"""`BuildSlave`, a Buildbot worker that has a presence, and the mixin that gives one to any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.worker.base import Worker
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.adminrecord import AdminRecord
from presence.breaktimer import BreakTimer
from presence.errors import NotAcceptingBuildsError
from presence.master import mirror
from presence.master.checks import checkKeywords, checkName, checkOwners, checkPassword, checkSchedule
from presence.master.lostworkers import guardChoice, guardPreparation
from presence.master.ownersside import OwnersSide
from presence.master.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

    from presence.breaks import BreakSchedule
    from presence.workerpresence import WorkerPresence

_log = Logger()

_NONE: frozenset[Any] = frozenset()


class PresenceMixin:
    """Gives a presence to any worker class of Buildbot.

    Mix it in first: `class MyWorker(PresenceMixin, DockerLatentWorker): pass`. The class then takes three
    keywords more, `onBreakDuring=` (a break, or a list of them: see `presence.breaks`), `timezone=` (the zone
    of breaks that name none) and `owners=` (who may hold and release it: see `presence.master.authz`), and
    `name=` may be given as a keyword.

    From its service's start on the worker has `presence`, its `WorkerPresence`, and `breakTimer`, the
    `BreakTimer` that follows `schedule`. `adminRecord` is what admins have ordered of it. No build starts while the
    presence is held.
    """

    presence: WorkerPresence | None = None
    breakTimer: BreakTimer | None = None
    schedule: BreakSchedule
    owners: tuple[str, ...] = ()
    adminRecord = AdminRecord()

    # of Buildbot's workers, for the type checker
    master: Any
    botmaster: Any
    workername: str
    workerid: int
    workerforbuilders: dict[str, Any]
    missing_timer: Any
    stopMissingTimer: Callable[[], None]
    _paused: bool
    _config_args: tuple[Any, ...]
    _config_kwargs: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Set here and not below: Buildbot's constructor calls checkConfig.
        self._roster: Roster | None = None
        # since when (seconds since the epoch) which builder's build runs
        self._building: dict[Any, float] = {}
        # those of them that may run although the worker is drained
        self._let_in = _NONE
        self._owners_side: OwnersSide | None = None
        self._refused = False
        self._leaving = False
        self._missing_after_break = False
        self._end_observation: Callable[[], None] = lambda: None
        if "name" in kwargs:
            # BuildbotService would keep a keyword `name` from checkConfig, which requires it
            args = (kwargs.pop("name"), *args)
        super().__init__(*args, **kwargs)

    # --- configuration

    def checkConfig(
        self,
        name: str,
        *args: Any,
        onBreakDuring: Any = None,
        timezone: Any = None,
        owners: Any = None,
        **kwargs: Any,
    ) -> None:
        """Read the breaks; each mistake is a `config.error`."""
        who = f"{type(self).__name__} {name!r}"
        self.schedule = checkSchedule(who, onBreakDuring, timezone)
        self.owners = checkOwners(who, owners)
        super().checkConfig(name, *args, **kwargs)  # type: ignore[misc]

    @inlineCallbacks
    def reconfigService(
        self,
        name: str,
        *args: Any,
        onBreakDuring: Any = None,
        timezone: Any = None,
        owners: Any = None,
        **kwargs: Any,
    ) -> Generator[Deferred[Any], Any, None]:
        """Take over a new configuration, in the middle of a break as well as of a build."""
        self.owners = checkOwners(name, owners)
        schedule = checkSchedule(name, onBreakDuring, timezone)
        if schedule != self.schedule:
            self.schedule = schedule
            if self.breakTimer is not None:
                self.breakTimer.replace(schedule)
                self._tell_owner()
        yield super().reconfigService(name, *args, **kwargs)  # type: ignore[misc]

    @inlineCallbacks
    def reconfigServiceWithSibling(self, sibling: PresenceMixin) -> Generator[Deferred[Any], Any, None]:
        """Remember the configuration that was taken over. Buildbot compares the next one with the very first,
        and so would not notice that a break was added and is removed again.
        """
        yield super().reconfigServiceWithSibling(sibling)  # type: ignore[misc]
        self._config_args, self._config_kwargs = sibling._config_args, sibling._config_kwargs

    # --- life

    @inlineCallbacks
    def startService(self) -> Generator[Deferred[Any], Any, None]:
        """Be known, and be on a break if there is one, before a worker can connect."""
        self._roster = yield Roster.getService(self.master)
        self.presence = self._roster.enroll(self)
        if mirror.isLatent(self):
            self.presence.release("offline")
        self._end_observation = self.presence.observe(self._presence_changed)
        self._shorten_gate()
        self.breakTimer = BreakTimer(self.schedule, self.presence, self.master.reactor)
        self.breakTimer.start()
        self._owners_side = OwnersSide(self.presence, self.breakTimer, self._running, self.master.reactor)
        # what an admin has ordered, with the reason, and before anybody can connect
        yield self._roster.publication.adminHolds.restore(self)
        yield super().startService()  # type: ignore[misc]

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Leave nothing behind in the roster but the presence, which whoever follows by this name takes over."""
        self._leaving = True
        yield super().stopService()  # type: ignore[misc]
        # Buildbot starts it when the connection has gone, after it has stopped it
        self.stopMissingTimer()
        if self._roster is not None and self.breakTimer is not None:
            self._end_observation()
            # nobody says any more when it is too short
            vars(self).pop("canStartBuild", None)
            if self._owners_side is not None:
                self._owners_side.stop()
            self.breakTimer.stop()
            self._roster.dismiss(self)

    @inlineCallbacks
    def _getWorkerInfo(self) -> Generator[Deferred[Any], Any, None]:
        yield super()._getWorkerInfo()  # type: ignore[misc]
        if self._paused:
            # Buildbot brings the pause back after a restart, and forgets its reason when the worker attaches
            worker = yield self.master.data.get(("workers", self.workerid))
            self._pause_reason = worker["pause_reason"]
        self._mirror(mirror.mirrorPause)

    @inlineCallbacks
    def attached(self, conn: Any) -> Generator[Deferred[Any], Any, None]:
        """The worker has connected. It is ready when its builders are, not before."""
        self._missing_after_break = False
        self._guard(conn)
        if self._owners_side is not None:
            self._owners_side.attached(conn)
        yield super().attached(conn)  # type: ignore[misc]
        self._mirror(mirror.mirror)

    @inlineCallbacks
    def updateWorker(self) -> Generator[Deferred[Any], Any, None]:
        """Tell the worker which builders it has: when it has connected, and before it can build."""
        if self._roster is not None:
            # another master may have been told what to do with it, while it was connected there
            restored = self._roster.publication.adminHolds.restore(self)
            yield restored.addErrback(
                lambda failure: _log.failure("while restoring what admins said", failure)
            )
        yield super().updateWorker()  # type: ignore[misc]

    def detached(self) -> Deferred[None]:
        """The worker has gone, and may not be given a build from this moment."""
        done: Deferred[None] = super().detached()  # type: ignore[misc]
        self._leave_builders()
        self._mirror(mirror.mirrorConnection)
        if self._owners_side is not None:
            # the owner of a machine that exists only while it builds could never say "back"
            self._owners_side.detached(forget=mirror.isLatent(self))
        return done

    def _leave_builders(self) -> None:
        """Leave those builders, too, that Buildbot overlooks: it takes leave of those for which the worker is configured,
        and one that was removed from the configuration is for none.
        """
        # (a latent worker stays with its builders while it is not connected)
        if not mirror.isLatent(self):
            for wfb in tuple(self.workerforbuilders.values()):
                wfb.builder.detached(self)

    # --- the gate

    def canStartBuild(self) -> bool:
        """Whether the next build may start: not while the presence is held.

        One that is drained may build what its builds wait for; see `presence.master.children` for which.
        """
        return self._accepts(child=True) and super().canStartBuild()  # type: ignore[misc]

    def _shorten_gate(self) -> None:
        """While nothing holds the presence, let Buildbot's own `canStartBuild` be that of this object.

        With 500 workers and 1000 builders it is asked half a million times for one wake-up, and the way through ours
        takes twice as long. Where a subclass has one of its own, that is left alone.
        """
        if self.presence is None or not self.presence.ready:
            vars(self).pop("canStartBuild", None)
        elif type(self).canStartBuild is PresenceMixin.canStartBuild:
            self.canStartBuild = super().canStartBuild  # type: ignore[method-assign, misc]

    def _accepts(self, *, child: bool) -> bool:
        """Whether nothing holds the presence, but for a reconfiguration that waits, and for a drain if it is about a
        build that another one waits for.

        Of those their choosers have decided for this very request: what a running build waits for has to start.
        """
        presence, roster = self.presence, self._roster
        if presence is None or roster is None or presence.ready:
            return presence is not None
        let_in = {"reconfig"} if roster.quiesce.run is not None else set()
        if child and roster.publication.drains.letsIn(self):
            let_in.add("admin")
        return all(each.source in let_in for each in presence.holds)

    def acquireLocks(self) -> bool:
        """The last question that Buildbot asks of a worker. Refused here, a build goes back to the queue.

        Since `canStartBuild` was asked Buildbot has waited for the database.
        """
        # it is not said for which build; there may be several
        return not self._refuse(child=bool(self._let_in)) and super().acquireLocks()  # type: ignore[misc]

    def _guard(self, conn: Any) -> None:
        """Ask once more when Buildbot tells the worker at the other end of `conn` to build.

        Since `acquireLocks` was asked Buildbot has waited for a latent worker to start, and for an answer
        to a ping; either may take minutes.
        """
        start_build = conn.remoteStartBuild

        def remoteStartBuild(builderName: str) -> Any:
            if self._refuse(child=any(wfb.builder_name == builderName for wfb in self._let_in)):
                raise NotAcceptingBuildsError(f"{self.presence!r}")
            return start_build(builderName)

        conn.remoteStartBuild = remoteStartBuild

    def _refuse(self, *, child: bool) -> bool:
        """Whether the build that is about to start may not, and goes back to the queue."""
        presence, timer = self.presence, self.breakTimer
        if presence is None or timer is None:
            return True
        # a master that was suspended hears of other things before it hears of its timers
        timer.reconsider()
        self._refused = not self._accepts(child=child)
        if self._refused:
            _log.info("{presence} accepts no build any more: it goes back to the queue", presence=presence)
        return self._refused

    def putInQuarantine(self) -> None:
        """Buildbot does this when a build could not be prepared. A refusal is no reason for it."""
        if self._refused:
            self._refused = False
            return
        if self._leaving:
            # it would end when there is no master any more that could be told
            return
        super().putInQuarantine()  # type: ignore[misc]
        self._mirror(mirror.mirrorQuarantine)

    # --- the builds that run

    def buildStarted(self, wfb: Any) -> None:
        """A build starts on this worker, for the builder of `wfb`."""
        # the last one: Buildbot appends it in the same breath
        build = wfb.builder.building[-1]
        guardPreparation(build)
        super().buildStarted(wfb)  # type: ignore[misc]
        if self._roster is not None and self._roster.publication.drains.wasLetIn(self, build):
            self._let_in |= {wfb}
        if self.presence is not None and wfb not in self._building:
            self._building[wfb] = self.master.reactor.seconds()
            self.presence.buildStarted()
            self._builds_changed()

    def buildFinished(self, wfb: Any) -> None:
        """The build of `wfb` has finished."""
        self._refused = False
        self._build_ended(wfb)
        # One that was removed from the configuration has no master any more that could look for the next build;
        # Buildbot would fail here, and leave the request of this one claimed.
        if self.botmaster is not None:
            super().buildFinished(wfb)  # type: ignore[misc]

    def addWorkerForBuilder(self, wfb: Any) -> None:
        """The worker joins a builder."""
        guardChoice(wfb.builder)
        super().addWorkerForBuilder(wfb)  # type: ignore[misc]

    def removeWorkerForBuilder(self, wfb: Any) -> None:
        """The worker leaves a builder; a build that was lost with the connection ends in no other way."""
        super().removeWorkerForBuilder(wfb)  # type: ignore[misc]
        self._build_ended(wfb)

    def _build_ended(self, wfb: Any) -> None:
        if self._let_in:
            self._let_in -= {wfb}
        if self.presence is not None and wfb in self._building:
            del self._building[wfb]
            self.presence.buildFinished()
            self._builds_changed()

    def _builds_changed(self) -> None:
        if self._roster is not None:
            self._roster.publication.drains.changed(self)
        self._tell_owner()

    def _running(self) -> dict[str, float]:
        return {wfb.builder_name: since for wfb, since in self._building.items()}

    def _tell_owner(self) -> None:
        if self._owners_side is not None:
            self._owners_side.changed()

    # --- Buildbot's own pause, quarantine and graceful shutdown, mirrored

    def pause(self, reason: str | None) -> None:
        """Buildbot's pause, with the reason that is given there."""
        super().pause(reason)  # type: ignore[misc]
        self._mirror(mirror.mirrorPause)

    def unpause(self) -> None:
        """End Buildbot's pause (and its quarantine), and no other hold."""
        super().unpause()  # type: ignore[misc]
        self._mirror(mirror.mirrorPause)

    def exitQuarantine(self) -> None:
        """Buildbot's quarantine is over."""
        super().exitQuarantine()  # type: ignore[misc]
        self._mirror(mirror.mirrorQuarantine)

    def shutdownRequested(self) -> None:
        """Begin Buildbot's graceful shutdown."""
        super().shutdownRequested()  # type: ignore[misc]
        self._mirror(mirror.mirrorGraceful)

    def _mirror(self, what: Any) -> None:
        if self.presence is not None:
            what(self, self.presence)

    # --- who is missing: nobody who is on his break, or has said that he is away

    def startMissingTimer(self) -> None:
        """Start to wonder where the worker is, but not while its schedule or its owner says "away": then, after it."""
        if self._away_on_break():
            self._missing_after_break = True
        else:
            super().startMissingTimer()  # type: ignore[misc]

    def _presence_changed(self, _: WorkerPresence) -> None:
        self._shorten_gate()
        if self._away_on_break():
            if self.missing_timer is not None:
                self.stopMissingTimer()
                self._missing_after_break = True
        elif self._missing_after_break:
            self._missing_after_break = False
            self.startMissingTimer()
        self._tell_owner()

    def _away_on_break(self) -> bool:
        # The timer of a latent worker limits how long a build waits for it; that is no business of breaks.
        return (
            self.presence is not None
            # a break in buildbot.tac, or an owner who has switched the machine off, is announced as "worker"
            and (self.presence.heldBy("break") or self.presence.heldBy("worker")) is not None
            and not mirror.isLatent(self)
        )


class BuildSlave(PresenceMixin, Worker):
    """A worker that may have breaks: `BuildSlave(name=, passwd=, onBreakDuring=(start, stop))`.

    `passwd` may also be called `password`, as in Buildbot's `Worker`, and every keyword of that works here.
    `timezone=` is the zone of breaks that name none. `owners=` names the people (e-mail addresses, or users of
    the web UI) who may hold and release this worker, where the rules in `c["www"]["authz"]` give owners a role.
    """

    def __init__(
        self,
        name: Any = None,
        passwd: Any = None,
        onBreakDuring: Any = None,
        timezone: Any = None,
        *,
        owners: Any = None,
        password: Any = None,
        **kwargs: Any,
    ) -> None:
        kind = type(self).__name__
        name = checkName(kind, name)
        who = f"{kind} {name!r}"
        super().__init__(
            name,
            checkPassword(who, passwd, password),
            onBreakDuring=onBreakDuring,
            timezone=timezone,
            owners=owners,
            **checkKeywords(who, kwargs),
        )
