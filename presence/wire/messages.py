"""The messages of protocol version 1: frozen values, and dictionaries that any wire can carry.

`toDict(now)` gives a dictionary of plain values (str, int, float, bool, None, list, dict). `readAnnouncement`,
`readStop` and `readAnswer` take whatever has arrived. They validate all of it before anything is made, look
into nothing that they do not know, and raise `MessageError`, with what is wrong and what would be right.
The protocol, field by field, is in ``docs/protocol.rst``.

Instants are seconds since the epoch. A message carries the time of its sender's clock, `now`: if that differs
from the receiver's by more than a second, instants are translated to the receiver's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from presence.model.states import SOURCES, Hold, PresenceState

if TYPE_CHECKING:
    from collections.abc import Callable

#: The only version there is.
VERSION = 1

#: The names of the messages. The first is also the key in the worker info.
PRESENCE = "presence"
PRESENCE_STOP = "presence_stop"
PRESENCE_VIEW = "presence_view"

#: How long the reason of a hold may be, in characters.
MAX_REASON = 512

#: How long a name (who placed a hold, a builder) may be, in characters.
MAX_NAME = 128

#: How long the text of a refusal may be, in characters.
MAX_ERROR = 1024

#: How many keys a message may have.
MAX_KEYS = 64

#: How many items a list in a message may have.
MAX_ITEMS = 200

#: The latest instant: the end of the year 9999, where calendars end.
LATEST = 253402300799.0

#: By how many seconds two clocks may differ and still be taken as one.
SAME_CLOCK = 1.0

# how much of a wrong value is shown
_SHOWN = 60
_SHOWN_BITS = 128

_T = TypeVar("_T")


class MessageError(ValueError):
    """A message that was not understood. Nothing has been changed by it."""


class UnknownVersionError(MessageError):
    """The message is of another version of the protocol."""


@dataclass(frozen=True)
class Announcement:
    """`presence`: what the owner's side of a worker says of itself, all of it in each message.

    `state`; why (`reason`), who said so (`by`), since when and until when, each None if there is nothing to
    say; and `workUntil`: until then the worker builds in spite of every break that is scheduled for it.
    """

    __slots__ = ("by", "reason", "since", "state", "until", "workUntil")

    state: PresenceState
    reason: str | None
    by: str | None
    since: float | None
    until: float | None
    workUntil: float | None

    @property
    def away(self) -> bool:
        """Whether it says that no build is accepted."""
        return self.state is not PresenceState.AVAILABLE

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
        }


#: What a worker says that has nothing to say.
AVAILABLE = Announcement(PresenceState.AVAILABLE, None, None, None, None, None)


@dataclass(frozen=True)
class Stop:
    """`presence_stop`: `announcement` says away; when nothing runs any more the worker ends itself, and at
    `deadline` in any case, unless that is None.
    """

    __slots__ = ("announcement", "deadline")

    announcement: Announcement
    deadline: float | None

    def toDict(self, now: float) -> dict[str, Any]:
        """The message, sent at `now`."""
        return {**self.announcement.toDict(now), "deadline": self.deadline}


@dataclass(frozen=True)
class ComingBreak:
    """A break that is or will be: `start`, `stop` (None where no end is in sight) and `reason` (or None)."""

    __slots__ = ("reason", "start", "stop")

    start: float
    stop: float | None
    reason: str | None


@dataclass(frozen=True)
class RunningBuild:
    """A build that runs on the worker: the name of its `builder`, and since when (None if that is not known)."""

    __slots__ = ("builder", "since")

    builder: str
    since: float | None


@dataclass(frozen=True)
class View:
    """`presence_view`: what the master thinks of the worker, and the answer to what the worker says.

    `holds` are all holds but `offline`. `breaks` are those of the coming days which the master schedules, in
    order; `nextBreak` is the first that has not begun. `running` is how many builds run, and `builds` says
    which (the first of them). `stopping` says that a `presence_stop` is in force, with its `deadline`.
    """

    __slots__ = ("breaks", "builds", "deadline", "holds", "nextBreak", "running", "state", "stopping")

    state: PresenceState
    holds: tuple[Hold, ...]
    nextBreak: ComingBreak | None
    breaks: tuple[ComingBreak, ...]
    running: int
    builds: tuple[RunningBuild, ...]
    stopping: bool
    deadline: float | None

    def toDict(self, now: float) -> dict[str, Any]:
        """The message, sent at `now`."""
        return {
            "version": VERSION,
            "now": now,
            "state": self.state.value,
            "holds": [_plain(each) for each in self.holds[:MAX_ITEMS]],
            "next_break": self.nextBreak and _plain(self.nextBreak),
            "breaks": [_plain(each) for each in self.breaks[:MAX_ITEMS]],
            "running": self.running,
            "builds": [_plain(each) for each in self.builds[:MAX_ITEMS]],
            "stopping": {"deadline": self.deadline} if self.stopping else None,
        }


@dataclass(frozen=True)
class Refusal:
    """The answer to a message that was not understood: `error` says what was wrong with it."""

    __slots__ = ("error",)

    error: str

    def toDict(self, now: float) -> dict[str, Any]:
        """The message, sent at `now`."""
        return {"version": VERSION, "now": now, "error": self.error[:MAX_ERROR]}


# --- reading what has arrived


def readAnnouncement(value: object, now: float) -> Announcement:
    """The announcement in `value`, which arrived at `now`. Raises `MessageError`."""
    return _announcement(_Reader(value, now))


def readStop(value: object, now: float) -> Stop:
    """The stop in `value`, which arrived at `now`. Raises `MessageError`."""
    reader = _Reader(value, now)
    announcement = _announcement(reader)
    if not announcement.away:
        raise MessageError(
            f"state: a worker that is to stop accepts no builds: {PresenceState.NOT_ACCEPTING_NEW_BUILDS.value} is right"
        )
    return Stop(announcement, reader.future("deadline"))


def readAnswer(value: object, now: float) -> View | Refusal:
    """The view, or the refusal, in `value`, which arrived at `now`. Raises `MessageError`."""
    reader = _Reader(value, now)
    if reader.get("error") is not None:
        return Refusal(reader.text("error", MAX_ERROR) or "")
    stopping = reader.optional("stopping", reader.nested)
    return View(
        state=reader.state(),
        # a source that is new to this side is none that it could show
        holds=tuple(_hold(each) for each in reader.items("holds") if each.get("source") in SOURCES),
        nextBreak=reader.optional("next_break", lambda name: _coming_break(reader.nested(name))),
        breaks=tuple(map(_coming_break, reader.items("breaks"))),
        running=reader.count("running"),
        builds=tuple(map(_running_build, reader.items("builds"))),
        stopping=stopping is not None,
        deadline=None if stopping is None else stopping.instant("deadline"),
    )


def checkReason(value: object) -> str | None:
    """`value` as the reason of a hold: stripped, and None if nothing is left. Raises `MessageError`."""
    if value is None:
        return None
    return _text("reason", value.strip() if isinstance(value, str) else value, MAX_REASON) or None


def checkFuture(name: str, value: object, now: float) -> float | None:
    """`value`, called `name`, as an instant after `now`, or None. Raises `MessageError`."""
    if value is None:
        return None
    instant = _instant(name, value)
    if instant <= now:
        raise MessageError(f"{name} {_shown(value)} is past: it is {now:.0f} now; give an instant to come")
    return instant


class _Reader:
    """The fields of a dictionary that has arrived, each validated when it is asked for."""

    def __init__(self, value: object, now: float, shift: float | None = None) -> None:
        if not isinstance(value, dict):
            raise MessageError(f"{_shown(value)} is no message: a dictionary is")
        if len(value) > MAX_KEYS:
            raise MessageError(f"it has {len(value)} keys, and at most {MAX_KEYS} are allowed")
        self._value = value
        self._now = now
        if shift is None:
            self._check_version()
            sent = self.get("now")
            # the receiver's clock minus the sender's
            shift = 0.0 if sent is None else now - _instant("now", sent)
        self._exact_shift = shift
        self._shift = shift if abs(shift) > SAME_CLOCK else 0.0

    def _check_version(self) -> None:
        version = self.get("version")
        if isinstance(version, bool) or not isinstance(version, int):
            raise MessageError(f"version {_shown(version)} is not a whole number: {VERSION} is right")
        if version != VERSION:
            raise UnknownVersionError(
                f"version {_shown(version)} is not known here: version {VERSION} is spoken"
            )

    def get(self, name: str) -> Any:
        return self._value.get(name)

    def text(self, name: str, limit: int) -> str | None:
        return None if self.get(name) is None else _text(name, self.get(name), limit)

    def name(self, name: str) -> str:
        return _text(name, self.get(name), MAX_NAME)

    def state(self) -> PresenceState:
        value = self.get("state")
        for state in PresenceState:
            if isinstance(value, str) and value == state.value:
                return state
        known = " and ".join(state.value for state in PresenceState)
        raise MessageError(f"state {_shown(value)} is not known: {known} are")

    def instant(self, name: str) -> float | None:
        value = self.get(name)
        return None if value is None else self._here(_instant(name, value))

    def future(self, name: str) -> float | None:
        # the sender's future: by the time this is read it may have become the past
        value = checkFuture(name, self.get(name), self._now - self._exact_shift)
        return None if value is None else self._here(value)

    def count(self, name: str) -> int:
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**31:
            raise MessageError(f"{name} {_shown(value)} is not a number of builds: a whole one is")
        return value

    def optional(self, name: str, read: Callable[[str], _T]) -> _T | None:
        return None if self.get(name) is None else read(name)

    def nested(self, name: str) -> _Reader:
        return self._inside(name, self.get(name))

    def items(self, name: str) -> list[_Reader]:
        value = self.get(name)
        if not isinstance(value, (list, tuple)):
            raise MessageError(f"{name} {_shown(value)} is no list")
        if len(value) > MAX_ITEMS:
            raise MessageError(f"{name} has {len(value)} items, and at most {MAX_ITEMS} are allowed")
        return [self._inside(name, each) for each in value]

    def _inside(self, name: str, value: object) -> _Reader:
        try:
            return _Reader(value, self._now, self._exact_shift)
        except MessageError as problem:
            raise MessageError(f"{name}: {problem}") from None

    def _here(self, instant: float) -> float:
        """`instant` on the receiver's clock."""
        return min(max(instant + self._shift, 0.0), LATEST)


