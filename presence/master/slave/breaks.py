"""The breaks of the worker: its timer, its schedule, and the calendar files that this is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.master.slave.part import SlavePart
from presence.model.breaktimer import BreakTimer

if TYPE_CHECKING:
    from presence.breaks.schedule import BreakSchedule
    from presence.model.calendarfiles import CalendarFiles


class Breaks(SlavePart):
    """Follows the schedule of the configuration, and its calendar files when they change."""

    # None for a worker that has never had any
    _calendar_files: CalendarFiles | None = None

    def _begin_breaks(self) -> None:
        """Be on a break if there is one, and follow the schedule from now on."""
        assert self.presence is not None  # noqa: S101 (its service starts)
        clock = self.master.reactor if self._assembly is None else self._assembly.roster.clock
        self.breakTimer = timer = BreakTimer(self.schedule, self.presence, clock)
        timer.start()
        self._follow_files(self.schedule)
        if self._assembly is not None:
            self._assembly.scheduleChanged(self)

    def clockJumped(self, seconds: float) -> None:
        """See `SlavePart`."""
        super().clockJumped(seconds)
        if self._calendar_files is not None:
            self._calendar_files.clockJumped()

    def _end_breaks(self) -> None:
        """Leave no timer behind."""
        if self.breakTimer is not None:
            self.breakTimer.stop()
        if self._calendar_files is not None:
            self._calendar_files.stop()

    def _follow_schedule(self, schedule: BreakSchedule) -> None:
        """The configuration has this schedule, which has read its files just now."""
        if self.breakTimer is not None:
            self._follow_files(schedule)
        if schedule != self.schedule:
            self._take_schedule(schedule)

    def _follow_files(self, schedule: BreakSchedule) -> None:
        if self._calendar_files is None and schedule.calendars:
            # a master without calendars has not got it in memory
            from presence.model.calendarfiles import CalendarFiles  # noqa: PLC0415

            self._calendar_files = CalendarFiles(self.master.reactor, self._take_schedule)
        if self._calendar_files is not None:
            self._calendar_files.follow(schedule)

    def _take_schedule(self, schedule: BreakSchedule) -> None:
        self.schedule = schedule
        if self.breakTimer is not None:
            self.breakTimer.replace(schedule)
            self._update_owner()
        if self._assembly is not None:
            self._assembly.scheduleChanged(self)
