"""The words for states and holds, as data, and the sentence for one hold.

The pages make the same sentence, in `holds.js`, of the same words: they get them as a module that is made of this one
(`pages.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The state of a worker or a builder, as a word in a table. A worker that is drained has one of the last two.
STATES = {
    "AVAILABLE": "available",
    "NOT_ACCEPTING_NEW_BUILDS": "not accepting",
    "draining": "draining",
    "drained": "drained",
    # it accepts builds, and none starts: the master stops
    "stopping": "stopping",
    # likewise: it needs a lock that somebody else has
    "lock": "waiting for a lock",
}

#: The state of a worker, as what it does.
DOES = {
    "AVAILABLE": "accepts builds",
    "NOT_ACCEPTING_NEW_BUILDS": "does not accept builds",
}

#: By source: what a hold is called, and what it is called when it is known who placed it.
HOLDS = {
    "offline": ("not connected", "not connected"),
    "break": ("on a break", "on a break"),
    "worker": ("held by its owner", "held by its owner {by}"),
    "sensor": ("away by itself", "away by itself"),
    "admin": ("held by an admin", "held by {by}"),
    "condition": ("held by a condition", "held by the condition {by}"),
    "pause": ("paused", "paused by {by}"),
    "quarantine": ("in quarantine", "in quarantine"),
    "graceful": ("in graceful shutdown", "in graceful shutdown"),
    "reconfig": ("held for a reconfiguration", "held for a reconfiguration by {by}"),
}

#: The hold `admin` of a worker that is drained.
DRAIN = ("drain", "drain by {by}")

#: What differs for the owner of the worker, on the worker's side.
FOR_OWNER = {"worker": ("away", "away")}

#: Who holds a worker as its owner unless another name is given. The source says it already.
OWNER = "owner"

#: Who holds a worker when it is none of its owner's words, but a sensor on its machine: a hold of the source `worker` that is
#: by this is called what one of the source `sensor` is.
SENSOR = "sensor"

#: What follows on the name of a hold, each if it is known.
WHY, SINCE, UNTIL = " ({reason})", ", since {since}", ", until {until}"

# Days that are named by where they are from today.
_NEAR = ("tomorrow", "yesterday")

#: The `until` of a hold without an end.
OPEN = "it is ended"

#: Likewise, by source, where it ends by itself all the same.
ENDS = {"sensor": "it is over", "condition": "it is met again"}


def stateText(entity: Mapping[str, Any], *, stopping: bool = False) -> str:
    """The state of a worker or builder of the API, as a word: "available", "drained". While the master is `stopping` none is
    available, nor is one from which something else keeps every build.
    """
    if stopping and entity["state"] == "AVAILABLE":
        return STATES["stopping"]
    if blocked := entity.get("blocked"):
        return STATES.get(blocked[0]["kind"], STATES["NOT_ACCEPTING_NEW_BUILDS"])
    return STATES[(entity.get("drain") or entity)["state"]]


def sourceOf(hold: Mapping[str, Any]) -> str:
    """What a hold is called by: its source, but ``sensor`` where the owner's machine has placed it, and not the owner."""
    return "sensor" if hold["source"] == "worker" and hold["by"] == SENSOR else str(hold["source"])


def atText(moment: str) -> str:
    """The text of an instant, as something happens then: "at 18:00", "tomorrow at 08:00", "on Fri 19:00", "on 24 Dec 12:00"."""
    day, _, clock = moment.rpartition(" ")
    if not day:
        return f"at {clock}"
    return f"{day} at {clock}" if day in _NEAR else f"on {moment}"


def openText(hold: Mapping[str, Any]) -> str:
    """What stands for the end of a hold without one, as in "until it is ended"."""
    return ENDS.get(str(hold["source"]), OPEN)


def holdText(
    hold: Mapping[str, Any], *, owner: bool = False, drain: bool = False, since: str = "", until: str = ""
) -> str:
    """The sentence for a hold: "held by ann (disk), since 18:00, until tomorrow 08:00".

    `hold` has `source`, `reason` and `by` (each of the latter a string or None). A source that is not known, of a
    newer master, is called by its name. `owner` says it to the owner of the worker; `drain` is for the hold of an admin
    who drains the worker. `since` and `until` are texts of instants, and left out when empty.
    """
    source = sourceOf(hold)
    anybody, somebody = HOLDS.get(source, (source, source))
    if drain and source == "admin":
        anybody, somebody = DRAIN
    elif owner:
        anybody, somebody = FOR_OWNER.get(source, (anybody, somebody))
    by = None if source == "worker" and hold["by"] == OWNER else hold["by"]
    # each text is put in once: it comes from people, who may write braces
    parts = [somebody.replace("{by}", by) if by else anybody]
    for text, template, name in (
        (hold["reason"], WHY, "{reason}"),
        (since, SINCE, "{since}"),
        (until, UNTIL, "{until}"),
    ):
        if text:
            parts.append(template.replace(name, text))
    return "".join(parts)