def _announcement(reader: _Reader) -> Announcement:
    return Announcement(
        state=reader.state(),
        reason=reader.text("reason", MAX_REASON),
        by=reader.text("by", MAX_NAME),
        since=reader.instant("since"),
        until=reader.future("until"),
        workUntil=reader.future("work_until"),
    )


def _hold(reader: _Reader) -> Hold:
    since = reader.instant("since")
    if since is None:
        raise MessageError("holds: since is missing: it says when the hold began")
    # reasons of Buildbot's own pause have no limit there, and are cut off by our master
    return Hold(
        reader.get("source"),
        reader.text("reason", MAX_REASON),
        reader.text("by", MAX_NAME),
        since,
        reader.instant("until"),
    )


def _coming_break(reader: _Reader) -> ComingBreak:
    start = reader.instant("start")
    if start is None:
        raise MessageError("breaks: start is missing: it says when the break begins")
    return ComingBreak(start, reader.instant("stop"), reader.text("reason", MAX_REASON))


def _running_build(reader: _Reader) -> RunningBuild:
    return RunningBuild(reader.name("builder"), reader.instant("since"))


# --- single values


def cut(text: str | None, limit: int) -> str | None:
    """`text` as a message may carry it: one line, and not longer than `limit`."""
    if text is None:
        return None
    line = "".join(character if _is_fit(character) else " " for character in text)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def cutHold(hold: Hold) -> Hold:
    """`hold` as a message may carry it."""
    return replace(hold, reason=cut(hold.reason, MAX_REASON), by=cut(hold.by, MAX_NAME))


