"""Calendar files that breaks are made of, looked at again every minute, in a thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from presence.calendar.instants import datetimeOf

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from presence.breaks.schedule import BreakSchedule

_log = Logger()

#: How long after a look at the files the next one is, in seconds.
INTERVAL = 60.0

# What one thread has worked out about a file the others need not.
_one_at_a_time = Lock()


class CalendarFiles:
    """Reads the files of a schedule again when they have changed; `took` is called with the schedule that this makes.

    One that cannot be read, or is not a calendar any more, changes nothing: what was in it stays, and the log says so, once.
    A schedule without such files costs nothing. To understand a long file takes a second, and so does each of its years:
    that is done in a thread of `reactor`'s, before anybody asks.
    """

    def __init__(self, reactor: Any, took: Callable[[BreakSchedule], object]) -> None:
        self._reactor = reactor
        self._took = took
        self._schedule: BreakSchedule | None = None
        self._timer: IDelayedCall | None = None
        # the schedule and the month of which it was last worked out what comes
        self._prepared: tuple[BreakSchedule, int, int] | None = None
        self.problems: dict[str, str] = {}

    def follow(self, schedule: BreakSchedule) -> None:
        """From now on these are the files of `schedule`, which has just read them."""
        self.stop()
        self._schedule = schedule
        self.problems.clear()
        self._look_later()

    def clockJumped(self) -> None:
        """The clock has been set: the next look may be hours away."""
        if self._timer is not None:
            self._timer.reset(INTERVAL)

    def stop(self) -> None:
        """Look at nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._schedule = None

    def _look_later(self) -> None:
        if self._schedule is not None and self._schedule.calendars:
            self._timer = self._reactor.callLater(INTERVAL, self._begin)

    def _begin(self) -> None:
        self._timer = None
        schedule = self._schedule
        if schedule is None:
            return
        now = datetimeOf(self._reactor.seconds())

        def failed(failure: Failure) -> None:
            _log.failure("while looking at calendar files", failure=failure)
            if self._schedule is schedule:
                self._look_later()

        is_new = self._prepared != (schedule, now.year, now.month)
        looking = deferToThreadPool(
            self._reactor, self._reactor.getThreadPool(), _look, schedule, now, prepare=is_new
        )
        looking.addCallback(self._looked, schedule, now).addErrback(failed)

    def _looked(self, look: _Look, before: BreakSchedule, now: datetime) -> None:
        if self._schedule is not before:
            return  # there is another one to follow meanwhile, or none
        for path in self.problems.keys() - look.problems.keys():
            del self.problems[path]
            _log.info("{path} can be read again", path=path)
        for path in look.changed:
            _log.info("{path} has changed: its events are the breaks from now on", path=path)
        for path, problem in look.problems.items():
            self._refused(path, problem)
        self._schedule, self._prepared = look.schedule, (look.schedule, now.year, now.month)
        self._look_later()
        if look.schedule is not before:
            self._took(look.schedule)

    def _refused(self, path: str, problem: str) -> None:
        if self.problems.get(path) != problem:
            self.problems[path] = problem
            _log.warn(
                "{problem}: the breaks are those that were in it when it could be read last", problem=problem
            )


@dataclass
class _Look:
    """What a look at the files has found: the schedule, which of them have changed, and why which ones cannot be read."""

    schedule: BreakSchedule
    changed: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def _look(schedule: BreakSchedule, now: datetime, *, prepare: bool) -> _Look:
    """Look at the files of `schedule`, in a thread; work out what comes after `now` if that is to be prepared, or has
    changed.
    """
    found = _Look(schedule)
    with _one_at_a_time:
        for file in schedule.calendars:
            try:
                current = file.reread()
            except ValueError as problem:
                found.problems[file.path] = str(problem)
                continue
            if current is not file:
                found.changed.append(file.path)
                found.schedule = found.schedule.withCalendar(current)
        if prepare or found.changed:
            found.schedule.prepareCalendars(now)
    return found
