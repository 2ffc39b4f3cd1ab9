"""The events of an iCalendar file (RFC 5545), as calendar programs export them: when somebody is busy.

Needs the packages of the extra ``calendar``. Events that are cancelled, and those that are shown as free
(``TRANSP:TRANSPARENT``), are none; an event of whole days is on the days of the zone in which it is asked.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presence.breaks.recurrences import FIRST_YEAR, LAST_YEAR
from presence.calendar.wallclock import EARLIEST, LATEST, UTC, midnight, startInstant, stopInstant
from presence.calendar.zones import canonicalZone, zoneFor

if TYPE_CHECKING:
    from presence.breaks.ics.expanded import Expanded, Occurrences
    from presence.breaks.occurrences import Span

MAX_BYTES = 4_000_000
"""How large a calendar file may be."""
MAX_EVENTS = 10_000
"""How many events may be in it, those that recur counted once."""

# After so many years an event that recurs every year has come: also one of a leap day, left out once in a century. For
# one of every second year it is twice as long.
_AHEAD = 12
_LONGEST_INTERVAL = 30
_NEEDS = "needs two packages: pip install 'buildbot-presence[calendar]'"
_TOO_OFTEN = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.IGNORECASE)
_CHECKED = 50  # the years of so many events are looked at when a file is read
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """An iCalendar file as it was when it was read. `content` never changes; `reread()` looks whether the file has.

    Two are equal if their files have the same path and the same content.
    """

    path: str
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: object) -> CalendarFile:
        """Read the file at `path`. Raises `ValueError` for what cannot be read, or is not a calendar."""
        try:
            where = Path(path)  # type: ignore[arg-type]
            content = where.read_bytes()
        except TypeError:
            raise ValueError(f"{path!r} is not the name of a file") from None
        except (OSError, ValueError) as problem:
            raise ValueError(f"{str(path)!r} cannot be read: {problem}") from None
        found = cls(str(path), content)
        _check(found)
        return found

    def reread(self) -> CalendarFile:
        """The file as it is now: this object if nothing has changed. Raises `ValueError` as `read()` does."""
        try:
            content = Path(self.path).read_bytes()
        except OSError as problem:
            raise ValueError(f"{self.path!r} cannot be read: {problem}") from None
        return self if content == self.content else CalendarFile.read(self.path)

    def spans(self, year: int, zone: tzinfo) -> tuple[Span, ...]:
        """The events that overlap `year`, by their start; `zone` is for those that have none."""
        return _spans(self.content, year, zone)

    def daysOf(self, year: int) -> frozenset[int]:
        """The ordinals of the days of `year` on which an event is, by the calendar's own clock."""
        return _days(self.content, year)

    def yearsFrom(self, first: int) -> list[int]:
        """The years from `first` on in which the next event may be, ascending: for all that is known none is left out."""
        ahead, begins = _beginnings(self.content)
        last = min(self.lastYear or LAST_YEAR, LAST_YEAR)
        years = {year for begin in (first, *begins) for year in range(max(begin, first), begin + ahead + 1)}
        return sorted(year for year in years if year <= last)

    @property
    def lastYear(self) -> int | None:
        """The year in which the last event ends, or None where one recurs for ever."""
        return _last_year(self.content)


