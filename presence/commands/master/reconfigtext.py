"""Reconfigurations of the API, written for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.calendar.durations import durationText
from presence.calendar.instants import datetimeOf
from presence.calendar.moments import momentText
from presence.text import plain

if TYPE_CHECKING:
    from datetime import tzinfo

_RESULTS = {
    "reconfigured": "the master is reconfigured",
    "failed": "master.cfg has mistakes by now; everything goes on as before",
    "partly": "Buildbot has failed in the middle of it, and the master may malfunction: look into its twistd.log",
    "cancelled": "it was cancelled; everything goes on as before",
    "deadline": "the deadline came first; everything goes on as before",
    "stopped": "the master was stopped",
}

# How many of those that are held for one reason are named.
_NAMED = 5


class ReconfigText:
    """Texts about a moment: `now` is in seconds since the epoch, and times are on the clocks of `zone`."""

    def __init__(self, now: float, zone: tzinfo) -> None:
        self._seconds = now
        self._now = datetimeOf(now)
        self._zone = zone

    def plan(self, plan: dict[str, Any]) -> str:
        """What would be held and why, and what runs there."""
        if plan["mistakes"]:
            return "\n".join(["master.cfg has mistakes:", *(f"  {plain(each)}" for each in plan["mistakes"])])
        # (an older master does not say what changes)
        changes = plan.get("changes")
        lines = [] if changes is None else _changes(changes)
        if plan["all"]:
            lines.append("Everything would be held, as you have asked for.")
        elif not plan["held"]:
            return "\n".join([*lines, "Nothing would be hurt: it would be reconfigured at once."])
        else:
            lines.append("These would be held, everybody else would go on:")
        lines += [f"  {plain(each)}" for each in _grouped(plan["held"])]
        if not plan["waiting_for"]:
            return "\n".join([*lines, "Nothing runs there: it would be reconfigured at once."])
        lines.append("It would wait for:")
        lines += [f"  {self.build(each)}" for each in plan["waiting_for"]]
        lines.append(self._whole(plan["waiting_for"]))
        return "\n".join(lines)

    def progress(self, entity: dict[str, Any]) -> str:
        """How it is getting on, or how the last one has ended."""
        clock = f"{self._now.astimezone(self._zone):%H:%M:%S}"
        if entity["state"] == "idle":
            last = entity["last"]
            if last is None:
                return f"{clock} no reconfig waits"
            words = _RESULTS.get(last["result"], str(last["result"]))
            by = f" (by {plain(last['by'])})" if last["result"] == "cancelled" and last["by"] else ""
            return "\n".join([f"{clock} {words}{by}", *(f"  {plain(each)}" for each in last["mistakes"])])
        if entity["state"] == "reconfiguring":
            return f"{clock} Buildbot reconfigures"
        if not entity["waiting_for"]:
            return f"{clock} about to reconfigure"
        many = len(entity["waiting_for"])
        until = ""
        if entity["deadline"] is not None:
            deadline = datetimeOf(entity["deadline"])
            until = f", until {momentText(deadline, self._now, self._zone)} (then {entity['on_deadline']})"
        head = f"{clock} waiting for {many} build{'s' if many > 1 else ''}{until}:"
        return "\n".join([head, *(f"  {self.build(each)}" for each in entity["waiting_for"])])

    def build(self, build: dict[str, Any]) -> str:
        """A build that is waited for."""
        number = "" if build["number"] is None else f" #{build['number']}"
        text = f"{plain(build['builder'])}{number} on {plain(build['worker'])}"
        if build["since"] is not None:
            text += f", running for {durationText(self._seconds - build['since'])}"
            text += (
                ", for how much longer is unknown"
                if build["remaining"] is None
                else f", about {durationText(build['remaining'])} to go"
            )
        return text

    @staticmethod
    def news(entity: dict[str, Any]) -> tuple[Any, ...]:
        """What is worth a new text when it changes."""
        builds = tuple((each["buildid"], each["builder"]) for each in entity["waiting_for"])
        return entity["state"], entity["deadline"], builds

    @staticmethod
    def _whole(builds: list[dict[str, Any]]) -> str:
        known = [each["remaining"] for each in builds if each["remaining"] is not None]
        if len(known) < len(builds):
            return "Nobody knows how long that takes."
        return f"That takes about {durationText(max(known))}."


def _changes(changes: list[str]) -> list[str]:
    if not changes:
        return ["It says the same as before of workers, builders and schedulers."]
    return ["It changes:", *(f"  {plain(each)}" for each in changes)]


def _grouped(held: list[dict[str, Any]]) -> list[str]:
    """What is held, and why: those of one reason in one line, the first of them by name and all of them counted."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in held:
        kind, name = _what(each)
        groups.setdefault((kind, each["why"]), []).append(name)
    return [f"{_many(kind, names)}: {why}" for (kind, why), names in groups.items()]


def _many(kind: str, names: list[str]) -> str:
    if len(names) == 1:
        return f"{kind} {names[0]}"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} {kind}s, {', '.join(names[:_NAMED])}{more}"


def _what(held: dict[str, Any]) -> tuple[str, str]:
    """What is held: of which kind it is, and its name."""
    if held["builder"] is None:
        return "worker", str(held["worker"])
    if held["worker"] is None:
        return "builder", str(held["builder"])
    return "builder", f"{held['builder']} on worker {held['worker']}"
