"""Reading messages of protocol version 1: whatever has arrived, checked as a whole before anything is made of it.

Nothing is looked into that is not known. What is wrong is a `MessageError`, with what would be right.

A message carries the time of its sender's clock, `now`: if that differs from the receiver's by more than a second,
instants are translated to the receiver's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from presence.calendar.instants import LATEST, isFinite
from presence.model.states import SOURCES, Hold, PresenceState
from presence.text import MAX_NAME, MAX_REASON, readLine, shown
from presence.wire.messages import (
    MAX_ERROR,
    MAX_ITEMS,
    VERSION,
    Announcement,
    Refusal,
    RunningBuild,
    Stop,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from presence.breaks.forecast import ComingBreak

#: How many keys a message may have.
MAX_KEYS = 64

#: By how many seconds two clocks may differ and still be taken as one.
SAME_CLOCK = 1.0

_STATES = {state.value: state for state in PresenceState}

_T = TypeVar("_T")


class MessageError(ValueError):
    """A message that was not understood. Nothing has been changed by it."""


class UnknownVersionError(MessageError):
    """The message is of another version of the protocol."""


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


def mayBeAway(value: object) -> bool:
    """Whether `value`, a message of a worker that was not understood, may say that no build is accepted: unless its state,
    read by itself, says AVAILABLE.
    """
    return not isinstance(value, dict) or value.get("state") != PresenceState.AVAILABLE.value


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
        sendsBack=reader.flag("sends_back"),
    )


def checkFuture(name: str, value: object, now: float) -> float | None:
    """`value`, called `name`, as an instant after `now`, or None. Raises `MessageError`."""
    if value is None:
        return None
    instant = _instant(name, value)
    if instant <= now:
        raise MessageError(f"{name} {shown(value)} is past: it is {now:.0f} now; give an instant to come")
    return instant


class _Reader:
    """The fields of a dictionary that has arrived, each validated when it is asked for."""

    def __init__(self, value: object, now: float, shift: float | None = None) -> None:
        if not isinstance(value, dict):
            raise MessageError(f"{shown(value)} is not a message: a dictionary is")
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
            raise MessageError(f"version {shown(version)} is not a whole number: {VERSION} is right")
        if version != VERSION:
            raise UnknownVersionError(
                f"version {shown(version)} is not known here: version {VERSION} is spoken"
            )

    def get(self, name: str) -> Any:
        return self._value.get(name)

    def text(self, name: str, limit: int) -> str | None:
        value = self._value.get(name)
        return None if value is None else _text(name, value, limit)

    def name(self, name: str) -> str:
        return _text(name, self.get(name), MAX_NAME)

    def state(self) -> PresenceState:
        value = self.get("state")
        if isinstance(value, str) and value in _STATES:
            return _STATES[value]
        known = " and ".join(_STATES)
        raise MessageError(f"state {shown(value)} is not known: {known} are")

    def instant(self, name: str) -> float | None:
        value = self._value.get(name)
        return None if value is None else self._here(_instant(name, value))

    def future(self, name: str) -> float | None:
        # the sender's future: by the time this is read it may have become the past
        value = checkFuture(name, self.get(name), self._now - self._exact_shift)
        return None if value is None else self._here(value)

    def count(self, name: str) -> int:
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**31:
            raise MessageError(f"{name} {shown(value)} is not a number of builds: a whole one is")
        return value

    def flag(self, name: str) -> bool:
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise MessageError(f"{name} {shown(value)} is not a truth value: true and false are")

    def optional(self, name: str, read: Callable[[str], _T]) -> _T | None:
        return None if self.get(name) is None else read(name)

    def nested(self, name: str) -> _Reader:
        return self._inside(name, self.get(name))

    def items(self, name: str) -> list[_Reader]:
        value = self.get(name)
        if not isinstance(value, (list, tuple)):
            raise MessageError(f"{name} {shown(value)} is not a list")
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
    # (older clients do not say them)
    coming = reader.optional("breaks", reader.items)
    return Announcement(
        state=reader.state(),
        reason=reader.text("reason", MAX_REASON),
        by=reader.text("by", MAX_NAME),
        since=reader.instant("since"),
        until=reader.future("until"),
        workUntil=reader.future("work_until"),
        breaks=_announced(coming) if coming else (),
        sendBack=reader.flag("send_back"),
    )


def _announced(coming: list[_Reader]) -> tuple[ComingBreak, ...]:
    # who has no breaks does not need what is about them
    from presence.breaks.forecast import ANNOUNCED  # noqa: PLC0415

    return tuple(map(_coming_break, coming[:ANNOUNCED]))


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
    from presence.breaks.forecast import ComingBreak  # noqa: PLC0415 (likewise)

    start = reader.instant("start")
    if start is None:
        raise MessageError("breaks: start is missing: it says when the break begins")
    return ComingBreak(start, reader.instant("stop"), reader.text("reason", MAX_REASON))


def _running_build(reader: _Reader) -> RunningBuild:
    return RunningBuild(reader.name("builder"), reader.instant("since"))


def _text(name: str, value: object, limit: int) -> str:
    try:
        return readLine(value, limit)
    except ValueError as problem:
        raise MessageError(f"{name}: {problem}") from None


def _instant(name: str, value: object) -> float:
    if isFinite(value) and 0 <= value <= LATEST:
        return float(value)
    raise MessageError(
        f"{name} {shown(value)} is not an instant: give seconds since the epoch, a number from 0 to {LATEST:.0f}"
    )