class CalendarOccurrences:
    """The events of a file as a break: see `presence.breaks.occurrences.Occurrences`."""

    __slots__ = ("_file", "_zone", "turns")

    def __init__(self, file: CalendarFile, zone: tzinfo) -> None:
        self._file = file
        self._zone = zone
        last = file.lastYear
        self.turns: tuple[int, ...] = (
            () if last is None else (date(min(last, LAST_YEAR), 12, 31).toordinal(),)
        )

    def startingBetween(self, first: int, last: int) -> list[Span]:
        """See `Occurrences`. Also those that have begun earlier and last until then: an event may be weeks long."""
        begin, end = _midnight(first - 2), _midnight(last + 3)
        found: set[Span] = set()
        for year in range(_year(first - 1), _year(last + 1) + 1):
            spans, longest = (
                self._file.spans(year, self._zone),
                _longest(self._file.content, year, self._zone),
            )
            low = bisect_left(spans, begin - min(longest, begin - EARLIEST), key=itemgetter(0))
            high = bisect_right(spans, end, key=itemgetter(0))
            found.update(span for span in spans[low:high] if begin <= span[1])
        return sorted(found)

    def nextStart(self, instant: datetime) -> datetime | None:
        """See `Occurrences`."""
        for year in self._file.yearsFrom(max(instant.year, FIRST_YEAR)):
            spans = self._file.spans(year, self._zone)
            place = bisect_right(spans, instant, key=itemgetter(0))
            if place < len(spans):
                return spans[place][0]
        return None


def _year(day: int) -> int:
    ends = date(FIRST_YEAR, 1, 1).toordinal(), date(LAST_YEAR, 12, 31).toordinal()
    return date.fromordinal(min(max(day, ends[0]), ends[1])).year


def _midnight(day: int) -> datetime:
    return midnight(min(max(day, EARLIEST.toordinal()), LATEST.toordinal()))


def _check(file: CalendarFile) -> None:
    """Raise `ValueError` unless the file is a calendar whose every event is understood."""
    name = repr(file.path)
    if len(file.content) > MAX_BYTES:
        raise ValueError(f"{name} has more than {MAX_BYTES} bytes")
    if b"BEGIN:VCALENDAR" not in file.content.upper():
        raise ValueError(f"{name} is not an iCalendar file: it has no BEGIN:VCALENDAR")
    try:
        _check_events(file.content)
    except ImportError as problem:
        raise ValueError(f"{name} {_NEEDS} ({problem})") from None
    except Exception as problem:  # noqa: BLE001 (whatever the parser says of a broken file)
        raise ValueError(f"{name} is not understood: {problem}") from None


def _check_events(content: bytes) -> None:
    events = _events(content)
    if len(events) > MAX_EVENTS:
        raise ValueError(f"it has {len(events)} events, and at most {MAX_EVENTS} are read")
    for event in events:
        if _TOO_OFTEN.search(_rule(event)):
            raise ValueError(f"an event recurs more often than once a day: {_rule(event)}")
    from presence.breaks.ics.expanded import Occurrences  # noqa: PLC0415 (it needs an extra)

    occurrences = Occurrences(_calendar(content), strictly=True)
    for year in sorted({event["DTSTART"].dt.year for event in events})[:_CHECKED]:
        if FIRST_YEAR <= year <= LAST_YEAR:
            for each in _expanded(occurrences, year):
                _span(each, UTC)


def _rule(event: Any) -> str:
    rule = event.get("RRULE")
    rules = rule if isinstance(rule, list) else [rule] if rule is not None else []
    return ";".join(each.to_ical().decode("utf-8", "replace") for each in rules)


@lru_cache(maxsize=32)
def _calendar(content: bytes) -> Any:
    from icalendar import Calendar  # noqa: PLC0415 (an extra)

    calendars = Calendar.from_ical(content, multiple=True)
    whole = calendars[0]
    for other in calendars[1:]:
        whole.subcomponents.extend(other.subcomponents)
    # an event may be without a start (RFC 5545, 3.6.1, where there is a METHOD), and is at no time then
    whole.subcomponents = [each for each in whole.subcomponents if each.name != "VEVENT" or "DTSTART" in each]
    return whole


def _events(content: bytes) -> list[Any]:
    return list(_calendar(content).walk("VEVENT"))


