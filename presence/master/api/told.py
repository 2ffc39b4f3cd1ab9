"""Holds and breaks as they are told, in entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from presence.breaks.forecast import ComingBreak, ComingLimit
    from presence.master.api.shapes import BreakEntity, HoldEntity
    from presence.model.states import Hold


def holdEntity(hold: Hold) -> HoldEntity:
    """A hold as it is told."""
    return {
        "source": hold.source,
        "reason": hold.reason,
        "by": hold.by,
        "since": hold.since,
        "until": hold.until,
    }


def breakEntity(coming: ComingBreak | ComingLimit) -> BreakEntity:
    """A break as it is told."""
    return {
        "start": coming.start,
        "stop": coming.stop,
        "reason": coming.reason,
        "finish_before": coming.finishBefore,
        "interrupts_at": coming.interruptsAt,
    }
