"""`PresenceClient`: the owner's side of presence, a service beside the stock `Worker` of `buildbot.tac`.

from presence.worker.client import PresenceClient
PresenceClient(s).setServiceParent(application)
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.application.service import MultiService

from presence.breaks.schedule import BreakSchedule
from presence.model.breaktimer import BreakTimer
from presence.model.calendarfiles import CalendarFiles
from presence.model.clockguard import ClockGuard, ThreadTicker
from presence.model.workerpresence import WorkerPresence
from presence.text import shown
from presence.worker.link.conversation import Conversation
from presence.worker.link.transports import transportOf
from presence.worker.local.server import LocalWeb
from presence.worker.owner import Owner
from presence.worker.stopping import GracefulStop
from presence.worker.store import Store

if TYPE_CHECKING:
    from presence.worker.link.transports import Transport
    from presence.worker.local.accounts import OwnersSocket
    from presence.worker.notifying.starts import Notices
    from presence.worker.returning.policy import OnReturn
    from presence.worker.sensors.watches import Watches


class PresenceClient(MultiService):
    """What the owner of a machine says about its `worker`, kept on disk and told to the master.

    `worker` is the stock worker of `buildbot_worker.bot`, over PB or msgpack, or a `LocalWorker`; it may
    not have connected yet. `onBreakDuring`, `workingDuring` and `timezone` mean what they do in `master.cfg`; a
    mistake in them is a `ValueError` that says what is wrong and what would be right.

    `sensors` are those of `presence.worker.sensors`, a list, with which the machine knows by itself when its owner needs it.

    `onReturn` is what becomes of what runs when a sensor holds: "finish", "nice", "suspend" or "sendback"; the latter two send it back
    to the master after `returnLimit`, ``"1h"`` and ``"5m"`` by default.

    With `notify` a notice stands on the desktop when a build starts while somebody uses the machine, with "away for an hour" as its button.

    The owner's command line and page speak with it over `localPort` of 127.0.0.1 (0: one that is free; None: no
    server, and so neither of them). With a port of your choice a page that was let in stays so over restarts. `owners`, accounts of
    this machine and ``"@groups"``, are let in besides the worker's own.

    It makes and wires the parts, and no more: `owner` (an `Owner`) is what can be said and seen; `presence` is the
    `WorkerPresence` of this side, of which what the owner said is the hold `worker`; and `breakTimer` places `break`.
    What the owner said is kept in the worker's base directory.
    """

    #: what makes the guard against clock jumps tick
    tickerFactory = ThreadTicker

    def __init__(
        self,
        worker: Any,
        onBreakDuring: Any = None,
        timezone: Any = None,
        *,
        workingDuring: Any = None,
        sensors: Any = (),
        onReturn: str = "finish",
        returnLimit: Any = None,
        notify: bool = False,
        localPort: int | None = 0,
        owners: Any = (),
        reactor: Any = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415 (importing it installs one)
        schedule = _schedule(onBreakDuring, timezone, workingDuring)
        transport = transportOf(worker)
        basedir = _text(worker.basedir)
        self._clock = ClockGuard(reactor, self.tickerFactory)
        self.presence = WorkerPresence(_text(worker.name), self._clock)
        self.breakTimer = BreakTimer(schedule, self.presence, self._clock)
        self._reactor = reactor
        self._conversation = Conversation(
            transport,
            reactor,
            # the two know each other, and the owner is made second
            lambda: self.owner.message(),  # noqa: PLW0108
            lambda: self.owner.changed(),  # noqa: PLW0108
        )
        self._sensors = self._watches(sensors)
        self._on_return = self._returning(onReturn, returnLimit, transport)
        self.owner = Owner(
            self.presence,
            reactor,
            breakTimer=self.breakTimer,
            store=Store(basedir),
            stop=GracefulStop(reactor, self._end_process),
            transport=transport,
            conversation=self._conversation,
            sensors=self._sensors,
            onReturn=self._on_return,
        )
        self._notices = self._noticing(notify)
        self._calendars = CalendarFiles(reactor, self.owner.replaceBreaks)
        transport.listen(self)
        self._local: LocalWeb | None = None
        if localPort is not None:
            self._local = LocalWeb(
                self.owner, basedir, localPort, reactor, _accounts(owners, basedir, reactor)
            )
            self._local.setServiceParent(self)  # type: ignore[no-untyped-call]

    def startService(self) -> None:
        """Take up what the owner said last."""
        self.owner.begin()
        self._clock.start(self._clock_jumped)
        self._calendars.follow(self.breakTimer.schedule)
        if self._notices is not None:
            self.owner.observe(self._notices.changed)
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> Any:
        """Leave no timer and no thread behind, and say nothing to the master: nothing new is to begin."""
        self._conversation.close()
        self.owner.end()
        if self._notices is not None:
            self._notices.stop()
        self._clock.stop()
        self._calendars.stop()
        self.breakTimer.stop()
        self.presence.stop()
        return super().stopService()  # type: ignore[no-untyped-call]

    # --- what the transport tells: to the conversation, when all is up to date

    def greeting(self) -> dict[str, Any]:
        """See `transports.Listener`."""
        self.owner.begin()
        self.owner.refresh()
        return self._conversation.greeting()

    def viewArrived(self, message: Any) -> None:
        """See `transports.Listener`."""
        self._conversation.viewArrived(message)

    def attached(self) -> None:
        """See `transports.Listener`."""
        self._conversation.attached()

    def disconnected(self) -> None:
        """See `transports.Listener`."""
        self._conversation.disconnected()

    def _clock_jumped(self, _seconds: float) -> None:
        self.presence.clockJumped()
        if self._sensors is not None:
            self._sensors.clockJumped()
        self.owner.refresh()
        self._conversation.clockJumped()
        if self._on_return is not None:
            self._on_return.clockJumped()
        self._calendars.clockJumped()
        if self._local is not None:
            self._local.clockJumped()
        self.owner.changed()

    def _watches(self, sensors: Any) -> Watches | None:
        if isinstance(sensors, (list, tuple)) and not sensors:
            return None
        # an owner without sensors pays nothing for them
        from presence.worker.sensors.reading import checkSensors  # noqa: PLC0415
        from presence.worker.sensors.watches import Watches  # noqa: PLC0415

        return Watches(
            checkSensors(sensors),
            self.presence,
            self._clock,
            self._reactor,
            lambda: self.owner.changed(),  # noqa: PLW0108 (as above)
        )

    def _returning(self, onReturn: str, returnLimit: Any, transport: Transport) -> OnReturn | None:
        if onReturn == "finish" and returnLimit is None:
            return None
        # as above
        from presence.worker.returning.policy import OnReturn, checkPolicy  # noqa: PLC0415

        policy, limit = checkPolicy(onReturn, returnLimit)
        if self._sensors is None:
            raise ValueError(
                f"onReturn={onReturn!r}: without sensors nobody knows when the owner comes: give sensors=[…]"
            )
        return OnReturn(
            policy,
            limit,
            transport.runningCommands,
            self._can_send_back,
            self._returning_changed,
            self._reactor,
        )

    def _noticing(self, notify: object) -> Notices | None:
        if notify is False:
            return None
        if notify is not True:
            raise ValueError(f"notify={shown(notify)} is not right: give True or False")
        from presence.worker.notifying.starts import Notices  # noqa: PLC0415 (as above)

        return Notices(self._running_builders, self.owner.away, self._reactor)

    def _running_builders(self) -> list[str]:
        view = self._conversation.view
        return [] if view is None else [each.builder for each in view.builds]

    def _can_send_back(self) -> bool:
        view = self._conversation.view
        return view is not None and view.sendsBack

    def _returning_changed(self) -> None:
        self._conversation.sync()
        self.owner.changed()

    def _end_process(self) -> None:
        # somebody else may have stopped it in the meantime
        from twisted.internet.error import ReactorNotRunning  # noqa: PLC0415 (as the reactor)

        with suppress(ReactorNotRunning):
            self._reactor.stop()


def _accounts(owners: Any, basedir: str, reactor: Any) -> OwnersSocket | None:
    if isinstance(owners, (list, tuple)) and not owners:
        return None
    from presence.worker.local.accounts import OwnersSocket, checkOwners  # noqa: PLC0415 (few need it)

    return OwnersSocket(basedir, checkOwners(owners), reactor)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _schedule(onBreakDuring: Any, timezone: Any, workingDuring: Any) -> BreakSchedule:
    """The breaks of the owner. `ValueError` for those that a master would have to follow, which hears of a hold only."""
    schedule = BreakSchedule.fromConfig(onBreakDuring, timezone, workingDuring)
    for each in schedule.breaks:
        if each.isPartial or each.finishBefore or each.deadline is not None:
            raise ValueError(
                f"{each!r}: builds=, only=, without=, finishBefore= and deadline= are the master's to follow: write this "
                "break in master.cfg"
            )
    return schedule
