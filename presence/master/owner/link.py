"""The link to the owner's side of one worker: announcements come in, views of the presence go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from presence.master.owner.greeting import NOTHING
from presence.master.owner.transports import openTransport
from presence.master.owner.word import OwnersWord
from presence.model import states
from presence.model.gathering import Gathering
from presence.text import MAX_NAME, MAX_REASON, cut
from presence.wire.messages import (
    AVAILABLE,
    Announcement,
    Refusal,
    RunningBuild,
    Stop,
    View,
    cutHold,
)
from presence.wire.names import PRESENCE, PRESENCE_STOP
from presence.wire.reading import MessageError, mayBeAway, readAnnouncement, readStop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.interfaces import IReactorTime

    from presence.breaks.forecast import ComingBreak
    from presence.master.owner.transports import Send
    from presence.model.breaktimer import BreakTimer
    from presence.model.workerpresence import WorkerPresence

_log = Logger()

# why a worker is held that says what cannot be understood, and how much of what is wrong with that is told
_CLOSED = "what it says of its presence cannot be understood ({problem}): it is held until it says so in another way, or connects again"
_SHOWN = 300

_READERS: dict[str, Callable[[object, float], Announcement | Stop]] = {
    PRESENCE: readAnnouncement,
    PRESENCE_STOP: readStop,
}


class OwnerLink:
    """Speaks with the owner's side of one worker, if it has one.

    `building` are the builds that run: the builder's name and since when (seconds since the epoch). `sendBack()` is called when the
    owner's side asks that they are built elsewhere, and `lookAtClock()` before something is read that it says. Call
    `changed()` when they have changed, or the presence, or the schedule of the breaks.
    """

    __slots__ = (
        "_building",
        "_clock",
        "_connection",
        "_gathering",
        "_logged",
        "_look_at_clock",
        "_missed",
        "_presence",
        "_send",
        "_send_back",
        "_sends_back",
        "_sent",
        "_timer",
        "_unanswered",
        "_word",
    )

    def __init__(
        self,
        presence: WorkerPresence,
        breakTimer: BreakTimer,
        building: Callable[[], Mapping[str, float]],
        clock: IReactorTime,
        sendBack: Callable[[], object],
        *,
        lookAtClock: Callable[[], object],
    ) -> None:
        self._presence = presence
        self._timer = breakTimer
        self._building = building
        self._clock = clock
        self._word = OwnersWord(presence, breakTimer, clock)
        self._send: Send | None = None
        self._send_back = sendBack
        self._look_at_clock = lookAtClock
        # whether the worker has said so already
        self._sends_back = False
        self._connection = 0
        # made for the first connection of a worker that speaks
        self._gathering: Gathering | None = None
        self._unanswered = False
        # whether there was something to tell meanwhile
        self._missed = False
        self._sent: View | None = None
        self._logged = False

    def attached(self, conn: Any, greeting: object) -> None:
        """The worker has connected. From now on it is held as its owner said, before it can get a build."""
        self._close()
        if greeting is NOTHING:
            self._word.forget()
            return
        # a jump that nobody has heard of yet is of what was said before
        self._look_at_clock()
        now = self._clock.seconds()
        refusal = None
        try:
            self._word.begin(readAnnouncement(greeting, now))
        except MessageError as problem:
            self._word.end()
            if not mayBeAway(greeting):
                self._word.begin(AVAILABLE)
            refusal = self._refuse(PRESENCE, greeting, problem)
        self._send = openTransport(conn, self._receive)
        self._deliver(refusal or self._view(now))

    def detached(self, *, forget: bool) -> None:
        """The worker has gone. What it said stands, unless that is to be forgotten."""
        self._close()
        if forget:
            self._word.forget()
        else:
            self._word.end()

    def stop(self) -> None:
        """The worker is no longer in the configuration. No timer is left."""
        self._close()
        self._word.forget()

    def changed(self) -> None:
        """The view that was sent to the worker may be out of date."""
        if self._send is not None and self._gathering is not None:
            self._gathering.ask()

    def clockJumped(self, seconds: float) -> None:
        """The clock has been set by so many seconds: nothing waits for a pause to end, and the worker is told what time it is."""
        self._word.clockJumped(seconds)
        self._sent = None
        self.changed()
        if self._gathering is not None:
            self._gathering.clockJumped()

    def _close(self) -> None:
        self._connection += 1
        self._send = self._sent = None
        self._unanswered = self._missed = self._logged = self._sends_back = False
        if self._gathering is not None:
            self._gathering.stop()

    # --- to the worker

    def _tell(self) -> None:
        # what is not answered yet will be, or the connection ends; then the newest is told
        if self._unanswered:
            self._missed = True
        elif self._send is not None:
            view = self._view(self._clock.seconds())
            if view != self._sent:
                self._deliver(view)

    def _deliver(self, answer: View | Refusal) -> None:
        """Send it; the next one when this has been answered, and not before a pause."""
        if self._send is None:
            return
        connection = self._connection

        def answered(_: object) -> None:
            # what failed was a connection, or a worker that cannot be helped
            if connection == self._connection:
                self._unanswered = False
                if self._missed:
                    self._missed = False
                    self.changed()

        self._sent = answer if isinstance(answer, View) else None
        self._unanswered = True
        if self._gathering is None:
            self._gathering = Gathering(self._clock, self._tell)
        self._gathering.pause()
        self._send(answer.toDict(self._clock.seconds())).addBoth(answered)

    def _view(self, now: float) -> View:
        # whoever is told is connected
        holds = tuple(cutHold(hold) for hold in self._presence.holds if hold.source != "offline")
        breaks: tuple[ComingBreak, ...] = ()
        coming = None
        if not self._timer.schedule.isEmpty:
            # a farm without breaks has not got it in memory
            from presence.breaks.forecast import comingBreaks, nextBreak  # noqa: PLC0415

            breaks = comingBreaks(self._timer.schedule, now, self._timer.suspendedUntil)
            coming = nextBreak(breaks, now)
        stop = self._word.stop
        return View(
            state=states.stateOf(holds),
            holds=holds,
            nextBreak=coming,
            breaks=breaks,
            running=self._presence.running,
            builds=tuple(
                RunningBuild(cut(name, MAX_NAME) or "", since) for name, since in self._building().items()
            ),
            stopping=stop is not None,
            deadline=None if stop is None else stop.deadline,
            sendsBack=True,
        )

    # --- from the worker

    def _receive(self, name: str, content: object) -> dict[str, Any]:
        self._look_at_clock()
        now = self._clock.seconds()
        answer: View | Refusal
        try:
            message = _READERS[name](content, now)
        except MessageError as problem:
            answer = self._refuse(name, content, problem)
        else:
            answer = self._obey(message, now)
        return answer.toDict(now)

    def _obey(self, message: Announcement | Stop, now: float) -> View:
        if self._gathering is not None:
            self._gathering.pause()
        self._word.say(message)
        self._consider_sending_back(message.announcement if isinstance(message, Stop) else message)
        view = self._sent = self._view(now)
        if self._gathering is not None:
            # whatever that has changed is in the answer
            self._gathering.done()
        return view

    def _consider_sending_back(self, announcement: Announcement) -> None:
        # of a worker that accepts builds they would come back at once
        wanted = announcement.away and announcement.sendBack
        if wanted and not self._sends_back:
            self._send_back()
        self._sends_back = wanted

    def _refuse(self, name: str, content: object, problem: MessageError) -> Refusal:
        """Closed, not open: what cannot be understood, and may say "away", holds the worker."""
        closed = mayBeAway(content)
        if closed:
            self._word.close(cut(_CLOSED.format(problem=cut(str(problem), _SHOWN)), MAX_REASON) or "")
        if not self._logged:
            # once for a connection: a worker must not be able to fill the disk
            self._logged = True
            _log.warn(
                "{worker}: what it says of its presence is refused ({problem}){held}",
                worker=self._presence.name,
                problem=problem,
                held=", and it is held" if closed else "",
            )
        what = "the worker is held until it says something that is right" if closed else "and changed nothing"
        return Refusal(f"{name} was refused, {what}: {problem}")
