"""What is to be sent to whom: at once, once a day, and never more than so often a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from presence.calendar.instants import datetimeOf, secondsOf
from presence.calendar.wallclock import instantOf

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import time, tzinfo

    from presence.master.reporters.notice import Notice

DAY = 24 * 3600.0

#: So many notices are in one message, at most; of the others it is said how many they are. And so many people there may be.
MOST_AT_ONCE, MOST_PEOPLE = 100, 2000


@dataclass(slots=True)
class _Box:
    # when its day has begun, how many messages were sent in it, and what waits
    begun: float
    sent: int = 0
    waiting: dict[str, Notice] = field(default_factory=dict)
    leftOut: int = 0


class Outbox:
    """Sends with `send(recipient, notices, left_out, digest)`; the recipient None are those of the reporter.

    `digest` is the time of day in `zone` at which all is sent that has come since; None: each is sent when it comes.
    """

    def __init__(
        self,
        send: Callable[[str | None, list[Notice], int, bool], object],
        *,
        digest: time | None,
        mostADay: int,
        zone: tzinfo,
    ) -> None:
        self._send = send
        self._digest = digest
        self._most = mostADay
        self._zone = zone
        self._boxes: dict[str | None, _Box] = {}

    def put(self, recipient: str | None, notice: Notice, now: float) -> None:
        """Let the recipient know this."""
        box = self._boxes.get(recipient)
        if box is None:
            if len(self._boxes) >= MOST_PEOPLE:
                return
            box = self._boxes[recipient] = _Box(now)
        self._new_day(box, now)
        if self._digest is None and box.sent < self._most:
            box.sent += 1
            self._send(recipient, [notice], 0, False)
        elif notice.key in box.waiting or len(box.waiting) < MOST_AT_ONCE:
            # what is new of the same takes its place
            box.waiting[notice.key] = notice
        else:
            box.leftOut += 1

    def look(self, now: float) -> None:
        """Send what is due."""
        for recipient, box in tuple(self._boxes.items()):
            fresh = self._new_day(box, now)
            # (a digest waits from one such time of day to the next; what was too much, for the next day)
            due = box.sent == 0 if self._digest is None else self._is_due(box, now)
            if box.waiting and due:
                notices, left_out = list(box.waiting.values()), box.leftOut
                box.waiting, box.leftOut = {}, 0
                box.sent += 1
                self._send(recipient, notices, left_out, True)
            elif fresh and not box.waiting:
                del self._boxes[recipient]

    def _new_day(self, box: _Box, now: float) -> bool:
        """Whether another day has begun for this one."""
        # (the clock may have been set back: that is no other day)
        if self._digest is None:
            box.begun = min(box.begun, now)
        if self._digest is not None or now - box.begun < DAY:
            return False
        box.begun, box.sent = now, 0
        return True

    def _is_due(self, box: _Box, now: float) -> bool:
        # (the clock may have been set back)
        box.begun = min(box.begun, now)
        if now < self._next(box.begun):
            return False
        box.begun = now
        return True

    def _next(self, at: float) -> float:
        """The first instant after `at` at which it is that time of day."""
        assert self._digest is not None  # noqa: S101 (it is asked only then)
        day = datetimeOf(at).astimezone(self._zone).date()
        while True:
            found = secondsOf(instantOf(datetime.combine(day, self._digest), self._zone))
            if found > at:
                return found
            day += timedelta(days=1)
