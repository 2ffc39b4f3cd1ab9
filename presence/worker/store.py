"""What the owner of the machine has said, in a file of the worker's base directory.

Stored is what was said, never what follows from it: an "away", and until when the breaks are suspended. The
file is written beside the old one and then takes its place, so that at every instant, whatever is killed,
there is one or the other. Only the account of the worker may read it (where there are file modes).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from presence import files
from presence.calendar.instants import LATEST, isFinite
from presence.errors import PresenceError
from presence.text import MAX_NAME, readLine, readReason
from presence.wire.reading import checkFuture

#: The name of the file.
FILENAME = "presence-owner.json"

#: What it was called before, which is also what a master's note was called: read once.
OLD_FILENAME = "presence.json"

#: Who says what is said here.
OWNER = "owner"

_VERSION = 1

#: Longer than anything that was ever written there, in bytes.
_MAX_SIZE = 64 * 1024


class StoreError(PresenceError):
    """What the owner said could not be read, or not be kept. The text says which file, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Away:
    """What the owner said with "away": see `states.Hold`."""

    reason: str | None
    by: str | None
    since: float
    until: float | None


@dataclass(frozen=True, slots=True)
class Wish:
    """All that the owner wants: `away`, or None; and `workUntil`, until when breaks are suspended, or None."""

    away: Away | None
    workUntil: float | None

    def awayAt(self, now: float) -> Away | None:
        """The "away" that is in force at `now`."""
        away = self.away
        return None if away is None or (away.until is not None and away.until <= now) else away

    def saying(self, now: float, reason: str | None, until: float | None) -> Wish:
        """The wish when, instead, its owner says "away" at `now`. Raises `ValueError`."""
        before = self.awayAt(now)
        since = now if before is None or before.by != OWNER else before.since
        return replace(self, away=Away(_reason(reason), OWNER, since, checkFuture("until", until, now)))


#: What an owner wants who has said nothing.
NOTHING = Wish(None, None)


class Store:
    """Keeps a `Wish` in `basedir`. It blocks for as long as a disk takes to keep a hundred bytes."""

    def __init__(self, basedir: str) -> None:
        self.path = Path(basedir) / FILENAME
        self._old = Path(basedir) / OLD_FILENAME

    def load(self) -> Wish:
        """The wish that was kept, or `NOTHING`. Raises `StoreError` when there is one that cannot be read."""
        wish = _read(self.path)
        if wish is not None:
            return wish
        wish = _read(self._old)
        if wish is None:
            return NOTHING
        with suppress(StoreError):  # where it cannot be written it stays where it is
            self.save(wish)
        return wish

    def save(self, wish: Wish, owner: tuple[int, int] | None = None) -> None:
        """Keep `wish`. Raises `StoreError` when that cannot be done, and the one of before is kept then. `owner`: as in
        `files.Directory.write`.
        """
        try:
            files.write(self.path, _content(wish), lasting=True, owner=owner)
        except OSError as problem:
            raise StoreError(
                f"{self.path} cannot be written ({problem}), and what is not kept is not done: make room there, "
                "or give the worker's account the right to write, and say it again"
            ) from problem
        files.remove(self._old)


def _reason(reason: str | None) -> str | None:
    try:
        return None if reason is None else readReason(reason)
    except ValueError as problem:
        raise ValueError(f"reason: {problem}") from None


def _read(path: Path) -> Wish | None:
    """The wish that this file keeps; None where there is no file."""
    try:
        return _wish(json.loads(files.read(path, _MAX_SIZE)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as problem:
        raise StoreError(
            f"{path} cannot be read ({problem}): what its owner said last is not known"
        ) from problem


def _content(wish: Wish) -> bytes:
    away = wish.away and {
        "reason": wish.away.reason,
        "by": wish.away.by,
        "since": wish.away.since,
        "until": wish.away.until,
    }
    document = {"version": _VERSION, "away": away, "work_until": wish.workUntil}
    return json.dumps(document, indent=1, allow_nan=False).encode() + b"\n"


def _wish(document: Any) -> Wish:
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise ValueError(f"it is not of version {_VERSION}")
    away = document["away"] if "away" in document else _missing("away")
    # (as it was written at first)
    name = "work_until" if "work_until" in document else "workUntil"
    return Wish(None if away is None else _away(away), _optional_instant(name, document.get(name)))


def _away(document: Any) -> Away:
    if not isinstance(document, dict):
        raise ValueError("away is not an object")  # noqa: TRY004 (one kind of error for all that may be wrong)
    since = _optional_instant("since", document.get("since"))
    # as strict as the wire: it is announced, printed and shown
    reason, by = document.get("reason"), document.get("by")
    return Away(
        None if reason is None else readReason(reason),
        None if by is None else readLine(by, MAX_NAME),
        _missing("since") if since is None else since,
        _optional_instant("until", document.get("until")),
    )


def _optional_instant(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isFinite(value) and 0 <= value <= LATEST:
        return float(value)
    raise ValueError(f"{name} is not an instant")


def _missing(name: str) -> Any:
    raise ValueError(f"{name} is missing")
