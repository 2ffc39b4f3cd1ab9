"""What is said of a worker whose master is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def withoutMaster(entity: Mapping[str, Any], master: object, since: float) -> dict[str, Any]:
    """The entity of a worker that was connected to `master`, which has not been heard since then: the worker is offline, and what held
    it besides does so still.
    """
    reason = f"master {master}, which has it, is not heard of"
    hold = {"source": "offline", "reason": reason, "by": None, "since": since, "until": None}
    kept = [each for each in entity["holds"] if each["source"] != "offline"]
    return {
        **entity,
        "state": "NOT_ACCEPTING_NEW_BUILDS",
        "holds": [hold, *kept],
        "connected": False,
        "back_at": None,
        "blocked": [],
        "stale_since": since,
    }
