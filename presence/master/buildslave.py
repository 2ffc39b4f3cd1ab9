"""`BuildSlave`, a Buildbot worker that has a presence, and the mixin that gives one to any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from buildbot.worker.base import Worker
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master import mirror
from presence.master.assembly import Assembly
from presence.master.builds.latentbuilders import rejoin
from presence.master.builds.running import buildsOn
from presence.master.compat import isWhole
from presence.master.owner.greeting import NOTHING, takeGreeting
from presence.master.slave.breaks import Breaks
from presence.master.slave.conditions import Conditions
from presence.master.slave.flags import FlagsTogether
from presence.master.slave.gate import Gate
from presence.master.slave.joining import Joining
from presence.master.slave.keywords import (
    checkConditions,
    checkKeywords,
    checkName,
    checkOwners,
    checkPassword,
    checkSchedule,
)
from presence.master.slave.mirrored import Mirrored
from presence.master.slave.missing import MissingAlarm
from presence.master.slave.sameness import Sameness
from presence.master.starting.lostworkers import guardChoice
from presence.model.workerpresence import WorkerPresence

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

    from presence.master.owner.link import OwnerLink

_log = Logger()


class _Told:
    """What a worker has told, in the shape of a connection that is new."""

    def __init__(self, info: Any) -> None:
        self.info = info


class PresenceMixin(Gate, Breaks, Conditions, Mirrored, FlagsTogether, MissingAlarm, Joining, Sameness):
    """Gives a presence to any worker class of Buildbot.

    Mix it in first: `class MyWorker(PresenceMixin, DockerLatentWorker): pass`. The class then takes five
    keywords more, `onBreakDuring=` (a break, or a list of them: see `presence.breaks.schedule`) or the opposite,
    `workingDuring=` (when it works), `timezone=` (the zone of breaks that name none), `owners=` (who may hold and
    release it: see `presence.master.authz`) and `availableWhile=` (what is asked: see `presence.master.conditions.written`), and `name=` may be given as a keyword.

    From its service's start on the worker has `presence`, its `WorkerPresence`, and `breakTimer`, the
    `BreakTimer` that follows `schedule`. `adminRecord` is what admins have ordered of it. No build starts while the
    presence is held.
    """

    _end_observation: Callable[[], None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "name" in kwargs:
            # BuildbotService would keep a keyword `name` from checkConfig, which requires it
            args = (kwargs.pop("name"), *args)
        self.initializePresence()
        super().__init__(*args, **kwargs)

    # --- configuration

    def checkConfig(
        self,
        name: str,
        *args: Any,
        onBreakDuring: Any = None,
        timezone: Any = None,
        owners: Any = None,
        workingDuring: Any = None,
        availableWhile: Any = None,
        **kwargs: Any,
    ) -> None:
        """Read the breaks; each mistake is a `config.error`."""
        who = f"{type(self).__name__} {name!r}"
        self.schedule = checkSchedule(who, onBreakDuring, timezone, workingDuring)
        self.owners = checkOwners(who, owners)
        self.conditions = checkConditions(who, availableWhile)
        super().checkConfig(name, *args, **kwargs)  # type: ignore[misc]

    @inlineCallbacks
    def reconfigService(
        self,
        name: str,
        *args: Any,
        onBreakDuring: Any = None,
        timezone: Any = None,
        owners: Any = None,
        workingDuring: Any = None,
        availableWhile: Any = None,
        **kwargs: Any,
    ) -> Generator[Deferred[Any], Any, None]:
        """Take over a new configuration, in the middle of a break as well as of a build."""
        self.owners = checkOwners(name, owners)
        self._follow_schedule(checkSchedule(name, onBreakDuring, timezone, workingDuring))
        self._follow_conditions(checkConditions(name, availableWhile))
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
        if isWhole(self.master):
            assembly = yield Assembly.getService(self.master)
            self._begin(assembly)
            # what an admin has ordered, with the reason, and before anybody can connect
            yield assembly.storedOrders.begin(self)
        else:
            self._begin(None)
        yield super().startService()  # type: ignore[misc]

    def _begin(self, assembly: Assembly | None) -> None:
        if assembly is None:
            # alone, as in other people's tests: it has a presence, of which nobody else hears; and they ask it whether it
            # can build before it has connected
            self.presence = WorkerPresence(self.workername, self.master.reactor)
        else:
            self._assembly = assembly
            self._exempt = assembly.exempt
            self.presence = assembly.roster.enroll(self)
        if mirror.isLatent(self):
            self.presence.release("offline")
        self._end_observation = self.presence.observe(self._presence_changed)
        self._shorten_gate()
        self._begin_breaks()
        self._begin_conditions()

    @inlineCallbacks
    def stopService(self) -> Generator[Deferred[Any], Any, None]:
        """Leave nothing behind in the roster but the presence, which whoever follows by this name takes over."""
        self._leaving = True
        yield super().stopService()  # type: ignore[misc]
        # Buildbot starts it when the connection has gone, after it has stopped it
        self.stopMissingTimer()
        self._end()

    def _end(self) -> None:
        if self.presence is not None and self.breakTimer is not None:
            self._end_observation()
            # nobody lengthens it any more
            self._lengthen_gate()
            if self._owner_link is not None:
                self._owner_link.stop()
                self._owner_link = None
            self._end_breaks()
            self._end_conditions()
            if self._assembly is None:
                self.presence.stop()
            else:
                self._assembly.dismiss(self)

    @inlineCallbacks
    def joinRunning(self, assembly: Assembly) -> Generator[Deferred[Any], Any, None]:
        """Begin in the midst of the worker's life. A Deferred that fires when it is known what was ordered of it, and what its
        owner says; no build starts before.
        """
        self._closed = True
        self._begin(assembly)
        for wfb in self.workerforbuilders.values():
            guardChoice(wfb.builder)
        for build in buildsOn(self):
            self._join_build(build)
            self._build_began(build.workerforbuilder)
        yield self._ask_owner()
        yield assembly.storedOrders.restore(self)
        self._mirror(mirror.mirror)
        self._shorten_gate()

    @inlineCallbacks
    def _ask_owner(self) -> Generator[Deferred[Any], Any, None]:
        """Ask once more what a worker is asked when it connects: nobody has listened to what its owner said then, or since."""
        conn = self.conn
        if conn is None:
            return
        self._guard(conn)
        try:
            told = yield conn.remoteGetWorkerInfo()
            if self.conn is conn:
                # what else it says is known since it has connected
                self._hear(conn, takeGreeting(_Told(told)))
        except Exception:  # noqa: BLE001 (whatever fails: it is asked again when it connects again)
            _log.failure("while asking {worker} about its presence", worker=self.workername)

    def leaveRunning(self) -> None:
        """End it in the midst of the worker's life; nothing of it is left."""
        for wfb in tuple(self._building):
            self._build_ended(wfb)
        self._end()
        for wfb in self.workerforbuilders.values():
            self._unfollow_locks(wfb)
        if self.conn is not None:
            self._unguard(self.conn)
        if self._missing_after_break:
            self._missing_after_break = False
            super().startMissingTimer()

    @inlineCallbacks
    def attached(self, conn: Any) -> Generator[Deferred[Any], Any, None]:
        """The worker has connected, if Buildbot takes the connection. It is ready when its builders are, not before."""
        if self.presence is not None:
            conn.presenceGreeting = takeGreeting(conn)
        done = super().attached(conn)  # type: ignore[misc]
        if self._assembly is not None:
            self._assembly.roster.crowd.comes(done)
        # a latent worker may have been waited for only until now
        self._greet()
        yield done
        if self.conn is conn:
            self._mirror(mirror.mirror)

    def _greet(self) -> None:
        """If Buildbot has taken the connection that is new, and before a build can start there: hear what it says.

        Of one that it does not take (a second one; that of a latent worker that nobody has asked for) nothing is heard.
        """
        conn = self.conn
        if conn is None or "presenceGreeting" not in vars(conn):
            return
        self._missing_after_break = False
        self._guard(conn)
        self._hear(conn, vars(conn).pop("presenceGreeting"))

    def _hear(self, conn: Any, greeting: object) -> None:
        """The worker at the other end of `conn` has connected, and says this of its presence."""
        if self._owner_link is None and greeting is not NOTHING:
            # most workers of a farm say nothing of it: none before the first word
            self._owner_link = self._open_link()
        if self._owner_link is not None:
            self._owner_link.attached(conn, greeting)

    def _open_link(self) -> OwnerLink:
        assert self.presence is not None  # noqa: S101 (it has connected, so its service has started)
        assert self.breakTimer is not None  # noqa: S101 (likewise)
        # none of them may say anything
        from presence.master.owner.link import OwnerLink  # noqa: PLC0415

        return OwnerLink(
            self.presence,
            self.breakTimer,
            self._running,
            self.master.reactor,
            self._send_back,
            lookAtClock=self._look_at_clock,
        )

    @inlineCallbacks
    def updateWorker(self) -> Generator[Deferred[Any], Any, None]:
        """Tell the worker which builders it has: when it has connected, and before it can build."""
        self._greet()
        if mirror.isLatent(self):
            rejoin(self)
        # (a configuration, too, tells each worker, whether it has connected or not)
        if self._assembly is not None and self.conn is not None:
            # another master may have taken an order for it, while it was connected there
            restored = self._assembly.storedOrders.restore(self)
            yield restored.addErrback(
                lambda failure: _log.failure("while restoring what admins have ordered", failure)
            )
        yield super().updateWorker()  # type: ignore[misc]

    def detached(self) -> Deferred[None]:
        """The worker has gone, and may not be given a build from this moment."""
        done: Deferred[None] = super().detached()
        self._leave_builders()
        self._mirror(mirror.mirrorConnection)
        if self._owner_link is not None:
            # the owner of a machine that exists only while it builds could never say "back"
            self._owner_link.detached(forget=mirror.isLatent(self))
        return done

    def _presence_changed(self, _: WorkerPresence) -> None:
        self._shorten_gate()
        self._reconsider_missing()
        self._update_owner()


