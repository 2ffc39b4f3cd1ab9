"""The occurrences of the events in a calendar file, from what expands them: the package recurring-ical-events.

It makes a copy of the whole event for each occurrence. Here an occurrence is what is asked of it, no more: with two thousand events
that is half of the time that loading them takes. Imported when a file is read, as the packages are an extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import recurring_ical_events as expanding

if TYPE_CHECKING:
    from datetime import date, datetime


class Expanded(NamedTuple):
    """One occurrence: from when until when (excluded), and whether anybody is busy then."""

    begin: date
    end: date
    busy: bool


class _Event(expanding.EventAdapter):  # type: ignore[misc]
    @property
    def busy(self) -> bool:
        """Whether it is neither cancelled nor shown as free."""
        event = self._component
        status, shown = (str(event.get(name, "")).upper() for name in ("STATUS", "TRANSP"))
        return status != "CANCELLED" and shown != "TRANSPARENT"


class _Occurrence(expanding.Occurrence):  # type: ignore[misc]
    def as_component(self, keep_recurrence_attributes: bool) -> Any:  # noqa: ARG002
        return Expanded(self.start, self.end, self._adapter.busy)


class Occurrences:
    """The occurrences of the events of a `calendar`. `strictly`: what is wrong with an event is an error, not an event less."""

    def __init__(self, calendar: Any, *, strictly: bool) -> None:
        events = expanding.ComponentsWithName("VEVENT", _Event, occurrence=_Occurrence)
        self._query = expanding.CalendarQuery(calendar, components=[events], skip_bad_series=not strictly)

    def between(self, first: datetime, last: datetime) -> list[Expanded]:
        """Those that overlap this span of time and in which somebody is busy."""
        return [each for each in self._query.between(first, last) if each.busy]