def _text(name: str, value: object, limit: int) -> str:
    if not isinstance(value, str):
        raise MessageError(f"{name} {_shown(value)} is no text: a string is, of at most {limit} characters")
    if len(value) > limit:
        raise MessageError(f"{name} has {len(value)} characters, and at most {limit} are allowed")
    for character in value:
        if not _is_fit(character):
            raise MessageError(f"{name} contains {character!r}: it is one line of readable text")
    return value


def _is_fit(character: str) -> bool:
    """No control character (a line in a log stays one line) and no half of a surrogate pair (UTF-8 has none)."""
    code = ord(character)
    return not (code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0x2028, 0x2029))  # noqa: PLR2004


def _instant(name: str, value: object) -> float:
    # compared before it is made a float, which huge whole numbers do not fit into
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LATEST:
        raise MessageError(
            f"{name} {_shown(value)} is not an instant: give seconds since the epoch, a number from 0 to {LATEST:.0f}"
        )
    return float(value)


def _shown(value: object) -> str:
    """`value` in an error message: never long, and no code of a foreign object is run for it."""
    if value is None or type(value) is bool or type(value) is float:
        return repr(value)
    if type(value) is int:
        return repr(value) if value.bit_length() <= _SHOWN_BITS else "(a huge number)"
    if type(value) is str:
        return ascii(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")
    return f"(a {type(value).__name__[:_SHOWN]})"


def _plain(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}
