"""Breaks as an iCalendar file (RFC 5545) that a phone can subscribe to: each break as it happens, in UTC."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from presence.breaks.schedule import BreakInterval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from presence.breaks.partial import PartialInterval
    from presence.breaks.schedule import BreakSchedule

_LONGEST_LINE = 75  # octets, without the end of the line
_PRODUCT = "-//buildbot-presence//breaks//EN"


class Entry(NamedTuple):
    """One event: its worker, its times (aware; `stop` None if no end is in sight), and its reason, or what may start."""

    worker: str
    start: datetime
    stop: datetime | None
    note: str | None


def entriesOf(
    worker: str, schedule: BreakSchedule, start: datetime, stop: datetime, *, reasons: bool
) -> list[Entry]:
    """The breaks of `worker` that overlap ``[start, stop)``, by their start. Reasons may name people: only if `reasons`."""
    found = schedule.allBetween(start, stop)
    return [Entry(worker, each.start, each.stop, _note(each, reasons=reasons)) for each in found]


def _note(interval: BreakInterval | PartialInterval, *, reasons: bool) -> str | None:
    parts = [] if isinstance(interval, BreakInterval) else [interval.limit.text]
    parts += interval.reasons if reasons else ()
    return "; ".join(parts) or None


def calendarText(name: str, entries: Iterable[Entry], now: datetime, until: datetime) -> str:
    """The calendar `name` with `entries`, as it is at `now` (aware). A break without an end goes on `until` then.

    The same break has the same UID whenever it is asked for. The lines end with CR LF, as they have to.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}",
        "METHOD:PUBLISH",
        f"NAME:{_escaped(name)}",
        f"X-WR-CALNAME:{_escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        *(line for entry in entries for line in _event(entry, now, until)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _event(entry: Entry, now: datetime, until: datetime) -> Iterator[str]:
    start = _utc(entry.start)
    uid = hashlib.sha256(f"{entry.worker}\n{start}\n{entry.note or ''}".encode()).hexdigest()[:32]
    yield "BEGIN:VEVENT"
    yield f"UID:{uid}@buildbot-presence"
    yield f"DTSTAMP:{_utc(now)}"
    yield f"DTSTART:{start}"
    yield f"DTEND:{_utc(entry.stop or until)}"
    yield f"SUMMARY:{_escaped(f'{entry.worker}: {entry.note}' if entry.note else f'{entry.worker}: break')}"
    # nobody's own calendar is blocked by the break of a machine
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _utc(instant: datetime) -> str:
    return instant.strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\r", "").replace("\n", r"\n")


def _folded(line: str) -> Iterator[str]:
    """`line` in pieces of at most 75 octets, none of which divides a character; each but the first begins with a blank."""
    piece = ""
    for character in line:
        if len((piece + character).encode()) > _LONGEST_LINE:
            yield piece
            piece = " "
        piece += character
    yield piece
