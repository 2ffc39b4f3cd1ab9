"""The owner's word: what announcements from a worker's side do to its presence on the master.

An announcement becomes the one hold `worker`, a suspension of the breaks that `master.cfg` schedules, and what is known of
the breaks of the worker's own: when one of those begins, its message is still on its way. What
takes availability away happens at once. What gives it, and what only changes a reason or an end, happens at
once when nothing has happened for a tenth of a second, and else at the end of that, the newest only: a worker
that flaps a thousand times a second changes its presence some twenty times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.model.gathering import PAUSE, Gathering
from presence.wire.messages import AVAILABLE, Announcement, Stop

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from presence.breaks.forecast import ComingBreak
    from presence.model.breaktimer import BreakTimer
    from presence.model.workerpresence import WorkerPresence


class AnnouncedBreaks:
    """The next breaks of a worker's own, as its side has announced them: the `ownersBreaks` of its presence here.

    It has no timer: that side says so itself when a break begins. It is asked only in between.
    """

    __slots__ = ("_breaks", "_clock", "_presence")

    def __init__(
        self, breaks: tuple[ComingBreak, ...], presence: WorkerPresence, clock: IReactorTime
    ) -> None:
        self._breaks = breaks
        self._presence = presence
        self._clock = clock

    def catchUp(self) -> None:
        """Hold the worker for the break that has begun, if its message is still on its way."""
        now = self._clock.seconds()
        for each in self._breaks:
            if each.start <= now and (each.stop is None or now < each.stop):
                self._presence.hold("worker", each.reason, until=each.stop, since=each.start)

    def freeFrom(self, instant: float, builder: str | None = None) -> float | None:  # noqa: ARG002
        """The first time from `instant` on that is in none of them; None if none is in sight. They are about all builders."""
        if not self._breaks:
            return instant
        # few have breaks of their own
        from presence.breaks.forecast import freeOf  # noqa: PLC0415

        return freeOf(self._breaks, instant)


class OwnersWord:
    """Does what the owner's side says, to the `presence` and the `breakTimer` of one worker.

    `stop` is the `Stop` that is in force, or None.
    """

    __slots__ = ("_clock", "_gathering", "_presence", "_said", "_spoken", "_timer", "_waiting", "stop")

    def __init__(self, presence: WorkerPresence, breakTimer: BreakTimer, clock: IReactorTime) -> None:
        self._presence = presence
        self._timer = breakTimer
        self._clock = clock
        # most workers say nothing: it is made for the first word
        self._gathering: Gathering | None = None
        self._waiting: Announcement | None = None
        # what was done last
        self._said: Announcement | None = None
        self._spoken = False
        # the suspension that the owner asked for, as it was placed; and the one that it took the place of
        self.stop: Stop | None = None

    def begin(self, announcement: Announcement) -> None:
        """The worker has connected, and says this."""
        self.end()
        self._spoken = True
        self._do(announcement)

    def close(self, reason: str) -> None:
        """The worker says what cannot be understood, and may be "away": hold it until it says something else.

        What it is held by already, without an end, goes on holding it.
        """
        self._spoken = True
        self._waiting = self._said = self.stop = None
        self._presence.ownersBreaks = None
        self._suspend(None)
        held = self._presence.heldBy("worker")
        if held is None or held.until is not None:
            self._presence.hold("worker", reason=reason)

    def end(self) -> None:
        """The worker has gone: what it said last stands. No timer is left."""
        if self._waiting is not None:
            self._do(self._waiting)
        self._waiting = self.stop = None
        if self._gathering is not None:
            self._gathering.stop()

    def clockJumped(self, seconds: float) -> None:
        """The clock has been set by so many seconds, and the worker's has not: what it has said ends as long from now as before.
        What waits is done now.

        (A worker whose clock has been set, too, says it again.)
        """
        if self.stop is not None:
            self.stop = self.stop.later(seconds)
        waiting, said = self._waiting, self._said
        if waiting is not None and self._gathering is not None:
            self._waiting = waiting.later(seconds)
            self._gathering.clockJumped()
        elif said is not None and (said.away or self._presence.heldBy("worker") is None):
            # (or it is held for a break that it has yet to tell of)
            self._do(said.later(seconds))

    def forget(self) -> None:
        """Nobody is there any more who could say otherwise. A hold that others have placed is left alone."""
        self.end()
        if self._spoken:
            self._do(AVAILABLE)
            self._spoken = False

    def say(self, message: Announcement | Stop) -> None:
        """The worker says this now."""
        self.stop = message if isinstance(message, Stop) else None
        self._waiting = message.announcement if isinstance(message, Stop) else message
        if self._gathering is None:
            self._gathering = Gathering(self._clock, self._do_waiting, immediately=True)
        ends = self._gathering.pauseEnds
        if ends is not None:
            self._restrict(self._waiting, ends)
        self._gathering.ask()

    def _do_waiting(self) -> None:
        if self._waiting is not None:
            announcement, self._waiting = self._waiting, None
            self._do(announcement)

    def _restrict(self, announcement: Announcement, ends: float) -> None:
        """Of what the pause puts off, do at once what cannot wait: each of it happens once in a pause."""
        held = self._presence.heldBy("worker")
        if announcement.away and (
            held is None
            or (held.until is not None and held.until <= ends and not _ends_by(announcement, held.until))
        ):
            # longer than the pause, whatever else is said in that; at its end the right time takes its place
            until = announcement.until
            self._hold(announcement, None if until is None else max(until, ends + PAUSE))
        if self._timer.suspensionBy("worker") is not None and (
            announcement.workUntil is None or announcement.workUntil <= ends
        ):
            self._suspend(None)

    def _do(self, announcement: Announcement) -> None:
        self._said = announcement
        before = self._presence.holds, self._presence.backAt
        self._presence.ownersBreaks = (
            AnnouncedBreaks(announcement.breaks, self._presence, self._clock) if announcement.breaks else None
        )
        self._place(announcement)
        holds, back_at = self._presence.holds, self._presence.backAt
        if holds == before[0] and back_at != before[1]:
            self._presence.changed()

    def _place(self, announcement: Announcement) -> None:
        # first what holds: there is to be no blink of availability
        if announcement.away:
            self._hold(announcement, announcement.until)
            self._suspend(announcement.workUntil)
        else:
            self._suspend(announcement.workUntil)
            self._presence.release("worker")

    def _hold(self, announcement: Announcement, until: float | None) -> None:
        held = self._presence.heldBy("worker")
        since = announcement.since
        if since is None:
            since = self._clock.seconds() if held is None else held.since
        wanted = (announcement.reason, announcement.by, until, since)
        if held is None or (held.reason, held.by, held.until, held.since) != wanted:
            self._presence.hold("worker", *wanted)

    def _suspend(self, until: float | None) -> None:
        """Suspend the breaks until then. A suspension by an admin is neither shortened nor ended by it."""
        if until != self._timer.suspensionBy("worker"):
            self._timer.suspend(until, "worker")


def _ends_by(announcement: Announcement, instant: float) -> bool:
    return announcement.until is not None and announcement.until <= instant
