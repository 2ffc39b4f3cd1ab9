"""What has been told to the master, what it has answered, and whether it knows presence at all.

A conversation has one message under way at most. What changes in the meantime is told afterwards, the newest
only: each message says everything.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError
from twisted.internet.defer import TimeoutError as AnswerTimeout
from twisted.logger import Logger

from presence.model.waiters import Waiters
from presence.text import cut, plain
from presence.wire.messages import (
    MAX_ERROR,
    Announcement,
    Refusal,
    Stop,
    View,
)
from presence.wire.names import PRESENCE, PRESENCE_STOP
from presence.wire.reading import MessageError, readAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure

    from presence.worker.link.transports import Transport

_log = Logger()

#: How long an answer is waited for, in seconds.
PATIENCE = 10.0

NO_PRESENCE = (
    "the master knows no presence: it gives builds to this worker as it likes, until buildbot-presence is "
    "installed there and the worker is a BuildSlave in its master.cfg"
)
NOT_CONNECTED = "there is no connection to the master"


#: What the owner is told when an answer is late.
LATE = Refusal(f"the master has not answered within {PATIENCE:.0f} s")


class Plugin(enum.Enum):
    """Whether the master that has connected knows presence."""

    UNKNOWN = "unknown"
    PRESENT = "present"
    ABSENT = "absent"


class Conversation:
    """Keeps the master informed of what `current()` says. Ask `sync()` whenever that may have changed.

    `connected`; `plugin`, whether the master knows presence; `why` there is no view or why it was refused, for people; and
    `view`, what the master thinks of this worker. `changed()` is called when one of them has changed.
    """

    def __init__(
        self,
        transport: Transport,
        clock: IReactorTime,
        current: Callable[[], Announcement | Stop],
        changed: Callable[[], object],
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._current = current
        self._changed = changed
        self._waiters = Waiters(lambda: self.settled or None, "the conversation with the master")
        self._told: Announcement | Stop | None = None
        self._under_way: Deferred[Any] | None = None
        self._attached = False
        self._closed = False
        # whether what this side said last was refused, in which case the views that follow do not make it good
        self._refused = False
        # distinguishes the answers of this connection from late ones of another
        self._connection = 0
        self.connected = False
        self.plugin = Plugin.UNKNOWN
        self.why: str | None = NOT_CONNECTED
        self.view: View | None = None

    @property
    def settled(self) -> bool:
        """Whether the master has heard what there is to say, or will not hear it on this connection."""
        if self._closed or not self.connected or self.plugin is Plugin.ABSENT:
            return True
        return self._attached and self._under_way is None and self._told == self._current()

    @property
    def told(self) -> bool:
        """Whether the master knows presence, and has heard and not refused what there is to say."""
        return self.plugin is Plugin.PRESENT and self.settled and not self._refused

    def wait(self) -> Deferred[Any]:
        """A Deferred that fires when it is settled, or after some seconds."""
        return self._waiters.wait().addTimeout(PATIENCE, self._clock).addErrback(_unless_late)

    def clockJumped(self) -> None:
        """The clock has been set, and with it how long an answer is waited for: say it again, as the master reckons by what the
        clock showed when it was said.
        """
        if self._under_way is not None:
            self._under_way.cancel()
        else:
            self._told = None
            self.sync()

    def close(self) -> None:
        """Say nothing any more."""
        self._closed = True
        self._reset()
        self._waiters.fire()

    def sync(self) -> None:
        """Tell the master what is to be said, if that is not what it knows."""
        if self._closed or self._under_way is not None:
            return
        if not self._attached or self.plugin is not Plugin.PRESENT:
            return
        message = self._current()
        if message == self._told:
            self._waiters.fire()
            return
        name = PRESENCE_STOP if isinstance(message, Stop) else PRESENCE
        connection = self._connection
        sent = self._under_way = self._transport.send(name, message.toDict(self._clock.seconds()))
        sent.addTimeout(PATIENCE, self._clock)
        sent.addCallbacks(self._read_answer, self._no_answer)
        sent.addCallback(self._answered, message, connection)
        sent.addErrback(lambda failure: _log.failure("after telling the master", failure))

    # --- what the transport tells

    def greeting(self) -> dict[str, Any]:
        """See `transports.Listener`."""
        # a master that has got the plugin since asks again, on the same connection
        attached = self._attached
        self._reset()
        self.connected, self._attached = True, attached
        self.why = "the master has connected, and has not said yet whether it knows presence"
        message = self._current()
        # a stop is not a greeting: it is told when the worker is attached
        announcement = message.announcement if isinstance(message, Stop) else message
        self._told = announcement
        self._changed()
        return announcement.toDict(self._clock.seconds())

    def viewArrived(self, message: Any) -> None:
        """See `transports.Listener`."""
        if self.connected:
            answer = self._read_answer(message)
            self._refused = self._refused or isinstance(answer, Refusal)
            self._understood(answer)
            self._changed()
            self._waiters.fire()

    def attached(self) -> None:
        """See `transports.Listener`."""
        if not self.connected or self._attached:
            return
        self._attached = True
        if self.plugin is Plugin.UNKNOWN:
            self.plugin = Plugin.ABSENT
            self.why = NO_PRESENCE
            _log.info("presence: {why}", why=self.why)
        self._changed()
        self.sync()
        self._waiters.fire()

    def disconnected(self) -> None:
        """See `transports.Listener`."""
        if self.connected:
            self._reset()
            self._changed()
            self._waiters.fire()

    def _reset(self) -> None:
        self._connection += 1
        self._attached = self._refused = self.connected = False
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.cancel()
        self._told = self.view = None
        self.plugin = Plugin.UNKNOWN
        self.why = NOT_CONNECTED

    # --- what the master answers

    def _read_answer(self, message: Any) -> View | Refusal:
        try:
            return readAnswer(message, self._clock.seconds())
        except MessageError as problem:
            return Refusal(f"what the master says was not understood: {problem}")

    def _no_answer(self, failure: Failure) -> Refusal:
        if isinstance(failure.value, (AnswerTimeout, CancelledError)):
            return LATE
        return Refusal(f"the master could not be told: {failure.getErrorMessage()}")

    def _answered(self, answer: View | Refusal, message: Announcement | Stop, connection: int) -> None:
        if connection != self._connection:
            return
        self._under_way = None
        # what is late is said again, until it is heard; what was refused would be refused again
        self._told = None if answer is LATE else message
        self._refused = isinstance(answer, Refusal)
        self._understood(answer)
        self._changed()
        self.sync()
        self._waiters.fire()

    def _understood(self, answer: View | Refusal) -> None:
        self.plugin = Plugin.PRESENT
        if isinstance(answer, View):
            self.view = answer
            if not self._refused:
                self.why = None
        else:
            # what a master says goes to the log, to terminals and to the page: one line, and not a long one
            why = cut(answer.error, MAX_ERROR) or ""
            if self.why != why:
                _log.warn("presence: {why}", why=plain(why))
            self.why = why


def _unless_late(failure: Failure) -> None:
    if not isinstance(failure.value, AnswerTimeout):
        failure.raiseException()
