"""`PresenceClient`: the owner's side of presence, a service beside the stock `Worker` of `buildbot.tac`.

from presence.worker.client import PresenceClient
PresenceClient(s).setServiceParent(application)
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.application.service import MultiService
from twisted.internet.defer import fail
from twisted.logger import Logger

from presence.breaks.forecast import comingBreaks
from presence.breaks.schedule import BreakSchedule
from presence.model.breaktimer import BreakTimer
from presence.model.clockguard import ClockGuard, ThreadTicker
from presence.model.workerpresence import WorkerPresence
from presence.text import MAX_REASON, cut, readReason
from presence.wire.messages import Announcement, RunningBuild, Stop
from presence.wire.reading import checkFuture
from presence.worker.link.announcement import announcementOf
from presence.worker.link.conversation import Conversation
from presence.worker.link.transports import transportOf
from presence.worker.local.server import LocalWeb
from presence.worker.status import statusOf
from presence.worker.stopping import GracefulStop, StopRefusedError
from presence.worker.store import NOTHING, Away, Store, StoreError, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

_log = Logger()

#: Who says what is said here.
OWNER = "owner"

#: The reason of the hold while the worker waits for what runs to end itself.
STOPPING = "stopping when nothing runs any more"

#: Who keeps a worker away whose owner's last word cannot be read.
NOBODY = "presence"


class PresenceClient(MultiService):
    """What the owner of a machine says about its `worker`, kept on disk and told to the master.

    `worker` is the stock worker of `buildbot_worker.bot`, over PB or msgpack, or a `LocalWorker`; it may
    not have connected yet. `onBreakDuring` and `timezone` mean what they do in `master.cfg`; a mistake in them
    is a `ValueError` that says what is wrong and what would be right.

    The owner's command line and page speak with it over `localPort` of 127.0.0.1 (0: one that is free; None: no
    server, and so neither of them).

    `presence` is the `WorkerPresence` of this side: what the owner said is its hold `worker`, and `breakTimer`
    places `break`. `basedir` is the worker's base directory, where the wishes of the owner are kept.

    The methods that say something (`away`, `back`, `workAnyway`, `stopWhenIdle`) return a Deferred. It fires
    with the status when the wish is on disk and, if a master that knows presence is connected, when that
    has answered or has not within some seconds; the wish is told again until it is heard. It fails with
    `ValueError` for what is not right, and with `StoreError` when the wish cannot be kept: nothing has changed
    then.
    """

    #: what makes the guard against clock jumps tick
    tickerFactory = ThreadTicker

    def __init__(
        self,
        worker: Any,
        onBreakDuring: Any = None,
        timezone: Any = None,
        *,
        localPort: int | None = 0,
        reactor: Any = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415 (importing it installs one)
        schedule = BreakSchedule.fromConfig(onBreakDuring, timezone)
        self._reactor = reactor
        self._transport = transportOf(worker)
        self.workername: str = _text(worker.name)
        self.basedir: str = _text(worker.basedir)
        self.presence = WorkerPresence(self.workername, reactor)
        self.breakTimer = BreakTimer(schedule, self.presence, reactor)
        self._store = Store(self.basedir)
        self._wish = NOTHING
        self._begun = False
        self._ended = False
        self._observers: dict[Callable[[], object], None] = {}
        self._stop = GracefulStop(reactor, self._end_process)
        self._conversation = Conversation(self._transport, reactor, self._message, self._changed)
        self._guard = ClockGuard(reactor, self._clock_jumped, self.tickerFactory)
        self._end_observation = self.presence.observe(self._presence_changed)
        self._transport.listen(self)
        self._local: LocalWeb | None = None
        if localPort is not None:
            self._local = LocalWeb(self, localPort, reactor)
            self._local.setServiceParent(self)  # type: ignore[no-untyped-call]

    # --- life

    def startService(self) -> None:
        """Take up what the owner said last."""
        self._begin()
        self._guard.start()
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> Any:
        """Leave no timer and no thread behind, and say nothing to the master: nothing new is to begin."""
        self._ended = True
        self._conversation.close()
        self._end_observation()
        self._observers.clear()
        self._stop.cancel()
        self._guard.stop()
        self.breakTimer.stop()
        self.presence.stop()
        return super().stopService()  # type: ignore[no-untyped-call]

    def _begin(self) -> None:
        # a worker in the master's process may connect before this service is started
        if self._begun:
            return
        self._begun = True
        now = self._reactor.seconds()
        try:
            self._wish = self._store.load()
        except StoreError as problem:
            # who may have said "away" is not given builds
            _log.error("presence: {problem}; the worker stays away until he says otherwise", problem=problem)
            reason = cut(f'{problem}: say "back", or "away" with a reason', MAX_REASON)
            self._wish = Wish(Away(reason, NOBODY, now, None), None)
        self.breakTimer.suspend(self._wish.workUntil, "worker")
        self._place()
        self.breakTimer.start()

    # --- what the owner says

    def away(self, reason: str | None = None, until: float | None = None) -> Deferred[dict[str, Any]]:
        """Accept no builds: until then (seconds since the epoch), or until `back()`. Replaces what was said
        before. `reason` is for people, one line of at most 512 characters.
        """
        now = self._reactor.seconds()
        before = self._away_in_force()
        since = now if before is None or before.by != OWNER else before.since
        try:
            away = Away(_reason(reason), OWNER, since, checkFuture("until", until, now))
        except ValueError:
            return fail()
        return self._keep(replace(self._wish, away=away))

    def back(self) -> Deferred[dict[str, Any]]:
        """End what the owner said with `away()`, and cancel a stop. Breaks and what others hold go on."""
        return self._keep(replace(self._wish, away=None), self._stop.cancel)

    def workAnyway(self, until: float | None) -> Deferred[dict[str, Any]]:
        """Accept builds in spite of the breaks of this machine, here and in `master.cfg`, until then (seconds
        since the epoch). None ends it.
        """
        try:
            instant = checkFuture("until", until, self._reactor.seconds())
        except ValueError:
            return fail()
        return self._keep(
            replace(self._wish, workUntil=instant), partial(self.breakTimer.suspend, instant, "worker")
        )

    def stopWhenIdle(self, deadline: float | None = None) -> Deferred[dict[str, Any]]:
        """Accept no builds, and end the process when none runs any more, or at `deadline` (seconds since the
        epoch); `back()` before that cancels it. Without a connection nothing runs, and it ends at once.

        This is not kept: the process that is started next accepts builds, unless its owner said "away".
        """
        try:
            self._check_stop()
            instant = checkFuture("deadline", deadline, self._reactor.seconds())
        except ValueError:
            return fail()
        self._begin()
        self._stop.begin(instant)
        self._place()
        self._changed()
        return self._told()

    def _check_stop(self) -> None:
        if not self._transport.ownsProcess:
            raise StopRefusedError(
                f"{self.workername} lives in the process of its master, and ends with that: stop the master, or "
                "say away"
            )
        if self._conversation.knows is False:
            raise StopRefusedError(
                "the master knows no presence, so that nobody here knows when its builds are done: use Buildbot's own "
                "graceful shutdown (allow_shutdown in buildbot.tac, or the master's web page), or `buildbot-worker "
                "stop`, which interrupts them"
            )

    def _keep(self, wish: Wish, then: Callable[[], object] | None = None) -> Deferred[dict[str, Any]]:
        self._begin()
        try:
            self._store.save(wish)
        except StoreError:
            return fail()
        self._wish = wish
        if then is not None:
            then()
        self._place()
        self._changed()
        return self._told()

    def _told(self) -> Deferred[dict[str, Any]]:
        self._conversation.sync()
        return self._conversation.wait().addCallback(lambda _: self.status())

    # --- what there is to see

    @property
    def told(self) -> bool:
        """Whether a master that knows presence has heard, and not refused, what was said last."""
        return self._conversation.told

    def status(self) -> dict[str, Any]:
        """All that is known about the worker, fit for JSON; the keys are in ``docs/protocol.rst``."""
        self._begin()
        now = self._reactor.seconds()
        talk = self._conversation
        return statusOf(
            self.workername,
            now,
            self.presence.holds,
            comingBreaks(self.breakTimer.schedule, now, self.breakTimer.suspendedUntil),
            [RunningBuild(builder, None) for builder in self._transport.runningBuilders()],
            self._work_until(now),
            {"deadline": self._stop.deadline} if self._stop.asked else None,
            (talk.connected, talk.knows, talk.why, talk.view),
        )

    def observe(self, observer: Callable[[], object]) -> Callable[[], None]:
        """Call `observer()` after every change of the status. Returns a callable that ends it."""
        # a partial equals nothing but itself: one callable may observe twice
        entry = partial(observer)
        self._observers[entry] = None
        return partial(self._observers.pop, entry, None)

    # --- what the transport tells: to the conversation, when all is up to date

    def greeting(self) -> dict[str, Any]:
        """See `transports.Listener`."""
        self._begin()
        self._refresh()
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

    # --- how it hangs together

    def _away_in_force(self) -> Away | None:
        away = self._wish.away
        if away is None or (away.until is not None and away.until <= self._reactor.seconds()):
            return None
        return away

    def _place(self) -> None:
        """Let the hold `worker` be what is wanted."""
        away = self._away_in_force()
        wanted: tuple[str | None, str | None, float | None, float | None]
        if self._stop.asked:
            wanted = (STOPPING, OWNER, None, self._stop.since)
        elif away is not None:
            wanted = (away.reason, away.by, away.until, away.since)
        else:
            self.presence.release("worker")
            return
        held = self.presence.heldBy("worker")
        if held is None or (held.reason, held.by, held.until, held.since) != wanted:
            self.presence.hold("worker", *wanted)

    def _presence_changed(self, _: WorkerPresence) -> None:
        self._conversation.sync()
        self._changed()

    def _refresh(self) -> None:
        """Be right now, also when timers are late."""
        self.breakTimer.reconsider()
        self._place()
        self._stop.reconsider()

    def _clock_jumped(self) -> None:
        self.presence.clockJumped()
        self._refresh()
        self._conversation.clockJumped()
        if self._local is not None:
            self._local.clockJumped()
        self._changed()

    def _message(self) -> Announcement | Stop:
        """What the master is to know."""
        announcement = self._announcement()
        return Stop(announcement, self._stop.deadline) if self._stop.asked else announcement

    def _announcement(self) -> Announcement:
        now = self._reactor.seconds()
        return announcementOf(self.presence, now, self._work_until(now))

    def _work_until(self, now: float) -> float | None:
        until = self.breakTimer.suspendedUntil
        return until if until is not None and until > now else None

    def _changed(self) -> None:
        if self._ended:
            return
        self._consider_stop()
        for observer in tuple(self._observers):
            if observer not in self._observers:
                continue  # one that was called before it has ended it
            try:
                observer()
            except Exception:  # noqa: BLE001
                # one observer's mistake is not the others', and not the worker's
                _log.failure("while telling {observer} of the presence", observer=observer)

    def _consider_stop(self) -> None:
        talk = self._conversation
        if not self._stop.asked:
            return
        if not talk.connected:
            self._stop.endSoon("there is no connection to the master, so that nothing runs")
        elif talk.knows is False:
            _log.warn(
                "presence: the stop is off: the master knows no presence, so that nobody knows what runs"
            )
            self._stop.cancel()
            self._place()
        elif talk.view is not None and talk.view.stopping and talk.view.running == 0:
            self._stop.endSoon("nothing runs any more")

    def _end_process(self) -> None:
        # somebody else may have stopped it in the meantime
        from twisted.internet.error import ReactorNotRunning  # noqa: PLC0415 (as the reactor)

        with suppress(ReactorNotRunning):
            self._reactor.stop()


def _reason(reason: str | None) -> str | None:
    try:
        return None if reason is None else readReason(reason)
    except ValueError as problem:
        raise ValueError(f"reason: {problem}") from None


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
