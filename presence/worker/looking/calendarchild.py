"""The events of a calendar file, as a process of its own says them: it ends, and with it the memory of the libraries that read
iCalendar, which is several times that of all sensors together.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from presence.calendar.instants import datetimeOf, isFinite, secondsOf
from presence.text import MAX_REASON, cut
from presence.worker.looking import bounded
from presence.worker.looking.cannottell import CannotTellError

#: The events of so many seconds from now on are said, and of those so many at most.
AHEAD = 48 * 3600.0
MOST = 100

# With the path of the process that starts it, and not that of the directory in which it is started: that is a worker's, and a
# build may leave a module there. The path comes first, as everything else is imported from it.
_PROGRAM = (
    "import sys; del sys.path[:]; sys.path += sys.argv[3:]; from {module} import main; main(*sys.argv[1:3])"
)


@dataclass(frozen=True, slots=True)
class Events:
    """The events between two instants, in order and merged: (start, stop or None, reason). Instants are in seconds since the
    epoch.
    """

    begin: float
    end: float
    events: tuple[tuple[float, float | None, str], ...]

    def at(self, instant: float) -> str | None:
        """What is on at `instant`: the reason, which may be empty; None if nothing is."""
        for start, stop, reason in self.events:
            if start <= instant and (stop is None or instant < stop):
                return reason
        return None


def events(path: str, zone: str) -> Events:
    """Start a process that reads the file; `zone` is for events without one, empty for this machine's. It blocks.

    Raises `CannotTellError`, also for a process that hangs, fails or says too much, or what is not understood.
    """
    path_of_modules = [each for each in sys.path if each]
    program = _PROGRAM.format(module=__name__)
    outcome = bounded.run([sys.executable, "-u", "-c", program, path, zone, *path_of_modules])
    # whatever else it, or a library, has had to say comes before
    last = outcome.said.strip().rpartition(b"\n")[2].decode("utf-8", "replace")
    try:
        said = json.loads(last) if outcome.status == 0 else None
    except ValueError:
        said = None
    if isinstance(said, dict) and isinstance(said.get("error"), str):
        raise CannotTellError(cut(said["error"], MAX_REASON) or "")
    found = _read(said)
    if found is None:
        what = cut(last, MAX_REASON // 2) or "nothing"
        raise CannotTellError(f"the process that reads {path!r} has failed (status {outcome.status}): {what}")
    return found


def _read(said: Any) -> Events | None:
    """What it has said, if it is understood."""
    try:
        events = tuple((start, stop, reason) for start, stop, reason in said["events"])
        found = Events(said["begin"], said["end"], events)
    except (TypeError, KeyError, ValueError):
        return None
    instants = [found.begin, found.end, *(start for start, _, _ in events)]
    instants += [stop for _, stop, _ in events if stop is not None]
    good = all(map(isFinite, instants)) and all(isinstance(reason, str) for _, _, reason in events)
    return found if good else None


def main(path: str, zone: str) -> None:
    """Say the events of the file, in one line of JSON: in the process that `events()` has started."""
    try:
        said = _said(path, zone, time.time())
    except ValueError as problem:
        said = {"error": str(problem)}
    sys.stdout.write(f"{json.dumps(said)}\n")


def _said(path: str, zone: str, now: float) -> dict[str, Any]:
    # the same reader as that of breaks; what starts this process has no need of it
    from presence.breaks.schedule import Break, BreakSchedule  # noqa: PLC0415

    schedule = BreakSchedule.fromConfig(Break.fromCalendar(path, tz=zone or None))
    events = [
        (
            secondsOf(each.start),
            None if each.stop is None else secondsOf(each.stop),
            cut("; ".join(each.reasons), MAX_REASON),
        )
        for each in schedule.between(datetimeOf(now), datetimeOf(now + AHEAD))
    ]
    end = events[MOST][0] if len(events) > MOST else now + AHEAD
    return {"begin": now, "end": end, "events": events[:MOST]}
