"""The messages of protocol version 1: frozen values, and dictionaries that any wire can carry.

`toDict(now)` gives a dictionary of plain values (str, int, float, bool, None, list, dict); `presence.wire.reading`
reads what has arrived. The protocol, field by field, is in ``docs/protocol.rst``. Instants are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from presence.model.states import Hold, PresenceState
from presence.text import MAX_NAME, MAX_REASON, cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from presence.breaks.forecast import ComingBreak

#: The only version there is.
VERSION = 1

#: How long the text of a refusal may be, in characters.
MAX_ERROR = 1024

#: How many items a list in a message may have.
MAX_ITEMS = 200


@dataclass(frozen=True, slots=True)
class Announcement:
    """`presence`: what the owner's side of a worker says of itself, all of it in each message.

    `state`; why (`reason`), who said so (`by`), since when and until when, each None if there is nothing to
    say; `workUntil`: until then the worker builds in spite of every break that is scheduled for it; `breaks`, the next
    ones of the worker's own that have not begun, in order; and `sendBack`: what runs is to be built elsewhere.
    """

    state: PresenceState
    reason: str | None
    by: str | None
    since: float | None
    until: float | None
    workUntil: float | None
    breaks: tuple[ComingBreak, ...] = ()
    sendBack: bool = False

    @property
    def away(self) -> bool:
        """Whether it says that no build is accepted."""
        return self.state is not PresenceState.AVAILABLE

    def later(self, seconds: float) -> Announcement:
        """The same, by a clock that shows so much more."""
        return replace(
            self,
            since=_later(self.since, seconds),
            until=_later(self.until, seconds),
            workUntil=_later(self.workUntil, seconds),
            breaks=tuple(
                replace(
                    each,
                    start=each.start + seconds,
                    stop=_later(each.stop, seconds),
                    interruptsAt=_later(each.interruptsAt, seconds),
                )
                for each in self.breaks
            ),
        )

    def toDict(self, now: float) -> dict[str, Any]:
        """The message, sent at `now`."""
        return {
            "version": VERSION,
            "now": now,
            "state": self.state.value,
            "reason": self.reason,
            "by": self.by,
            "since": self.since,
            "until": self.until,
            "work_until": self.workUntil,
            "breaks": [_fields(each, _BREAK) for each in self.breaks[:MAX_ITEMS]],
            "send_back": self.sendBack,
        }


#: What a worker says that has nothing to say.
AVAILABLE = Announcement(PresenceState.AVAILABLE, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Stop:
    """`presence_stop`: `announcement` says away; when nothing runs any more the worker ends itself, and at
    `deadline` in any case, unless that is None.
    """

    announcement: Announcement
    deadline: float | None

    def later(self, seconds: float) -> Stop:
        """See `Announcement`."""
        return Stop(self.announcement.later(seconds), _later(self.deadline, seconds))

    def toDict(self, now: float) -> dict[str, Any]:
        """The message, sent at `now`."""
        return {**self.announcement.toDict(now), "deadline": self.deadline}


@dataclass(frozen=True, slots=True)
class RunningBuild:
    """A build that runs on the worker: the name of its `builder`, and since when (None if that is not known)."""

    builder: str
    since: float | None


@dataclass(frozen=True, slots=True)
class View:
    """`presence_view`: what the master thinks of the worker, and the answer to what the worker says.

    `holds` are all holds but `offline`. `breaks` are those of the coming days which the master schedules, in
    order; `nextBreak` is the first that has not begun. `running` is how many builds run, and `builds` says
    which (the first of them). `stopping` says that a `presence_stop` is in force, with its `deadline`, and
    `sendsBack` that the master knows what `sendBack` is.
    """

    state: PresenceState
    holds: tuple[Hold, ...]
    nextBreak: ComingBreak | None
    breaks: tuple[ComingBreak, ...]
    running: int
    builds: tuple[RunningBuild, ...]
    stopping: bool
    deadline: float | None
    sendsBack: bool = False

    def toDict(self, now: float) -> dict[str, Any]:
        """The message, sent at `now`."""
        return {
            "version": VERSION,
            "now": now,
            "state": self.state.value,
            "holds": [_fields(each, _HOLD) for each in self.holds[:MAX_ITEMS]],
            "next_break": self.nextBreak and _fields(self.nextBreak, _BREAK),
            "breaks": [_fields(each, _BREAK) for each in self.breaks[:MAX_ITEMS]],
            "running": self.running,
            "builds": [_fields(each, _BUILD) for each in self.builds[:MAX_ITEMS]],
            "stopping": {"deadline": self.deadline} if self.stopping else None,
            "sends_back": self.sendsBack,
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a message that was not understood: `error` says what was wrong with it."""

    error: str

    def toDict(self, now: float) -> dict[str, Any]:
        """The message, sent at `now`."""
        return {"version": VERSION, "now": now, "error": self.error[:MAX_ERROR]}


def _later(instant: float | None, seconds: float) -> float | None:
    return None if instant is None else instant + seconds


def cutHold(hold: Hold) -> Hold:
    """`hold` as a message may carry it."""
    reason, by = cut(hold.reason, MAX_REASON), cut(hold.by, MAX_NAME)
    # (as most may: a thousand owners who come at once are answered)
    return hold if (reason, by) == (hold.reason, hold.by) else replace(hold, reason=reason, by=by)


# What a message says of a hold, a break and a build.
_HOLD = ("source", "reason", "by", "since", "until")
_BREAK = ("start", "stop", "reason")
_BUILD = ("builder", "since")


def _fields(value: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}
