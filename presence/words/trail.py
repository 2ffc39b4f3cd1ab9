"""The words for what has happened, as the trail tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.words.holds import HOLDS, OWNER, WHY, holdText

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of orders: what has come of them, where that is not what was ordered.
_OUTCOMES = {
    "done": "",
    "refused": ": refused",
    "forbidden": ": not allowed",
    "failed": ": failed",
}

# The end of not being connected.
CONNECTED = "connected"

# What orders are called, where it is not as the command is.
_ORDERS = {"hold-builder": "hold of the builder", "release-builder": "release of the builder"}

_RESULTS = {
    ("reconfig", "reconfigured"): "reconfigured",
    ("reconfig", "failed"): "not reconfigured: there is a mistake in the configuration",
    ("reconfig", "partly"): "reconfigured in part only",
    ("reconfig", "cancelled"): "the reconfiguration was cancelled",
    ("reconfig", "deadline"): "not reconfigured before the deadline",
    ("reconfig", "stopped"): "not reconfigured: the master was stopped",
    ("drain", "deadline"): "not drained at the deadline, and released",
}


def trailText(entry: Mapping[str, Any]) -> str:
    """What has happened, without when, and without until when: "hold by ann (disk)", "on a break (lunch)"."""
    kind, what, outcome = entry["kind"], entry["what"], entry["outcome"]
    if kind == "order":
        text = f"{_ORDERS.get(what, what)}{_by(entry)}{_why(entry)}{_OUTCOMES.get(outcome, f': {outcome}')}"
    elif kind == "end":
        text = CONNECTED if what == "offline" else f"no longer {HOLDS.get(what, (what,))[0]}{_why(entry)}"
    elif kind in {"begin", "change"}:
        text = holdText({"source": what, "by": entry["by"], "reason": entry["reason"]})
        text = text if kind == "begin" else f"now {text}"
    elif kind == "drained":
        text = f"drained{', after the deadline' if outcome == 'late' else ''}{_by(entry)}{_why(entry)}"
    elif kind == "result":
        text = f"{_RESULTS.get((what, outcome), f'{what}: {outcome}')}{_by(entry)}"
    else:
        text = what
    if entry["problem"]:
        text += f": {entry['problem']}"
    if entry["left_out"]:
        text += f" (and {entry['left_out']} more before it that are left out)"
    return text


def _by(entry: Mapping[str, Any]) -> str:
    by = entry["by"]
    return f" by {by}" if by and by != OWNER else ""


def _why(entry: Mapping[str, Any]) -> str:
    return WHY.replace("{reason}", entry["reason"]) if entry["reason"] else ""
