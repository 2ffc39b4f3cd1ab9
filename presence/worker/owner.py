"""What the owner of a machine has said: kept, true on this side at once, and told to the master."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import fail
from twisted.logger import Logger

from presence.breaks.forecast import breaksToCome, comingBreaks
from presence.text import MAX_REASON, cut
from presence.wire.messages import Announcement, RunningBuild, Stop
from presence.wire.reading import checkFuture
from presence.worker.link.announcement import announcementOf
from presence.worker.link.conversation import Plugin
from presence.worker.status import MasterSide, statusOf
from presence.worker.stopping import StopRefusedError
from presence.worker.store import NOTHING, OWNER, Away, StoreError, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from presence.breaks.schedule import BreakSchedule
    from presence.model.breaktimer import BreakTimer
    from presence.model.workerpresence import WorkerPresence
    from presence.worker.link.conversation import Conversation
    from presence.worker.link.transports import Transport
    from presence.worker.returning.policy import OnReturn
    from presence.worker.sensors.watches import Watches
    from presence.worker.status import Status
    from presence.worker.stopping import GracefulStop
    from presence.worker.store import Store

_log = Logger()

#: The reason of the hold while the worker waits for what runs to end itself.
STOPPING = "stopping when nothing runs any more"

#: Who keeps a worker away whose owner's last word cannot be read.
NOBODY = "presence"


class Owner:
    """The word of the owner: the hold `worker` of `presence`, the suspension of `breakTimer`, and the stop.

    The methods that say something (`away`, `back`, `workAnyway`, `stopWhenIdle`) return a Deferred. It fires
    with the status when the wish is on disk and, if a master that knows presence is connected, when that
    has answered or has not within some seconds; the wish is told again until it is heard. It fails with
    `ValueError` for what is not right, and with `StoreError` when the wish cannot be kept: nothing has changed
    then.
    """

    def __init__(
        self,
        presence: WorkerPresence,
        clock: IReactorTime,
        *,
        breakTimer: BreakTimer,
        store: Store,
        stop: GracefulStop,
        transport: Transport,
        conversation: Conversation,
        sensors: Watches | None = None,
        onReturn: OnReturn | None = None,
    ) -> None:
        self.name = presence.name
        self._presence = presence
        self._break_timer = breakTimer
        self._store = store
        self._stop = stop
        self._transport = transport
        self._conversation = conversation
        self._sensors = sensors
        self._on_return = onReturn
        self._clock = clock
        self._wish = NOTHING
        self._begun = False
        self._ended = False
        self._observers: dict[Callable[[], object], None] = {}
        self._end_observation = presence.observe(self._presence_changed)

    # --- life

    def begin(self) -> None:
        """Take up what was said last. A worker in the master's process may connect before the service starts."""
        if self._begun:
            return
        self._begun = True
        now = self._clock.seconds()
        try:
            self._wish = self._store.load()
        except StoreError as problem:
            # who may have said "away" is not given builds
            _log.error("presence: {problem}; the worker stays away until he says otherwise", problem=problem)
            reason = cut(f'{problem}: say "back", or "away" with a reason', MAX_REASON)
            self._wish = Wish(Away(reason, NOBODY, now, None), None)
        self._suspend(self._wish.workUntil)
        self._place()
        if self._sensors is not None:
            self._sensors.start()
        self._break_timer.start()

    def end(self) -> None:
        """Say nothing any more, and leave no timer."""
        self._ended = True
        self._end_observation()
        self._observers.clear()
        self._stop.cancel()
        if self._sensors is not None:
            self._sensors.stop()
        if self._on_return is not None:
            self._on_return.stop()

    # --- what the owner says

    def away(self, reason: str | None = None, until: float | None = None) -> Deferred[Status]:
        """Accept no builds: until then (seconds since the epoch), or until `back()`. Replaces what was said
        before. `reason` is for people, one line of at most 512 characters.
        """
        try:
            wish = self._wish.saying(self._clock.seconds(), reason, until)
        except ValueError:
            return fail()
        return self._keep(wish)

    def back(self) -> Deferred[Status]:
        """End what the owner said with `away()`, and cancel a stop. Breaks and what others hold go on."""
        return self._keep(replace(self._wish, away=None), self._stop.cancel)

    def workAnyway(self, until: float | None) -> Deferred[Status]:
        """Accept builds in spite of the breaks of this machine, here and in `master.cfg`, and of its sensors, until then
        (seconds since the epoch). None ends it.
        """
        try:
            instant = checkFuture("until", until, self._clock.seconds())
        except ValueError:
            return fail()
        return self._keep(replace(self._wish, workUntil=instant), partial(self._suspend, instant))

    def stopWhenIdle(self, deadline: float | None = None) -> Deferred[Status]:
        """Accept no builds, and end the process when none runs any more, or at `deadline` (seconds since the
        epoch); `back()` before that cancels it. Without a connection nothing runs, and it ends at once.

        This is not kept: the process that is started next accepts builds, unless its owner said "away".
        """
        try:
            self._check_stop()
            instant = checkFuture("deadline", deadline, self._clock.seconds())
        except ValueError:
            return fail()
        self.begin()
        self._stop.begin(instant)
        self._place()
        self.changed()
        return self._told()

    def _check_stop(self) -> None:
        if not self._transport.ownsProcess:
            raise StopRefusedError(
                f"{self.name} lives in the process of its master, and ends with that: stop the master, or "
                "say away"
            )
        if self._conversation.plugin is Plugin.ABSENT:
            raise StopRefusedError(
                "the master knows no presence, so that nobody here knows when its builds are done: use Buildbot's own "
                "graceful shutdown (allow_shutdown in buildbot.tac, or the master's web page), or `buildbot-worker "
                "stop`, which interrupts them"
            )

    def _keep(self, wish: Wish, then: Callable[[], object] | None = None) -> Deferred[Status]:
        self.begin()
        try:
            self._store.save(wish)
        except StoreError:
            return fail()
        self._wish = wish
        if then is not None:
            then()
        self._place()
        self.changed()
        return self._told()

    def _told(self) -> Deferred[Status]:
        self._conversation.sync()
        return self._conversation.wait().addCallback(lambda _: self.status())

    # --- what there is to see

    @property
    def told(self) -> bool:
        """Whether a master that knows presence has heard, and not refused, what was said last."""
        return self._conversation.told

    def status(self) -> Status:
        """All that is known about the worker, fit for JSON; the keys are in ``docs/protocol.rst``."""
        self.begin()
        now = self._clock.seconds()
        talk = self._conversation
        return statusOf(
            self.name,
            now,
            self._presence.holds,
            comingBreaks(self._break_timer.schedule, now, self._break_timer.suspendedUntil),
            [RunningBuild(builder, None) for builder in self._transport.runningBuilders()],
            self._work_until(now),
            {"deadline": self._stop.deadline} if self._stop.asked else None,
            MasterSide(talk.connected, talk.plugin, talk.why, talk.view),
            [] if self._sensors is None else self._sensors.status(),
            None if self._on_return is None else self._on_return.status(),
        )

    def observe(self, observer: Callable[[], object]) -> Callable[[], None]:
        """Call `observer()` after every change of the status. Returns a callable that ends it."""
        # a partial equals nothing but itself: one callable may observe twice
        entry = partial(observer)
        self._observers[entry] = None
        return partial(self._observers.pop, entry, None)

    # --- how it hangs together

    def _place(self) -> None:
        """Let the hold `worker` be what is wanted."""
        away = self._wish.awayAt(self._clock.seconds())
        wanted: tuple[str | None, str | None, float | None, float | None]
        if self._stop.asked:
            wanted = (STOPPING, OWNER, None, self._stop.since)
        elif away is not None:
            wanted = (away.reason, away.by, away.until, away.since)
        else:
            self._presence.release("worker")
            return
        held = self._presence.heldBy("worker")
        if held is None or (held.reason, held.by, held.until, held.since) != wanted:
            self._presence.hold("worker", *wanted)

    def _suspend(self, until: float | None) -> None:
        """Let neither breaks nor sensors hold until then."""
        # in this order nobody is let in for the time between two holds
        self._break_timer.suspend(until, "worker")
        if self._sensors is not None:
            self._sensors.silence(until)

    def _presence_changed(self, presence: WorkerPresence) -> None:
        if self._on_return is not None:
            self._on_return.needed(any(hold.source == "sensor" for hold in presence.holds))
        self._conversation.sync()
        self.changed()

    def replaceBreaks(self, schedule: BreakSchedule) -> None:
        """The breaks of this machine are others from now on."""
        self._break_timer.replace(schedule)
        self._conversation.sync()
        self.changed()

    def refresh(self) -> None:
        """Be right now, also when timers are late."""
        self._break_timer.reconsider()
        self._place()
        self._stop.reconsider()
        if self._sensors is not None:
            self._sensors.reconsider()

    def message(self) -> Announcement | Stop:
        """What the master is to know."""
        announcement = self._announcement()
        return Stop(announcement, self._stop.deadline) if self._stop.asked else announcement

    def _announcement(self) -> Announcement:
        now = self._clock.seconds()
        until = self._work_until(now)
        breaks = breaksToCome(self._break_timer.schedule, now, until)
        sends_back = self._on_return is not None and self._on_return.sendsBack
        return announcementOf(self._presence, now, until, breaks, sendBack=sends_back)

    def _work_until(self, now: float) -> float | None:
        until = self._break_timer.suspendedUntil
        return until if until is not None and until > now else None

    def changed(self) -> None:
        """The status has changed: consider the stop, and call the observers."""
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
        elif talk.plugin is Plugin.ABSENT:
            _log.warn(
                "presence: the stop is off: the master knows no presence, so that nobody knows what runs"
            )
            self._stop.cancel()
            self._place()
        elif talk.view is not None and talk.view.stopping and talk.view.running == 0:
            self._stop.endSoon("nothing runs any more")
