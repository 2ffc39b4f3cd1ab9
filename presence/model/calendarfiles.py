"""Calendar files that breaks are made of, looked at again every minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from presence.breaks.schedule import BreakSchedule

_log = Logger()

#: How long after a look at the files the next one is, in seconds.
INTERVAL = 60.0


class CalendarFiles:
    """Reads the files of a schedule again when they have changed; `took` is called with the schedule that this makes.

    One that cannot be read, or is not a calendar any more, changes nothing: what was in it stays, and the log says so, once.
    A schedule without such files costs nothing.
    """

    def __init__(self, clock: IReactorTime, took: Callable[[BreakSchedule], object]) -> None:
        self._clock = clock
        self._took = took
        self._schedule: BreakSchedule | None = None
        self._timer: IDelayedCall | None = None
        self.problems: dict[str, str] = {}

    def follow(self, schedule: BreakSchedule) -> None:
        """From now on these are the files of `schedule`, which has just read them."""
        self.stop()
        self._schedule = schedule
        self.problems.clear()
        self._look_later()

    def stop(self) -> None:
        """Look at nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._schedule = None

    def _look_later(self) -> None:
        if self._schedule is not None and self._schedule.calendars:
            self._timer = self._clock.callLater(INTERVAL, self._look)

    def _look(self) -> None:
        self._timer = None
        before = schedule = self._schedule
        if schedule is None:
            return
        for file in schedule.calendars:
            try:
                now = file.reread()
            except ValueError as problem:
                self._refused(file.path, str(problem))
                continue
            if self.problems.pop(file.path, None) is not None:
                _log.info("{path} can be read again", path=file.path)
            if now is not file:
                _log.info("{path} has changed: its events are the breaks from now on", path=file.path)
                schedule = schedule.withCalendar(now)
        self._schedule = schedule
        self._look_later()
        if schedule is not before:
            self._took(schedule)

    def _refused(self, path: str, problem: str) -> None:
        if self.problems.get(path) != problem:
            self.problems[path] = problem
            _log.warn(
                "{problem}: the breaks are those that were in it when it could be read last", problem=problem
            )
