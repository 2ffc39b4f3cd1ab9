"""Where breaks alone leave fewer workers than `keepReady` wants: told, and never refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from presence.calendar.wallclock import UTC, later
from presence.calendar.zones import localZone, zoneFor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from presence.breaks.schedule import BreakSchedule
    from presence.orders.floor import Floor

# How far it is looked, and how many times are told of each floor.
_AHEAD = timedelta(days=7)
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Shortfall:
    """From `start` to `stop` (instants) too few workers are in no break, at some time no more than `ready`."""

    start: datetime
    stop: datetime
    ready: int


def shortfalls(
    schedules: Sequence[BreakSchedule], least: int, start: datetime, stop: datetime
) -> list[Shortfall]:
    """The times between two instants in which fewer than `least` of the workers with these schedules are in no break."""
    changes: list[tuple[datetime, int]] = []
    for schedule in schedules:
        for each in schedule.between(start, stop):
            changes.append((max(each.start, start), -1))
            end = stop if each.stop is None else min(each.stop, stop)
            changes.append((end, 1))
    found: list[Shortfall] = []
    ready, begun, fewest = len(schedules), None, len(schedules)
    if ready < least:
        begun = start
    by_instant: dict[datetime, int] = {}
    for at, change in changes:
        by_instant[at] = by_instant.get(at, 0) + change
    for at in sorted(by_instant):
        ready += by_instant[at]
        if ready < least:
            begun, fewest = (at, ready) if begun is None else (begun, min(fewest, ready))
        elif begun is not None:
            found.append(Shortfall(begun, at, fewest))
            begun, fewest = None, len(schedules)
    if begun is not None and begun < stop:
        found.append(Shortfall(begun, stop, fewest))
    return found


def shortBreaks(
    floors: Iterable[tuple[Floor, tuple[str, ...]]],
    schedules: Mapping[str, BreakSchedule],
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> list[str]:
    """A sentence for each floor that the breaks of its workers alone go below, from now on for a week."""
    start = datetime.now(UTC) if now is None else now
    found = []
    for floor, members in floors:
        least = floor.of(len(members))
        if least > len(members):
            continue  # which is another mistake
        short = shortfalls([schedules[each] for each in members], least, start, later(start, _AHEAD))
        if short:
            hours = ", ".join(_hours(each, zone or zoneFor(localZone())) for each in short[:_TOLD])
            more = f" and {len(short) - _TOLD} more times in a week" if len(short) > _TOLD else ""
            found.append(
                f"keepReady={{{floor.name!r}: …}}: {least} of {len(members)} workers are to stay ready, and breaks alone leave fewer: "
                f"{hours}{more}"
            )
    return found


def _hours(short: Shortfall, zone: tzinfo) -> str:
    start, stop = short.start.astimezone(zone), short.stop.astimezone(zone)
    end = f"{stop:%H:%M}" if start.date() == stop.date() else f"{stop:%a %H:%M}"
    return f"{short.ready} from {start:%a %H:%M} to {end}"
