"""The words for what sensors say, as data, and what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By what a sensor says: whether its owner needs the machine.
SAYS = {"true": "away", "false": "not needed", "null": "cannot tell"}

#: What it does where it holds without saying so.
QUIET = "away until {until}"


def stateText(sensor: Mapping[str, Any], until: str) -> str:
    """What a sensor of the status says: "away", "away until 14:17". `until` is the text of its `quiet_until`."""
    if sensor["holds"] and sensor["away"] is not True and until:
        return QUIET.replace("{until}", until)
    return SAYS["null" if sensor["away"] is None else "true" if sensor["away"] else "false"]
