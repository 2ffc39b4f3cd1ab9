"""The sessions of pages that outlast the worker's process: kept as digests, for a month from when each was let in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from presence import files
from presence.calendar.instants import isFinite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.internet.interfaces import IReactorTime

_log = Logger()

#: The name of the file.
FILENAME = "presence-sessions.json"

#: How long a session lasts, in seconds.
LIFE = 30 * 86400.0

_VERSION = 1
_MAX_SIZE = 16 * 1024


class Sessions:
    """The file in `basedir`. What cannot be read or written lets nobody in, and stops nobody."""

    def __init__(self, basedir: str, clock: IReactorTime) -> None:
        self._path = Path(basedir) / FILENAME
        self._clock = clock
        # {digest: since when}
        self._since: dict[str, float] = {}

    def load(self) -> list[str]:
        """The digests of those that last still, the oldest first."""
        now = self._clock.seconds()
        try:
            document = json.loads(files.read(self._path, _MAX_SIZE))
        except (OSError, ValueError, RecursionError):
            document = None
        found: Any = document.get("sessions") if isinstance(document, dict) else None
        self._since = {
            str(digest): float(since)
            for digest, since in (found.items() if isinstance(found, dict) else ())
            # (of the future: the clock was set)
            if isFinite(since) and now - LIFE < since <= now
        }
        return sorted(self._since, key=self._since.__getitem__)

    def save(self, digests: Iterable[str]) -> None:
        """Keep these."""
        now = self._clock.seconds()
        self._since = {digest: self._since.get(digest, now) for digest in digests}
        content = json.dumps({"version": _VERSION, "sessions": self._since}).encode() + b"\n"
        try:
            files.write(self._path, content)
        except OSError as problem:
            _log.warn("presence: the page has to be let in again after a restart: {problem}", problem=problem)
