"""The presence of a builder whose workers are connected to several masters: made of what is told of each of these."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from presence.model.states import PresenceState
from presence.words.holds import holdText
from presence.words.waiting import HELD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from presence.model.states import Hold

# How many workers are named when it is told why none of them is ready.
_NAMED = 3

# Those of a hold.
_FIELDS = ("source", "reason", "by", "since", "until")

#: A worker: its entity, and why builders (ids, as text) would not start on it though it is ready.
Told = tuple["Mapping[str, Any]", "Mapping[str, Sequence[Any]]"]


def builderEntity(
    builderid: int, name: str, workers: Iterable[Told], waiting: int, hold: Hold | None = None
) -> dict[str, Any]:
    """The entity of a builder, as the API has it, whatever master is asked; `hold` is that of the builder itself."""
    ready = total = 0
    refusing: list[tuple[str, str]] = []
    away: list[Mapping[str, Any]] = []
    ends: list[float | None] = []
    for entity, unusable in workers:
        total += 1
        if entity["state"] != PresenceState.AVAILABLE.name:
            away.append(entity)
            ends.append(entity["back_at"])
        elif str(builderid) in unusable:
            why, until = unusable[str(builderid)]
            refusing.append((entity["name"], why))
            ends.append(until)
        else:
            ready += 1
    reason: str | None = None
    back_at: float | None = None
    held = None if hold is None else {key: getattr(hold, key) for key in _FIELDS}
    if held is not None and hold is not None:
        ready, reason, back_at = 0, HELD.replace("{held}", holdText(held)), hold.until
    elif not ready:
        reason = _why(refusing, away) if total else "it has no workers"
        back_at = min((each for each in ends if each is not None), default=None)
    return {
        "builderid": builderid,
        "name": name,
        "state": (PresenceState.AVAILABLE if ready else PresenceState.NOT_ACCEPTING_NEW_BUILDS).name,
        "ready": ready,
        "total": total,
        "waiting": waiting,
        "reason": reason,
        "back_at": back_at,
        "hold": held,
    }


def _why(refusing: Sequence[tuple[str, str]], away: Sequence[Mapping[str, Any]]) -> str:
    if len(refusing) > 1 and len({why for _, why in refusing}) == 1 and not away:
        # it is the builder's, and not one worker's
        return refusing[0][1]
    # who is ready comes first, then the first of the others to be back, and last those of whom that is not known
    others = sorted(away, key=lambda each: math.inf if each["back_at"] is None else each["back_at"])
    told = [f"{name}: {why}" for name, why in refusing]
    told += [
        f"{each['name']}: {', '.join(holdText(hold, drain=bool(each.get('drain'))) for hold in each['holds'])}"
        for each in others
    ]
    rest = len(told) - _NAMED
    return "; ".join(told[:_NAMED] + ([f"and {rest} more"] if rest > 0 else []))
