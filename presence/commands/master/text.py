"""Workers and builders of the API, written for people at a terminal."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from presence.calendar.durations import durationText
from presence.calendar.moments import momentText

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

AVAILABLE = "AVAILABLE"

DRAINING = "draining"

# What is said of the builds that run, for what happens to them at the deadline of a drain.
_AT_DEADLINE = {"interrupt": "builds are interrupted", "release": "given up"}

# What a hold is called. A source that this program does not know, of a newer master, is called by its name.
_SOURCES = {
    "offline": "not connected",
    "break": "on a break",
    "worker": "held by its owner",
    "admin": "held",
    "pause": "paused",
    "quarantine": "in quarantine",
    "graceful": "shutting down",
    "reconfig": "reconfiguration",
}


class AdminText:
    """Texts about a moment: `now` is in seconds since the epoch, and times are on the clocks of `zone`."""

    def __init__(self, now: float, zone: tzinfo) -> None:
        self._now = datetime.fromtimestamp(now, timezone.utc)
        self._zone = zone

    def moment(self, at: float | None) -> str:
        """An instant; "" for None."""
        if at is None:
            return ""
        return momentText(datetime.fromtimestamp(at, timezone.utc), self._now, self._zone)

    def workers(self, workers: Iterable[dict[str, Any]]) -> str:
        """A table of workers."""
        rows = [
            (
                worker["name"],
                _state(worker),
                self._why(worker),
                "" if worker["state"] == AVAILABLE else self.moment(worker["back_at"]) or "?",
                str(worker["running"]),
                self.moment((worker["next_break"] or {}).get("start")),
            )
            for worker in workers
        ]
        return table(("WORKER", "STATE", "WHY", "UNTIL", "RUNNING", "NEXT BREAK"), rows)

    def builders(self, builders: Iterable[dict[str, Any]]) -> str:
        """A table of builders."""
        rows = [
            (
                builder["name"],
                _state(builder),
                f"{builder['ready']} of {builder['total']}",
                str(builder["waiting"]),
                builder["reason"] or "",
                "" if builder["ready"] else self.moment(builder["back_at"]) or "?",
            )
            for builder in builders
        ]
        return table(("BUILDER", "STATE", "READY", "WAITING", "WHY", "UNTIL"), rows)

    def hold(self, hold: dict[str, Any]) -> str:
        """One hold."""
        return self._hold(hold, None)

    def _hold(self, hold: dict[str, Any], drain: dict[str, Any] | None) -> str:
        """One hold; `drain` makes a drain of that of an admin."""
        words = _SOURCES.get(hold["source"], str(hold["source"]))
        if hold["source"] == "admin":
            words = "drain" if drain else words
            if hold["by"]:
                words = f"{words} by {hold['by']}"
        if hold["reason"]:
            words = f"{words} ({hold['reason']})"
        if hold["source"] == "admin" and drain and drain["state"] == DRAINING and drain["deadline"]:
            what = _AT_DEADLINE.get(drain["on_deadline"], "ends")
            words = f"{words}, {what} at {self.moment(drain['deadline'])}"
        return words

    def _why(self, worker: dict[str, Any]) -> str:
        # an older master knows no drains
        return "; ".join(self._hold(each, worker.get("drain")) for each in worker["holds"])

    def running(self, build: dict[str, Any]) -> str:
        """A line about a build that runs, of `runningbuilds`."""
        since = durationText(self._now.timestamp() - build["started_at"])
        said = [f"{build['builder']} #{build['number']} on {build['worker']}", f"for {since} now"]
        if build["remaining"] is not None:
            said.append(f"about {durationText(build['remaining'])} to go")
        for each in build["waits_for"]:
            what = each["builder"] or f"request {each['buildrequestid']}"
            said.append(f"waits for {what}{'' if each['running'] else ', which has not begun'}")
        return plain(", ".join(said))

    def change(self, worker: dict[str, Any]) -> str:
        """A line about a worker that has changed."""
        said = [_state(worker)]
        if worker["holds"]:
            said.append(self._why(worker))
        until = self.moment(worker["back_at"])
        if until:
            said.append(f"until {until}")
        if worker["running"]:
            said.append(f"{worker['running']} running")
        return plain(f"{self._now.astimezone(self._zone):%H:%M:%S} {worker['name']}: {', '.join(said)}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The rows in columns, as wide as they need to be; a column in which nothing is, is left out."""
    kept = [column for column in range(len(head)) if not rows or any(row[column] for row in rows)]
    lines = [[plain(line[column]) for column in kept] for line in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(kept))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def plain(text: str) -> str:
    """The text without what a terminal would obey: it comes from people."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _state(entity: dict[str, Any]) -> str:
    if entity.get("drain"):
        return str(entity["drain"]["state"])
    return "available" if entity["state"] == AVAILABLE else "not accepting"