class BuildSlave(PresenceMixin, Worker):
    """A worker that may have breaks: `BuildSlave(name=, passwd=, onBreakDuring=(start, stop))`.

    `passwd` may also be called `password`, as in Buildbot's `Worker`, and every keyword of that works here.
    `workingDuring=` is the opposite: when it works. `timezone=` is the zone of breaks that name none. `availableWhile=`
    is what a site measures (a `Condition`, or a list of them). `owners=` names the people (e-mail addresses, or users of the web UI) who may hold and release this worker, where the rules in
    `c["www"]["authz"]` give owners a role.
    """

    def __init__(
        self,
        name: Any = None,
        passwd: Any = None,
        onBreakDuring: Any = None,
        timezone: Any = None,
        *,
        workingDuring: Any = None,
        owners: Any = None,
        availableWhile: Any = None,
        password: Any = None,
        **kwargs: Any,
    ) -> None:
        kind = type(self).__name__
        name = checkName(kind, name)
        who = f"{kind} {name!r}"
        # one who does not say it is equal to one from before it could be said
        said = {"workingDuring": workingDuring, "availableWhile": availableWhile}
        super().__init__(
            name,
            checkPassword(who, passwd, password),
            onBreakDuring=onBreakDuring,
            timezone=timezone,
            owners=owners,
            **{name: value for name, value in said.items() if value is not None},
            **checkKeywords(who, kwargs),
        )