@lru_cache(maxsize=32)
def _beginnings(content: bytes) -> tuple[int, tuple[int, ...]]:
    """For how many years to look for an event that recurs, and the years in which events begin."""
    interval = 1
    years: set[int] = set()
    for event in _events(content):
        rule = _rule(event).upper()
        if "FREQ=YEARLY" in rule:
            interval = max([interval, *map(int, re.findall("INTERVAL=([0-9]+)", rule))])
        # that of the day before, in the zone of somebody else
        years.update(year + shift for year in _years(event) for shift in (-1, 0, 1))
    return _AHEAD * min(interval, _LONGEST_INTERVAL), tuple(sorted(years))


def _years(event: Any) -> list[int]:
    """The years of all dates that an event names."""
    dates = event.get("RDATE")
    listed = dates if isinstance(dates, list) else [] if dates is None else [dates]
    values = [value.dt for each in listed for value in each.dts]
    ends = [value[0] if isinstance(value, tuple) else value for value in values]
    ends += [event[name].dt for name in ("DTSTART", "DTEND", "RECURRENCE-ID") if name in event]
    return [each.year for each in ends]


@lru_cache(maxsize=32)
def _last_year(content: bytes) -> int | None:
    last = FIRST_YEAR
    for event in _events(content):
        rule = _rule(event).upper()
        if rule and "UNTIL=" not in rule:
            return None
        for until in re.findall("UNTIL=([0-9]{4})", rule):
            last = max(last, int(until))
        # an event may be long, and an end in one zone may be in the next year in another
        last = max([last, *(year + 1 for year in _years(event))])
    return min(last + 1, LAST_YEAR)


# (few files are read, and what is kept of each is large)
@lru_cache(maxsize=8)
def _occurrences(content: bytes) -> Occurrences:
    from presence.breaks.ics.expanded import Occurrences  # noqa: PLC0415 (it needs an extra)

    return Occurrences(_calendar(content), strictly=False)


def _expanded(events: Occurrences, year: int) -> list[Expanded]:
    """The occurrences that overlap `year`."""
    # a day more on both sides: those that have no zone are in another one
    first = datetime(year, 1, 1, tzinfo=UTC) - _ONE_DAY
    last = datetime(year + 1, 1, 1, tzinfo=UTC) + _ONE_DAY
    return events.between(first, last)


@lru_cache(maxsize=512)
def _spans(content: bytes, year: int, zone: tzinfo) -> tuple[Span, ...]:
    found = set()
    for each in _expanded(_occurrences(content), year):
        span = _span(each, zone)
        if span[0] < span[1]:
            found.add(span)
    return tuple(sorted(found))


@lru_cache(maxsize=512)
def _longest(content: bytes, year: int, zone: tzinfo) -> timedelta:
    """How long the longest event is that overlaps `year`."""
    return max((stop - start for start, stop in _spans(content, year, zone)), default=timedelta(0))


def _span(each: Expanded, zone: tzinfo) -> Span:
    return _instant(each.begin, zone, startInstant), _instant(each.end, zone, _stop)


@lru_cache(maxsize=512)
def _days(content: bytes, year: int) -> frozenset[int]:
    found: set[int] = set()
    for each in _expanded(_occurrences(content), year):
        if each.begin != each.end:
            found.update(range(each.begin.toordinal(), _last_day(each.end) + 1))
    first = date(year, 1, 1).toordinal()
    return frozenset(day for day in found if first <= day < date(year + 1, 1, 1).toordinal())


def _last_day(end: date) -> int:
    """The last day on which something is that ends at `end`."""
    if isinstance(end, datetime) and end.time() != time():
        return end.toordinal()
    return end.toordinal() - 1


def _stop(wall: datetime, zone: tzinfo) -> datetime:
    return stopInstant(wall, wall.replace(fold=1), zone)


def _instant(value: date, zone: tzinfo, law: Any) -> datetime:
    """The instant of a start or stop, as `law` has it where clocks change; without a zone it is in `zone`."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if value.tzinfo is not None:
        zone = zoneFor(canonicalZone(value.tzinfo))
    wall = value.replace(tzinfo=None, fold=0)
    instant: datetime = law(wall, zone)
    return instant
