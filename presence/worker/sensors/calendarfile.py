"""`Calendar`: an event of an iCalendar file is on."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from presence.worker.looking.cannottell import CannotTellError
from presence.worker.sensors.reading import Reading
from presence.worker.sensors.written import seconds, text


class Calendar:
    """Away during the events of the .ics file at `path`, as `Break.fromCalendar` reads them; `tz` is for those that have no
    zone. The file may be missing, and may change: it is read again whenever it has.

    (As breaks, with `onBreakDuring=Break.fromCalendar(path)`, the master knows of them before.)
    """

    def __init__(
        self, path: str, *, tz: Any = None, quiet: object = 0, every: object = "15s", name: str = "calendar"
    ) -> None:
        self.path = text("path", path)
        self.name = name
        self.quiet = seconds("quiet", quiet)
        self.every = seconds("every", every)
        self._tz = tz
        self._schedule: Any = None

    def read(self) -> Reading:
        """Look into it. See `reading.Sensor`."""
        # with them comes dateutil
        from presence.breaks.schedule import Break, BreakSchedule  # noqa: PLC0415

        try:
            if self._schedule is None:
                self._schedule = BreakSchedule.fromConfig(Break.fromCalendar(self.path, tz=self._tz))
            for file in self._schedule.calendars:
                now = file.reread()
                if now is not file:
                    self._schedule = self._schedule.withCalendar(now)
        except ValueError as problem:
            raise CannotTellError(str(problem)) from None
        event = self._schedule.at(datetime.now(timezone.utc))
        if event is None:
            return Reading(False, "no event of the calendar is on")
        return Reading(True, "; ".join(event.reasons) or "an event of the calendar is on")
