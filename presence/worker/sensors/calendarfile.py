"""`Calendar`: an event of an iCalendar file is on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.calendar.zones import canonicalZone
from presence.text import shown
from presence.worker.looking import calendarchild
from presence.worker.looking.cannottell import CannotTellError
from presence.worker.sensors.reading import Reading
from presence.worker.sensors.written import seconds, text

if TYPE_CHECKING:
    from presence.worker.looking.calendarchild import Events

#: After a process that reads has failed no other one is started for so many seconds, unless the file has changed.
REST = 300.0

# of a larger file only the time is looked at: it is too large to be read anyway
_READ = 4_000_000


class Calendar:
    """Away during the events of the .ics file at `path`, as `Break.fromCalendar` reads them; `tz`, the name of a zone, is for
    those that have none. The file may be missing, and may change: it is read again whenever it has.

    It is read by a process of its own, which says the events of the next two days.
    (As breaks, with `onBreakDuring=Break.fromCalendar(path)`, the master knows of them before.)
    """

    def __init__(
        self, path: str, *, tz: Any = None, quiet: object = 0, every: object = "15s", name: str = "calendar"
    ) -> None:
        self.path = text("path", path)
        self.name = name
        self.quiet = seconds("quiet", quiet)
        self.every = seconds("every", every)
        self._zone = _zone(tz)
        # the file of which the events are known, and the one that was looked at last; by its state, and by its content
        self._of: object = None
        self._state: object = None
        self._content = 0
        self._known: Events | None = None
        self._failed: tuple[str, float] | None = None

    def read(self) -> Reading:
        """Look whether it has changed, and what is on. See `reading.Sensor`."""
        now = time.time()
        file = self._look()
        if file != self._of:
            # whatever was known or went wrong was that of another file
            self._of, self._known, self._failed = file, None, None
        if self._known is None or not self._known.begin <= now < (self._known.begin + self._known.end) / 2:
            self._ask(now)
            # that took its time, and the events are those from then on
            now = time.time()
        if self._known is None or not self._known.begin <= now < self._known.end:
            raise CannotTellError(
                self._failed[0] if self._failed else "the clock has been set: looking again"
            )
        event = self._known.at(now)
        if event is None:
            return Reading(False, "no event of the calendar is on")
        return Reading(True, event or "an event of the calendar is on")

    def _look(self) -> object:
        """Something that is equal as long as the file's content is."""
        try:
            found = Path(self.path).stat()
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if state != self._state:
                self._content = hash(Path(self.path).read_bytes()) if found.st_size <= _READ else hash(state)
                self._state = state
        except OSError as problem:
            raise CannotTellError(f"{self.path!r} cannot be read: {problem}") from None
        return self._content

    def _ask(self, now: float) -> None:
        # (a rest in the future was before the clock was set back)
        if self._failed is not None and 0 <= now - self._failed[1] < REST:
            return
        try:
            self._known, self._failed = calendarchild.events(self.path, self._zone), None
        except CannotTellError as problem:
            self._failed = str(problem), now


def _zone(tz: Any) -> str:
    """The name of the zone; empty for this machine's. Raises `ValueError`."""
    zone = "" if tz is None else canonicalZone(tz)
    if not isinstance(zone, str):
        raise ValueError(f'tz={shown(tz)} is a zone without a name: write one such as "Europe/Vienna"')  # noqa: TRY004
    return zone
