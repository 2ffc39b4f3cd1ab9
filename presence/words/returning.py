"""The words for what becomes of what runs when its owner comes, as data, and what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from presence.words.holds import atText

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By what is done: what is said of what runs.
RETURNING = {
    "nice": "what runs has the lowest priority",
    "suspend": "what runs is suspended",
    "sendback": "what runs goes on",
    "sent": "what runs is sent back, to be built elsewhere",
    "cannot": "what runs goes on with the lowest priority, as the master does not know how to have it built elsewhere",
}

#: What is said besides, where an end is known.
SENT_BACK = ", and is sent back {until} if this machine is still needed then"


def returningText(returning: Mapping[str, Any], until: str) -> str:
    """What becomes of what runs, by the status `on_return`; `until` is the text of its `until`, empty where there is none."""
    # a worker of another version may do something else
    said = RETURNING.get(returning["does"]) or f"what runs: {returning['does']}"
    return said + (SENT_BACK.replace("{until}", atText(until)) if until else "")
